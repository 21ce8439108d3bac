"""One video through the demo graph, and the four files that come of it."""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import PACK, PACK_NAME, environment
from .console import WRONG_INPUT, Problem, ProgressLine, duration, say
from .graph import set_input, to_prompt
from .server import Server

BUNDLED = PACK / "assets" / "demo" / "bunny_subtitled.mp4"
TRUTH = PACK / "assets" / "demo" / "bunny.json"
GRAPH = PACK / "workflows" / "Nano demo.json"
ENDS = ("clean.mp4", "before_after.mp4", "before_after.png")


def demo(file: Path | None, out: Path, keep: bool) -> None:
    """Clean a video (the bundled one by default) and leave the results in a folder."""
    source = (file or BUNDLED).expanduser().resolve()
    refuse_early(source, out)
    began = time.monotonic()
    tree = environment.ready_tree()
    python = environment.python_for(tree, test=False)
    setup_seconds = time.monotonic() - began
    say(f"Set-up took {duration(setup_seconds)}.")
    facts = ask(python, "facts", source)
    if facts["rotation"]:
        say(
            f"Note: the file asks players to turn it by {facts['rotation']} degrees; older ComfyUI versions ignore "
            f"that."
        )
    with Server(python, tree, cpu=not facts["accelerator"]) as server:
        prompt = demo_prompt(server, source, facts)
        settings = {
            n["class_type"]: {k: v for k, v in n["inputs"].items() if not isinstance(v, list)} for n in prompt.values()
        }
        run_seconds, outputs = run(server, prompt)
        made = pick_results(server, outputs)
        figures = ask(python, "score", source, made["clean.mp4"], *([TRUTH] if source == BUNDLED else []))
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
        report_path = keep_results(source.stem, out, made, report)
        conclude(report, report_path)
        if keep:
            server.keep = True
            say(f"ComfyUI is still running at {server.address} (process {server.process.pid}; files in {server.base}).")


def refuse_early(source: Path, out: Path) -> None:
    """What can be told without any package: said before minutes of set-up."""
    if not source.exists():
        raise Problem(f"There is no file {source}. Check the name.", WRONG_INPUT)
    if source.is_dir():
        raise Problem(f"{source} is a folder. Name one video file in it.", WRONG_INPUT)
    if source.stat().st_size == 0:
        raise Problem(f"{source} is empty (0 bytes). Copy or download it again.", WRONG_INPUT)
    if not os.access(source, os.R_OK):
        raise Problem(f"{source} cannot be read. Change its permissions.", WRONG_INPUT)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Problem(
            f"The folder {out} cannot be made ({error.strerror}). Name another one with --out.", WRONG_INPUT
        ) from error
    if not os.access(out, os.W_OK):
        raise Problem(f"You may not write in {out}. Name another folder with --out.", WRONG_INPUT)


def ask(python: Path, what: str, *paths: Path) -> dict:
    """Run measure.py inside the environment."""
    done = subprocess.run(
        [str(python), "-m", "launch.measure", what, *map(str, paths)], cwd=PACK, capture_output=True, text=True
    )
    if done.returncode:
        raise Problem(f"measuring {paths[0].name} failed:\n{done.stderr.strip()}")
    found = json.loads(done.stdout.splitlines()[-1])
    if "error" in found:
        raise Problem(found["error"], WRONG_INPUT)
    return found


def demo_prompt(server: Server, source: Path, facts: dict) -> dict:
    """The shipped demo graph, with this video in it."""
    # the name in ComfyUI's input folder is ours: no spaces or brackets, which its file names give a meaning
    name = "input" + (source.suffix.lower() if re.fullmatch(r"\.\w+", source.suffix) else "")
    shutil.copyfile(source, server.base / "input" / name)
    prompt = to_prompt(json.loads(GRAPH.read_text(encoding="utf-8")), server.get("/object_info"))
    if facts["width"] % 2 or facts["height"] % 2:
        # its H.264 writer takes even sides only; our own files come from Before / After
        say(
            f"The picture is {facts['width']}x{facts['height']}: ComfyUI's Save Video cannot store odd sides and is "
            f"left out."
        )
        prompt = {key: node for key, node in prompt.items() if node["class_type"] not in ("SaveVideo", "CreateVideo")}
    set_input(prompt, "LoadVideo", file=name)
    set_input(prompt, "CLEAR_BeforeAfter", filename_prefix="demo")
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


def pick_results(server: Server, outputs: dict) -> dict[str, Path]:
    """The files of Before / After, by the ends of their names."""
    found = {}
    for output in outputs.values():
        for item in [*output.get("images", []), *output.get("clear_videos", [])]:
            for end in ENDS:
                if item["filename"].endswith("_" + end):
                    found[end] = server.base / "output" / item["subfolder"] / item["filename"]
    lacking = [end for end in ENDS if end not in found]
    if lacking:
        raise Problem(f"the graph left no {', '.join(lacking)}; its Before / After node did not run")
    return found


def keep_results(stem: str, out: Path, made: dict[str, Path], report: dict) -> Path:
    """Move the results to NAME_*; a name that holds somebody else's file gets a number. Returns the report's path."""
    number = 1
    while True:
        name = stem if number == 1 else f"{stem}_{number}"
        targets = {end: out / f"{name}_{end}" for end in ENDS}
        report_path = out / f"{name}_report.json"
        if all(is_ours(path, report_path) for path in (*targets.values(), report_path)):
            break
        number += 1
    report = {"made_by": PACK_NAME, "files": {targets[e].name: _sha256(made[e]) for e in ENDS}, **report}
    parts = {end: path.with_name(f".{path.name}.part") for end, path in targets.items()}
    report_part = report_path.with_name(f".{report_path.name}.part")
    try:
        for end in ENDS:
            shutil.copyfile(made[end], parts[end])
        report_part.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for end in ENDS:
            os.replace(parts[end], targets[end])
        os.replace(report_part, report_path)
    except OSError as error:
        raise Problem(
            f"The results cannot be saved in {out} ({error.strerror}). Free some space or name another folder with "
            f"--out."
        ) from error
    finally:
        for part in (*parts.values(), report_part):
            part.unlink(missing_ok=True)
    return report_path


def is_ours(path: Path, report: Path) -> bool:
    """Whether a name is free, or holds what an earlier run left there and nobody has changed since."""
    if not path.exists():
        return True
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(told, dict) or told.get("made_by") != PACK_NAME:
        return False
    return path == report or told.get("files", {}).get(path.name) == _sha256(path)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


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
