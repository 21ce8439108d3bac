"""What an encoding at the default quality keeps of a film, with each codec: how far what nobody touched is from the
source, how large the file becomes, how long it takes.

    python -m clear_runtime bench codecs [FILM] [--crf 7]
"""

from __future__ import annotations

import logging
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from ..media import codecs
from ..media.steady import steady_frames
from ..media.video import read_facts, read_frames
from ..media.writer import VideoWriter
from ..metrics import psnr

DEMO = Path(__file__).resolve().parents[2] / "assets" / "demo" / "bunny_subtitled.mp4"
CLOSE = codecs.CLOSE
log = logging.getLogger(__name__)


def run(film: Path, crf: float) -> None:
    """Log a table of Markdown. Raises ClearError for a film that cannot be read."""
    facts = read_facts(film)
    shown = list(steady_frames(film, facts))
    before = torch.stack([one.picture() for one in shown])
    log.info("| codec | dB from the source | size, times the source's | seconds a frame |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, codec in codecs.SOFTWARE.items():
            like = replace(facts, depth=10, chroma="422") if name == "prores" else facts
            path, begun = Path(folder) / f"{name}{codec.part}", time.monotonic()
            size = facts.width, facts.height
            with VideoWriter(path, *size, facts.fps, crf, facts.colour, like=like, joins=True, codec=codec) as writer:
                for one in shown:
                    writer.write_as_it_is(one)
            each = (time.monotonic() - begun) / len(shown)
            distance = psnr(torch.stack(list(read_frames(path))), before)
            larger = path.stat().st_size / film.stat().st_size
            log.info("| %s | %.1f | %.1f | %.3f |", name, distance, larger, each)
