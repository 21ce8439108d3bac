"""Better: the bundled weights trained on, side by side, each scored before and after by the same measure.

Weights that score higher than the bundled ones are left in the part's folder; the others are not.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
from pathlib import Path

from ...weights import FOLDER
from . import plan
from .part import Run, begin
from .process import Process
from .validate import better, score

log = logging.getLogger(__name__)
BEGIN, SCORING = 20, 35
"""Seconds of a training's process before its clock starts, and of the scoring behind it."""


def main() -> None:
    run = begin(add=_options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the trainings are ended on the way out
    chosen = plan.trainings(run.rest.trainings, run.rest.arguments)
    minutes = max(0.02, (run.seconds - BEGIN - SCORING) / 60) if not run.tiny else 0.02
    running = {}
    try:
        for training in chosen:
            running[training.name] = start(run, training, minutes)
        before = {training.name: _score(run, training, FOLDER) for training in chosen}
        for training in chosen:
            process = running[training.name]
            state = process.wait(process.seconds + max(1.0, run.left - (5 if run.tiny else SCORING)))
            _finish(run, training, state, minutes, before[training.name])
    finally:
        for process in running.values():
            process.end()


def start(run: Run, training: plan.Training, minutes: float) -> Process:
    words = [*training.arguments, *(training.tiny if run.tiny else ())]
    command = [sys.executable, "-m", "clear_runtime", "train-nano", training.name]
    command += ["--data", str(run.data), "--run", str(_folder(run, training)), "--minutes", f"{minutes:.2f}", *words]
    log.info("%s: %s", training.name, " ".join(command[1:]))
    # a thread of its own for each worker's arithmetic: sixteen for each would fight for the cores
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    return Process(command, run.work / f"{training.name}.log", training.name, environment, Path.cwd())


def _finish(run: Run, training: plan.Training, state: str, minutes: float, before: dict) -> None:
    folder = _folder(run, training)
    row = {"training": state, "minutes": round(minutes, 2), "arguments": " ".join(training.arguments)}
    row |= {"before": before, "kept": False}
    missing = [name for name in training.weights if not (folder / name).is_file()]
    if missing:
        run.results.add(training.name, {**row, "failed": f"there is no {', '.join(missing)}"})
        return
    after = _score(run, training, folder)
    row["after"] = after
    if "failed" not in before and "failed" not in after:
        row["kept"] = better(training.name, before, after)
    if row["kept"]:
        for name in training.weights:
            shutil.copyfile(folder / name, run.work / name)
    run.results.add(training.name, row)


def _score(run: Run, training: plan.Training, folder: Path) -> dict:
    count = {"prior": 96, "fill": 48, "model": 12}[training.name]
    try:
        found = score(training.name, folder, run.data, run.device, 2 if run.tiny else count)
        return {name: round(value, 5) for name, value in found.items()}
    except Exception as failure:  # the other training's scores are still worth having
        log.exception("%s could not be scored", training.name)
        return {"failed": f"{type(failure).__name__}: {failure}"[:500]}


def _folder(run: Run, training: plan.Training) -> Path:
    return run.work / f"{training.name}-run"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--trainings", action="append")
    parser.add_argument("--arguments", action="append", default=[])


if __name__ == "__main__":
    main()
