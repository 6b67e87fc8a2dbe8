"""What only a picture shows: the corners of a shape on a canvas."""

import base64
import cmath
import math
import struct
import zlib


def pixels(png, height):
    """The upper rows of a picture, each as its bytes, and how many of them a pixel has."""
    data, at, packed = base64.b64decode(png), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, _, _, colour = struct.unpack(">IIBB", body[:10])
        packed += body if kind == b"IDAT" else b""
        at += length + 12
    size = {2: 3, 6: 4}[colour]
    raw, line = zlib.decompress(packed), width * size
    above, rows = bytearray(line), []
    for start in range(0, height * (line + 1), line + 1):
        row = bytearray(raw[start + 1 : start + 1 + line])
        for x in range(line):
            left = row[x - size] if x >= size else 0
            corner = above[x - size] if x >= size else 0
            row[x] = (row[x] + filtered(raw[start], left, above[x], corner)) & 255
        rows.append(row)
        above = row
    return rows, size


def filtered(kind, left, above, corner):
    """What a filter of the format adds to a byte."""
    if kind < 4:
        return (0, left, above, (left + above) // 2)[kind]
    guess = left + above - corner
    return min((left, above, corner), key=lambda it: abs(guess - it))


def corners(png, canvas):
    """How many corners the polygon in the middle of a canvas has: how far its outline is from there, all the way round,
    goes up and down as often."""
    rows, size = pixels(png, canvas.top + canvas.height)
    x, y = canvas.centre

    def outline(angle):
        steps = (it / 2 for it in range(90, 0, -1))
        dark = lambda it: rows[round(y + it * math.sin(angle))][round(x + it * math.cos(angle)) * size] < 128
        return next((it for it in steps if dark(it)), 0)

    turns = [math.tau * step / 180 for step in range(180)]
    far = [outline(turn) for turn in turns]
    swing = lambda count: abs(sum(it * cmath.exp(-1j * count * turn) for it, turn in zip(far, turns, strict=True)))
    return max(range(3, 8), key=swing)
