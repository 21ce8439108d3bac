"""Specimens of what films and players show besides: karaoke that is swept, captions that stream, comments that fly by,
lines that change their place, clocks, tickers and marks that wander, old film, other rates."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from ..letters import Overlay
from . import scenes
from .drawing import Drawing, Path
from .recipe import OUTLINED, RED, SHADED, WHITE, YELLOW, Fields, Recipe
from .scenes import EVENING, SNOW, TOWN, Size

PLATE: Fields = {"box": "block", "box_fill": (0, 0, 0, 0.6), "pad": 0.35}
SAID = ["so", "we", "went", "all", "the", "way", "back", "home"]


def swept(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("swept", size, EVENING))
    for n, words in enumerate(("carry me over the water", "carry me over the sea")):
        one, two = (
            drawing.text(words, size=0.07, bold=True, fill=fill, stroke=0.08) for fill in (WHITE, (40, 120, 255))
        )
        for t in range(22):
            drawing.show(_halved(one, two, t / 20), 24 * n + t, 24 * n + t + 1)
    return drawing


def _halved(over: Overlay, under: Overlay, share: float) -> Overlay:
    """The left share of one text and the rest of another of the same letters."""
    picture, edge = over.picture.copy(), round(min(1.0, share) * over.picture.width)
    picture.paste(under.picture.crop((0, 0, edge, picture.height)), (0, 0))
    return replace(over, picture=picture)


def streamed(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("streamed", size, TOWN, speed=0.003))
    for n in range(len(SAID)):
        line = drawing.text(" ".join(SAID[: n + 1]), size=0.055, at=(0.08, 0.85), anchor=0.0, **PLATE)
        drawing.show(line, 4 + 4 * n, 8 + 4 * n if n + 1 < len(SAID) else None)
    return drawing


def rolled_up(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("rolled up", size, speed=0.004))
    said = ("and when the morning came", "there was nobody left", "to tell them what to do", "or where to go from here")
    for n in range(1, len(said)):
        rows = drawing.text(*said[n - 1 : n + 1], size=0.055, at=(0.1, 0.84), anchor=0.0, align=0.0, **PLATE)
        drawing.show(rows, 15 * n - 12, 15 * n + 3)
    return drawing


def flying_comments(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("comments", size, TOWN, speed=0.003))
    for n, words in enumerate(("哈哈哈哈哈哈", "前方高能预警", "这里太好笑了吧", "泪目", "第一次看到这个")):
        comment = drawing.text(words, size=0.05, at=(1.0 + 0.16 * n, 0.08 + 0.08 * (n % 4)), anchor=0.0, **OUTLINED)
        drawing.keep(comment, path=_flies(0.018 + 0.003 * (n % 3)))
    drawing.show(drawing.text("我们明天再来吧", size=0.06, bold=True, **OUTLINED), 4, 24)
    drawing.show(drawing.text("那你一定要来", size=0.06, bold=True, **OUTLINED), 26, 46)
    return drawing


def _flies(speed: float) -> Path:
    return lambda t: (-speed * t, 0.0)


def at_the_top(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("top", size, EVENING, speed=0.004))
    for n, words in enumerate(("There it is again.", "Did you hear that?")):
        drawing.show(drawing.text(words, size=0.06, at=(0.5, 0.055), **OUTLINED), 22 * n + 1, 22 * n + 20)
    return drawing


def jumping(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("jumping", size, TOWN, shake=0.002))
    for n, (words, at) in enumerate((("wait", (0.5, 0.3)), ("for the", (0.4, 0.52)), ("end of it", (0.58, 0.7)))):
        drawing.show(drawing.text(words, size=0.05, at=at, bold=True, stroke=0.09), 15 * n + 1, 15 * n + 15)
    return drawing


def two_looks(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("two looks", size, speed=0.004))
    for n, (one, two) in enumerate(
        (("你怎么现在才来", "What took you so long?"), ("路上堵车了", "I was stuck in traffic."))
    ):
        drawing.show(
            drawing.text(one, size=0.065, at=(0.5, 0.8), bold=True, fill=YELLOW, **OUTLINED), 22 * n, 22 * n + 20
        )
        drawing.show(drawing.text(two, size=0.04, at=(0.5, 0.9), **SHADED), 22 * n, 22 * n + 20)
    return drawing


def pops(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("pops", size, TOWN, speed=0.003, shake=0.001))
    for n, word in enumerate(("EVERY", "SINGLE", "MORNING")):
        for t, grown in enumerate((0.45, 0.8, 1.15, 1.0)):
            text = drawing.text(word, size=0.1 * grown, at=(0.5, 0.62), bold=True, stroke=0.08)
            drawing.show(text, 14 * n + t, 14 * n + t + 1 if t < 3 else 14 * n + 13)
    return drawing


def comes_nearer(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("nearer", size, TOWN, speed=0.005))
    for n, words in enumerate(("Nobody told me", "about the bridge")):
        for t in range(20):
            text = drawing.text(words, size=0.06 * 1.012**t, at=(0.5, 0.75), bold=True, **OUTLINED)
            drawing.show(text, 22 * n + 1 + t, 22 * n + 2 + t)
    return drawing


def shakes(size: Size) -> Drawing:
    drawing, draws = Drawing(scenes.pan("shakes", size, TOWN, speed=0.005)), random.Random(3)
    for n, words in enumerate(("DO NOT MOVE", "IT CAN HEAR US")):
        for t in range(22 * n + 1, 22 * n + 21):
            at = 0.5 + draws.uniform(-0.004, 0.004), 0.75 + draws.uniform(-0.008, 0.008)
            drawing.show(drawing.text(words, size=0.08, at=at, bold=True, **OUTLINED), t, t + 1)
    return drawing


def in_the_hand(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("hand", size, TOWN, busy=4.0, speed=0.004, shake=0.05))
    for n, (words, at) in enumerate(
        (("Where is it?", (0.25, 0.7)), ("Over there.", (0.7, 0.6)), ("I see it now.", (0.3, 0.3)))
    ):
        drawing.show(drawing.text(words, size=0.06, at=at, bold=True, **OUTLINED), 15 * n + 1, 15 * n + 15)
    return drawing


def slanted_glow(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("slanted", size, EVENING, speed=0.003))
    look: Fields = {"italic": True, "glow": (120, 200, 255, 0.12)}
    for n, words in enumerate(("I remember every word", "you never said to me")):
        drawing.show(drawing.text(words, size=0.065, **look), 22 * n + 1, 22 * n + 20)
    return drawing


def speech_bubbles(size: Size) -> Drawing:
    drawing = Drawing(scenes.cartoon("bubbles", size))
    look: Fields = {"box": "block", "box_fill": (*WHITE, 1.0), "rounded": 0.8, "pad": 0.6, "fill": (20, 20, 20)}
    for n, rows in enumerate((("Who left the", "door open?"), ("Not me!",))):
        drawing.show(drawing.text(*rows, size=0.05, at=(0.3, 0.62), **look), 22 * n + 1, 22 * n + 20)
    return drawing


def slow_rate(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("12 a second", size, TOWN, speed=0.008))
    for n, words in enumerate(("He came by boat.", "Nobody saw him land.")):
        drawing.show(drawing.text(words, size=0.06, **OUTLINED), 12 * n + 1, 12 * n + 11)
    return drawing


def fast_rate(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("60 a second", size, TOWN, speed=0.002))
    for n, words in enumerate(("He came by boat.", "Nobody saw him land.")):
        drawing.show(drawing.text(words, size=0.06, **OUTLINED), 50 * n + 2, 50 * n + 48)
    return drawing


def old_film(size: Size) -> Drawing:
    scene = scenes.pan("old film", size, SNOW, speed=0.003, shake=0.001)
    grey = np.repeat(scene.mean(-1, keepdims=True), 3, -1).astype(np.uint8)
    drawing = Drawing(scenes.grainy(grey, 5.0))
    look: Fields = {"shadow": (0.03, 0.03, 0.05, 0.5)}
    for n, words in enumerate(("The winter had been long.", "The horses were gone.")):
        drawing.show(drawing.text(words, size=0.065, **look), 22 * n + 1, 22 * n + 20)
    return drawing


def on_a_bar(size: Size) -> Drawing:
    drawing = Drawing(scenes.letterboxed(scenes.pan("on a bar", size, EVENING, speed=0.004), 0.14))
    for n, words in enumerate(("You were never there.", "I was, every night.")):
        drawing.show(drawing.text(words, size=0.055, at=(0.5, 0.93)), 22 * n + 1, 22 * n + 20)
    return drawing


def wandering_mark(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("wandering", size, TOWN, speed=0.003))
    mark = drawing.text("VIEWER 48213", size=0.045, at=(0.2, 0.3), bold=True, opacity=0.6)
    drawing.keep(mark, path=lambda t: (0.008 * t, 0.006 * t))
    for n, words in enumerate(("Turn it off.", "Please, turn it off.")):
        drawing.show(drawing.text(words, size=0.06, **OUTLINED), 24 * n + 1, 24 * n + 22)
    return drawing


def jumping_mark(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("jumping mark", size, TOWN, speed=0.003))
    for n, at in enumerate(((0.14, 0.1), (0.86, 0.1), (0.14, 0.2))):
        drawing.keep(drawing.text("@fastcuts", size=0.045, at=at, bold=True, opacity=0.75), 16 * n, 16 * n + 16)
    for n, words in enumerate(("Turn it off.", "Please, turn it off.")):
        drawing.show(drawing.text(words, size=0.06, **OUTLINED), 24 * n + 1, 24 * n + 22)
    return drawing


def running_clock(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("clock", size, speed=0.006))
    look: Fields = {"box": "row", "box_fill": (16, 20, 30, 1.0), "pad": 0.3}
    for n in range(3):
        drawing.keep(drawing.text(f"45:1{n}", size=0.045, at=(0.5, 0.06), bold=True, **look), 20 * n, 20 * n + 20)
    drawing.show(drawing.text("And that is the whistle.", size=0.06, **OUTLINED), 6, 28)
    drawing.show(drawing.text("What a first half!", size=0.06, **OUTLINED), 30, 54)
    return drawing


def ticker(size: Size) -> Drawing:
    drawing = Drawing(scenes.room("ticker", size))
    news = "storm warning for the northern coast  +  markets close higher  +  ferry service resumes on monday"
    look: Fields = {"box": "row", "box_fill": (150, 20, 30, 1.0), "pad": 0.4, "fill": WHITE}
    drawing.keep(drawing.text(news, size=0.042, at=(0.3, 0.955), anchor=0.0, bold=True, **look), path=_flies(0.008))
    for n, words in enumerate(("And now to the weather.", "It will be a wet week.")):
        drawing.show(drawing.text(words, size=0.055, at=(0.5, 0.82), **OUTLINED), 22 * n + 1, 22 * n + 20)
    return drawing


def driving_lettering(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("driving", size, SNOW, speed=0.006))
    sign = drawing.text("RALLY 30", size=0.3, at=(1.3, 0.7), bold=True, fill=(235, 240, 250))
    drawing.keep(sign, path=_flies(0.035))
    for n, rows in enumerate((("I never saw him", "come back home"), ("Nobody told me", "about the bridge"))):
        drawing.show(drawing.text(*rows, size=0.06, at=(0.5, 0.8), **OUTLINED), 22 * n + 2, 22 * n + 20)
    return drawing


def slides_over_movement(size: Size) -> Drawing:
    drawing = Drawing(scenes.pan("slides over", size, TOWN, speed=0.008, shake=0.001))
    for n, words in enumerate(("Back in the harbour", "two days later")):
        path = lambda t, first=22 * n + 2: (-0.25 * max(0, 5 - (t - first)), 0.0)
        drawing.show(
            drawing.text(words, size=0.07, at=(0.5, 0.8), bold=True, **OUTLINED), 22 * n + 2, 22 * n + 20, path=path
        )
    return drawing


def paragraph(size: Size) -> Drawing:
    drawing = Drawing(scenes.still("paragraph", size, EVENING))
    rows = (
        "you never wrote to me",
        "and for three weeks",
        "I went to look each morning",
        "before I let it go",
        "and told myself",
        "that it had gone astray",
        "as letters do",
    )
    drawing.show(drawing.text(*rows, size=0.042, at=(0.5, 0.47), leading=2.3))
    return drawing


def equaliser(size: Size) -> Drawing:
    scene = scenes.still("equaliser", size, (WHITE, WHITE, WHITE, WHITE), 0.0)
    rng, high = np.random.default_rng(3), np.full(16, 0.1)
    for t in range(size.frames):
        if t % 3 == 0:
            high = 0.06 + 0.16 * rng.random(16) * (0.3 + abs(np.sin(t / 9)))
        for k in range(16):
            left, half = round((0.2 + 0.04 * k) * size.width), round(high[k] * size.height)
            middle = round(0.4 * size.height)
            scene[t, middle - half : middle + half, left : left + round(0.016 * size.width)] = 40
    drawing = Drawing(scene)
    for n, words in enumerate(("this is a test", "of a recording")):
        drawing.show(drawing.text(words, size=0.06, bold=True, fill=RED), 22 * n + 1, 22 * n + 20)
    return drawing


def dissolved(size: Size) -> Drawing:
    before, after = scenes.still("dissolves", size, EVENING), scenes.still("dissolved into", size, TOWN)
    weight = np.clip((np.arange(size.frames) - 14) / 13, 0, 1)[:, None, None, None]
    drawing = Drawing((before * (1 - weight) + after * weight).round().astype(np.uint8))
    drawing.keep(drawing.text("HARBOUR OFFICE", size=0.07, at=(0.5, 0.4), bold=True, fill=YELLOW), 15, fade=(12, 0))
    drawing.show(drawing.text("She left in the spring.", size=0.06, at=(0.5, 0.87), **OUTLINED), 1, 12)
    drawing.show(drawing.text("Nobody has seen her since.", size=0.06, at=(0.5, 0.87), **OUTLINED), 30, 46)
    return drawing


def a_talks_slides(size: Size) -> Drawing:
    down, across = np.mgrid[-1 : 1 : size.height * 1j, -1 : 1 : size.width * 1j]
    light = np.exp(-2 * (across**2 + (down + 0.2) ** 2))[..., None]
    stage = scenes.still("stage", size, EVENING) * (0.1 + 0.9 * light)
    slide = np.broadcast_to(np.float32(60) * light**2 + 6, stage.shape)
    drawing = Drawing(scenes.grainy(scenes.cut(stage, slide).astype(np.uint8)))
    half = size.frames // 2
    drawing.keep(drawing.text("THREE REASONS", size=0.08, at=(0.5, 0.3), bold=True, fill=YELLOW), half)
    drawing.keep(drawing.text("to stay at home", size=0.06, at=(0.5, 0.45)), half)
    for n, words in enumerate(("I will show you.", "Look at the first one.")):
        drawing.show(drawing.text(words, size=0.06, at=(0.5, 0.88), **OUTLINED), half * n + 1, half * n + half - 1)
    return drawing


LONG = Size(46, 360, 640)
FILMS = {
    "swept": Recipe(3, "karaoke: another colour sweeps over the line", swept, LONG),
    "streamed": Recipe(3, "words come one by one, on a translucent box that grows", streamed, LONG),
    "rolled up": Recipe(3, "captions of two rows that roll up on a translucent box", rolled_up, Size(48, 360, 640)),
    "paragraph": Recipe(3, "seven rows around the middle", paragraph),
    "flying comments": Recipe(12, "comments fly across the picture above lines", flying_comments, LONG),
    "at the top": Recipe(0, "lines at the very top", at_the_top, LONG),
    "jumping": Recipe(0, "each line at another place, upright", jumping, Size(46, 640, 360), Size(46, 400, 224)),
    "two looks": Recipe(3, "two languages in two looks", two_looks, LONG),
    "pops": Recipe(3, "words that grow as they come", pops, Size(42, 360, 640)),
    "comes nearer": Recipe(3, "lines that grow as long as they stand", comes_nearer, LONG),
    "shakes": Recipe(3, "lines that shake as long as they stand", shakes, LONG),
    "in the hand": Recipe(0, "lines at several places over a hand-held camera's picture", in_the_hand, LONG),
    "slanted glow": Recipe(3, "italics with a glow", slanted_glow, LONG),
    "speech bubbles": Recipe(8, "text in a bubble that comes and goes", speech_bubbles, LONG),
    "12 a second": Recipe(0, "lines at 12 frames a second", slow_rate, Size(26, 360, 640), rate=12),
    "60 a second": Recipe(0, "lines at 60 frames a second", fast_rate, Size(104, 360, 640), rate=60),
    "old film": Recipe(3, "white letters without an outline over snow, in grey", old_film, LONG),
    "on a bar": Recipe(9, "lines on a letterbox bar", on_a_bar, LONG),
    "slides over movement": Recipe(
        0, "lines that come in from the side over a moving scene", slides_over_movement, LONG
    ),
    "driving lettering": Recipe(12, "lines over tall letters that drive past", driving_lettering, LONG),
    "wandering mark": Recipe(12, "a mark that wanders, beside lines", wandering_mark, Size(48, 360, 640)),
    "jumping mark": Recipe(12, "a name that changes its corner, beside lines", jumping_mark, Size(48, 360, 640)),
    "clock": Recipe(7, "a clock at the top that runs, beside lines", running_clock, Size(60, 360, 640)),
    "ticker": Recipe(12, "news that roll below lines", ticker, LONG),
    "dissolve": Recipe(12, "a sign that a dissolve brings, and lines", dissolved, LONG),
    "slides of a talk": Recipe(12, "a slide that is lit like the stage, and lines", a_talks_slides, LONG),
    "equaliser": Recipe(11, "bars that move with the sound, beside lines", equaliser, LONG),
}
"""By name, what goes before what must stay."""
