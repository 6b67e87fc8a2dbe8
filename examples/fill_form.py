#!/usr/bin/env python3
"""Fills a form by its labels, sends it with the named button, and prints what the page says then.

    examples/fill_form.py https://events.example/new Register workshop.json

The file holds the values by the labels of their fields: {"Title": "Knots", "May be recorded": "true"}.
"""

import json
import sys

import bproxy


def fill(session: bproxy.Session, url: str, button: str, values: dict) -> str:
    """What the page says once the form was sent."""
    fields = {field.get("label"): field for field in session.open(url).elements(form=True)}
    missing = [label for label in values if label not in fields]
    if missing:
        raise SystemExit(f"the form has no field called {', '.join(missing)}; it has {', '.join(filter(None, fields))}")
    choices = [label for label in values if fields[label].get("tag") == "select"]
    session.fill_form((fields[label]["handle"], value) for label, value in values.items() if label not in choices)
    for label in choices:
        session.select(fields[label]["handle"], values[label])
    return session.click(bproxy.find("button", button, exact=True), then={"action": "text"})["then"]["text"]


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[3], encoding="utf-8") as file:
        given = json.load(file)
    with bproxy.connect().session("fill a form") as session:
        print(fill(session, sys.argv[1], sys.argv[2], given))
