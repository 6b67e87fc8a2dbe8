"""Tasks of shapes: to tell them apart, to point at places, to drag, to draw, to sort, to resize."""

import math
import re

from hand import ordinal, quoted, submit, task
from picture import corners

KINDS = {"rect": "rectangle", "circle": "circle", "polygon": "triangle"}


def words(shape):
    """All the words that fit a shape of a grid."""
    if shape.tag == "text":
        kind = "digit" if shape.text.isdigit() else "letter"
        large = shape.attributes["font-size"] == "20px"
        named = {kind, shape.text}
    else:
        large = max(shape.width, shape.height) > 15
        named = {"shape", KINDS[shape.tag]}
    return named | {"item", "large" if large else "small", shape.attributes["fill"]}


@task("click-shape")
def click_shape(hand):
    wanted = re.search(r"Click on a (.*)", hand.query())[1].split()
    hand.click(next(it for it in hand.see("#area_svg > *") if set(wanted) <= words(it)))


@task("count-shape")
def count_shapes(hand):
    wanted = re.search(r"How many (.*)s are there", hand.query())[1].split()
    count = sum(set(wanted) <= words(it) for it in hand.see("#area_svg > *"))
    hand.click(hand.pick("#count-buttons button", str(count)))


@task("identify-shape")
def identify_shape(hand):
    (shape,) = hand.see("#area_svg > *")
    name = KINDS.get(shape.tag) or ("Number" if shape.text.isdigit() else "Letter")
    hand.click(hand.pick("#area-buttons button", name.capitalize()))


@task("count-sides")
def count_sides(hand):
    picture = hand.ask("screenshot", activate=True)["base64"]
    (canvas,) = hand.see("#c")
    hand.click(hand.pick("#form button", str(corners(picture, canvas))))


@task("grid-coordinate")
def click_coordinate(hand):
    x, y = (int(part) for part in re.search(r"\((-?\d),(-?\d)\)", hand.query()).groups())
    points = hand.see("circle")
    columns = sorted({it.left for it in points})
    rows = sorted({it.top for it in points}, reverse=True)
    hand.click(next(it for it in points if (it.left, it.top) == (columns[x + 2], rows[y + 2])))


def point(hand, x, y):
    hand.click_at(hand.see("#area svg")[0], x, y)
    submit(hand)


@task("circle-center")
def click_centre(hand):
    point(hand, *hand.see("#area circle")[0].centre)


@task("find-midpoint")
def click_midpoint(hand):
    (ax, ay), (bx, by) = (it.centre for it in hand.see("#area circle"))
    point(hand, (ax + bx) / 2, (ay + by) / 2)


def away(box, start, directions, least=15, most=60):
    """The place farthest from a point in one of the directions that is still well in a box."""
    return next(
        (x, y)
        for length in range(most, least, -1)
        for dx, dy in directions
        if box.left + 4 < (x := start[0] + dx * length) < box.left + box.width - 4
        and box.top + 4 < (y := start[1] + dy * length) < box.top + box.height - 4
    )


def unit(start, end):
    dx, dy = end[0] - start[0], end[1] - start[1]
    return dx / math.hypot(dx, dy), dy / math.hypot(dx, dy)


@task("right-angle")
def complete_right_angle(hand):
    end, corner = (it.centre for it in hand.see("#area circle"))
    dx, dy = unit(corner, end)
    point(hand, *away(hand.see("#area svg")[0], corner, [(-dy, dx), (dy, -dx)]))


@task("bisect-angle")
def bisect_angle(hand):
    corner, one, other = (it.centre for it in hand.see("#area circle"))
    (ax, ay), (bx, by) = unit(corner, one), unit(corner, other)
    point(hand, *away(hand.see("#area svg")[0], corner, [unit((0, 0), (ax + bx, ay + by))]))


@task("draw-line")
def draw_line(hand):
    (svg,) = hand.see("#area svg")
    x, y = hand.see("#circ")[0].centre
    across = "horizontal" in hand.query()
    start = (x - 25, y) if across else (x, y - 25)
    hand.drag(svg, *((50, 0) if across else (0, 50)), at=svg.share(*start))
    hand.click("#controls button")


@task("draw-circle")
def draw_arc(hand):
    # A drag is straight. A stroke across the way to the point is nearly as far from it everywhere, and is paid for.
    (svg,) = hand.see("#area svg")
    x, y = hand.see("#circ")[0].centre
    right = x < svg.left + svg.width / 2
    down = y < svg.top + svg.height / 2
    start = (x + (34 if right else -34), y + (8 if down else -8))
    hand.drag(svg, -26 if right else 26, 26 if down else -26, at=svg.share(*start))
    hand.click("#controls button")


WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@task("drag-circle", "drag-single-shape")
def drag_shape(hand):
    dx, dy = WAYS[re.search(r"(left|right|up|down) then", hand.query())[1]]
    (shape,) = hand.see("#area svg > *")
    # What is dragged is held off its middle, so that it moves far enough to count.
    hand.drag(shape, dx * (shape.width + 15), dy * (shape.height + 15))
    submit(hand)


def drag_to(hand, shape, box, x, y):
    """Drags a shape to a place in a box."""
    (shape,) = hand.see(shape.target["selector"])
    left, top = shape.centre
    hand.drag(shape, box.left + box.width * x - left, box.top + box.height * y - top)


@task("drag-shapes")
def drag_into_box(hand):
    tag = {"rectangles": "rect", "circles": "circle", "triangles": "polygon"}[
        re.search(r"all (\w+) into", hand.query())[1]
    ]
    (box,) = hand.see("#shape-container")
    for shape in hand.see(f"#area_svg {tag}:not(#shape-container)"):
        drag_to(hand, shape, box, 0.5, 0.5)
    submit(hand)


@task("drag-shapes-2")
def drag_into_boxes(hand):
    what = re.search(r"all (\w+) (?:shapes )?into the left", hand.query())[1]
    left, right = sorted(hand.see("#area_svg #shape-container"), key=lambda it: it.left)
    for shape in hand.see("#area_svg > :not(#shape-container)"):
        fits = what in (shape.attributes["fill"], KINDS[shape.tag] + "s")
        drag_to(hand, shape, left if fits else right, 0.5, 0.5)
    submit(hand)


@task("drag-box")
def drag_box(hand):
    drag_to(hand, hand.see("#draggableSmall")[0], hand.see("#draggableLarge")[0], 0.5, 0.5)
    submit(hand)


def shift(hand, items, start, end):
    """Drags an item of a list or a grid to the place of another, and a little farther: the others make way then."""
    (ax, ay), (bx, by) = items[start].centre, items[end].centre
    farther = lambda way: way + math.copysign(4, way) if abs(way) > 1 else 0
    hand.drag(items[start], farther(bx - ax), farther(by - ay), steps=20)


@task("drag-items")
def move_item(hand):
    name, where = re.search(r"Drag (\S+) (.*)\.", hand.query()).groups()
    items = hand.see("#sortable li")
    start = [it.text for it in items].index(name)
    if "position" in where and "by" not in where:
        end = ordinal(where)
    else:
        end = {"top": 0, "bottom": len(items) - 1, "down": start + 1, "up": start - 1}[
            re.search(r"top|bottom|down|up", where)[0]
        ]
    shift(hand, items, start, end)


@task("drag-items-grid")
def move_in_grid(hand):
    name, where = re.search(r"Drag (\S+) (.*)\.", hand.query()).groups()
    items = hand.see("#sortable li")
    start = [it.text for it in items].index(name)
    if "by one" in where:
        dx, dy = WAYS[where.split()[0]]
        end = start + dx + 3 * dy
    else:
        row = 0 if "top" in where else 2 if "bottom" in where else 1
        end = row * 3 + (0 if "left" in where else 2 if "right" in where else 1)
    shift(hand, items, start, end)


@task("drag-sort-numbers")
def sort_numbers(hand):
    for place in range(3):
        items = hand.see("#sortable li")
        numbers = [int(it.text) for it in items]
        least = numbers.index(min(numbers[place:]))
        if least != place:
            shift(hand, items, least, place)
    submit(hand)


@task("resize-textarea")
def resize(hand):
    side, how = re.search(r"the (width|height) is (smaller|larger)", hand.query()).groups()
    by = 12 if how == "larger" else -12
    if side == "width":
        hand.drag(".ui-resizable-e", by, 0)
    else:
        hand.drag(".ui-resizable-s", 0, by)
    hand.click("#submit")
