"""Specimens of subtitles that change while they stand: words lit one after another, letters that appear, fades,
slides."""

from __future__ import annotations

from . import scenes
from .drawing import Drawing
from .recipe import OUTLINED, RED, WHITE, Fields, Recipe
from .scenes import EVENING, TOWN, Size

SUNG = "nothing is going to change my mind"


def box_on_the_word(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("box on the word", size, shake=0.002))
    look: Fields = {"hot_box": (0, 200, 90), "hot_fill": WHITE, "pad": 0.24, "rounded": 0.2, "stroke": 0.06}
    for n in range(5):
        rows = ("you will not", "believe this")
        word = drawing.text(*rows, size=0.08, at=(0.5, 0.62), bold=True, hot=n, leading=1.5, **look)
        drawing.show(word, 8 * n, 8 * n + 8)
    return drawing


def colour_on_the_word(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("colour on the word", size, EVENING))
    for n in range(6):
        drawing.show(
            drawing.text(SUNG, size=0.055, bold=True, hot=n, hot_fill=(255, 200, 0), **OUTLINED), 6 * n + 2, 6 * n + 8
        )
    return drawing


def word_by_word(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("word by word", size, TOWN, speed=0.005, shake=0.001))
    for n, word in enumerate(["I", "ONLY", "HAVE", "ONE", "RULE"]):
        drawing.show(drawing.text(word, size=0.11, at=(0.5, 0.6), bold=True, stroke=0.08), 7 * n + 2, 7 * n + 9)
    return drawing


def fast_words(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("fast words", size, TOWN, speed=0.003, shake=0.001))
    for n, word in enumerate(["SO", "I'VE", "TOLD", "HIM", "THAT", "WE", "ARE", "DONE"]):
        drawing.show(drawing.text(word, size=0.1, at=(0.5, 0.62), bold=True, stroke=0.08), 5 * n + 2, 5 * n + 7)
    return drawing


def lone_letter(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("lone letter", size, TOWN, speed=0.003, shake=0.001))
    for n, word in enumerate(["SO", "I", "TOLD"]):
        drawing.show(drawing.text(word, size=0.1, at=(0.5, 0.62), bold=True, stroke=0.08), 8 * n + 2, 8 * n + 10)
    return drawing


def short_words_in_turn(size: Size) -> Drawing:
    drawing = Drawing(scenes.room("in turn", size))
    drawing.keep(drawing.text("CITY NEWS 24", size=0.05, at=(0.5, 0.08), bold=True, fill=(250, 220, 120)))
    for n, word in enumerate(("1984", "No.", "42", "ok")):
        drawing.show(drawing.text(word, size=0.065, at=(0.5, 0.86), **OUTLINED), 11 * n, 11 * n + 10)
    return drawing


def big_words(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("big words", size, grain=0))
    for n, word in enumerate(("THIS", "IS", "THE", "BEST", "DAY")):
        drawing.show(drawing.text(word, size=0.2, at=(0.5, 0.5), bold=True, stroke=0.06), 10 * n, 10 * n + 10)
    return drawing


def typed(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("typed", size, EVENING, speed=0.002))
    text = "October 14, 1994"
    whole = drawing.text(text, size=0.062, at=(0.5, 0.8), **OUTLINED)
    left = min(row[0] for row in whole.rows) / drawing.width
    ends = [n for n in range(1, len(text) + 1) if text[n - 1] != " "]
    for n, end in enumerate(ends):
        part = drawing.text(text[:end], size=0.062, at=(left, 0.8), anchor=0.0, **OUTLINED)
        drawing.show(part, 3 + 2 * n, 5 + 2 * n if n < len(ends) - 1 else None)
    return drawing


def slow_fade(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("slow fade", size))
    drawing.show(drawing.text("She never wrote back.", size=0.06, **OUTLINED), 3, 43, fade=(16, 16))
    return drawing


def a_second_of_fade(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("a second", size, EVENING))
    drawing.show(drawing.text("Chapter Four", size=0.08, at=(0.5, 0.5), **OUTLINED), 2, 62, fade=(25, 25))
    return drawing


def crossfade(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("crossfade", size, TOWN, speed=0.002))
    drawing.show(drawing.text("It rained for a week.", size=0.06, **OUTLINED), -9, 23, fade=(0, 6))
    drawing.show(drawing.text("Then the sun came out.", size=0.06, **OUTLINED), 17, 60, fade=(6, 0))
    return drawing


def slides_in(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("slides in", size, TOWN))
    path = lambda t: (0.0, max(0.0, 22 - t) * 0.012)
    line = drawing.text("Coming up next", size=0.07, at=(0.5, 0.8), bold=True, **OUTLINED)
    drawing.show(line, 4, None, path=path)
    return drawing


def slides_sideways(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("sideways", size, EVENING, speed=0.002))
    path = lambda t: (-max(0.0, 20 - t) * 0.03, 0.0)
    line = drawing.text("LIVE FROM THE HARBOUR", size=0.06, at=(0.5, 0.84), bold=True, box="row", box_fill=(*RED, 1.0))
    drawing.show(line, 2, None, path=path)
    return drawing


WORDS = {
    "box on the word": Recipe(3, "a coloured box moves from word to word", box_on_the_word),
    "colour on the word": Recipe(3, "one word after another in another colour", colour_on_the_word),
    "word by word": Recipe(1, "one word at a time, seven frames each", word_by_word),
    "fast words": Recipe(1, "one word at a time, five frames each", fast_words, Size(44, 360, 640)),
    "lone letter": Recipe(1, "one word at a time, among them an I: a bar", lone_letter, Size(28, 360, 640)),
    "short words in turn": Recipe(
        12, "words of two letters, each after the other", short_words_in_turn, Size(44, 360, 640)
    ),
    "big words": Recipe(4, "five big words, ten frames each, over a still picture", big_words, Size(50, 360, 640)),
    "typed": Recipe(3, "letters appear one by one", typed),
    "slow fade": Recipe(8, "16 frames in, 16 out", slow_fade, Size(46, 360, 640)),
    "a second of fade": Recipe(8, "25 frames in, 25 out", a_second_of_fade, Size(64, 360, 640)),
    "crossfade": Recipe(8, "a line fades into the next at its place", crossfade),
    "slides in": Recipe(0, "a line rises into the picture and stops", slides_in),
    "slides sideways": Recipe(0, "a line on a box comes in from the left", slides_sideways),
}
