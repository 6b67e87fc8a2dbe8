"""Tasks of everyday sites: searches, contacts, posts, orders, journeys, a calendar."""

import re

from forms import choose_day
from hand import ordinal, quoted, task


@task("search-engine")
def search(hand):
    query = hand.query()
    hand.fill("#search-text", query.split('"')[1])
    hand.click("#search")
    page, row = divmod(ordinal(query), 3)
    if page:
        hand.click(hand.pick("#pagination a", str(page + 1)))
    hand.click(hand.see("#page-content .search-title")[row])


@task("phone-book")
def find_contact(hand):
    name, what = re.search(r"Find (\S+) in the contact book and click on their (\w+)", hand.query()).groups()
    while hand.text("#contact .name") != name:
        hand.click(hand.pick("#pagination a", ">"))
    hand.click(f"#contact .{what}")


@task("social-media")
def act_on_post(hand):
    query = hand.query()
    user, what = re.search(r"user (@\S+), click on the \"(.*)\" button", query).groups()
    post = [it.text for it in hand.see(".media .username")].index(user)
    if what in ("Reply", "Retweet", "Like"):
        return hand.click(hand.see(f".media .{what.lower()}")[post])
    hand.click(hand.see(".media .more")[post])
    hand.click(hand.until(lambda: [it for it in hand.shown(".media li") if it.text.startswith(what)], what)[0])


@task("social-media-all", "social-media-some")
def act_on_posts(hand):
    query = hand.query()
    user = re.search(r"by (@\S+) and", query)[1]
    posts = [at for at, it in enumerate(hand.see(".media .username")) if it.text == user]
    if some := re.search(r"on (\d+) posts?", query):
        posts = posts[: int(some[1])]
    for post in posts:
        hand.click(hand.see(f".media .{quoted(query).lower()}")[post])
    hand.click("#submitRow button")


@task("order-food")
def order(hand):
    query = hand.query()
    if kind := re.search(r"Order (\d+) items that are (\S+)", query):
        items = hand.see(".food-item")
        fits = next(
            at for at, it in enumerate(items) if hand.see(f"{it.target['selector']} .types img[alt='{kind[2]}']")
        )
        ordered = [fits] * int(kind[1])
    else:
        wanted = query.split(": ")[1].split(", ")
        ordered = [at for at, it in enumerate(hand.see(".item-name")) if it.text in wanted]
    for item in ordered:
        hand.click(hand.see(".food-item .add")[item])
    hand.click("#submit-order button")


def minutes(text):
    hours, rest = re.search(r"(\d+)h (\d+)m", text).groups()
    return int(hours) * 60 + int(rest)


@task("buy-ticket")
def buy_ticket(hand):
    query = hand.query()
    buttons = hand.see(".buy-ticket")
    costs = [int(it.text.split("$")[1]) for it in buttons]
    measure = [minutes(it.text) for it in hand.see(".time-duration")] if "duration" in query else costs
    best = max if "longest" in query or "most" in query else min
    hand.click(buttons[measure.index(best(measure))])


@task("book-flight", "book-flight-nodelay")
def book_flight(hand):
    best, start, end, date = re.search(
        r"the (\w+) one-way flight from: (.*) to: (.*) on (\S+)\.", hand.query()
    ).groups()
    for field, place in (("#flight-from", start), ("#flight-to", end)):
        hand.type(place, field)
        named = lambda it: f"({place})" in it.text or it.text.startswith(place)
        hand.click(hand.until(lambda: [it for it in hand.shown(".ui-menu-item") if named(it)], place)[0])
    choose_day(hand, "#datepicker", date)
    hand.click("#search")
    buttons = hand.see(".flight-price")
    costs = [int(it.text.split("$")[1]) for it in buttons]
    measure = costs if best == "cheapest" else [minutes(it.text) for it in hand.see(".time-duration")]
    hand.click(buttons[measure.index(min(measure))])


@task("daily-calendar")
def create_event(hand):
    query = hand.query()
    amount, unit, name, start, end = re.search(
        r'a ([\d.]+) (\w+) event named "(.*)", between (\w+) and (\w+)', query
    ).groups()
    length = int(float(amount) * (2 if "hour" in unit else 1 / 30))

    def half_hour(time):
        hour, half = re.match(r"(\d+)(AM|PM)", time).groups()
        return (int(hour) % 12 + (12 if half == "PM" else 0)) * 2

    taken = hand.see(".event")
    free = lambda cell: not any(it.top < cell.top + cell.height and cell.top < it.top + it.height for it in taken)
    cells = {at: hand.see(f"#hh-{at}")[0] for at in range(half_hour(start), half_hour(end))}
    first = next(at for at in cells if all(at + more in cells and free(cells[at + more]) for more in range(length)))
    down = cells[first + length - 1].top - cells[first].top
    hand.drag(cells[first], 5, down, at={"x": 0.4, "y": 0.4})
    hand.fill("#event-name", name)
    hand.click("#create-event .create")
