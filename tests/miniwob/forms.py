"""Tasks of forms: fields, dates, sliders, pickers, and the button that sends them."""

import re

from hand import ordinal, quoted, submit, task

# The colours that the tasks name.
COLOURS = dict(
    black="000000", white="ffffff", aqua="00ffff", blue="0000ff", gray="808080", green="008000", lime="00ff00",
    maroon="800000", navy="000080", olive="808000", purple="800080", red="ff0000", silver="c0c0c0", teal="008080",
    yellow="ffff00", pink="ffc0cb", magenta="ff00ff", gold="ffd700", orange="ffa500",
)  # fmt: skip


@task("enter-text", "enter-text-dynamic")
def enter_text(hand):
    hand.fill("#tt", quoted(hand.query()))
    submit(hand)


@task("enter-text-2")
def enter_text_in_case(hand):
    query = hand.query()
    text = quoted(query)
    hand.fill("#tt", text.upper() if "all upper case" in query else text.lower())
    submit(hand)


@task("enter-password")
def enter_password(hand):
    for field in ("#password", "#verify"):
        hand.fill(field, quoted(hand.query()))
    submit(hand)


@task("login-user", "login-user-popup")
def login(hand):
    user, password = re.search(r'username "(.*)" and the password "(.*)" into', hand.query()).groups()
    for field, value in (("#username", user), ("#password", password)):
        # A window may come up when a field gets the focus, and takes the field away until it is answered.
        hand.click(field)
        if hand.shown("#popup"):
            hand.click("#popup-cancel")
        hand.fill(field, value)
    submit(hand)


@task("enter-date")
def enter_date(hand):
    month, day, year = re.search(r"(\d+)/(\d+)/(\d+)", hand.query()).groups()
    hand.fill("#tt", f"{year}-{month}-{day}")
    submit(hand)


@task("enter-time")
def enter_time(hand):
    hour, minute, half = re.search(r"(\d+):(\d+)\s*([AP])M", hand.query()).groups()
    hand.fill("#tt", f"{int(hour) % 12 + (12 if half == 'P' else 0):02}:{minute}")
    submit(hand)


def choose_day(hand, field, date):
    """Chooses a day in a calendar that opens below its field and is turned month by month."""
    month, day, year = (int(part) for part in date.split("/"))
    hand.click(field)
    names = "January February March April May June July August September October November December".split()
    while True:
        shown_month, shown_year = hand.text(".ui-datepicker-title").split()
        ahead = (year - int(shown_year)) * 12 + month - 1 - names.index(shown_month)
        if ahead == 0:
            return hand.click(hand.pick(".ui-datepicker-calendar a", str(day)))
        hand.click(".ui-datepicker-next" if ahead > 0 else ".ui-datepicker-prev")


@task("choose-date", "choose-date-easy", "choose-date-medium", "choose-date-nodelay")
def choose_date(hand):
    choose_day(hand, "#datepicker", re.search(r"\d+/\d+/\d+", hand.query())[0])
    submit(hand)


@task("use-autocomplete", "use-autocomplete-nodelay")
def use_autocomplete(hand):
    begins, ends = re.search(r'starts with "(.*?)"(?: and ends with "(.*?)")?\.', hand.query()).groups()
    hand.type(begins, "#tags")
    fits = lambda it: it.text.startswith(begins.strip()) and it.text.endswith(ends or "")
    hand.click(hand.until(lambda: [it for it in hand.shown(".ui-menu-item") if fits(it)], "a suggestion that fits")[0])
    submit(hand)


@task("use-spinner")
def use_spinner(hand):
    number = int(re.search(r"-?\d+", hand.query())[0])
    for _ in range(abs(number)):
        hand.click(".ui-spinner-up" if number > 0 else ".ui-spinner-down")
    submit(hand)


def slide(hand, slider, shown, number):
    """Moves a slider to a number with the arrow keys."""
    away = number - int(hand.text(shown))
    if away:
        hand.press(["ArrowRight" if away > 0 else "ArrowLeft"] * abs(away), f"{slider} .ui-slider-handle")


@task("use-slider")
def use_slider(hand):
    slide(hand, "#slider", "#val", int(re.search(r"-?\d+", hand.query())[0]))
    submit(hand)


@task("use-slider-2")
def use_sliders(hand):
    for index, number in enumerate(re.search(r"\[(.*)\]", hand.query())[1].split(","), 1):
        slide(hand, f"#slider-{index}", f"#val-{index}", int(number))
    submit(hand)


@task("form-sequence")
def slider_and_box(hand):
    query = hand.query()
    slide(hand, "#slider", "#val", int(re.search(r"Select (-?\d+)", query)[1]))
    hand.click(f"#checkbox-{ordinal(query) + 1}")
    submit(hand)


@task("form-sequence-2")
def radio_and_field(hand):
    query = hand.query()
    hand.click(hand.see("input[type=radio]")[ordinal(query)])
    hand.fill(f"#input-{ordinal(query.split('radio', 1)[1]) + 1}", quoted(query))
    submit(hand)


@task("form-sequence-3")
def list_and_button(hand):
    query = hand.query()
    hand.select(".selectric", re.search(r"Choose (.*) from the", query)[1])
    hand.click(hand.pick("#buttons button", quoted(query)))


@task("use-colorwheel")
def use_colour_by_name(hand):
    hand.fill("#col", COLOURS[re.search(r"Select (\w+) with", hand.query())[1]].upper())
    submit(hand)


@task("use-colorwheel-2")
def use_colour_shown(hand):
    (box,) = hand.see("#query .cc", "background-color")
    red, green, blue = (int(part) for part in re.findall(r"\d+", box.styles["background-color"])[:3])
    hand.fill("#col", f"{red:02X}{green:02X}{blue:02X}")
    submit(hand)


@task("multi-layouts", "multi-orderings")
def search_movies(hand):
    genre, director, year = re.search(r"for (.*) movies directed by (.*) from year (\d+)", hand.query()).groups()
    rows = hand.shown("#area p, #area .row, #area tr, #area .field, #area .ui-entry")
    for row, field in zip(rows, hand.shown("#area input"), strict=True):
        hand.fill(field, genre if "Genre" in row.text else director if "Director" in row.text else year)
    hand.click(hand.shown("#area button, #area .final, #area .ui-submit")[-1])


@task("copy-paste", "copy-paste-2")
def copy_and_paste(hand):
    query = hand.query()
    texts = hand.see("#area textarea")
    hand.press(["Control+a", "Control+c"], texts[ordinal(query) if len(texts) > 1 else 0])
    hand.press(["Control+v"], "#answer-input")
    submit(hand)
