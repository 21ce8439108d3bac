"""Specimens of subtitles in every length, size, place and look, over scenes of every kind."""

from __future__ import annotations

import random

from ..pictographs import random_pictograph
from . import scenes
from .drawing import Drawing
from .recipe import BLACK, OUTLINED, RED, SHADED, WHITE, YELLOW, Fields, Recipe
from .scenes import EVENING, SNOW, TOWN, Size

SERIFS = ("Noto Serif Light", "Noto Serif Display", "Noto Serif", "DejaVu Serif", "Georgia", "Times New Roman")
"""The thinnest first."""


def short_word(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("short word", size))
    drawing.show(drawing.text("No.", size=0.062, **OUTLINED), 6, 34)
    return drawing


def two_characters(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("two characters", size, TOWN, speed=0.002))
    drawing.show(drawing.text("走吧", size=0.065, bold=True, **OUTLINED), 4)
    return drawing


def short_beside_long(size: Size) -> Drawing:
    drawing = Drawing(scenes.demo(size))
    drawing.show(drawing.text("Did you hear what she told them?", size=0.06, **OUTLINED), 0, 18)
    drawing.show(drawing.text("Yes.", size=0.06, **OUTLINED), 20, 38)
    return drawing


def flush_left(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("flush left", size, EVENING))
    drawing.show(
        drawing.text("I have been waiting here all day long", size=0.055, at=(0.06, 0.9), anchor=0.0, **OUTLINED), 0, 18
    )
    drawing.show(drawing.text("Yes.", size=0.055, at=(0.06, 0.9), anchor=0.0, **OUTLINED), 20, 38)
    return drawing


def whole_width(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("whole width", size, shake=0.001))
    line = "The road goes on and on, and nobody who walked it ever came home again"
    drawing.show(drawing.text(line, size=0.046, **OUTLINED), 3, 36)
    return drawing


def two_rows_changing(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("two rows", size, TOWN, speed=0.006))
    drawing.show(drawing.text("I waited at the station", "until the last train left.", size=0.06, **OUTLINED), 0, 19)
    drawing.show(drawing.text("Nobody got off.", size=0.06, **OUTLINED), 21)
    return drawing


def six_rows(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("six rows", size, EVENING))
    rows = (
        "In the winter of that year",
        "the river froze for the first time,",
        "and the ferry could not leave.",
        "So they walked across,",
        "one behind the other,",
        "and did not speak.",
    )
    drawing.show(drawing.text(*rows, size=0.055, at=(0.5, 0.5), align=0.0, **SHADED), 3)
    return drawing


def replaced_at_once(size: Size) -> Drawing:
    drawing = Drawing(scenes.cartoon("replaced", size))
    drawing.show(drawing.text("今日はもう帰ろう", size=0.06, bold=True, **OUTLINED), 0, 20)
    drawing.show(drawing.text("まだ早いよ", size=0.06, bold=True, **OUTLINED), 20)
    return drawing


def two_scripts(size: Size) -> Drawing:
    drawing = Drawing(scenes.room("two scripts", size))
    drawing.show(drawing.text("我们从来没有想过这个问题", size=0.062, at=(0.5, 0.81), bold=True, **OUTLINED), 2, 22)
    drawing.show(drawing.text("We had never thought of it", size=0.042, at=(0.5, 0.9), **OUTLINED), 2, 22)
    drawing.show(drawing.text("直到那天早上", size=0.062, at=(0.5, 0.81), bold=True, **OUTLINED), 24)
    drawing.show(drawing.text("until that morning", size=0.042, at=(0.5, 0.9), **OUTLINED), 24)
    return drawing


def over_a_cut(size: Size) -> Drawing:
    drawing = Drawing(scenes.cut(scenes.still("before", size), scenes.pan("after", size, EVENING)))
    drawing.show(drawing.text("And then it was over.", size=0.062, **OUTLINED), 8, 34)
    return drawing


def stands_all_the_time(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("stands", size, EVENING, speed=0.003))
    drawing.show(drawing.text("You should have told me before", size=0.06, **OUTLINED))
    return drawing


def letters_of_8_pixels(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("eight pixels", size, speed=0.002))
    drawing.show(drawing.text("recorded on a cold morning in the north", size=0.0155, at=(0.5, 0.9), **SHADED))
    return drawing


def short_at_720p(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("short 720", size, TOWN, speed=0.002))
    drawing.show(drawing.text("Да.", size=0.045, at=(0.5, 0.9), **OUTLINED))
    return drawing


def a_quarter_of_the_frame(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("a quarter", size))
    drawing.show(drawing.text("RUN!", size=0.35, at=(0.5, 0.5), bold=True, stroke=0.05), 5, 35)
    return drawing


def low_resolution(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("240 rows", size))
    drawing.show(drawing.text("Leave the door open.", size=0.058, **OUTLINED), 5, 35)
    return drawing


def column(size: Size) -> Drawing:
    drawing = Drawing(scenes.cartoon("column", size))
    drawing.show(drawing.text("どうしてここに", size=0.075, at=(0.88, 0.42), bold=True, column=True, **OUTLINED), 4, 36)
    return drawing


def upright(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("upright", size, TOWN, shake=0.002))
    for n, words in enumerate((("wait for", "it"), ("this part", "is my favourite"))):
        drawing.show(drawing.text(*words, size=0.042, at=(0.5, 0.66), bold=True, stroke=0.09), 20 * n, 20 * n + 19)
    return drawing


def yellow(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("yellow", size))
    drawing.show(drawing.text("What are you doing here?", size=0.06, fill=YELLOW, **OUTLINED), 5, 35)
    return drawing


def coloured(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("coloured", size, TOWN))
    look: Fields = {"fill": (80, 220, 255), "stroke": 0.08, "stroke_fill": (90, 20, 110)}
    drawing.show(drawing.text("So schnell geht das!", size=0.07, bold=True, **look), 5, 35)
    return drawing


def dark_on_light(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("dark on light", size, SNOW, 0.7))
    drawing.show(drawing.text("Snow fell all night.", size=0.062, fill=(22, 24, 30)), 5, 35)
    return drawing


def thin_serif(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("thin serif", size, EVENING))
    look: Fields = {"families": SERIFS, "fill": (240, 236, 228)}
    drawing.show(drawing.text("a long time afterwards", size=0.06, **look), 5, 35)
    return drawing


def glow(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("glow", size))
    drawing.show(drawing.text("close your eyes", size=0.07, glow=(0, 0, 0, 0.12)), 5, 35)
    return drawing


def shadow(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("shadow", size, TOWN))
    drawing.show(drawing.text("Two hours earlier", size=0.06, **SHADED), 5, 35)
    return drawing


def no_outline(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("no outline", size, EVENING))
    drawing.show(drawing.text("He left without a word.", size=0.06), 5, 35)
    return drawing


def letters_set_apart(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("apart", size, EVENING))
    drawing.show(drawing.text("HOME", size=0.05, at=(0.5, 0.55), spacing=0.7), 5, 35)
    return drawing


def black_boxes(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("black boxes", size))
    look: Fields = {"box": "row", "box_fill": (*BLACK, 1.0), "pad": 0.22}
    drawing.show(drawing.text("The train to the coast", "leaves in ten minutes.", size=0.052, **look), 5, 35)
    return drawing


def translucent_box(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("translucent box", size, TOWN))
    look: Fields = {"box": "block", "box_fill": (*BLACK, 0.5), "pad": 0.35}
    drawing.show(drawing.text("Please mind the gap", "between train and platform.", size=0.05, **look), 5, 35)
    return drawing


def coloured_box(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("coloured box", size, TOWN, shake=0.002))
    look: Fields = {"box": "row", "box_fill": (*RED, 1.0), "pad": 0.25, "rounded": 0.25}
    drawing.show(drawing.text("3 things nobody tells you", size=0.06, at=(0.5, 0.3), bold=True, **look), 0, 30)
    return drawing


def pictographs(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("pictographs", size))
    words: list = ["so", "proud", "of", "you", *(random_pictograph(random.Random(seed)) for seed in (3, 8))]
    drawing.show(drawing.text(words, size=0.075, at=(0.5, 0.74), bold=True, stroke=0.08), 5, 35)
    return drawing


def half_on_a_bar(size: Size) -> Drawing:
    drawing = Drawing(scenes.letterboxed(scenes.pan("bar", size)))
    drawing.show(drawing.text("It was never about the money", size=0.065, at=(0.5, 0.88), **OUTLINED), 5, 35)
    return drawing


def ultra_high(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("ultra high", size, TOWN))
    drawing.show(drawing.text("Call me when you get there.", size=0.05, fill=WHITE, **OUTLINED))
    return drawing


LINES = {
    "short word": Recipe(1, "one word of three letters under a moving camera", short_word),
    "two characters": Recipe(1, "two Chinese characters", two_characters),
    "short beside long": Recipe(1, "a line of one word after a long one, on real film", short_beside_long),
    "short at 720p": Recipe(1, "a word of two letters", short_at_720p, Size(30, 720, 1280), Size(16, 360, 640)),
    "flush left": Recipe(0, "lines that begin at one place, the second one in the corner", flush_left),
    "whole width": Recipe(0, "a line as wide as the frame", whole_width),
    "two rows changing": Recipe(10, "two rows, then one", two_rows_changing),
    "six rows": Recipe(3, "six rows set flush left", six_rows),
    "replaced at once": Recipe(4, "a line follows another without a gap", replaced_at_once),
    "two scripts": Recipe(10, "Chinese over English, changing together", two_scripts),
    "over a cut": Recipe(0, "a line that stands over a cut", over_a_cut),
    "stands all the time": Recipe(12, "a line for all of the clip and no other text", stands_all_the_time),
    "8 pixels": Recipe(2, "letters 8 pixels high", letters_of_8_pixels, Size(20, 720, 1280), Size(10, 720, 1280)),
    "a quarter of the frame": Recipe(0, "letters a quarter of the frame high", a_quarter_of_the_frame),
    "240p": Recipe(2, "a line in a frame of 240 rows", low_resolution, Size(40, 240, 426), Size(40, 240, 426)),
    "2160p": Recipe(0, "a line in a frame of 2160 rows", ultra_high, Size(9, 2160, 3840), Size(9, 360, 640)),
    "column": Recipe(5, "seven Japanese letters in a column on a cartoon", column),
    "upright": Recipe(0, "two rows in an upright frame", upright, Size(40, 640, 360), Size(40, 400, 224)),
    "yellow": Recipe(0, "yellow letters", yellow),
    "coloured": Recipe(0, "coloured letters with a coloured outline", coloured),
    "dark on light": Recipe(3, "dark letters on snow without an outline", dark_on_light),
    "thin serif": Recipe(3, "thin serif letters without an outline", thin_serif),
    "glow": Recipe(0, "letters with a dark glow", glow),
    "shadow": Recipe(0, "letters with a shadow alone", shadow),
    "no outline": Recipe(0, "white letters without an outline", no_outline),
    "letters set apart": Recipe(3, "four letters set far apart", letters_set_apart),
    "black boxes": Recipe(3, "an opaque black box behind each row", black_boxes),
    "translucent box": Recipe(3, "a translucent box behind two rows", translucent_box),
    "coloured box": Recipe(3, "a coloured box behind a row", coloured_box),
    "pictographs": Recipe(3, "a row with two emoji", pictographs),
    "half on a bar": Recipe(9, "a line half on a letterbox bar", half_on_a_bar),
}
