"""How well the prior finds a case's subtitle, next to a text detector's boxes."""

from __future__ import annotations

import torch

from ..metrics import Overlap
from ..options import RemoveOptions
from ..pipeline import find
from .cases import BenchCase
from .ocr import ReadLine, filled


def prior_masks(case: BenchCase, prior) -> dict[str, Overlap]:
    """Overlap with the true mask of what the prior marks in single frames, and of what the remover makes of it over
    time, neither of them grown and without boxes, at the remover's own threshold."""
    bare = RemoveOptions.of(grow=0).marking
    finding = find(case.subtitled, prior, bare)
    used = torch.stack([finding.marks(t) for t in range(len(case.subtitled))])
    return {
        "prior, single frames": Overlap().add(prior(case.subtitled) > bare.threshold, case.mask),
        "prior, as used": Overlap().add(used, case.mask),
    }


def box_masks(case: BenchCase, lines: dict[int, list[ReadLine]]) -> Overlap:
    """Overlap with the true mask of the filled boxes of all text that was found, by frame: what a remover by text
    detection takes out."""
    total = Overlap()
    for index, found in lines.items():
        total.add(filled(found, *case.mask.shape[1:]), case.mask[index])
    return total
