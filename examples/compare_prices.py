#!/usr/bin/env python3
"""Reads the price of a thing in several shops, each in a tab of its own, and prints them, the lowest first.

    examples/compare_prices.py https://north.example/k6 https://south.example/k6
"""

import re
import sys

import bproxy

PRICE = re.compile(r"(\d+(?:[.,]\d\d)?)\s*(?:EUR|€)|(?:EUR|€)\s*(\d+(?:[.,]\d\d)?)")


def price(session: bproxy.Session, url: str) -> float:
    """What the page names first where it speaks of a price."""
    told = session.open(url).find(text="price")
    for match in told:
        found = PRICE.search(match.get("text", ""))
        if found:
            return float((found[1] or found[2]).replace(",", "."))
    raise SystemExit(f"{url} names no price")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with bproxy.connect().session("compare prices") as session:
        for cost, url in sorted((price(session, url), url) for url in sys.argv[1:]):
            print(f"{cost:.2f} {url}")
