"""Before / After: the cleaned clip as a file, beside the original as a video and as one picture."""

from __future__ import annotations

from fractions import Fraction

from comfy_api.latest import io, ui

from .comfy.live import Teller
from .comfy.results import Player, workflow_notes


class BeforeAfter(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_BeforeAfter",
            display_name="Before / After",
            category="CLEAR",
            description="Shows the clip with and without its subtitles under a slider, and saves the cleaned clip, a "
            "side-by-side video and a side-by-side picture, each with the workflow in it. Files: "
            "PREFIX_NUMBER_clean.mp4, PREFIX_NUMBER_before_after.mp4, PREFIX_NUMBER_before_after.png.",
            inputs=[
                io.Image.Input("before", tooltip="The frames with subtitles."),
                io.Image.Input("after", tooltip="The cleaned frames: same count and size."),
                io.Float.Input("fps", default=25.0, min=0.01, max=1000.0, step=0.01, tooltip="Frames per second."),
                io.String.Input(
                    "filename_prefix",
                    default="CLEAR/subtitles",
                    tooltip="Where to save below ComfyUI's output folder. The name gets a number, so nothing is "
                    "overwritten. Empty: only the slider, nothing is saved.",
                ),
                io.Float.Input(
                    "crf",
                    default=10.0,
                    min=0.0,
                    max=51.0,
                    step=1.0,
                    tooltip="Quality of the H.264 files: 0 is lossless, 10 stays close to the original, "
                    "23 is small. Every encoding changes all pixels a little; lower changes them less.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where pixels were replaced; picks the frame for the picture. Without it, the frame "
                    "that changed most.",
                ),
                io.Audio.Input("audio", optional=True, tooltip="The sound for both videos."),
                io.String.Input(
                    "report",
                    default="",
                    optional=True,
                    force_input=True,
                    tooltip="report_json of Remove Subtitles: its lines are marked on the time line, and the frame "
                    "that it was least sure of is shown too.",
                ),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
            outputs=[],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, before, after, fps, filename_prefix, crf, mask=None, audio=None, report=""):
        # what nodes run is imported when they run: ComfyUI starts without it
        import folder_paths

        from ..clear_runtime.find.report import least_sure, lines_from
        from ..clear_runtime.media.before_after import Also, check, save, save_layers, telling_frame

        check(before, after, mask)
        size = before.shape[2], before.shape[1]
        sound = None if audio is None else (audio["waveform"][0], int(audio["sample_rate"]))
        # The rate comes as a float; films run at 24000/1001 and the like.
        rate = Fraction(fps).limit_denominator(1001)
        lines = lines_from(report) if report else []
        spots = {"most text": telling_frame(before, after, mask)}
        doubtful = least_sure(lines)
        if doubtful is not None and doubtful < len(before) and doubtful not in spots.values():
            spots["least sure"] = doubtful
        player, count = Player(), len(before)
        if not filename_prefix.strip():
            with Teller(cls, "Getting the slider ready") as tell:
                save_layers(player.path, before, after, mask, rate, sound, tell.frames(count))
            return io.NodeOutput(ui=player.ui(count, float(rate), size, spots, lines))
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory(), *size
        )
        also = Also(workflow_notes(getattr(cls, "hidden", None)), list(spots.values()), player.path)
        with Teller(cls, "Writing the videos") as tell:
            files = save(
                folder, f"{name}_{counter:05}", before, after, mask, rate, sound, crf, tell.frames(count), also
            )
        picture, *videos = [ui.SavedResult(file.name, subfolder, io.FolderType.output) for file in files]
        shown = player.ui(count, float(rate), size, spots, lines, videos[0])
        return io.NodeOutput(ui={"images": [picture], "video": videos, **shown})
