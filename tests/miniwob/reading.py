"""Tasks of reading: sums, words, tables, long texts, and text that is selected or styled."""

import re

from hand import ordinal, quoted, submit, task


@task("simple-arithmetic")
def add(hand):
    left, sign, right = re.search(r"(\d+) (\S) (\d+) =", hand.text("#math-problem")).groups()
    left, right = int(left), int(right)
    hand.fill("#math-answer", str({"+": left + right, "-": left - right, "x": left * right}[sign]))
    submit(hand)


@task("simple-algebra")
def solve(hand):
    left, sign, right, result = re.search(r"(\w+) (\S) (\w+) = (\d+)", hand.text("#math-problem")).groups()
    result = int(result)
    if left == "x":
        answer = result - int(right) if sign == "+" else result + int(right)
    else:
        answer = result - int(left) if sign == "+" else int(left) - result
    hand.fill("#math-answer", str(answer))
    submit(hand)


@task("visual-addition")
def count_blocks(hand):
    hand.fill("#math-answer", str(len(hand.see(".addition-block"))))
    submit(hand)


@task("odd-or-even")
def mark_odd_or_even(hand):
    for index, number in enumerate(hand.see(".display-number")):
        hand.click(hand.see(".odd" if int(number.text) % 2 else ".even")[index])
    hand.click("#submit")


@task("generate-number")
def generate(hand):
    query = hand.query()
    bound = re.search(r"than (\d+)", query)

    def fits(number):
        if bound:
            return number < int(bound[1]) if "less" in query else number > int(bound[1])
        return number % 2 == (1 if "odd" in query else 0)

    hand.click("#generate")
    while not fits(int(hand.text("#display-number"))):
        hand.click("#generate")
    hand.click("#submit")


@task("find-word")
def find_word(hand):
    word = hand.text("#area p").split()[ordinal(hand.query())]
    hand.fill("#answer-input", re.sub(r"\W", "", word))
    submit(hand)


@task("scroll-text")
def last_word(hand):
    hand.fill("#answer-input", hand.value("#text-area").split()[-1].strip("."))
    submit(hand)


@task("scroll-text-2")
def scroll(hand):
    hand.scroll("#text-area", "down" if "bottom" in hand.query() else "up")
    submit(hand)


@task("text-transform")
def type_skewed_text(hand):
    hand.fill("#tt", "".join(it.text for it in hand.see("#captcha span")))
    submit(hand)


def table(hand):
    cells = [it.text for it in hand.see("#tab td")]
    return dict(zip(cells[::2], cells[1::2], strict=True))


@task("read-table")
def read_table(hand):
    hand.fill("#tt", table(hand)[re.search(r"value of (.*) into", hand.query())[1]])
    submit(hand)


@task("read-table-2")
def read_table_twice(hand):
    values = table(hand)
    for number in "12":
        hand.fill(f"#tt{number}", values[hand.text(f"#ll{number}").rstrip(":")])
    submit(hand)


@task("highlight-text")
def highlight(hand):
    hand.select_text("#randomText")
    submit(hand)


@task("highlight-text-2")
def highlight_paragraph(hand):
    hand.select_text(hand.see("#randomText p")[ordinal(hand.query())])
    submit(hand)


@task("text-editor")
def style_text(hand):
    query = hand.query()
    text = hand.text(".ql-editor")
    if "everything" in query:
        part = {}
    else:
        word = re.search(r"give the text (.*) the (?:style|color)", query)[1]
        at = re.search(rf"(?<!\S){re.escape(word)}(?!\S)", text).start()
        part = {"text": word, "nth": text[:at].count(word)}
    colours = dict(
        red="#e60000", orange="#ff9900", yellow="#ffff00", green="#008a00", blue="#0066cc", purple="#9933ff"
    )
    colour = re.search(r"the color (\w+)", query)
    style = re.search(r"the style (\w+)", query)

    def styled():
        hand.select_text(".ql-editor", **part)
        if colour:
            hand.click(".ql-color .ql-picker-label")
            hand.click(f".ql-color .ql-picker-item[data-value='{colours[colour[1]]}']")
        else:
            hand.click({"bold": ".ql-bold", "italics": ".ql-italic", "underlined": ".ql-underline"}[style[1]])
        return hand.see(".ql-editor :is(strong, b, em, i, u, [style*=color])")

    # The editor looks at what is selected now and then: what comes before that, it does not do.
    hand.until(styled, "text in this style")
    submit(hand)


@task("sign-agreement")
def sign(hand):
    query = hand.query()
    if "Scroll" not in query:
        return hand.click("#cancel")
    hand.scroll("#text-area", "down")
    hand.until(lambda: hand.see("#name")[0].enabled, "a field that can be filled")
    name, button = re.findall(r'"([^"]*)"', query)
    hand.fill("#name", name)
    hand.click(f"#{button.lower()}")
