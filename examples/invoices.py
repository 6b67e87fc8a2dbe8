#!/usr/bin/env python3
"""Downloads invoices in the browser that its person already uses, signed in as they are, with nothing but bproxy's command line.

Fetches what the links of a page lead to that name an invoice, ten at most, puts the files into a folder under the names that the
browser gave them, and prints each with its SHA-256. What the browser holds to be dangerous is left to the person. It closes what it opened.

    examples/invoices.py https://example.org/account/invoices --into invoices/
"""

import argparse
import json
import os
import subprocess
import sys


def bproxy(*command):
    """One command, one line of JSON. Exit status: 0 done, 1 refused or without effect, 2 nothing to read but a message."""
    call = subprocess.run(["bproxy", *command], stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(call.stdout) if call.returncode in (0, 1) else sys.exit(call.returncode)


def done(*command):
    """The data of a command that must succeed."""
    answer = bproxy(*command)
    if not answer["ok"]:
        error = answer["error"]
        sys.exit(f"invoices: {error['message']} (try: {error.get('suggestedAction', 'bproxy doctor')})")
    return answer["data"]


def invoices(session, word, most):
    """The addresses of the page's links with the word in their text or address, each once."""
    links = done("links", "--contains", word, "--limit", "500", "-s", session)["links"]
    return list(dict.fromkeys(link["href"].split("#")[0] for link in links))[:most]


def fetch(session, url, folder):
    """Downloads one file and says where it is; whether it is there."""
    answer = bproxy("download", "--url", url, "--to", folder, "--timeout", "120000", "-s", session)
    if not answer["ok"]:
        print(f"- not downloaded: {answer['error']['message']} <{url}>")
        return False
    file = answer["data"]
    if file.get("state") == "waiting":
        print(f"- waits for you in the browser's downloads: {file['name']} <{url}>")
        return False
    print(f"- {os.path.relpath(file['path'])} ({file['bytes']} bytes, {file['sha256']}) <{url}>")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("url", help="the page that lists them")
    parser.add_argument("--into", default="invoices", help="the folder for the files")
    parser.add_argument("--word", default="invoice", help="what their links say")
    parser.add_argument("--most", type=int, default=10, help="the most files")
    parser.add_argument("--pacing", choices=["human", "fast"], default="human")
    given = parser.parse_args()

    os.makedirs(given.into, exist_ok=True)
    session = done("session", "create", "--label", "invoices")["session"]
    try:
        done("session", "bind", "--pacing", given.pacing, "-s", session)
        done("tab", "open", given.url, "--wait-extension", "60", "-s", session)
        fetched = [fetch(session, url, given.into) for url in invoices(session, given.word, given.most)]
    finally:
        bproxy("session", "close", "-s", session)
    sys.exit(0 if fetched and all(fetched) else 1)


if __name__ == "__main__":
    main()
