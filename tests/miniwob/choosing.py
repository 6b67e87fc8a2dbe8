"""Tasks of choosing: buttons, links, boxes, lists, tabs, sections, menus, trees."""

import re

from hand import ordinal, quoted, submit, task

# Words that mean about the same.
ALIKE = [
    set(words.split())
    for words in (
        "big large huge enormous gigantic", "small tiny little mini petite", "red scarlet crimson vermillion",
        "happy cheerful joyful gleeful delighted", "sad unhappy sorrowful miserable tragic",
        "angry mad furious irritated", "evil wicked immoral sinful corrupt depraved",
        "wrong incorrect mistaken erroneous", "real genuine actual", "strange odd peculiar unusual weird",
        "stop cease halt end finish", "scared terrified panicked fearful frightened afraid",
        "quiet calm peaceful serene mild", "old aged archaic", "love like adore favor", "kill murder assassinate",
        "keep retain preserve sustain maintain", "hide conceal camouflage", "hate despise loathe detest dislike",
        "funny humorous amusing comical laughable", "fat fleshy plump chubby", "stupid dumb dull unwise",
        "delicious savory delectable appetizing", "cut slice carve chop", "brave courageous fearless",
        "begin start initiate launch", "answer reply response", "television televisions TV TVs",
        "house home houses homes", "fire flame fires flames", "pig pork swine", "rabbit rabbits bunny bunnies",
        "car cars automobile automobiles vehicle vehicles",
    )
]  # fmt: skip

# How the digits are drawn in boxes, four in a row.
DIGITS = """
.##. ..#. .##. .##. #... #### .##. #### .##. .##.
#..# .##. #..# #..# #.#. #... #..# #..# #..# #..#
#..# ..#. #..# ...# #.#. #... #... ...# #..# #..#
#..# ..#. ..#. .##. #### ###. ###. ..#. .##. .###
#..# ..#. .#.. ...# ..#. ...# #..# ..#. #..# ...#
#..# ..#. #... #..# ..#. #..# #..# .#.. #..# #..#
.##. ..#. #### .##. ..#. .##. .##. .#.. .##. .##.
"""


@task("click-test")
def click_the_button(hand):
    submit(hand)


@task("click-test-2", "click-test-transfer")
def click_one_of_two(hand):
    hand.click(hand.pick("#area button", re.search(r"button (\w+)\.", hand.query())[1]))


@task("click-button-sequence")
def click_in_order(hand):
    for name in re.findall(r"button (\w+)", hand.query()):
        hand.click(hand.pick("#area button", name))


@task("click-button", "unicode-test")
def click_button(hand):
    hand.click(hand.pick("#area button", quoted(hand.query())))


@task("focus-text", "focus-text-2")
def focus(hand):
    query = hand.query()
    fields = hand.see("#area input")
    hand.click(fields[ordinal(query) if len(fields) > 1 else 0])


@task("click-link")
def click_link(hand):
    hand.click(hand.pick(".alink", quoted(hand.query())))


@task("click-dialog")
def close_dialog(hand):
    hand.click(".ui-dialog-titlebar-close")


@task("click-dialog-2")
def click_in_dialog(hand):
    label = quoted(hand.query())
    hand.click(".ui-dialog-titlebar-close" if label == "x" else hand.pick(".ui-dialog button", label))


@task("click-widget")
def click_widget(hand):
    kind = quoted(hand.query())
    tag = kind if kind in ("textarea", "button") else f"input[type={'input' if kind == 'text' else kind}]"
    hand.click(hand.see(f"#area {tag}")[0])


@task("click-color")
def click_colour(hand):
    boxes = hand.see("#area .color", "background-color")
    sample = hand.see("#query-color, #query .color", "background-color")
    if sample:
        wanted = sample[0].styles["background-color"]
        box = next(it for it in boxes if it.styles["background-color"] == wanted)
    else:
        name = re.search(r"the (\w+) colored", hand.query())[1]
        box = next(it for it in boxes if f"background-color: {name};" in it.attributes["style"])
    hand.click(box)


@task("click-shades")
def click_shades(hand):
    name = re.search(r"shades of (\w+)", hand.query())[1]
    for box in hand.see("#area span", "background-color"):
        shade = [int(part) for part in re.findall(r"\d+", box.styles["background-color"])[:3]]
        if shade[("red", "green", "blue").index(name)] == max(shade):
            hand.click(box)
    hand.click("#submit")


@task("click-option", "click-checkboxes", "click-checkboxes-large", "click-checkboxes-transfer")
def click_boxes(hand):
    wanted = re.search(r"Select (.*) and click", hand.query())[1].split(", ")
    for label in hand.see("#area label"):
        if label.text in wanted:
            hand.click(label)
    submit(hand)


@task("click-checkboxes-soft")
def click_words_alike(hand):
    words = re.search(r"similar to (.*) and click", hand.query())[1].split(", ")
    for label in hand.see("#area label"):
        if any(label.text == word or {label.text, word} <= alike for word in words for alike in ALIKE):
            hand.click(label)
    submit(hand)


@task("number-checkboxes")
def draw_in_boxes(hand):
    digit = int(quoted(hand.query()))
    drawn = "".join(row.split()[digit] for row in DIGITS.strip().splitlines())
    for mark, box in zip(drawn, hand.see("#checkboxes input"), strict=True):
        if mark == "#":
            hand.click(box)
    submit(hand)


@task("choose-list")
def choose_in_list(hand):
    hand.select("#options", re.search(r"Select (.*) from the list", hand.query())[1])
    hand.click("#area button")


@task("click-scroll-list")
def choose_several(hand):
    wanted = re.search(r"Select (.*) from the scroll list", hand.query())[1]
    options = [it.text for it in hand.see("#options option")]
    # Names of countries have commas too.
    pairs = [(one, other) for one in options for other in options]
    chosen = (wanted,) if wanted in options else next(it for it in pairs if ", ".join(it) == wanted)
    for option in chosen:
        hand.select("#options", option)
    hand.click("#area button")


@task("click-tab")
def click_tab(hand):
    hand.click(hand.pick("#area a", re.search(r"Tab #\d", hand.query())[0]))


@task("click-tab-2", "click-tab-2-easy", "click-tab-2-hard", "click-tab-2-medium")
def find_in_tabs(hand):
    wanted = quoted(hand.query())
    for tab in hand.see("#area .ui-tabs-anchor"):
        if links := hand.shown("#area .alink", wanted):
            return hand.click(links[0])
        hand.click(tab)
    if not hand.over():
        hand.click(hand.pick("#area .alink", wanted))


@task("click-collapsible", "click-collapsible-nodelay")
def expand(hand):
    hand.click("#area h3")
    hand.until(lambda: hand.shown(".ui-accordion-content"), "the section")
    submit(hand)


@task("click-collapsible-2", "click-collapsible-2-nodelay")
def find_in_sections(hand):
    wanted = quoted(hand.query())
    sections = hand.see("#area .ui-accordion-content")
    for head, section in zip(hand.see("#area h3"), sections, strict=True):
        hand.click(head)
        inside = f"{section.target['selector']} .alink"
        if any(it.text == wanted for it in hand.see(inside)):
            return hand.click(hand.pick(inside, wanted))


@task("click-menu")
def choose_in_menus(hand):
    *above, leaf = re.search(r"Select (.*)", hand.query())[1].split(">")
    for name in above:
        hand.hover(hand.pick("#menu div", name))
    hand.click(hand.pick("#menu div", leaf))


@task("click-menu-2")
def choose_in_menu(hand):
    query = hand.query()
    icons = [it.attributes["class"].split()[-1] for it in hand.see("#query .ui-icon")]
    hand.click("#open-menu")
    label = query.split('labeled "')[1].split('"')[0] if not icons else None
    names = {"seek-start": "Prev", "stop": "Stop", "play": "Play", "seek-end": "Next"}
    if label in names.values() or icons and icons[0].removeprefix("ui-icon-") in names:
        hand.hover(hand.pick("#menu div", "Playback"))
    if icons:
        found = hand.until(lambda: hand.shown(f"#menu .{icons[0]}"), "the icon")[0]
    else:
        found = hand.pick("#menu div", label)
    hand.click(found)


@task("navigate-tree")
def find_in_tree(hand):
    wanted = quoted(hand.query())
    while not (found := hand.shown("#tree span", wanted)):
        hand.click(hand.shown("#tree li.expandable > span")[0])
    hand.click(found[0])
