"""Remove Subtitles (Video): a video of any length in, the same without its subtitles out, from file to file."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path

import comfy.model_management
from comfy_api.latest import io, ui

from ..clear_runtime.catalogue import REMOVE_VIDEO
from .choices import BUNDLED
from .comfy.engines import comfy_engine
from .comfy.files import CLEAR_FOLDER, full_path, resolved, stamp, stamped
from .comfy.identity import conditioning_identity, model_identity, vae_identity
from .comfy.inputs import OptionInputs
from .comfy.managed import ComfyPrior
from .comfy.progress import progress_bar, say
from .comfy.video import video_file, video_of
from .prior import chosen_prior, trained_input
from .remove import NEWEST, cfg_input, parts_and_areas, prior_input, subtitle_input

log = logging.getLogger(__name__)

_PREVIEW_SIDE = 512
"""Longest side in pixels of the picture on the node while it runs."""
_STEPS = 1000
"""Of the bar."""
_SAY_EVERY = 0.5
"""Seconds between two lines on the node."""


def _outputs() -> list:
    return [
        io.Video.Output(display_name="VIDEO", tooltip="The file in ComfyUI's output folder, with sound and all else."),
        io.String.Output(
            display_name="report",
            tooltip="What was found and what became of it: lines with their times, rows, size and certainty; what can "
            "still be read afterwards; how the run went.",
        ),
        io.String.Output(display_name="report_json", tooltip="The same for other nodes and programs."),
    ]


def _file_inputs(options: OptionInputs) -> list:
    """What a file needs beyond frames, behind the inputs that Remove Subtitles has too."""
    return [
        *options.take("start", "end", "area"),
        io.Float.Input(
            "crf",
            default=7.0,
            min=0.0,
            max=51.0,
            step=1.0,
            tooltip="Quality of the new file: 0 is lossless, 7 stays close to the original, 23 is small.",
        ),
        io.String.Input(
            "filename_prefix",
            default="CLEAR/film",
            tooltip="Where to save below ComfyUI's output folder. The name gets a number, so nothing is overwritten.",
        ),
        prior_input(),
        *options.take("subtitles_only", optional=True),
        subtitle_input(),
        trained_input(),
        io.String.Input(
            "plan",
            default="",
            optional=True,
            tooltip="A plan to go by instead of looking: the path of a _plan.json, as it lies beside each result, "
            "edited or not. Empty: look.",
        ),
    ]


class SubtitleRemoveVideo(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        options = OptionInputs(REMOVE_VIDEO)
        return io.Schema(
            node_id="CLEAR_SubtitleRemoveVideo",
            display_name="Remove Subtitles (Video)",
            category="CLEAR",
            description="Removes burned-in subtitles from a video of any length, in memory for a window of it: file to "
            "file, with its sound, times, shape and colour. After Cancel or a crash the next Run goes on from what is "
            "finished.",
            inputs=[
                io.Video.Input("video", tooltip="The video, from Load Video. It is read where it lies."),
                *parts_and_areas(),
                *options.take("steps"),
                cfg_input(),
                *options.take(
                    "seed", "window", "overlap", "output", "control", "region", "mask_from", "grow", "feather"
                ),
                *_file_inputs(options),
                *options.rest(*NEWEST),
            ],
            outputs=_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, prior=BUNDLED, plan="", **other):
        constants = sorted((name, value) for name, value in other.items() if isinstance(value, (int, float, str)))
        return f"{stamp(prior, CLEAR_FOLDER)} {stamped([resolved(plan or '')], ())} {constants}"

    @classmethod
    def execute(
        cls,
        video,
        model=None,
        vae=None,
        positive=None,
        negative=None,
        limit=None,
        protect=None,
        subtitle=None,
        cfg=1.0,
        crf=10.0,
        filename_prefix="CLEAR/film",
        prior=BUNDLED,
        trained=None,
        plan="",
        **given,
    ):
        # the runtime, which start-up does without
        from ..clear_runtime.film.run import Job, clean
        from ..clear_runtime.film.store import Store
        from ..clear_runtime.find.report import Report
        from ..clear_runtime.options import PREVIEW

        options, source = REMOVE_VIDEO.options(given), video_file(video)
        preview, node = options.remove.output.output == PREVIEW, getattr(cls.hidden, "unique_id", None)
        engine = None if preview else comfy_engine(model, vae, positive, negative, cfg, options.remove.engine)
        masks = (area if area is None else area.cpu() for area in (limit, protect, subtitle))
        results = _Results(filename_prefix, source, video, node)
        job = Job(
            source,
            results.work,
            results.free_name,
            engine,
            ComfyPrior(chosen_prior(prior, trained)),
            options,
            Store(crf),
            *masks,
            weights={**_weights(None if preview else model, vae, positive, negative, cfg), **_prior(prior, trained)},
            plan=resolved(plan),
            metadata=_metadata(cls.hidden),
        )
        report = Report()
        cleaned = clean(job, _on_progress(node), report)
        text = "\n".join([report.text(cleaned.fps), *cleaned.notes, f"Saved: {cleaned.output}"])
        log.info("%s", text)
        say(node, report.summary())
        shown = ui.PreviewVideo([ui.SavedResult(Path(cleaned.output).name, results.subfolder, io.FolderType.output)])
        return io.NodeOutput(
            video_of(Path(cleaned.output)),
            text,
            json.dumps({**json.loads(report.json()), "notes": cleaned.notes, "plan": cleaned.plan}, ensure_ascii=False),
            ui={**shown.as_dict(), **ui.PreviewText(text).as_dict()},
        )


class _Results:
    """Where a node's results go: a numbered file below ComfyUI's output folder and, until it is whole, a folder beside
    it, which the same node finds again for the same video."""

    def __init__(self, prefix: str, source: Path, video, node: str | None):
        self._prefix, self._size, self._ending = prefix, video.get_dimensions(), _ending(source)
        folder, name, _, self.subfolder = self._place()
        digest = hashlib.sha256(f"{source.absolute()} {node}".encode()).hexdigest()[:10]
        self.work = Path(folder) / f"unfinished_{name[:40]}_{digest}"

    def free_name(self) -> Path:
        folder, name, counter, _ = self._place()
        return Path(folder) / f"{name}_{counter:05}_{self._ending}"

    def _place(self) -> tuple[str, str, int, str]:
        import folder_paths  # ComfyUI's own, as it is when the node runs

        return folder_paths.get_save_image_path(self._prefix, folder_paths.get_output_directory(), *self._size)[:4]


def _ending(source: Path) -> str:
    from ..clear_runtime.film.output import ENDINGS  # the runtime, which start-up does without

    return source.suffix.lower() if source.suffix.lower() in ENDINGS else ENDINGS[0]


def _weights(model, vae, positive, negative, cfg: float) -> dict[str, str]:
    """What the result depends on of a model's parts; of none where none is used."""
    if model is None:
        return {}
    text = f"{conditioning_identity(positive, negative)} {cfg}"
    return {"model": model_identity(model), "VAE": vae_identity(vae), "conditioning": text}


def _prior(prior: str, trained: str | None) -> dict[str, str]:
    # the runtime, which start-up does without
    from ..clear_runtime.film.identity import file_digest
    from ..clear_runtime.find.priors.checkpoints import BUNDLED as BUNDLED_FILE

    if trained is None and prior == BUNDLED:
        return {"prior": file_digest(BUNDLED_FILE)}
    name = prior if trained is None else trained
    return {"prior": file_digest(name if Path(name).is_absolute() else full_path(name, CLEAR_FOLDER))}


def _metadata(hidden) -> dict[str, str]:
    """What the file shall carry, so that it can be dropped into ComfyUI as its own files can."""
    import comfy.cli_args  # parsed when ComfyUI starts

    if comfy.cli_args.args.disable_metadata:
        return {}
    prompt, more = getattr(hidden, "prompt", None), getattr(hidden, "extra_pnginfo", None) or {}
    return {name: json.dumps(value) for name, value in {"prompt": prompt, **more}.items() if value is not None}


def _on_progress(node: str | None):
    """A callback for the run: a bar over all of it, a line with stage, frames and time left, and a picture."""
    # the runtime, which start-up does without
    from ..clear_runtime.film.timecode import duration
    from ..clear_runtime.media.pictures import to_preview

    advance, said, done = progress_bar(_STEPS), 0.0, 0

    def on_progress(now) -> None:
        nonlocal said, done
        comfy.model_management.throw_exception_if_processing_interrupted()
        at = time.monotonic()
        if now.note:
            say(node, now.note)
            said = at + 2  # long enough to be read
        if at < said + _SAY_EVERY and now.share != 1:
            return
        done = max(done, round(_STEPS * (now.share or 0)))
        advance(done, _STEPS, None if now.preview is None else ("JPEG", to_preview(now.preview, _PREVIEW_SIDE), None))
        said, frames = at, f"{now.done} of {now.total}" if now.total else f"{now.done}"
        left = "" if now.left is None else f", {duration(now.left)} left"
        say(node, f"{now.stage}: {frames} frames{left}")

    return on_progress
