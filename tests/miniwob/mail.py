"""Tasks of a mailbox: to reply, to forward, to delete, to mark."""

import re

from hand import Ambiguous, quoted, task

# What stands around the name of the sender, and around that of whom the mail is for; X is the name.
SENDER = [r"(from|by) X", r"X'?s\b", r"X (sent|wrote|e-?mail|mail|wants his)", r"Ask X", r"receive\w* from X"]
RECEIVER = [
    r"\b(to|forward|send|give|e?mail|let|sure|put|in) X(?!'?s\b)",
    r"X (wants|needs|must|is waiting|to be forwarded)",
]


def cues(patterns, name, query):
    """How often a name stands in one of the places."""
    found = (re.findall(it.replace("X", re.escape(name)), query, re.IGNORECASE) for it in patterns)
    return sum(map(len, found))


def understand(query, senders):
    """What to do, with whose mail, and the text or the person that it takes."""
    said = query.replace(quoted(query), "") if '"' in query else query
    named = sorted({it for it in senders if it in said}, key=len, reverse=True)
    # One name may be a part of another.
    named = [it for it in named if re.search(rf"{it}(?!\w)|{it}s\b", said)] or named
    if '"' in query:
        return "reply", named[0], quoted(query).strip('" ')
    if re.search(r"delet|trash|get rid|remove|throw|recycling|don't want|out of my inbox", said, re.IGNORECASE):
        return "delete", named[0], None
    if to := re.search(r"Find the email by (\w+) and forward that email to (\w+)\.", said):
        return "forward", *to.groups()
    if re.search(r"import|imiport|imporan|\bstar|\bmark|\bflag", said, re.IGNORECASE):
        return "mark", named[0], None
    named.sort(key=lambda it: cues(SENDER, it, said) - cues(RECEIVER, it, said))
    return "forward", named[-1], named[0]


@task(
    "email-inbox", "email-inbox-delete", "email-inbox-forward", "email-inbox-forward-nl",
    "email-inbox-forward-nl-turk", "email-inbox-important", "email-inbox-nl-turk", "email-inbox-noscroll",
    "email-inbox-reply", "email-inbox-star-reply",
)  # fmt: skip
def handle_mail(hand):
    senders = [it.text for it in hand.see("#main .email-sender")]
    what, sender, more = understand(hand.query(), senders)
    mail = senders.index(sender)
    # The page compares the name of whom a mail is deleted or marked for, but the text of the one that is forwarded.
    if what == "forward" and senders.count(sender) > 1:
        raise Ambiguous(f"{senders.count(sender)} mails are by {sender}")
    if what == "delete":
        return hand.click(hand.see("#main .trash")[mail])
    if what == "mark":
        return hand.click(hand.see("#main .star")[mail])
    hand.click(hand.see("#main .email-sender")[mail])
    hand.click(f"#email .email-{what}")
    hand.fill("#reply-text" if what == "reply" else "#forward .forward-sender", more)
    hand.click(f"#send-{what}")
