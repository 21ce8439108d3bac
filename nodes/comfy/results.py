"""What an output node leaves beside its pictures: the workflow inside its files, and a video for the page's slider."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import folder_paths
from comfy.cli_args import args


def workflow_notes(hidden) -> dict[str, str]:
    """The graph as ComfyUI's own savers keep it in a file, by name; dropping the file on the page opens it again. Empty
    where ComfyUI was told to keep none."""
    if args.disable_metadata or hidden is None:
        return {}
    prompt, more = getattr(hidden, "prompt", None), getattr(hidden, "extra_pnginfo", None)
    notes = {} if prompt is None else {"prompt": json.dumps(prompt)}
    return notes | {name: json.dumps(value) for name, value in (more or {}).items()}


class Player:
    """A slider over the layers of a video on the node (web/compare.js). path: where the video goes that it plays, in
    ComfyUI's temporary folder (clear_runtime/media/layers.py)."""

    def __init__(self):
        folder = Path(folder_paths.get_temp_directory())
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"clear_layers_{uuid.uuid4().hex[:12]}.mp4"

    def ui(self, frames: int, fps: float, size: tuple[int, int], spots: dict[str, int], lines=(), clean=None) -> dict:
        """What the page is told. size: width and height of the source. spots: names of frames worth a look, for
        buttons. lines: what was found (find/report.py), for the time line. clean: the result's file, as ComfyUI names
        one."""
        told = {
            "layers": {"filename": self.path.name, "subfolder": "", "type": "temp"},
            "names": ["before", "after", "mask"],
            "frames": frames,
            "fps": fps,
            "size": list(size),
            "spots": [{"name": name, "frame": frame} for name, frame in spots.items()],
            "spans": [
                {"first": one.first, "stop": one.stop, "goes": one.goes, "sure": one.sure, "why": one.why}
                for one in lines
            ],
            "clean": clean,
        }
        return {"clear_compare": [told]}
