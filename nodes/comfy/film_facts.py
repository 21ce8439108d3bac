"""What the page asks about a film before it runs, and its frames after: web/film.js.

    GET /clear/film?file=NAME&node=CLASS&model=nano&output=...   facts, memory, time; or why it cannot be read
    GET /clear/frame?file=NAME&at=SECONDS&side=PIXELS            the frame that is shown then, as a JPEG

Files are those that ComfyUI's page may see: below its input, output and temporary folders.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import comfy.model_management
import folder_paths

from ...clear_runtime.catalogue import REMOVE
from ...clear_runtime.errors import ClearError
from . import pace
from .live import as_jpeg, server

IN_MEMORY = {"CLEAR_SubtitleRemove": 2 * 3 * 4 + 4}
"""Bytes that a node holds of every pixel of the film: frames before and after and their masks, in float32."""
MOST_SIDE = 2048


def served_file(name: str) -> Path:
    """A file as ComfyUI's widgets name it, "sub/film.mp4 [output]". Raises ClearError for one that is not there, or
    lies elsewhere."""
    path = Path(os.path.abspath(folder_paths.get_annotated_filepath(name)))  # links in there are the user's own
    folders = (
        folder_paths.get_input_directory(),
        folder_paths.get_output_directory(),
        folder_paths.get_temp_directory(),
    )
    if not any(path.is_relative_to(os.path.abspath(folder)) for folder in folders) or not path.is_file():
        raise ClearError(f"There is no file {name} in ComfyUI's input folder. Put it there, or choose another one.")
    return path


def about(asked: Mapping[str, str]) -> dict:
    """The film's facts and what a run of the node with these options takes. loses: what of it does not go through a
    node of frames, in words. failed: in words, where it cannot be read."""
    # the runtime, which start-up does without
    from ...clear_runtime.film.estimate import cost_of
    from ...clear_runtime.media.as_frames import lost_as_frames
    from ...clear_runtime.media.video import read_facts

    try:
        path = served_file(asked["file"])
        facts = read_facts(path)
        given = {"window": int(asked.get("window") or 81), "overlap": int(asked.get("overlap") or 16)}
        options = REMOVE.options(given)
    except ClearError as error:
        return {"failed": str(error)}
    frames, pixels = facts.frames, facts.width * facts.height
    if frames is None and facts.seconds is not None:
        frames = round(facts.seconds * facts.fps)
    memory = cost_of((facts.height, facts.width), frames, path.stat().st_size, options).memory
    memory += IN_MEMORY.get(asked.get("node", ""), 0) * pixels * (frames or 0)
    kind = pace.kind_of(asked.get("model", ""), int(asked.get("steps") or 1))
    on_cpu = comfy.model_management.get_torch_device().type == "cpu"
    seconds, shown = (None, False) if frames is None else pace.expected(kind, frames, pixels, on_cpu)
    return {
        "frames": frames,
        "fps": float(facts.fps),
        "length": None if frames is None else float(frames / facts.fps),
        "size": [facts.width, facts.height],
        "memory": memory,
        "seconds": seconds,
        "as_before": shown,
        "loses": _lost(lost_as_frames(path, facts)) if asked.get("node") in IN_MEMORY else [],
    }


def _lost(said: list[str]) -> list[str]:
    return [*said, "Remove Subtitles (Video) keeps all of this."] if said else []


def still(name: str, at: float, side: int) -> bytes:
    """The frame that is shown at a time in seconds, as a JPEG of at most `side` pixels. Raises ClearError where none
    is."""
    # the runtime, which start-up does without
    from ...clear_runtime.media.pictures import to_preview
    from ...clear_runtime.media.steady import steady_frames
    from ...clear_runtime.media.video import read_facts

    path = served_file(name)
    facts, shown = read_facts(path), None
    since = Fraction(max(0.0, at)).limit_denominator(1_000_000)
    for shown in steady_frames(path, facts, since - 1 / facts.fps, lambda text: None):
        if shown.time + Fraction(1, 2) / facts.fps > since:
            break
    if shown is None:
        raise ClearError(f"{path.name} shows nothing at {at:g} s.")
    return as_jpeg(to_preview(shown.picture(), max(16, min(MOST_SIDE, side))))


def offer_routes() -> None:
    """Answer the page. Nothing without a server."""
    running = server()
    if running is None:
        return
    from aiohttp import web  # the server has it

    async def elsewhere(work: Callable, *given):
        return await asyncio.get_running_loop().run_in_executor(None, work, *given)

    @running.routes.get("/clear/film")
    async def film(request):
        try:
            return web.json_response(await elsewhere(about, dict(request.query)))
        except (KeyError, ValueError):
            return web.Response(status=400)

    @running.routes.get("/clear/frame")
    async def frame(request):
        try:
            at, side = float(request.query["at"]), int(request.query.get("side", 768))
            if not math.isfinite(at):
                raise ValueError
            return web.Response(body=await elsewhere(still, request.query["file"], at, side), content_type="image/jpeg")
        except (KeyError, ValueError):
            return web.Response(status=400)
        except ClearError as error:
            return web.Response(status=404, text=str(error))
