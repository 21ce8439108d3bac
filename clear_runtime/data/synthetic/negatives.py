"""What looks like text and is none: railings, grids, bricks, branches, hair, rows of shapes, bars and buttons.

A network that has seen letters only on photographs takes every fine, regular, strong contrast for them. These are
drawn into the clean picture, before any text.
"""

import math
import random

from PIL import Image, ImageDraw, ImageFilter

_FINE = 2  # drawn at this multiple, and averaged down


def draw_negatives(rng: random.Random, frame: Image.Image, count: int = 1) -> None:
    """Draw `count` of them over an RGB frame, each in a place, size, contrast and sharpness of its own."""
    for _ in range(count):
        w = max(16, round(frame.width * rng.uniform(0.15, 1.2)))
        h = max(16, round(frame.height * rng.uniform(0.15, 1.2)))
        painter = rng.choice(PAINTERS)
        layer = Image.new("RGBA", (w * _FINE, h * _FINE), (128, 128, 128, 0))
        painter(ImageDraw.Draw(layer), rng, *layer.size)
        layer = layer.convert("RGBa").reduce(_FINE)
        if rng.random() < 0.4:
            layer = layer.filter(ImageFilter.BoxBlur(rng.uniform(0.4, 1.5)))
        layer = layer.convert("RGBA")
        if rng.random() < 0.25:
            layer = layer.rotate(rng.uniform(-30, 30), Image.Resampling.BILINEAR)
        alpha = layer.getchannel("A")
        if rng.random() < 0.4:
            strength = rng.uniform(0.3, 0.9)
            alpha = alpha.point([round(v * strength) for v in range(256)])
        at = round(rng.uniform(-0.3, 0.9) * frame.width), round(rng.uniform(-0.3, 0.9) * frame.height)
        frame.paste(layer.convert("RGB"), at, alpha)


def _colour(rng: random.Random) -> tuple[int, int, int, int]:
    """Mostly as bright or dark as letters are."""
    if rng.random() < 0.5:
        level = rng.choice((rng.randrange(0, 50), rng.randrange(200, 256)))
        red, green, blue = (max(0, min(255, level + rng.randrange(-12, 13))) for _ in range(3))
    else:
        red, green, blue = (rng.randrange(256) for _ in range(3))
    return red, green, blue, 255


def _railing(draw, rng, w, h) -> None:
    colour, thick = _colour(rng), rng.randrange(2, 14)
    step = thick * rng.uniform(1.5, 6)
    for k in range(int(w / step) + 1):
        draw.line([(k * step, 0.06 * h), (k * step + rng.choice((0, 0, step * 0.2)), h)], fill=colour, width=thick)
    for y in {0.06, rng.uniform(0.15, 0.5), 0.94}:
        draw.line([(0, y * h), (w, y * h)], fill=colour, width=thick + rng.randrange(4))


def _grid(draw, rng, w, h) -> None:
    """Windows of a house, or the bars of one."""
    step_x, step_y = rng.uniform(10, 70), rng.uniform(10, 90)
    frame, pane, wide = _colour(rng), _colour(rng), rng.uniform(0.3, 0.8)
    filled = rng.random() < 0.6
    for i in range(int(w / step_x)):
        for j in range(int(h / step_y)):
            x, y = i * step_x, j * step_y
            box = (x, y, x + step_x * wide, y + step_y * wide)
            draw.rectangle(
                box,
                fill=(pane if rng.random() < 0.8 else _colour(rng)) if filled else None,
                outline=frame,
                width=rng.choice((1, 2, 3)),
            )


def _bricks(draw, rng, w, h) -> None:
    bh = rng.uniform(8, 40)
    bw, gap, colour, joint = bh * rng.uniform(1.8, 3), bh * rng.uniform(0.04, 0.2), _colour(rng), _colour(rng)
    draw.rectangle((0, 0, w, h), fill=joint)
    for j in range(int(h / bh) + 1):
        for i in range(-1, int(w / bw) + 1):
            x = i * bw + (bw / 2 if j % 2 else 0)
            shade = rng.randrange(-18, 19)
            draw.rectangle(
                (x + gap, j * bh + gap, x + bw - gap, (j + 1) * bh - gap),
                fill=(*(max(0, min(255, c + shade)) for c in colour[:3]), 255),
            )


def _stripes(draw, rng, w, h) -> None:
    colour, step, lean = _colour(rng), rng.uniform(4, 40), rng.choice((0, 0, rng.uniform(-1, 1) * h))
    thick = max(1, round(step * rng.uniform(0.2, 0.6)))
    upright = rng.random() < 0.5
    for k in range(int((w if upright else h) / step) + 1):
        line = [(k * step, 0), (k * step + lean, h)] if upright else [(0, k * step), (w, k * step + lean)]
        draw.line(line, fill=colour, width=thick)


def _checks(draw, rng, w, h) -> None:
    side, a, b = rng.uniform(5, 50), _colour(rng), _colour(rng)
    one = rng.random() < 0.5
    for i in range(int(w / side)):
        for j in range(int(h / side)):
            if (i + j) % 2 == 0 or not one:
                draw.rectangle((i * side, j * side, (i + 1) * side, (j + 1) * side), fill=a if (i + j) % 2 == 0 else b)


def _branches(draw, rng, w, h) -> None:
    colour = _colour(rng)
    tips = [(rng.uniform(0, w), h, -math.pi / 2, rng.uniform(6, 22)) for _ in range(rng.randrange(1, 4))]
    for _ in range(90):
        if not tips:
            break
        x, y, angle, thick = tips.pop(rng.randrange(len(tips)))
        length = rng.uniform(0.05, 0.16) * h
        end = x + length * math.cos(angle), y + length * math.sin(angle)
        draw.line([(x, y), end], fill=colour, width=max(1, round(thick)))
        if thick > 1.2:
            tips += [
                (*end, angle + rng.gauss(0, 0.5), thick * rng.uniform(0.6, 0.9)) for _ in range(rng.choice((1, 2, 2)))
            ]


def _hair(draw, rng, w, h) -> None:
    colour = _colour(rng)
    for _ in range(rng.randrange(8, 60)):
        x, y, r = rng.uniform(-0.2, 1) * w, rng.uniform(-0.2, 1) * h, rng.uniform(0.1, 0.9) * max(w, h)
        start = rng.uniform(0, 360)
        draw.arc(
            (x, y, x + r, y + r * rng.uniform(0.4, 1.6)),
            start,
            start + rng.uniform(20, 120),
            fill=colour,
            width=rng.choice((1, 1, 2, 3, 4)),
        )


def _shapes(draw, rng, w, h) -> None:
    """One simple shape again and again in a row, as tickers, beads, lamps, rivets and film perforation have it."""
    size = rng.uniform(6, 60)
    step, colour, kind = size * rng.uniform(1.15, 2.2), _colour(rng), rng.randrange(5)
    ring = rng.choice((0, 0, max(2, round(size * 0.15))))
    for row in range(rng.choice((1, 1, 2, 3, 8))):
        y = rng.uniform(0, 0.3) * h + row * step * rng.uniform(1, 1.4)
        for k in range(int(w / step)):
            x = k * step
            if kind == 0:
                draw.ellipse((x, y, x + size, y + size), fill=None if ring else colour, outline=colour, width=ring or 1)
            elif kind == 1:
                draw.rounded_rectangle(
                    (x, y, x + size, y + size * 0.6),
                    size * 0.15,
                    fill=None if ring else colour,
                    outline=colour,
                    width=ring or 1,
                )
            elif kind == 2:
                draw.polygon([(x, y + size), (x + size / 2, y), (x + size, y + size)], fill=colour)
            elif kind == 3:
                draw.rectangle((x, y + size * 0.4, x + size, y + size * 0.6), fill=colour)
            else:
                draw.polygon(
                    [
                        (x, y),
                        (x + size / 2, y + size / 2),
                        (x, y + size),
                        (x - size * 0.2, y + size),
                        (x + size * 0.3, y + size / 2),
                        (x - size * 0.2, y),
                    ],
                    fill=colour,
                )


def _blobs(draw, rng, w, h) -> None:
    """Leaves, pebbles, petals, foam: small patches without order."""
    colours = [_colour(rng) for _ in range(rng.choice((1, 2, 4)))]
    size = rng.uniform(4, 30)
    for _ in range(rng.randrange(30, 220)):
        x, y, r = rng.uniform(0, w), rng.uniform(0, h), size * rng.uniform(0.4, 1.4)
        if rng.random() < 0.5:
            draw.ellipse((x, y, x + r, y + r * rng.uniform(0.4, 1)), fill=rng.choice(colours))
        else:
            draw.polygon(
                [(x + rng.uniform(-r, r), y + rng.uniform(-r, r)) for _ in range(rng.randrange(3, 6))],
                fill=rng.choice(colours),
            )


def _controls(draw, rng, w, h) -> None:
    """A player's or a game's bars and buttons, without any lettering."""
    ground, ink, accent = _colour(rng), _colour(rng), _colour(rng)
    bar = rng.uniform(8, 40)
    y = rng.uniform(0.1, 0.8) * h
    draw.rounded_rectangle((0.04 * w, y, 0.96 * w, y + bar), bar / 2, fill=ground)
    draw.rounded_rectangle((0.04 * w, y, rng.uniform(0.1, 0.9) * w, y + bar), bar / 2, fill=accent)
    side = rng.uniform(16, 70)
    for k in range(rng.randrange(1, 7)):
        x, top = 0.05 * w + k * side * 1.5, y + bar * 1.5
        if rng.random() < 0.5:
            draw.rounded_rectangle(
                (x, top, x + side, top + side),
                side * rng.choice((0, 0.2, 0.5)),
                fill=ground,
                outline=ink,
                width=rng.choice((0, 2, 4)),
            )
        else:
            draw.ellipse((x, top, x + side, top + side), fill=ground, outline=ink, width=rng.choice((0, 2, 4)))
        if rng.random() < 0.5:
            draw.polygon(
                [
                    (x + side * 0.35, top + side * 0.25),
                    (x + side * 0.75, top + side * 0.5),
                    (x + side * 0.35, top + side * 0.75),
                ],
                fill=ink,
            )
        elif rng.random() < 0.5:
            for n in range(3):
                draw.line(
                    [(x + side * 0.25, top + side * (0.3 + 0.2 * n)), (x + side * 0.75, top + side * (0.3 + 0.2 * n))],
                    fill=ink,
                    width=3,
                )


def _panel(draw, rng, w, h) -> None:
    """An empty box such as text may stand on, so that a box alone is no text."""
    opacity = rng.choice((255, 255, 200, 128))
    draw.rounded_rectangle(
        (2, 2, w - 3, min(h - 3, rng.uniform(24, 120))),
        rng.choice((0, 0, 10, 30)),
        fill=(*_colour(rng)[:3], opacity),
        outline=rng.choice((None, _colour(rng))),
        width=rng.choice((1, 3)),
    )


PAINTERS = (
    _railing,
    _railing,
    _grid,
    _grid,
    _bricks,
    _stripes,
    _checks,
    _branches,
    _branches,
    _hair,
    _shapes,
    _shapes,
    _blobs,
    _blobs,
    _controls,
    _panel,
)


def draw_bars(rng: random.Random, frame: Image.Image) -> None:
    """Letterbox or pillarbox bars."""
    draw, share = ImageDraw.Draw(frame), rng.uniform(0.06, 0.2)
    colour = (0, 0, 0) if rng.random() < 0.85 else tuple(rng.randrange(256) for _ in range(3))
    w, h = frame.size
    boxes = (
        [(0, 0, w, share * h), (0, h - share * h, w, h)]
        if rng.random() < 0.7
        else [(0, 0, share * w, h), (w - share * w, 0, w, h)]
    )
    for box in boxes:
        draw.rectangle(box, fill=colour)
