#!/usr/bin/env python3
"""Searches a documentation site as a person does, and prints what its first result says.

    examples/search_docs.py https://docs.example/ retry limit
"""

import sys

import bproxy


def search(session: bproxy.Session, url: str, words: str) -> str:
    """The main text of the first page that the site's own search gives."""
    session.open(url)
    session.type(bproxy.find("searchbox"), words)
    session.press("Enter")
    # The rest of the site is around the results.
    for result in session.links("main", limit=1):
        session.click(result["handle"])
        return session.text("main")
    raise SystemExit(f"nothing is found for {words}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with bproxy.connect().session("search the docs") as session:
        print(search(session, sys.argv[1], " ".join(sys.argv[2:])))
