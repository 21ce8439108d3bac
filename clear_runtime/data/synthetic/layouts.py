"""Which words are laid over a frame, how large, in how many rows, and where."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from .letters import Glyphs, Overlay, draw_block, font_of, scale_of, writable
from .looks import ACCENTS, WHITES, TextLook, random_look
from .text import random_line

Fonts = Mapping[str, Sequence[tuple[str, int]]]
KINDS = {
    "line": 26,
    "short": 20,
    "rows": 11,
    "word": 14,
    "highlight": 8,
    "column": 7,
    "two scripts": 7,
    "tiny": 6,
    "stamp": 2,
}
"""How often each is drawn: a line over much of the width, one or two short words, three to six rows, one large word,
words of which one is lit, vertical columns, two scripts one over the other, letters near the limit of what can be
read, a faint name across the picture."""
LEAST, LARGEST = 8.0, 170.0  # pixels of an em
UPRIGHT = ("chinese", "japanese", "korean")  # scripts that are also written in columns
JOINED = ("arabic", "devanagari", "thai", "hebrew", "tamil")  # whose letters are not set apart or turned into capitals


def random_text(
    rng: random.Random,
    fonts: Fonts,
    scripts: Sequence[str],
    width: int,
    height: int,
    em: tuple[float, float] | None = None,
    cut: bool = True,
    kind: str | None = None,
    size: float | None = None,
    room: float | None = None,
    look: Callable[[TextLook], TextLook] | None = None,
    pictograph: Callable[[random.Random], Image.Image] | None = None,
) -> list[Overlay]:
    """One block of text over a frame of width x height pixels, or two that belong together.

    em: smallest and largest letters; None for all that occur. cut: whether the frame is a part of a larger one, in
    which text may stand anywhere and be cut by the border. kind, size (pixels of an em), room (pixels that a row
    fills): None for a random one. look: changes the look that was drawn. pictograph: draws one to stand among the
    letters.
    """
    script = rng.choice(scripts)
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    if kind == "column" and script not in UPRIGHT:
        upright = [s for s in scripts if s in UPRIGHT]
        script, kind = (rng.choice(upright), kind) if upright else (script, "line")
    size = size or _size(rng, kind, height, width, em)
    drawn = _fitted(rng, random_look(rng, fonts[script], size), kind, script)
    if look:
        drawn = look(drawn)
    widest = room or width * (1.3 if cut else 0.94)
    rows = (
        _columns(rng, drawn, script, height)
        if kind == "column"
        else _rows(rng, drawn, kind, script, widest, room is not None, pictograph)
    )
    block = moved(draw_block(rows, drawn, (0, 0), kind), *_place(rng, width, height, cut, kind))
    blocks = [block]
    if kind == "two scripts":
        others = [s for s in scripts if s != script and s in fonts] or [script]
        blocks.append(
            _below(
                rng,
                block,
                drawn,
                fonts,
                "latin" if "latin" in others and rng.random() < 0.5 else rng.choice(others),
                widest,
            )
        )
    return blocks if cut else [_inward(b, width, height) for b in blocks]


def moved(overlay: Overlay, x: float, y: float) -> Overlay:
    """The same with its middle at (x, y) in pixels of the frame."""
    left, top = round(x - overlay.picture.width / 2), round(y - overlay.picture.height / 2)
    dx, dy = left - overlay.left, top - overlay.top
    return replace(
        overlay, left=left, top=top, rows=tuple((a + dx, b + dy, c + dx, d + dy) for a, b, c, d in overlay.rows)
    )


def _size(rng: random.Random, kind: str, height: int, width: int, em) -> float:
    """Most letters have 10 to 60 pixels; large words reach over a quarter of the frame."""
    spans = {
        "line": (11, 44),
        "short": (10, 64),
        "rows": (10, 32),
        "word": (28, LARGEST),
        "highlight": (14, 60),
        "column": (12, 60),
        "two scripts": (12, 40),
        "tiny": (LEAST, 11.5),
        "stamp": (12, 60),
    }
    low, high = spans[kind]
    if em:
        low, high = min(max(low, em[0]), em[1]), max(min(high, em[1]), em[0])
    share = 0.95 if kind == "word" else 0.6  # a large word may be cut by the border of a part of a frame
    high = max(low, min(high, share * height, share * width))
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _fitted(rng: random.Random, look: TextLook, kind: str, script: str) -> TextLook:
    """What belongs to a kind of text."""
    if kind == "highlight":
        change: dict[str, Any] = {"hot_fill": rng.choice(ACCENTS)}
        if rng.random() < 0.5:
            ground = rng.choice(ACCENTS)
            change = {
                "hot_box": ground,
                "hot_fill": (255, 255, 255) if sum(ground) < 420 else (0, 0, 0),
                "pad": rng.uniform(0.06, 0.2),
                "rounded": rng.choice((0, 0.15, 0.3)),
            }
        look = replace(look, **change)
    if kind == "word" and rng.random() < 0.7:
        look = replace(look, box=None, stroke=max(look.stroke, min(6.0, look.size * rng.choice((0, 0.06, 0.1, 0.14)))))
    if kind == "tiny":
        look = replace(
            look,
            stroke=min(look.stroke, rng.choice((0, 0.5, 1.0))),
            softness=min(look.softness, 0.3),
            opacity=max(look.opacity, 0.5),
        )
    if kind in ("tiny", "short") and rng.random() < 0.2:  # captions as designers set them: small, pale, far apart
        look = replace(look, spacing=rng.uniform(0.15, 0.8), stroke=0.0, box=None)
    if kind == "stamp":
        look = replace(
            look,
            opacity=rng.uniform(0.2, 0.55),
            box=None,
            fill=rng.choice(WHITES),
            second=None,
            turn=rng.choice((0, 0, -30, 30, rng.uniform(-45, 45))),
        )
    if script in JOINED:
        look = replace(look, spacing=0.0)
    if look.turn and kind in ("line", "rows", "tiny", "two scripts"):
        look = replace(look, turn=0.0)
    return look


def words(rng: random.Random, script: str, length: int) -> str:
    """A line as random_line gives it, with what else stands in real ones: capitals, figures, dashes, quotes,
    brackets."""
    if rng.random() < 0.07:
        return _figures(rng)
    line = random_line(rng, script, length)
    if script in ("latin", "cyrillic") and rng.random() < 0.15:
        line = line.upper()
    wrap = rng.random()
    if wrap < 0.05:
        line = "- " + line
    elif wrap < 0.08:
        line = f"({line})"
    elif wrap < 0.11:
        line = f"[{line}]"
    elif wrap < 0.14:
        line = f'"{line}"'
    return line


def _figures(rng: random.Random) -> str:
    n = rng.randrange
    return rng.choice(
        (
            f"{n(24)}:{n(60):02d}",
            f"{n(100)}%",
            f"{n(1900, 2030)}",
            f"{n(1, 13)}/{n(1, 32)}/{n(2000, 2030)}",
            f"{n(100)} - {n(100)}",
            f"${n(10, 999)}.{n(100):02d}",
            f"No. {n(1, 99)}",
            f"{n(1, 20)}:{n(60):02d}:{n(60):02d}",
            f"#{n(1, 100)}",
            f"{n(1000, 99999)}",
        )
    )


def _cut_to(text: str, font, spacing: float, room: float, least: int = 2) -> str:
    """The beginning of a text that fits into `room` pixels, of at least `least` letters."""
    length = lambda t: font.getlength(t) + spacing * len(t)
    while len(text) > least and length(text) > room:
        text = text[: max(least, min(len(text) - 1, int(len(text) * room / length(text))))].rstrip() or text[:least]
    return text


def _rows(
    rng: random.Random, look: TextLook, kind: str, script: str, room: float, exact: bool, pictograph
) -> list[list[Glyphs]]:
    """room: pixels of the frame that the longest row has. exact: rows fill it; else each has a length of its own
    below it."""
    s, font = scale_of(look), font_of(look)
    em, spacing = look.size * s, look.spacing * look.size * s
    count = {
        "line": rng.choice((1, 1, 1, 2, 2)),
        "rows": rng.choice((3, 3, 4, 4, 5, 6)),
        "highlight": rng.choice((1, 1, 2)),
        "short": rng.choice((1, 1, 1, 1, 2)),
        "tiny": rng.choice((1, 1, 2, 3)),
    }.get(kind, 1)
    pitch = look.leading * em + (1.4 * look.pad * em if look.box == "row" else 0) + look.stroke * s
    rows = []
    for n in range(count):
        if exact:
            length = 4 * round(room * s / em) + 2
        elif kind in ("short", "word", "stamp"):
            length = rng.choices((2, 3, 4, 5, 6, 8, 11), (14, 16, 16, 16, 14, 14, 10))[0] * (
                2 if script in UPRIGHT else 1
            )
        else:
            length = max(4, round(room * rng.uniform(0.15, 1.0) * s / em * 2.2))
        text = random_line(rng, script, length) if exact else words(rng, script, length)
        if kind in ("short", "word", "stamp") and script not in JOINED and len(text.split(" ")[0].strip(".,?!")) < 2:
            text = words(rng, script, 5).replace(" ", "")  # a letter alone is a shape
        text = _cut_to(writable(text, look), font, spacing, room * s)
        rows.append(
            _row(
                rng,
                text,
                font,
                spacing,
                n * pitch,
                kind,
                pictograph if script not in JOINED and rng.random() < 0.05 else None,
            )
        )
    ends = [_right(row, font) for row in rows]
    return [[p._replace(x=p.x + (max(ends) - end) * look.align) for p in row] for row, end in zip(rows, ends)]


def _row(rng: random.Random, text: str, font, spacing: float, y: float, kind: str, pictograph) -> list[Glyphs]:
    """Pieces from x = 0 on: one for the whole text, or one for each word or letter where these are set or coloured
    apart."""
    if spacing:
        parts = list(text)
    elif kind == "highlight":
        parts = text.split(" ") if " " in text else [text[i : i + 2] for i in range(0, len(text), 2)]
    else:
        parts = [text]
    lit, gap = (
        rng.randrange(len(parts)) if kind == "highlight" else -1,
        font.getlength(" ") if kind == "highlight" and " " in text else 0.0,
    )
    row, x = [], 0.0
    for n, part in enumerate(parts):
        if part.strip():
            row.append(Glyphs(part, x, y, n == lit))
        x += font.getlength(part) + spacing + gap
    for _ in range(rng.choice((1, 1, 2, 3)) if pictograph else 0):
        row.append(Glyphs("", x + 0.1 * font.size, y, pictograph=pictograph(rng)))
        x += 1.15 * font.size
    return row or [Glyphs("-", 0.0, y)]


def _right(row: list[Glyphs], font) -> float:
    last = row[-1]
    return last.x + (font.size if last.pictograph else font.getlength(last.text))


def _columns(rng: random.Random, look: TextLook, script: str, height: float) -> list[list[Glyphs]]:
    """Letters one below the other, columns from right to left; one row of pieces for each column."""
    s, font = scale_of(look), font_of(look)
    em, columns = look.size * s, []
    step = em * (1.05 + look.spacing)
    for n in range(rng.choice((1, 1, 1, 2, 3))):
        most = max(2, int(min(height * 0.95 * s / step, 14)))
        text = words(rng, script, 2 * rng.randint(2, most)).replace(" ", "")
        text = writable(text, look)[:most]
        columns.append(
            [
                Glyphs(c, -n * em * look.leading + (em - font.getlength(c)) / 2, (i + 0.88) * step)
                for i, c in enumerate(text)
            ]
        )
    return columns


def _below(rng: random.Random, first: Overlay, look: TextLook, fonts: Fonts, script: str, room: float) -> Overlay:
    """A row in another script under (or over) a block, in the same look."""
    path, index = rng.choice(fonts[script])
    size = max(LEAST, look.size * rng.choice((0.6, 0.7, 0.8, 1.0, 1.0, 1.2)))
    look = replace(look, font=path, index=index, size=size, stroke=look.stroke * size / look.size, spacing=0.0)
    if rng.random() < 0.25:
        look = replace(look, fill=rng.choice(WHITES + ACCENTS))
    second = draw_block(_rows(rng, look, "two scripts", script, room, False, None), look, (0, 0), "two scripts")
    top, bottom = first.rows[0][1], first.rows[-1][3]
    own = second.rows[-1][3] - second.rows[0][1]
    gap = own / 2 + (look.leading - 1) * size + (look.pad * 1.4 * size if look.box else 0) + look.stroke
    y = bottom + gap if rng.random() < 0.8 else top - gap
    return moved(second, (first.rows[0][0] + first.rows[0][2]) / 2, y)


def _place(rng: random.Random, width: int, height: int, cut: bool, kind: str) -> tuple[float, float]:
    """Where the middle of a block goes. A part of a frame has text anywhere; a whole one mostly at its foot, and in
    its middle."""
    if cut:
        return rng.uniform(0.0, 1.0) * width, rng.uniform(0.04, 0.96) * height
    x = width * (0.5 if rng.random() < 0.7 else rng.uniform(0.08, 0.92))
    if kind in ("column", "stamp"):
        return width * rng.uniform(0.06, 0.94), height * rng.uniform(0.25, 0.75)
    if kind == "word":
        return x, height * rng.choice((0.5, 0.5, 0.6, 0.7, 0.8, rng.uniform(0.1, 0.9)))
    return x, height * rng.choices(
        (rng.uniform(0.78, 0.96), rng.uniform(0.04, 0.2), rng.uniform(0.2, 0.78)), (55, 12, 33)
    )[0]


def _inward(overlay: Overlay, width: int, height: int) -> Overlay:
    """Moved so that no letter is cut by the border, as far as there is room."""
    left, right = min(r[0] for r in overlay.rows), max(r[2] for r in overlay.rows)
    top, bottom = min(r[1] for r in overlay.rows), max(r[3] for r in overlay.rows)
    dx = max(0.0, 3 - left) if right - left > width else max(0.0, 3 - left) - max(0.0, right - width + 3)
    dy = max(0.0, 3 - top) - max(0.0, bottom - height + 3)
    return moved(overlay, overlay.left + overlay.picture.width / 2 + dx, overlay.top + overlay.picture.height / 2 + dy)


def corner_text(
    rng: random.Random, fonts: Fonts, scripts: Sequence[str], width: int, height: int, cut: bool
) -> Overlay:
    """A score, clock, handle or channel name: overlaid text as well, small and at the border."""
    texts, script = _corner_words(rng, scripts)
    size = math.exp(rng.uniform(math.log(8), math.log(26)))
    if not cut:
        size = max(LEAST, min(width, height) * rng.uniform(0.024, 0.075))
    look = replace(random_look(rng, fonts[script], size), turn=0.0, italic=False)
    if rng.random() < 0.5:
        ground = (*(rng.randrange(256) for _ in range(3)), rng.uniform(0.4, 1.0))
        look = replace(look, box=rng.choice(("row", "block")), box_fill=ground, stroke=0.0)
    pitch = look.leading * look.size * scale_of(look)
    overlay = draw_block(
        [[Glyphs(writable(text, look), 0.0, n * pitch)] for n, text in enumerate(texts)], look, (0, 0), "corner"
    )
    if cut:
        return moved(overlay, rng.uniform(0, width), rng.uniform(0, height))
    overlay = _inward(moved(overlay, rng.choice((0, width)), rng.choice((0, 0, 0, height))), width, height)
    return overlay if rng.random() < 0.3 else _inset(rng, overlay, width, height)


def _corner_words(rng: random.Random, scripts: Sequence[str]) -> tuple[list[str], str]:
    """Rows of a corner's text and their script."""
    kind = rng.random()
    if kind < 0.35:
        return [_figures(rng) for _ in range(rng.choice((1, 1, 2)))], "latin"
    if kind < 0.5:
        return ["@" + random_line(rng, "latin", 8).replace(" ", "_").lower()], "latin"
    if kind < 0.65:
        home, away = (random_line(rng, "latin", 4).upper()[:4] for _ in range(2))
        return [f"{home} {rng.randrange(9)} - {rng.randrange(9)} {away}"], "latin"
    script = rng.choice(("latin", "latin", *scripts))
    return [words(rng, script, rng.randrange(2, 14)) for _ in range(rng.choice((1, 1, 2, 3)))], script


def _inset(rng: random.Random, overlay: Overlay, width: int, height: int) -> Overlay:
    x, y = overlay.left + overlay.picture.width / 2, overlay.top + overlay.picture.height / 2
    dx, dy = width * rng.uniform(0, 0.06), height * rng.uniform(0, 0.06)
    return moved(overlay, x + (dx if x < width / 2 else -dx), y + (dy if y < height / 2 else -dy))
