"""Carries out tasks of MiniWoB++ through the command line: `play.py BPROXY SESSION`. Reads the name of the task that the page
shows on each line of standard input; answers with a line of JSON: the error if there was one, and whether the task is
ambiguous. Without arguments: the names of all tasks."""

import json
import sys

import choosing
import drawing
import forms
import games
import mail
import reading
import shops
from hand import TASKS, Ambiguous, Hand

FAMILIES = [choosing, drawing, forms, games, mail, reading, shops]


def play(program, session):
    hand = Hand(program, session)
    for name in sys.stdin:
        error, ambiguous = None, False
        try:
            hand.click("#sync-task-cover")
            TASKS[name.strip()](hand)
        except Ambiguous as fitting:
            error, ambiguous = str(fitting), True
        except Exception as wrong:  # A task that is not as the policy expects it is one that is not done.
            # Games end while they are played.
            error = None if hand.over() else f"{type(wrong).__name__}: {wrong}"
        print(json.dumps({"error": error, "ambiguous": ambiguous}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        play(*sys.argv[1:])
    else:
        print("\n".join(sorted(TASKS)))
