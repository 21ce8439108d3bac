"""A look through the pairs before a training, kept beside the run."""

from __future__ import annotations

import logging
from pathlib import Path

from ..data.pairs_on_disk import PairReport, PairsReport, check_pairs, find_pairs
from ..data.swapped import FindMask
from ..errors import ClearError
from .processes import Processes

log = logging.getLogger(__name__)


def look_through(
    subtitled: Path,
    clean: Path | None,
    by_order: bool,
    folder: Path,
    processes: Processes,
    find_mask: FindMask | None = None,
) -> PairsReport:
    """What looking through the pairs finds, kept as FOLDER/pairs.json: one process looks, and all read what it found.
    Of pairs that are the same since the last start nothing is read again. find_mask: a prior, see check_pairs. Raises
    ClearError as find_pairs and check_pairs do."""
    stored = folder / "pairs.json"
    if processes.main:
        folder.mkdir(parents=True, exist_ok=True)
        looked: list[PairReport] = []

        def tell(p: PairReport) -> None:
            looked.append(p)
            log.info("%s: %s", p.pair.name, p.problem or f"{len(p.kept)} of {p.frames} frames with a subtitle")

        try:
            _keep(
                check_pairs(
                    find_pairs(subtitled, clean, by_order),
                    tell,
                    find_mask=find_mask,
                    known=PairsReport.load_if_there(stored),
                ),
                stored,
            )
        except BaseException:  # Ctrl-C among them: the next start need not look again at what this one has seen
            if looked:
                _keep(PairsReport(tuple(looked)), stored)
            raise
    processes.wait()
    return PairsReport.load(stored)


def _keep(report: PairsReport, stored: Path) -> None:
    try:
        report.save(stored)
    except OSError as error:
        raise ClearError(
            f"{stored} could not be written ({error.strerror}). Free some space there, or choose another folder, then "
            f"run again."
        ) from error
