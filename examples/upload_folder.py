#!/usr/bin/env python3
"""Uploads the files of a folder in the browser that its person already uses, with nothing but bproxy's command line.

Gives them to one field for files, drop zone or button of a page, twenty at a time, and prints what the page holds of each. What the page
does not take is named, and the rest goes on. The tab stays open, so that its person can look at it and send it.

    examples/upload_folder.py photos/ https://example.org/album --to 'input[type=file]'
"""

import argparse
import json
import pathlib
import subprocess
import sys

AT_ONCE = 20


def bproxy(*command):
    """One command, one line of JSON. Exit status: 0 done, 1 refused or without effect, 2 nothing to read but a message."""
    call = subprocess.run(["bproxy", *command], stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(call.stdout) if call.returncode in (0, 1) else sys.exit(call.returncode)


def done(*command):
    """The data of a command that must succeed."""
    answer = bproxy(*command)
    if not answer["ok"]:
        error = answer["error"]
        sys.exit(f"upload_folder: {error['message']} (try: {error.get('suggestedAction', 'bproxy doctor')})")
    return answer["data"]


def give(session, selector, files):
    """Uploads files, and says of each what came of it; how many the page holds."""
    answer = bproxy("upload", "--selector", selector, "--file", *map(str, files), "--timeout", "120000", "-s", session)
    if answer["ok"]:
        for file in answer["data"]["uploaded"]:
            print(f"- {file['name']} ({file['bytes']} bytes)")
        return len(answer["data"]["uploaded"])
    if len(files) == 1:
        print(f"- not {files[0].name}: {answer['error']['message']}")
        return 0
    # One that the page does not take keeps all of them: each by itself.
    return sum(give(session, selector, [file]) for file in files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("url", help="the page that takes them")
    parser.add_argument("--to", default="input[type=file]", help="a CSS selector of what takes them")
    parser.add_argument("--pacing", choices=["human", "fast"], default="human")
    given = parser.parse_args()

    files = sorted(path for path in given.folder.iterdir() if path.is_file() and not path.name.startswith("."))
    session = done("tab", "open", given.url, "--wait-extension", "60")["session"]
    done("session", "bind", "--pacing", given.pacing, "-s", session)
    groups = [files[at : at + AT_ONCE] for at in range(0, len(files), AT_ONCE)]
    held = sum(give(session, given.to, group) for group in groups)
    print(f"{held} of {len(files)}; the tab is in session {session}")
    sys.exit(0 if held == len(files) else 1)


if __name__ == "__main__":
    main()
