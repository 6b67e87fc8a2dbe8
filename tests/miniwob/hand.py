"""A hand and an eye: `bproxy batch` in one session, its actions as methods. Nothing here runs code in the page."""

import json
import re
import subprocess
import time
from dataclasses import dataclass


class Refused(Exception):
    """What the answer to an action says when it was not done."""


class Ambiguous(Exception):
    """What the task asks for fits several things, of which the page rewards one."""


@dataclass
class Seen:
    """An element as `inspect` reports it, with the target that finds it again."""

    target: dict
    tag: str
    text: str
    attributes: dict
    visible: bool
    enabled: bool
    styles: dict
    left: int
    top: int
    width: int
    height: int

    @property
    def centre(self):
        return self.left + self.width / 2, self.top + self.height / 2

    def share(self, x, y):
        """A place of the window as a place in this element, as `at` wants it."""
        return {"x": (x - self.left) / self.width, "y": (y - self.top) / self.height}


def target(what):
    return {"selector": what} if isinstance(what, str) else what.target


class Hand:
    def __init__(self, program, session):
        self.batch = subprocess.Popen(
            [program, "batch", "-s", session], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, action, **params):
        """One line to `bproxy batch`, and the data of its answer."""
        self.batch.stdin.write(json.dumps({"action": action, "params": params}) + "\n")
        self.batch.stdin.flush()
        answer = json.loads(self.batch.stdout.readline())
        if not answer["ok"]:
            error = answer["error"]
            raise Refused(f"{action} {json.dumps(params)}: {error['code']}: {error['message']}")
        return answer["data"]

    # Reads

    def text(self, selector):
        return re.sub(r"\s+", " ", self.ask("text", selector=selector)["text"]).strip()

    def query(self):
        """What the task asks for."""
        return self.text("#query")

    def see(self, selector, *properties):
        """The elements that a selector matches, at most 50; none if there is none."""
        try:
            data = self.ask("inspect", selector=selector, properties=list(properties), limit=50)
        except Refused as refused:
            if "ELEMENT_NOT_FOUND" in str(refused):
                return []
            raise
        return [
            Seen(
                target={key: entry[key] for key in ("selector", "route") if key in entry},
                left=entry["rect"]["x"],
                top=entry["rect"]["y"],
                width=entry["rect"]["width"],
                height=entry["rect"]["height"],
                **{key: entry[key] for key in ("tag", "text", "attributes", "visible", "enabled", "styles")},
            )
            for entry in data["elements"]
        ]

    def shown(self, selector, text=None):
        """The visible ones, or those of them that say just this."""
        return [it for it in self.see(selector) if it.visible and text in (None, it.text)]

    def pick(self, selector, text):
        """The first visible element that says just this, as soon as there is one."""
        return self.until(lambda: self.shown(selector, text), f"{selector} {text!r}")[0]

    def at_rest(self, selector, text):
        """The same, once it is in its place."""
        before = None
        while (found := self.pick(selector, text)) != before:
            before = found
        return found

    def value(self, label):
        """What a field holds, by its accessible name or its selector."""
        fields = self.ask("elements")["elements"]
        return next(it.get("value", "") for it in fields if label in (it.get("label"), it.get("selector")))

    def until(self, look, what, seconds=8):
        """Looks again until something is there."""
        end = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > end:
                raise Refused(f"not there: {what}")
        return found

    def over(self):
        """Whether the task has ended: its cover is there again."""
        return bool(self.shown("#sync-task-cover"))

    # Acts

    def click(self, what, **more):
        return self.ask("click", target=target(what), **more)

    def click_at(self, what, x, y):
        """A click at a place of the window, in an element."""
        return self.click(what, at=what.share(x, y))

    def hover(self, what, **more):
        return self.ask("hover", target=target(what), **more)

    def drag(self, what, x, y, **more):
        return self.ask("drag", **{"from": target(what)}, by={"x": x, "y": y}, **more)

    def fill(self, what, value):
        data = self.ask("fill", target=target(what), value=value)
        if not data["filled"]:
            raise Refused(f"{what} does not hold {value!r}: {data}")

    def type(self, text, what=None):
        return self.ask("type", text=text, **({} if what is None else {"target": target(what)}))

    def press(self, keys, what=None):
        return self.ask("press", keys=keys, **({} if what is None else {"target": target(what)}))

    def select(self, what, option):
        return self.ask("select", trigger=target(what), optionText=option)

    def select_text(self, what, **more):
        return self.ask("select-text", target=target(what), **more)

    def scroll(self, what, direction):
        return self.ask("scroll", target=target(what), by="end", direction=direction)


TASKS = {}


def task(*names):
    """Says which tasks of MiniWoB++ a function carries out."""

    def known(carry_out):
        TASKS.update(dict.fromkeys(names, carry_out))
        return carry_out

    return known


def submit(hand):
    hand.click("#subbtn")


def quoted(text):
    """What stands between the first and the last quotation mark."""
    return re.search(r'"(.*)"', text)[1]


def ordinal(text):
    """The first ordinal number in a text, from 0."""
    return int(re.search(r"(\d+)(?:st|nd|rd|th)", text)[1]) - 1
