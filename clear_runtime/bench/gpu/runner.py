"""Run the parts one after the other, each in a process with a time limit, and write down what came of it.

FOLDER (--out) gets gpu.json, renewed after every part; gpu.log; and the bundled weights that became better. A part that
fails or runs into its limit is recorded as such, with what it had found until then, and the next begins.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch

from ...errors import ending_in_words
from ..figures import read_json, write_json
from . import plan
from .process import run
from .site import COMFYUI, unpack, unpack_comfyui

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[3]
LARGEST = 16 * 2**20  # bytes of a file that is handed on
DATA, WHEELS = "data", "wheels"  # in the folder that `bench prepare` made


def main(argv: list[str] | None = None) -> None:
    args = arguments(argv)
    with ending_in_words("stopped; gpu.json holds what was found until then"):
        run_all(args)


def run_all(args: argparse.Namespace) -> dict:
    """Everything that is asked for; returns what stands in gpu.json in the end."""
    ends, asked = time.monotonic() + 60 * args.minutes, plan.parts(args.only)
    plan.trainings(args.trainings, args.arguments)  # a name that is wrong is said now
    allowed = plan.limits(asked, 60 * args.minutes)
    args.out.mkdir(parents=True, exist_ok=True)
    found = {**machine(args), "parts": {}}
    with tempfile.TemporaryDirectory() as work:
        site = Path(work) / "site"
        site.mkdir()
        log.info("unpacked: %s", ", ".join(unpack(args.data / WHEELS, site)) or "nothing")
        brought = unpack_comfyui(args.data / COMFYUI, Path(work))
        paths = (str(ROOT), str(site), brought.get("PYTHONPATH"), os.environ.get("PYTHONPATH"))
        environment = {
            **os.environ,
            **brought,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PYTHONUNBUFFERED": "1",
        }
        for part in asked:
            left = ends - time.monotonic()
            limit = left if not part.seconds else min(left, allowed[part.name])
            found["parts"][part.name] = _part(part, limit, args, Path(work) / part.name, environment)
            write_json(args.out / "gpu.json", found)
    return found


def _part(part: plan.Part, limit: float, args: argparse.Namespace, work: Path, environment: dict) -> dict:
    if limit < 1:
        return {"state": "skipped", "seconds": 0, "limit": round(limit), "results": {}}
    log.info("== %s, up to %.0f s: %s", part.name, limit, part.about)
    work.mkdir()
    results = work / "results.json"
    command = [sys.executable, "-m", f"{__package__}.{part.name}", "--data", str(args.data / DATA)]
    command += ["--work", str(work), "--results", str(results), "--device", args.device, "--seconds", str(limit)]
    command += ["--tiny"] * args.tiny
    if part.name == "better":
        for option, values in (("--trainings", args.trainings), ("--arguments", args.arguments)):
            command += [f"{option}={value}" for value in values or ()]
    state, seconds = run(command, limit, args.out / "gpu.log", part.name, environment, ROOT)
    for path in sorted(work.glob("*.safetensors")):
        if path.stat().st_size <= LARGEST:
            shutil.copyfile(path, args.out / path.name)
    log.info("== %s: %s after %.0f s", part.name, state, seconds)
    return {"state": state, "seconds": round(seconds, 1), "limit": round(limit), "results": read_json(results)}


def machine(args: argparse.Namespace) -> dict:
    """What was run, and on what."""
    here = {"minutes": args.minutes, "tiny": args.tiny, "device": args.device, "name": platform.processor() or "CPU"}
    if args.device.startswith("cuda"):
        card = torch.cuda.get_device_properties(args.device)
        here |= {"name": card.name, "gib": round(card.total_memory / 2**30, 1), "cuda": torch.version.cuda}
    return {**here, "torch": torch.__version__, "python": platform.python_version(), "cores": os.cpu_count()}


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m clear_runtime bench gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, required=True, help="all that may be spent, its end included")
    parser.add_argument("--data", type=Path, default=Path(".bench"), help="what `bench prepare` made")
    parser.add_argument("--out", type=Path, required=True, help="the folder for gpu.json, gpu.log and weights")
    parser.add_argument("--only", nargs="+", metavar="PART", help=", ".join(part.name for part in plan.PARTS))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small shapes: a rehearsal")
    names = ", ".join(training.name for training in plan.TRAININGS)
    parser.add_argument("--trainings", nargs="+", metavar="NAME", help=f"of better: {names}")
    parser.add_argument(
        "--arguments", action="append", default=[], metavar="NAME=WORDS", help="instead of a training's own"
    )
    return parser.parse_args(argv)
