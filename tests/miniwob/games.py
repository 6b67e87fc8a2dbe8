"""Tasks with a time or an opponent: games, moving things, a market, a terminal."""

import math
import re
import time
from functools import cache

from hand import task

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
# How often the opponent takes any field; else it wins or hinders where it can.
CARELESS = 0.55


def put(board, field, mark):
    return board[:field] + mark + board[field + 1 :]


def won(board, mark):
    return any(all(board[field] == mark for field in line) for line in LINES)


def free(board):
    return [field for field, mark in enumerate(board) if mark == " "]


@cache
def chance(board):
    """How likely X, who moves, wins; and the best field."""
    return max((after(put(board, field, "x")), field) for field in free(board))


def after(board):
    """How likely X wins when O moves."""
    if won(board, "x"):
        return 1
    left = free(board)
    if not left:
        return 0
    wins = [it for it in left if won(put(board, it, "o"), "o")]
    hinders = [it for it in left if won(put(board, it, "x"), "x")]
    mean = lambda fields: sum(reply(put(board, it, "o")) for it in fields) / len(fields)
    return CARELESS * mean(left) + (1 - CARELESS) * mean(wins or hinders or left)


def reply(board):
    return 0 if won(board, "o") or not free(board) else chance(board)[0]


@task("tic-tac-toe")
def play_noughts(hand):
    while not hand.over():
        marks = {None: " ", "mark-x": "x", "mark-o": "o"}
        fields = hand.see("#area .ttt-row span")
        board = "".join(marks[it.attributes.get("class")] for it in fields)
        hand.click(fields[chance(board)[1]])


@task("guess-number")
def guess(hand):
    low, high = 0, 9
    while not hand.over():
        number = (low + high) // 2
        hand.fill("#tt", str(number))
        hand.click("#subbtn")
        if hand.shown("#higher"):
            low = number + 1
        else:
            high = number - 1


@task("find-greatest")
def find_greatest(hand):
    numbers = []
    for card in hand.see("#cardholder .card"):
        hand.click(card)
        numbers.append(int(hand.text("#cardholder .card:not(.hidden)")))
    hand.click(hand.see("#cardholder .card")[numbers.index(max(numbers))])
    hand.click("#submit")


@task("button-delay")
def wait_between(hand):
    seconds = int(re.search(r"wait (\d+) seconds", hand.query())[1])
    hand.click("#subbtn")
    # The task is to wait.
    time.sleep(seconds)
    hand.click("#subbtn2")


@task("simon-says")
def repeat_sequence(hand):
    seen, lit, last = [], None, time.monotonic()
    # They light up 600 ms after each other, for 250 ms.
    while not seen or time.monotonic() - last < 1.5:
        now = [it for it in hand.see("#area button") if "push" in it.attributes.get("class", "")]
        number = now[0].attributes["id"] if now else None
        if number and number != lit:
            seen.append(number)
            last = time.monotonic()
        lit = number
    for number in seen:
        hand.click(f"#{number}")


@task("hot-cold")
def find_hot(hand):
    (area,) = hand.see("#touch-area")
    heat = ["", "ICE COLD", "COLD", "WARM", "HOT"]

    def feel(x, y):
        hand.hover(area, at=area.share(x, y))
        return heat.index(hand.text("#display"))

    def places(x, y, reach, step):
        for dy in range(-reach, reach + 1, step):
            for dx in range(-reach, reach + 1, step):
                inside = area.left + 2 < x + dx < area.left + area.width - 2
                if inside and area.top + 2 < y + dy < area.top + area.height - 2:
                    yield x + dx, y + dy

    x, y = area.centre
    reached = feel(x, y)
    for reach, step, wanted in ((80, 40, 2), (40, 13, 3), (12, 6, 4)):
        if reached < wanted:
            x, y = next(it for it in places(x, y, reach, step) if feel(*it) >= wanted)
            reached = feel(x, y)
    hand.click_at(area, x, y)


@task("ascending-numbers")
def click_from_memory(hand):
    numbers = sorted(hand.see("#area_svg text"), key=lambda it: int(it.text))
    hand.click(numbers[0])
    (svg,) = hand.see("#area_svg")
    for number in numbers[1:]:
        hand.click_at(svg, *number.centre)


@task("chase-circle")
def follow(hand):
    (svg,) = hand.see("#area_svg")
    while not hand.over():
        for circle in hand.see("#circ"):
            hand.hover(svg, at=svg.share(*circle.centre))


@task("moving-items")
def hit_moving(hand):
    (svg,) = hand.see("#area_svg")
    before = {}
    while True:
        now = time.monotonic()
        *items, cover = hand.see("#area_svg .item, #sync-task-cover")
        if cover.visible:
            return
        places = {it.attributes["id"]: it.centre for it in items}
        for item in places.keys() & before.keys():
            # Where it will be a moment later, when it is pressed.
            (x0, y0), passed = before[item][0], now - before[item][1]
            (x1, y1), ahead = places[item], min(0.04 / passed, 1)
            x, y = x1 + (x1 - x0) * ahead, y1 + (y1 - y0) * ahead
            if svg.left + 6 < x < svg.left + svg.width - 6 and svg.top < y < svg.top + svg.height:
                hand.click_at(svg, x, y)
                break
        before = {item: (place, now) for item, place in places.items()}


@task("stock-market")
def buy_below(hand):
    bound = float(re.search(r"less than \$([\d.]+\d)", hand.query())[1])
    before = None
    while not hand.over():
        shown = hand.text("#stock-price")
        price = float(shown.lstrip("$")) if shown else bound + 1
        # A price stands for a tenth of a second, and the next one is at most 1.5 away.
        if price < bound - 1.5 or price <= bound and price != before is not None:
            return hand.click("#buy")
        before = price


@task("terminal")
def remove_file(hand):
    ending = re.search(r"extension (\.\S+)$", hand.query())
    hand.click("#terminal")
    hand.type("ls\n")
    (names,) = hand.until(lambda: [it.text for it in hand.see(".terminal-output")][2:], "the names of the files")
    fits = (lambda it: it.endswith(ending[1])) if ending else (lambda it: "." not in it)
    hand.type(f"rm {next(it for it in names.split() if fits(it))}\n")


# Where each side is in front, by how far the cube is turned to the side: upright, and upside down.
SIDES = {"5": (86, 269), "4": (177, 0), "3": (269, 86), "2": (0, 177)}


@task("drag-cube")
def turn_cube(hand):
    wanted = hand.query().split('"')[1]

    def turned():
        """How far the cube is turned over and to the side, once it rests."""
        before = None
        while (style := hand.see(".cube")[0].attributes.get("style", "")) != before:
            before = style
        over, side = re.search(r"rotateX\((\S+)deg\) rotateY\((\S+)deg", style).groups()
        return float(over), float(side) % 360

    way = lambda now, goal: (goal - now + 180) % 360 - 180
    while hand.text(".cube .active") != wanted:
        over, side = turned()
        down = way(over, {"6": 88, "1": 264}.get(wanted, 0 if over < 90 or over > 270 else 180))
        upside_down = 90 < over < 270
        across = 0 if wanted in "16" else way(side, SIDES[wanted][upside_down]) * (-1 if upside_down else 1)
        # A short drag does not set it in motion.
        far = lambda degrees: math.copysign(max(12, min(abs(degrees) / 2.5, 40)), degrees) if abs(degrees) > 20 else 0
        if abs(down) > 35 or wanted in "16":
            hand.drag("#wrapper", 0, -far(down), at={"x": 0.5, "y": 0.4})
        else:
            hand.drag("#wrapper", far(across), 0, at={"x": 0.5, "y": 0.4})
    hand.click("#subbtn")


@task("click-pie", "click-pie-nodelay")
def choose_in_pie(hand):
    wanted = re.search(r'labeled "(.)"', hand.query())[1]
    middle = hand.until(lambda: hand.shown("#divWheel text", "+"), "the middle of the pie")[0]
    hand.click(middle)
    # The slices come out of the middle.
    hand.until(lambda: math.dist(hand.pick("#divWheel text", wanted).centre, middle.centre) > 30, "the open pie")
    hand.click(hand.at_rest("#divWheel text", wanted))
