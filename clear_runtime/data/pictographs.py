"""Coloured signs of a letter's height, as emoji are, which stand in a line among its letters."""

import math
import random

from PIL import Image, ImageDraw

SIDE = 96  # pixels that they are drawn at
_SKIN = [(255, 204, 77), (255, 220, 93), (247, 190, 60)]
_STRONG = [(221, 46, 68), (85, 172, 238), (120, 177, 89), (244, 144, 12), (170, 142, 214), (255, 172, 51), (49, 55, 61)]


def random_pictograph(rng: random.Random) -> Image.Image:
    """RGBA [SIDE, SIDE]: a face, heart, star, flame, drop or sign."""
    picture = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    rng.choice((_face, _face, _heart, _star, _flame, _sign))(draw, rng)
    return picture


def _face(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    draw.ellipse((2, 2, SIDE - 3, SIDE - 3), fill=rng.choice(_SKIN))
    dark = (102, 69, 0)
    for x in (0.33, 0.67):
        if rng.random() < 0.7:
            draw.ellipse((SIDE * x - 7, 30, SIDE * x + 7, 50), fill=dark)
        else:
            draw.arc((SIDE * x - 10, 30, SIDE * x + 10, 50), 180, 360, fill=dark, width=5)
    mouth = (24, 44, SIDE - 24, 80)
    if rng.random() < 0.5:
        draw.chord(mouth, 0, 180, fill=rng.choice((dark, (255, 255, 255))))
    else:
        draw.arc(mouth, *((20, 160) if rng.random() < 0.6 else (200, 340)), fill=dark, width=6)
    if rng.random() < 0.3:
        draw.ellipse((60, 44, 78, 80), fill=(93, 173, 236))


def _heart(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    points = []
    for k in range(48):
        t = 2 * math.pi * k / 48
        points.append(
            (
                SIDE / 2 + 2.8 * 16 * math.sin(t) ** 3,
                SIDE * 0.46 - 2.8 * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
            )
        )
    draw.polygon(points, fill=rng.choice(_STRONG))


def _star(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    arms, inner = rng.choice((4, 5, 5, 8)), rng.uniform(0.35, 0.6)
    reach = [SIDE * 0.48 * (1 if k % 2 == 0 else inner) for k in range(2 * arms)]
    draw.polygon(
        [
            (SIDE / 2 + r * math.sin(math.pi * k / arms), SIDE / 2 - r * math.cos(math.pi * k / arms))
            for k, r in enumerate(reach)
        ],
        fill=rng.choice(((255, 172, 51), *_STRONG)),
    )


def _flame(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    outer, inner = rng.choice((((244, 144, 12), (255, 204, 77)), ((85, 172, 238), (187, 221, 245))))
    for scale, colour in ((1.0, outer), (0.55, inner)):
        r, foot = SIDE * 0.34 * scale, SIDE * 0.96
        draw.ellipse((SIDE / 2 - r, foot - 2 * r, SIDE / 2 + r, foot), fill=colour)
        draw.polygon(
            [
                (SIDE / 2 - r * 0.95, foot - r * 1.2),
                (SIDE / 2 + rng.uniform(-8, 8), foot - 2.8 * r),
                (SIDE / 2 + r * 0.95, foot - r * 1.2),
            ],
            fill=colour,
        )


def _sign(draw: ImageDraw.ImageDraw, rng: random.Random) -> None:
    colour, white = rng.choice(_STRONG), (255, 255, 255)
    if rng.random() < 0.5:
        draw.rounded_rectangle((4, 4, SIDE - 5, SIDE - 5), 18, fill=colour)
    else:
        draw.ellipse((4, 4, SIDE - 5, SIDE - 5), fill=colour)
    kind = rng.randrange(4)
    if kind == 0:
        draw.line([(26, 50), (42, 68), (72, 30)], fill=white, width=11, joint="curve")
    elif kind == 1:
        draw.line([(28, 28), (68, 68)], fill=white, width=11)
        draw.line([(68, 28), (28, 68)], fill=white, width=11)
    elif kind == 2:
        draw.polygon([(36, 26), (72, 48), (36, 70)], fill=white)
    else:
        draw.polygon([(48, 20), (74, 50), (58, 50), (58, 76), (38, 76), (38, 50), (22, 50)], fill=white)
