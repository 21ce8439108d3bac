"""Read the text in frames, to check that nothing of a subtitle can be read any more.

RapidOCR (PP-OCR's detector and recogniser; the models come inside its package). They know Latin letters, Chinese and
Japanese; of other scripts they find the lines, but what they read there says little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import torch
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from ..errors import ClearError
from ..frames.masks import grow
from ..frames.region import Region, bounds

READ = 0.5  # recognition score from which a line counts as read: RapidOCR's own limit
ON_TEXT = 0.5  # share of a box that must lie on the subtitle, grown by FILL, to be the subtitle's
FILL = 8  # pixels: the strokes of a line grow together to one area
BAND = 16  # pixels of context around the subtitle in its own crop
WIDE = 1280  # pixels: the crop is scaled up to this width,
LARGEST = 3  # but no more than this many times


@dataclass(frozen=True)
class ReadLine:
    """A line of text: corners [4, 2] as x, y in pixels of the whole frame, its text, and how sure the recogniser is,
    0..1."""

    corners: np.ndarray
    text: str
    score: float


Reader = Callable[[Tensor], list[ReadLine]]


def load_reader() -> Reader:
    """frame [H, W, 3] in 0..1 -> the lines in it, also those that could not be read well. Raises ClearError where
    RapidOCR is missing."""
    try:
        # an optional package
        from rapidocr import RapidOCR
    except ImportError as missing:
        raise ClearError(
            f'Reading text needs RapidOCR, and {missing.name} is not installed: pip install "rapidocr>=3.10" '
            f"onnxruntime"
        ) from missing
    engine = RapidOCR(
        params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": torch.get_num_threads()}
    )

    def read(frame: Tensor) -> list[ReadLine]:
        levels = (frame.clamp(0, 1) * 255).round().to(torch.uint8).flip(-1)  # it takes blue first, as OpenCV does
        picture = levels.contiguous().cpu().numpy()
        boxes = engine(picture, use_det=True, use_cls=False, use_rec=False).boxes
        if boxes is None:
            return []
        found = engine(
            picture, use_det=True, use_cls=False, use_rec=True, text_score=0.0
        )  # it leaves out boxes in which it reads nothing
        known = (
            {box.tobytes(): (text, float(score)) for box, text, score in zip(found.boxes, found.txts, found.scores)}
            if found.boxes is not None
            else {}
        )
        return [ReadLine(np.asarray(box, np.float32), *known.get(box.tobytes(), ("", 0.0))) for box in boxes]

    return read


def filled(lines: Sequence[ReadLine], height: int, width: int) -> Tensor:
    """The lines' boxes as a mask [H, W] bool: what a remover that works with text boxes would take out."""
    picture = Image.new("1", (width, height))
    for line in lines:
        ImageDraw.Draw(picture).polygon([tuple(corner) for corner in line.corners.tolist()], fill=1)
    return torch.from_numpy(np.array(picture))


def on_subtitle(lines: Sequence[ReadLine], mask: Tensor) -> list[ReadLine]:
    """Those of the lines that lie on the subtitle, mask [H, W] bool, in reading order."""
    area = grow(mask[None].float(), FILL)[0] > 0
    kept = []
    for line in lines:
        box = filled([line], *mask.shape)
        if box.any() and area[box].float().mean() >= ON_TEXT:
            kept.append(line)
    return _in_reading_order(kept)


def _in_reading_order(lines: list[ReadLine]) -> list[ReadLine]:
    """Row by row from the top; a line whose middle is above the foot of a row's first line stands in that row."""
    rows: list[list[ReadLine]] = []
    for line in sorted(lines, key=lambda line: line.corners[:, 1].mean()):
        if rows and line.corners[:, 1].mean() < rows[-1][0].corners[:, 1].max():
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.corners[:, 0].min())]


def text_of(lines: Sequence[ReadLine]) -> str:
    """What is read in the lines, without spaces and case."""
    return "".join("".join(line.text.split()) for line in lines if line.score >= READ).casefold()


def still_read(before: str, after: str) -> float:
    """Share of the characters of `before` that are read in `after`, in their order, 0..1."""
    if not before:
        return 0.0
    return sum(
        block.size for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    ) / len(before)


def two_views(read: Reader, frame: Tensor, around: Tensor) -> list[list[ReadLine]]:
    """The lines of the whole frame, and of the band of the frame around `around` [H, W] alone, made larger where it is
    small."""
    box = bounds(around[None], BAND) or Region(0, 0, *frame.shape[:2])
    band = box.of(frame[None])
    factor = min(LARGEST, max(1, round(WIDE / band.shape[2])))
    large = torch.nn.functional.interpolate(rearrange(band, "1 h w c -> 1 c h w"), scale_factor=factor, mode="bicubic")
    large = rearrange(large, "1 c h w -> h w c")
    corner = np.array([box.left, box.top], np.float32)
    return [read(frame), [ReadLine(line.corners / factor + corner, line.text, line.score) for line in read(large)]]


@dataclass(frozen=True)
class Seen:
    """What is read at the subtitle's place in one frame, by view (see two_views): number of boxes and text of each."""

    boxes: tuple[int, ...]
    texts: tuple[str, ...]

    def share(self, before: Seen) -> float:
        """Share of the characters read in the same frame `before` that are still read, 0..1: the worst view's."""
        known = max(before.texts, key=len)
        return max(still_read(known, text) for text in self.texts)


def at_subtitle(views: Sequence[Sequence[ReadLine]], mask: Tensor) -> Seen:
    """What of the lines of each view is read where the subtitle, mask [H, W] bool, is or was."""
    kept = [on_subtitle(lines, mask) for lines in views]
    return Seen(tuple(map(len, kept)), tuple(map(text_of, kept)))


def read_at_subtitle(read: Reader, frame: Tensor, mask: Tensor, around: Tensor) -> Seen:
    """What is read where the subtitle, mask [H, W] bool, is or was in a frame [H, W, 3]; around: see two_views."""
    return at_subtitle(two_views(read, frame, around), mask)
