"""Remove Subtitles (Video): a video of any length in, the same without its subtitles out, from file to file."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from pathlib import Path

from comfy_api.latest import io

from ..clear_runtime.catalogue import REMOVE_VIDEO
from ..clear_runtime.errors import ClearError
from ..clear_runtime.media.codecs import AS_SOURCE, CHOICES
from .choices import BUNDLED
from .comfy import pace
from .comfy.files import CLEAR_FOLDER, full_path, resolved, stamp, stamped
from .comfy.film_results import Made, Results, films_in, of_many, of_one
from .comfy.flow import comfy_flow, flow_identity, optical_flow_input
from .comfy.identity import conditioning_identity, model_identity, vae_identity
from .comfy.inputs import OptionInputs
from .comfy.live import Teller
from .comfy.managed import ComfyPrior
from .comfy.removal import film, found_in, painter
from .comfy.video import video_file
from .prior import chosen_prior, trained_input
from .remove import cfg_input, parts_and_areas, prior_input, subtitle_input

log = logging.getLogger(__name__)


def _outputs() -> list:
    return [
        io.Video.Output(
            display_name="VIDEO",
            is_output_list=True,
            tooltip="The file in ComfyUI's output folder, with sound and all else. Of a folder, one after the other.",
        ),
        io.String.Output(
            display_name="report",
            tooltip="What was found and what became of it: lines with their times, rows, size and certainty; what can "
            "still be read afterwards; how the run went.",
        ),
        io.String.Output(display_name="report_json", tooltip="The same for other nodes and programs."),
        io.Video.Output(
            display_name="mask",
            is_output_list=True,
            tooltip="With save_mask: a grey video of how much of each pixel was replaced, frame by frame.",
        ),
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
            tooltip="Quality of the new file, whatever the codec: 0 is lossless or next to it, 7 stays close to the "
            "original, 23 is small.",
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
        optical_flow_input(),
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
        newest = options.take("mask_jumps", optional=True)
        latest = options.take("clean_overlap", "copy_unchanged", optional=True)
        return io.Schema(
            node_id="CLEAR_SubtitleRemoveVideo",
            display_name="Remove Subtitles (Video)",
            category="CLEAR",
            description="Removes burned-in subtitles from a video of any length, in memory for a window of it: file to "
            "file, with its sound, times, shape and colour. After Cancel or a crash the next Run goes on from what is "
            "finished.",
            inputs=[
                io.Video.Input("video", optional=True, tooltip="The video, from Load Video. It is read where it lies."),
                *parts_and_areas(),
                *options.take("steps"),
                cfg_input(),
                *options.take(
                    "seed", "window", "overlap", "output", "control", "region", "mask_from", "grow", "feather"
                ),
                *_file_inputs(options),
                *options.rest(),
                io.Boolean.Input(
                    "save_mask",
                    default=False,
                    optional=True,
                    tooltip="Also save a grey video of how much of each pixel was replaced, at the same times: for the "
                    "output mask.",
                ),
                io.String.Input(
                    "folder",
                    default="",
                    optional=True,
                    tooltip="A folder of films, in place of video: all of them are cleaned, each to a file of its own "
                    "name; one that cannot be cleaned does not stop the others. A path, or a name in ComfyUI's input "
                    "folder.",
                ),
                *newest,
                io.Combo.Input(
                    "codec",
                    options=list(CHOICES),
                    default=AS_SOURCE,
                    optional=True,
                    tooltip="What the new file is stored with. as the source: where it can be written, else H.264, and "
                    "the report says why. nvenc: by an NVIDIA card.",
                ),
                *latest,
            ],
            outputs=_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            is_output_node=True,
        )

    @classmethod
    def fingerprint_inputs(cls, prior=BUNDLED, plan="", folder="", **other):
        # the runtime, which start-up does without
        from ..clear_runtime.film.output import FILMS

        constants = sorted((name, value) for name, value in other.items() if isinstance(value, (int, float, str)))
        files = f"{stamped([resolved(plan or '')], ())} {stamped([resolved(folder or '')], FILMS)}"
        return f"{stamp(prior, CLEAR_FOLDER)} {files} {constants}"

    @classmethod
    def execute(cls, video=None, folder="", **asked):
        if not folder.strip():
            if video is None:
                raise ClearError("There is nothing to clean: connect Load Video to video, or name a folder of films.")
            return of_one(cls._cleaned(video_file(video), **asked))
        films, made, failed = films_in(folder), [], {}
        for path in films:
            try:
                made.append(cls._cleaned(path, path.stem, **asked))
            except ClearError as error:
                log.error("%s: %s", path.name, error)
                failed[path.name] = str(error)
        return of_many(made, failed)

    @classmethod
    def _cleaned(
        cls,
        source,
        name="",
        model=None,
        vae=None,
        positive=None,
        negative=None,
        limit=None,
        protect=None,
        subtitle=None,
        cfg=1.0,
        crf=7.0,
        filename_prefix="CLEAR/film",
        prior=BUNDLED,
        trained=None,
        plan="",
        save_mask=False,
        optical_flow=None,
        codec=AS_SOURCE,
        **given,
    ) -> Made:
        """One film; name: what its result is called besides, where it is one of many. Raises ClearError."""
        # the runtime, which start-up does without
        from ..clear_runtime.film.run import Job
        from ..clear_runtime.film.store import Store
        from ..clear_runtime.options import PREVIEW
        from .comfy.engines import comfy_engine

        options = REMOVE_VIDEO.options(given)
        preview = options.remove.output.output == PREVIEW
        engine = None if preview else comfy_engine(model, vae, positive, negative, cfg, options.remove.engine)
        prefix = f"{filename_prefix}_{name}" if name else filename_prefix
        results = Results(prefix, source, getattr(cls.hidden, "unique_id", None), codec)
        job = Job(
            source,
            results.work,
            results.free_name,
            engine,
            ComfyPrior(chosen_prior(prior, trained)),
            options,
            Store(crf, save_mask, codec, results.ending),
            *(area if area is None else area.cpu() for area in (limit, protect, subtitle)),
            weights=_weights(None if preview else model, vae, positive, negative, cfg)
            | _others(prior, trained, optical_flow),
            plan=resolved(plan),
            metadata=_metadata(cls.hidden),
            optical_flow=comfy_flow(optical_flow),
        )
        return (results.earlier(job) if name else None) or cls._run(job, results, None if preview else model)

    @classmethod
    def _run(cls, job, results: Results, model) -> Made:
        # the runtime, which start-up does without
        from ..clear_runtime.film.run import clean
        from ..clear_runtime.find.report import Report

        report, fresh = Report(), not job.work.exists()
        with Teller(cls, "Looking for text", keeps=True) as tell:
            cleaned = clean(job, film(tell), report)
            saved = results.saved(Path(cleaned.output))
            found = found_in(report, _clock(cleaned), dict(saved))
            tell.say(report.summary(), found)
        if fresh:
            _remember(cleaned, painter(model, job.options.remove.engine.steps))
        kept = [f"{cleaned.copied} frames are the source's own packets, bit for bit."] if cleaned.copied else []
        text = "\n".join([report.text(cleaned.fps), *kept, *cleaned.notes, f"Saved: {cleaned.output}"])
        log.info("%s", text)
        told = {**json.loads(report.json()), "notes": cleaned.notes, "plan": cleaned.plan}
        return Made(job.source.name, saved, Path(cleaned.output), cleaned.masks, text, told, found)


def _remember(cleaned, kind: str) -> None:
    pace.remember(kind, cleaned.frames, cleaned.height * cleaned.width, cleaned.seconds)


def _clock(cleaned):
    """Frame -> seconds, from the plan beside the result; None where it could not be kept."""
    # the runtime, which start-up does without
    from ..clear_runtime.film.marks_file import MarksFile
    from ..clear_runtime.film.plan import marks_file

    path = marks_file(Path(cleaned.plan))
    if not path.is_file():
        return None
    with closing(MarksFile(path)) as marks:
        return marks.clock().at


def _weights(model, vae, positive, negative, cfg: float) -> dict[str, str]:
    """What the result depends on of a model's parts; of none where none is used."""
    if model is None:
        return {}
    text = f"{conditioning_identity(positive, negative)} {cfg}"
    return {"model": model_identity(model), "VAE": vae_identity(vae), "conditioning": text}


def _others(prior: str, trained: str | None, optical_flow) -> dict[str, str]:
    """The same of what finds and fills."""
    return {**_prior(prior, trained), **flow_identity(optical_flow)}


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
