"""Specimens of what must stay: scores, names, signs, credits, lettering of a set; with and without a line beside it,
and clips without any text."""

from __future__ import annotations

from . import scenes
from .drawing import Drawing
from .recipe import BLACK, OUTLINED, SHADED, Fields, Recipe
from .scenes import EVENING, SNOW, TOWN, Size


def _score(drawing: Drawing):
    look: Fields = {"box": "row", "box_fill": (20, 40, 96, 1.0), "pad": 0.3}
    return drawing.text("HOME 2 - 1 AWAY", size=0.042, at=(0.03, 0.07), anchor=0.0, bold=True, **look)


def score_beside_a_line(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("score", size, speed=0.006))
    drawing.keep(_score(drawing))
    drawing.show(drawing.text("What a pass from the left!", size=0.06, **OUTLINED), 10, 40)
    return drawing


def score_alone(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("score alone", size, speed=0.006))
    drawing.keep(_score(drawing))
    return drawing


def channel_over_lines(size: Size) -> Drawing:
    drawing = Drawing(scenes.room("channel", size))
    drawing.keep(drawing.text("MORNING TALK", size=0.05, at=(0.5, 0.08), bold=True, fill=(250, 220, 120)))
    drawing.show(drawing.text("So you moved to the islands?", size=0.056, **OUTLINED), 0, 19)
    drawing.show(drawing.text("Nine years ago, yes.", size=0.056, **OUTLINED), 21)
    return drawing


def logo_and_handle(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("handle", size, TOWN, shake=0.002))
    look: Fields = {"opacity": 0.7, "shadow": (0.05, 0.05, 0.03, 0.6)}
    drawing.keep(drawing.text("@lena.cooks", size=0.026, at=(0.04, 0.74), anchor=0.0, bold=True, **look))
    drawing.keep(drawing.text("COOKTIME", size=0.03, at=(0.96, 0.06), anchor=1.0, bold=True, **SHADED))
    for n, words in enumerate((("add the", "butter"), ("then the", "garlic"))):
        drawing.show(drawing.text(*words, size=0.05, at=(0.5, 0.5), bold=True, stroke=0.1), 20 * n, 20 * n + 20)
    return drawing


def corner_name(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("corner name", size))
    drawing.keep(drawing.text("@my_channel", size=0.045, at=(0.97, 0.94), anchor=1.0, bold=True, **SHADED))
    return drawing


def corner_name_and_line(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("corner name and line", size, EVENING))
    drawing.keep(drawing.text("@my_channel", size=0.04, at=(0.97, 0.07), anchor=1.0, bold=True, **SHADED))
    drawing.show(drawing.text("Give it back to him", size=0.06, **OUTLINED), 8, 34)
    return drawing


SPEED = 0.004


def _sign(drawing: Drawing, speed: float, *rows: str, at=(0.55, 0.4)):
    look: Fields = {"box": "block", "box_fill": (226, 222, 206, 1.0), "pad": 0.5, "fill": (40, 44, 60), "softness": 0.6}
    drawing.keep(drawing.text(*rows, size=0.06, at=at, bold=True, **look), path=lambda t: (-speed * t, 0.0))


def sign_of_the_scene(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("sign", size, TOWN, speed=SPEED))
    _sign(drawing, SPEED, "BAKERY", "since 1921")
    return drawing


def sign_beside_a_line(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("sign and line", size, TOWN, speed=SPEED))
    _sign(drawing, SPEED, "HOTEL ROYAL")
    drawing.show(drawing.text("Is this the right address?", size=0.06, **OUTLINED), 6, 34)
    return drawing


def slow_sign(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("slow sign", size, TOWN, speed=0.0008))
    _sign(drawing, 0.0008, "PLATFORM 9")
    return drawing


def rolling_credits(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("credits", size, (BLACK, BLACK, BLACK, BLACK), 0.0))
    names = ("Written by", "Ada Brandt", "Music by", "Tomas Lind", "Editor", "Mia Holm", "Camera", "Jon Vale")
    rolled = drawing.text(*names, size=0.055, at=(0.5, 0.9), leading=1.8)
    drawing.keep(rolled, path=lambda t: (0.0, -0.006 * t))
    return drawing


def studio_wall(size: Size) -> Drawing:
    drawing = Drawing(scenes.room("studio", size))
    drawing.keep(drawing.text("THE LATE DESK", size=0.1, at=(0.24, 0.2), bold=True, fill=(206, 178, 110), softness=0.7))
    for n, word in enumerate(("really", "never", "why")):
        drawing.show(drawing.text(word, size=0.065, at=(0.5, 0.85), **OUTLINED), 14 * n, 14 * n + 13)
    return drawing


def railing(size: Size) -> Drawing:
    return Drawing(scenes.street("railing", size))


def railing_and_line(size: Size) -> Drawing:
    drawing = Drawing(scenes.street("railing and line", size, 0.008))
    drawing.show(drawing.text("He has done this since he was six.", size=0.055, at=(0.5, 0.9), **OUTLINED), 4, 36)
    return drawing


def no_text(size: Size) -> Drawing:
    return Drawing(scenes.cut(scenes.pan("nothing", size, shake=0.002), scenes.still("nothing else", size, SNOW)))


def no_text_on_film(size: Size) -> Drawing:
    return Drawing(scenes.demo(size))


OTHERS = {
    "score and line": Recipe(
        7, "a score in the corner, a line for 30 of 49 frames", score_beside_a_line, Size(49, 360, 640)
    ),
    "score alone": Recipe(7, "a score in the corner and nothing else", score_alone),
    "channel and lines": Recipe(12, "a channel's name all the time, lines that change", channel_over_lines),
    "handle and logo": Recipe(
        12, "a handle and a logo, captions that change", logo_and_handle, Size(40, 640, 360), Size(40, 400, 224)
    ),
    "corner name": Recipe(6, "a channel's name in a corner and nothing else", corner_name),
    "corner name and line": Recipe(6, "a channel's name in a corner beside a line", corner_name_and_line),
    "sign": Recipe(0, "a sign that moves with the scene", sign_of_the_scene),
    "sign and line": Recipe(0, "the same beside a line", sign_beside_a_line),
    "slow sign": Recipe(0, "a sign that moves half a pixel a frame", slow_sign),
    "credits": Recipe(0, "rolling credits", rolling_credits),
    "studio": Recipe(12, "lettering on a studio's wall, captions of one word", studio_wall),
    "railing": Recipe(11, "a railing before a moving camera, no text", railing),
    "railing and line": Recipe(11, "the same with a line", railing_and_line),
    "no text": Recipe(0, "no text: a moving shot, a cut, a still one", no_text),
    "no text on film": Recipe(0, "no text: the demo clip", no_text_on_film),
}
