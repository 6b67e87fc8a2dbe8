"""Works in the browser that its person already uses, through the bproxy daemon on this machine.

    import bproxy

    with bproxy.connect().session("research") as session:
        session.open("https://example.org/")
        print(session.text())

Nothing but the standard library is needed. The daemon is called by its Unix socket, without a token; where there is none, by
its port with the token. Every method sends one command and returns the data of its answer, as docs/protocol.md describes
them; a command that is refused raises `Refused`, which says what to run next.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Iterable, Mapping, Optional, Union

__all__ = ["Client", "Data", "Error", "NoEffect", "NotRunning", "Refused", "Session", "Target", "connect", "find"]
__version__ = "0.1.0"

Data = dict[str, Any]
"""The data of an answer: JSON."""

Target = Union[str, Mapping[str, Any]]
"""An element: a handle such as `el3`, a CSS selector, or what `find` makes."""

TIMEOUT = 30.0
"""How long a command may take, in seconds."""
GRACE = 2.0
"""How much longer to wait for an answer: the daemon answers at the deadline at the latest."""


class Error(Exception):
    """Something went wrong; the text says what, and what to do."""


class NotRunning(Error):
    """There is no daemon."""


class Refused(Error):
    """A command was refused, or failed."""

    def __init__(self, code: str, message: str, suggested_action: Optional[str], details: Optional[Data]) -> None:
        super().__init__(f"{code}: {message}" + (f" (try: {suggested_action})" if suggested_action else ""))
        self.code = code
        self.message = message
        self.suggested_action = suggested_action
        self.details = details


class NoEffect(Error):
    """A command was carried out, and did not do what it is for: a field does not hold what it was filled with."""

    def __init__(self, data: Data) -> None:
        super().__init__("a field does not hold the value that it was filled with: read the page to see what it holds now")
        self.data = data


def find(
    role: Optional[str] = None,
    name: Optional[str] = None,
    *,
    text: Optional[str] = None,
    label: Optional[str] = None,
    placeholder: Optional[str] = None,
    test_id: Optional[str] = None,
    exact: Optional[bool] = None,
    nth: Optional[int] = None,
    frame: Optional[str] = None,
) -> Data:
    """What a reader knows of an element, as the target of an act."""
    known = {"role": role, "name": name, "text": text, "label": label, "placeholder": placeholder}
    criteria = _given(**known, testId=test_id, exact=exact, nth=nth)
    return _given(find=criteria, frame=frame)


def connect(home: Union[str, Path, None] = None, port: Optional[int] = None) -> Client:
    """The daemon of the state directory `home`, by default that of `BPROXY_HOME`, else `~/.bproxy`. With `port` it is called
    there, with its token."""
    folder = Path(home or os.environ.get("BPROXY_HOME") or Path.home() / ".bproxy")
    if port is None:
        for path in _sockets(folder):
            if path.is_socket():
                return Client(path=path)
        port = _port(folder)
    return Client(port=port, token=_token(folder))


def _sockets(home: Path) -> Iterable[Path]:
    yield home / "socket"
    if home == Path.home() / ".bproxy":
        yield Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bproxy" / "socket"


def _own_file(path: Path) -> Optional[str]:
    """The text of a file that no other user can have written."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
            facts = os.fstat(file.fileno())
            if facts.st_uid != os.getuid() or facts.st_mode & 0o022:
                raise Error(f"{path} can be written by other users: remove it, and run `bproxy service restart`")
            return file.read().strip()
    except FileNotFoundError:
        return None


def _port(home: Path) -> int:
    text = _own_file(home / "port")
    if text is None:
        raise NotRunning("the daemon is not running: start it with `bproxy service start`")
    return int(text)


def _token(home: Path) -> str:
    token = _own_file(home / "token")
    if token is None:
        raise Error(f"there is no token in {home}: it may be in the keyring. Leave out the port: the daemon's socket needs none")
    return token


class _LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket whose other end belongs to this user."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
        if _peer(self.sock) != os.getuid():
            raise Error(f"{self._path} belongs to another user's program: nothing was sent")


def _peer(sock: socket.socket) -> int:
    """The user at the other end."""
    if sys.platform == "linux":
        return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
    # macOS: struct xucred of LOCAL_PEERCRED at SOL_LOCAL begins with its version and the uid.
    return int(struct.unpack("2I", sock.getsockopt(0, 1, 76)[:8])[1])


class Client:
    """The way to a daemon; `connect` finds it."""

    def __init__(self, *, path: Optional[Path] = None, port: Optional[int] = None, token: Optional[str] = None) -> None:
        self._path, self._port, self._token = path, port, token

    def session(self, label: str = "") -> Session:
        """A new session: tabs, pace and pauses of its own. `with` closes it, and its tabs."""
        return Session(self, str(self.call("session.create", _given(label=label or None))["session"]))

    def session_of(self, id: str) -> Session:
        """A session that there is already."""
        return Session(self, id)

    def sessions(self) -> list[Data]:
        """All sessions."""
        return list(self.call("session.list")["sessions"])

    def call(
        self, action: str, params: Optional[Data] = None, *, session: str = "", timeout: float = TIMEOUT
    ) -> Data:
        """Carries out any action, and returns its data."""
        answer = self._post(action, params or {}, session, timeout, ahead=0.0)
        error = answer.get("error", {})
        now = (error.get("details") or {}).get("now") if error.get("code") == "TIMEOUT" else None
        if isinstance(now, (int, float)) and abs(now / 1000 - time.time()) >= 1:
            # The daemon's clock is further on, so that nothing was done.
            answer = self._post(action, params or {}, session, timeout, ahead=now / 1000 - time.time())
            error = answer.get("error", {})
        if answer.get("ok"):
            return dict(answer["data"])
        code, message = str(error.get("code", "UNKNOWN")), str(error.get("message", "no reason was given"))
        raise Refused(code, message, error.get("suggestedAction"), error.get("details"))

    def _post(self, action: str, params: Data, session: str, timeout: float, ahead: float) -> Data:
        request = {
            "protocol_version": 1,
            "id": secrets.token_hex(16),
            "action": action,
            "params": params,
            "session": session,
            "deadline": int((time.time() + ahead + timeout) * 1000),
            "client": {"name": Path(sys.argv[0]).name[:64] or "python", "folder": os.getcwd()[-256:]},
        }
        headers = {"Content-Type": "application/json", "Connection": "close"}
        connection: http.client.HTTPConnection
        if self._path is not None:
            connection = _LocalConnection(self._path, timeout + GRACE)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout + GRACE)
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", "/", json.dumps(request).encode(), headers)
            answer = json.loads(connection.getresponse().read())
        except (ConnectionRefusedError, FileNotFoundError):
            raise NotRunning("the daemon is not running: start it with `bproxy service start`") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Error(f"the daemon did not answer {action}: {error!r}; `bproxy doctor` says what is wrong") from error
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise Error("what answers is no bproxy daemon: `bproxy doctor` says what is wrong")
        return answer


def _given(**params: Any) -> Data:
    """The parameters that are given."""
    return {name: value for name, value in params.items() if value is not None}


def _target(target: Target) -> Data:
    if not isinstance(target, str):
        return dict(target)
    is_handle = target[:2] in ("el", "ln") and target[2:].isdecimal() and target.isascii()
    return {"handle": target} if is_handle else {"selector": target}


class Session:
    """A session: its commands are methods, and `call` sends any other."""

    def __init__(self, client: Client, id: str) -> None:
        self.client, self.id = client, id

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, action: str, *, timeout: float = TIMEOUT, **params: Any) -> Data:
        """Carries out any action; parameters that are `None` are left out."""
        return self.client.call(action, _given(**params), session=self.id, timeout=timeout)

    def close(self) -> Data:
        """Closes the session and its tabs."""
        return self.call("session.close")

    def fast(self) -> Session:
        """Takes away the pauses of a person's pace."""
        self.call("session.bind", pacing="fast")
        return self

    # ---- Going somewhere ----

    def open(self, url: str) -> Session:
        """Opens an address in a tab of its own, in the background, which later commands act on."""
        self.call("tab.open", url=url)
        return self

    def navigate(self, url: str) -> Data:
        """Goes to an address in the session's tab."""
        return self.call("navigate", url=url)

    def bind(self, tab: str) -> Data:
        """Has later commands act on this tab, such as `t1`."""
        return self.call("session.bind", tab=tab)

    # ---- Reading ----

    def text(self, selector: Optional[str] = None, *, frame: Optional[str] = None) -> str:
        """What the page says."""
        return str(self.call("text", selector=selector, frame=frame)["text"])

    def snapshot(self, *, interactive_only: Optional[bool] = None, contains: Optional[str] = None, since: Optional[str] = None) -> Data:
        """The page as a tree, with handles."""
        return self.call("snapshot", interactiveOnly=interactive_only, contains=contains, since=since)

    def elements(self, *, form: Optional[bool] = None, contains: Optional[str] = None) -> list[Data]:
        """Fields, buttons and menus, with handles."""
        return list(self.call("elements", form=form, contains=contains, targets=False)["elements"])

    def links(
        self, selector: Optional[str] = None, *, contains: Optional[str] = None, limit: Optional[int] = None
    ) -> list[Data]:
        """The links, with handles."""
        return list(self.call("links", selector=selector, contains=contains, limit=limit, targets=False)["links"])

    def tables(self, target: Optional[Target] = None, *, limit: Optional[int] = None) -> list[Data]:
        """Tables, grids and lists of like items, each with its `columns` and `rows`."""
        return list(self.call("table", target=None if target is None else _target(target), limit=limit)["tables"])

    def find(self, role: Optional[str] = None, name: Optional[str] = None, **known: Any) -> list[Data]:
        """The visible elements that fit what is known, as in the function `find`, with handles."""
        target = find(role, name, **known)
        return list(self.call("find", **target["find"], frame=target.get("frame"))["matches"])

    # ---- Acting ----

    def click(self, target: Target, **params: Any) -> Data:
        """Clicks an element."""
        return self.call("click", target=_target(target), **params)

    def fill(self, target: Target, value: str, **params: Any) -> Data:
        """Fills a field; raises `NoEffect` if it does not hold the value afterwards."""
        data = self.call("fill", target=_target(target), value=value, **params)
        if not data["filled"]:
            raise NoEffect(data)
        return data

    def fill_form(self, values: Iterable[tuple[Target, str]], **params: Any) -> list[Data]:
        """Fills several fields, all of which are looked up before the first is written."""
        fields = [{"target": _target(target), "value": value} for target, value in values]
        data = self.call("fill-form", fields=fields, **params)
        if not all(result["filled"] for result in data["results"]):
            raise NoEffect(data)
        return list(data["results"])

    def select(self, target: Target, option: str, **params: Any) -> Data:
        """Chooses an option by the text that a person sees."""
        return self.call("select", trigger=_target(target), optionText=option, **params)

    def press(self, *keys: str) -> Data:
        """Presses keys where the focus is, such as `Enter` or `Control+a`."""
        return self.call("press", keys=list(keys))

    def type(self, target: Target, text: str) -> Data:
        """Types a text into a field, key by key, at the end of what it holds."""
        return self.call("type", target=_target(target), text=text)

    def wait(self, strategy: str, target: Optional[str] = None, *, seconds: float = 10.0) -> Data:
        """Waits until the page is as it is to be: `text`, `gone`, `url` and the like; refused with `TIMEOUT` otherwise."""
        timeout = int(seconds * 1000)
        return self.client.call(
            "wait", _given(strategy=strategy, target=target, timeout=timeout), session=self.id, timeout=seconds + GRACE
        )

    # ---- The person ----

    def require_human(self, reason: str, *, seconds: float = 600.0) -> Data:
        """Pauses the session, and waits until the person has resumed it in bproxy's popup."""
        try:
            self.call("require-human", reason=reason)
        except Refused as refused:
            if refused.code != "HUMAN_REQUIRED":
                raise
        return self.wait_for_person(seconds=seconds)

    def wait_for_person(self, *, seconds: float = 600.0) -> Data:
        """Waits until the session is not paused."""
        end = time.monotonic() + seconds
        while True:
            own = next((session for session in self.client.sessions() if session["id"] == self.id), None)
            if own is None:
                raise Refused("SESSION_NOT_FOUND", f"session {self.id} was closed", "bproxy session list", None)
            if not own["paused"]:
                return own
            if time.monotonic() >= end:
                raise Refused("TIMEOUT", f"the session is still paused: {own.get('pauseReason', '')}", f"bproxy session wait -s {self.id}", None)
            time.sleep(0.5)
