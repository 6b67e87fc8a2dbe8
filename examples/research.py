#!/usr/bin/env python3
"""Researches a topic in the browser that its person already uses, with nothing but bproxy's command line.

Follows the links of a page that speak of the topic, collects the sentences that do, and prints them with their sources.
Where a page asks for a person, it waits until that person has helped. It closes what it opened.

    examples/research.py lighthouse https://example.org/library
"""

import argparse
import json
import re
import subprocess
import sys


class Refused(Exception):
    """The daemon or the browser refused a command, and says why and what to run next."""

    def __init__(self, error):
        super().__init__(f"{error['message']} (try: {error.get('suggestedAction', 'bproxy doctor')})")
        self.code = error["code"]


def bproxy(*command):
    """One command, one line of JSON. Exit status: 0 done, 1 refused, 2 nothing to read but a message."""
    call = subprocess.run(["bproxy", *command], stdout=subprocess.PIPE, text=True, check=False)
    if call.returncode not in (0, 1):
        sys.exit(call.returncode)
    answer = json.loads(call.stdout)
    if not answer["ok"]:
        raise Refused(answer["error"])
    return answer["data"]


def with_person(session, *command):
    """A command of a session; None if a person had to help, and the tab now shows what they left there."""
    try:
        return bproxy(*command, "-s", session)
    except Refused as refused:
        if refused.code != "HUMAN_REQUIRED":
            raise
        print(f"waiting for you: {refused}", file=sys.stderr)
        bproxy("session", "wait", "-s", session)
        return None


def read(session, url):
    """The text of a page, or None if there is no such page."""
    gone = with_person(session, "navigate", url)
    if gone and gone.get("status", 200) >= 400:
        return None
    page = with_person(session, "text") or bproxy("text", "-s", session)
    return page["text"]


def sentences(text, topic):
    """The sentences of a text that speak of the topic."""
    parts = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [part.strip() for part in parts if topic.lower() in part.lower() and len(part.split()) > 3]


def research(session, topic, most):
    """What the pages say that are linked from the session's tab, by their addresses."""
    links = bproxy("links", "--limit", "500", "-s", session)["links"]
    speaking = [link["href"] for link in links if topic.lower() in (link["text"] + link["href"]).lower()]
    # The same page under another fragment is the same page.
    urls = list(dict.fromkeys(url.split("#")[0] for url in speaking))[:most]
    return {url: read(session, url) for url in urls}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("topic")
    parser.add_argument("url", help="the page whose links to follow")
    parser.add_argument("--pages", type=int, default=5, help="the most pages to read")
    parser.add_argument("--pacing", choices=["human", "fast"], default="human")
    given = parser.parse_args()

    session = bproxy("session", "create", "--label", f"research: {given.topic}"[:64])["session"]
    try:
        bproxy("session", "bind", "--pacing", given.pacing, "-s", session)
        bproxy("tab", "open", given.url, "--wait-extension", "60", "-s", session)
        found = research(session, given.topic, given.pages)
    except Refused as refused:
        sys.exit(f"research: {refused}")
    finally:
        bproxy("session", "close", "-s", session)

    print(f"# {given.topic}\n")
    for url, text in found.items():
        if text is None:
            print(f"- (not found) <{url}>")
            continue
        for sentence in sentences(text, given.topic):
            print(f"- {sentence} <{url}>")


if __name__ == "__main__":
    main()
