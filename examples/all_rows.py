#!/usr/bin/env python3
"""Reads a table that is spread over several pages, and writes all of its rows as CSV.

    examples/all_rows.py https://shop.example/orders Next > orders.csv
"""

import csv
import sys

import bproxy

NEXT = "Next"


def rows(session: bproxy.Session, url: str, button: str = NEXT):
    """The columns, then every row, page by page, until the button that leads on is gone or disabled."""
    (table, *_) = session.open(url).tables()
    yield table["columns"]
    while True:
        yield from table["rows"]
        try:
            (table, *_) = session.click(bproxy.find("button", button), then={"action": "table"})["then"]["tables"]
        except bproxy.Refused as refused:
            if refused.code not in ("ELEMENT_NOT_ACTIONABLE", "ELEMENT_NOT_FOUND"):
                raise
            return


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with bproxy.connect().session("all rows") as session:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows(session, *sys.argv[1:3]))
