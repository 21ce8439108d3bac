"""One video through the shipped graph for whole films, and the four files that come of it. run.py calls it inside the
environment:

python -m launch.demo --video FILE --out FOLDER --comfyui TREE --set-up SECONDS [--keep]
"""

import argparse
import contextlib
import json
import os
import platform
import re
import sys
import time
from pathlib import Path

from clear_runtime.errors import ClearError
from clear_runtime.film.output import h264_ending
from clear_runtime.media.before_after import save_of_files

from . import PACK, measure
from .console import WRONG_INPUT, Problem, ProgressLine, duration, ended_in_words, say
from .graph import set_input, to_prompt
from .refuse import BUNDLED
from .results import keep_results
from .server import Server

TRUTH = PACK / "assets" / "demo" / "bunny.json"
GRAPH = PACK / "workflows" / "Remove subtitles from a whole film.json"
REMOVER = "CLEAR_SubtitleRemoveVideo"


def demo(source: Path, out: Path, tree: Path, keep: bool, setup_seconds: float) -> None:
    """Clean a video and leave the results in a folder. tree: of ComfyUI. Raises Problem in words."""
    try:
        facts = measure.facts(str(source))
    except ClearError as error:
        raise Problem(str(error), WRONG_INPUT) from error
    with Server(Path(sys.executable), tree, cpu=not facts["accelerator"]) as server:
        prompt = demo_prompt(server, source)
        settings = {
            n["class_type"]: {k: v for k, v in n["inputs"].items() if not isinstance(v, list)} for n in prompt.values()
        }
        run_seconds, outputs = run(server, prompt)
        clean = pick_result(server, prompt, outputs)
        server.holds_results = True
        made = beside_the_source(source, clean)
        figures = measure.score(str(source), str(clean), str(TRUTH) if source == BUNDLED else None)
        memory = server.peak_memory()
        report = {
            "input": source.name,
            "setup_seconds": round(setup_seconds, 1),
            "server_start_seconds": round(server.start_seconds, 1),
            "run_seconds": round(run_seconds, 1),
            "seconds_per_frame": round(run_seconds / max(1, figures["frames_out"]), 3),
            "server_peak_memory_gb": round(memory / 2**30, 2) if memory else None,
            **figures,
            "settings": settings,
            "versions": versions(server, facts),
        }
        report_path = keep_results(source, out, made, report)
        server.holds_results = False
        conclude(report, report_path)
        if keep:
            server.keep = True
            say(f"ComfyUI is still running at {server.address} (process {server.process.pid}; files in {server.base}).")


def demo_prompt(server: Server, source: Path) -> dict:
    """The shipped demo graph, with this video in it."""
    # the name in ComfyUI's input folder is ours: no spaces or brackets, which its file names give a meaning
    name = "input" + (source.suffix.lower() if re.fullmatch(r"\.\w+", source.suffix) else "")
    server.lend(source, name)
    prompt = to_prompt(json.loads(GRAPH.read_text(encoding="utf-8")), server.get("/object_info"))
    set_input(prompt, "LoadVideo", file=name)
    set_input(prompt, REMOVER, filename_prefix="demo")
    return prompt


def run(server: Server, prompt: dict) -> tuple[float, dict]:
    """Send the prompt, show how far it is, wait for its end; on Ctrl-C, cancel it first."""
    names = {key: node["class_type"].removeprefix("CLEAR_") for key, node in prompt.items()}
    progress, began = ProgressLine("Cleaning:"), {}

    def show(node, done, total):
        now = time.monotonic()
        first, since = began.setdefault(node, (done, now))
        note = f"{names.get(str(node), 'node')} {100 * done // max(1, total)} %"
        if done > first:
            note += f", {duration((now - since) * (total - done) / (done - first))} left"
        progress.show(note)

    try:
        outputs = server.run(prompt, show)
    except (KeyboardInterrupt, SystemExit):
        with contextlib.suppress(OSError):  # it may be gone already
            server.interrupt()
        raise
    return progress.done(), outputs


def pick_result(server: Server, prompt: dict, outputs: dict) -> Path:
    """The film that the remover has saved."""
    for key, output in outputs.items():
        if prompt[key]["class_type"] == REMOVER and output.get("images"):
            (saved,) = output["images"]
            return server.base / "output" / saved["subfolder"] / saved["filename"]
    raise Problem(f"The graph left no film; its node {REMOVER} did not run.")


def beside_the_source(source: Path, clean: Path) -> dict[str, Path]:
    """The film, and the same beside its source as a film and as a picture, by the ends of their names."""
    movie, picture = clean.with_name(f"before_after{h264_ending(clean)}"), clean.with_name("before_after.png")
    say("Writing both side by side.")
    try:
        save_of_files(source, clean, movie, picture)
    except (ClearError, OSError) as error:
        raise Problem(str(error)) from error
    return {f"clean{clean.suffix}": clean, movie.name: movie, picture.name: picture}


def versions(server: Server, facts: dict) -> dict:
    system = server.get("/system_stats")["system"]
    pack = re.search(r'^version = "(.*)"', (PACK / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    return {
        "pack": pack.group(1),
        "comfyui": system.get("comfyui_version"),
        "torch": facts["torch"],
        "python": system.get("python_version", "").split()[0],
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "accelerator": facts["accelerator"],
        "launcher_python": sys.version.split()[0],
    }


def conclude(report: dict, report_path: Path) -> None:
    memory = f", server memory at most {report['server_peak_memory_gb']} GB" if report["server_peak_memory_gb"] else ""
    say(
        f"{report['frames_out']} of {report['frames_in']} frames, {report['size'][0]}x{report['size'][1]}, in "
        f"{report['run_seconds']} s ({report['seconds_per_frame']} s a frame){memory}."
    )
    if "psnr_mask" in report:
        say(
            f"Against the clean original: {report['psnr_mask']} dB where the subtitle was (the subtitled clip: "
            f"{report['psnr_mask_of_input']} dB); the rest of the picture is {report['psnr_background']} dB from the "
            f"input."
        )
    say(f"Results: {report_path.name.removesuffix('report.json')}* in {report_path.parent}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The demo, inside its environment; run.py calls it.")
    parser.add_argument("--video", type=Path, default=BUNDLED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--comfyui", type=Path, required=True)
    parser.add_argument("--set-up", type=float, default=0.0)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args(arguments)
    return ended_in_words(lambda: demo(asked.video, asked.out, asked.comfyui, asked.keep, asked.set_up))


if __name__ == "__main__":
    sys.exit(main())
