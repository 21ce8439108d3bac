"""Draw Areas: where a subtitle is, where pixels may change and where they must not, drawn on a frame of the film."""

from __future__ import annotations

import uuid
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..clear_runtime.errors import ClearError
from .comfy.frames import require_frames
from .comfy.video import video_file


class DrawAreas(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_DrawAreas",
            display_name="Draw Areas",
            category="CLEAR",
            description="Areas drawn on a frame of the film, as masks for Remove Subtitles: where a subtitle is, "
            "outside of which nothing may change, and what must stay. They are kept in the workflow.",
            inputs=[
                io.Image.Input("images", optional=True, tooltip="The film's frames: the areas are as large as these."),
                io.Video.Input("video", optional=True, tooltip="The film, where it is cleaned file to file."),
                io.String.Input(
                    "areas",
                    default="",
                    tooltip="What is drawn, as text: subtitle, limit or protect, and left,top,width,height; with "
                    "semicolons between, as: subtitle 20%,75%,60%,20%; protect 2%,3%,12%,9%.",
                ),
            ],
            outputs=[
                io.Mask.Output(display_name="subtitle", tooltip="Where a subtitle is. Nothing, where none is drawn."),
                io.Mask.Output(
                    display_name="limit", tooltip="Where pixels may change. All of the picture, where nothing is drawn."
                ),
                io.Mask.Output(display_name="protect", tooltip="What must stay. Nothing, where none is drawn."),
            ],
        )

    @classmethod
    def execute(cls, areas="", images=None, video=None):
        # the runtime, which start-up does without
        from ..clear_runtime.frames.areas import masks_of
        from ..clear_runtime.media.video import read_facts

        if images is not None:
            require_frames(images)
            masks = masks_of(areas, *images.shape[1:3])
            return io.NodeOutput(*masks.values(), ui={"clear_frame": [_kept(images[0, ..., :3])]})
        if video is None:
            raise ClearError("Connect images or video: the areas are as large as the film's frames.")
        facts = read_facts(video_file(video))
        return io.NodeOutput(*masks_of(areas, facts.height, facts.width).values())


def _kept(frame) -> dict:
    """A frame as a file that the page can show, as ComfyUI names one: for frames that no file before the node shows."""
    # the runtime, which start-up does without
    from ..clear_runtime.media.pictures import to_preview

    folder, name = Path(folder_paths.get_temp_directory()), f"clear_frame_{uuid.uuid4().hex[:12]}.jpg"
    folder.mkdir(parents=True, exist_ok=True)
    to_preview(frame, 1280).save(folder / name, quality=90)
    return {"filename": name, "subfolder": "", "type": "temp"}
