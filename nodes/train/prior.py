"""Train Prior: a Stage I prior from pairs of videos, with its curves on the node while it learns."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import comfy.model_management
import folder_paths
from comfy_api.latest import io

from ...clear_runtime.catalogue import TRAIN_PRIOR
from ...clear_runtime.errors import ClearError
from ..choices import BUNDLED
from ..comfy.files import CLEAR_FOLDER, full_path, prior_files, resolved, stamp, stamped
from ..comfy.inputs import OptionInputs
from ..comfy.live import Teller
from ..comfy.managed import ComfyPrior

log = logging.getLogger(__name__)

SCRATCH = "from scratch"
_CHECKPOINT_EVERY = 200  # steps, as the runtime has it: what a power cut may cost. A shorter run has one at its end


class TrainPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_TrainPrior",
            display_name="Train Prior",
            category="CLEAR",
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            description="Learns to mark subtitles from pairs of videos, subtitled and clean; nobody draws a mask. "
            "Cancel keeps what was learned: running the "
            "node again with the same settings goes on from there and ends with the same weights. The prior appears in "
            "models/clear.",
            inputs=[*_sources(), *_training()],
            outputs=_outputs(),
        )

    @classmethod
    def fingerprint_inputs(cls, pairs, start, clean="", name="", **other):
        # imported here and below: ComfyUI's start need not wait for what trains
        from ...clear_runtime.data.pairs_on_disk import VIDEOS
        from ...clear_runtime.find.priors.checkpoints import PRIOR, PUBLISHED
        from ...clear_runtime.train.results import claimed

        # what ComfyUI's cache cannot see: that the file is no longer where the run put it
        gone = claimed(_runs() / (name or "")) and not stamp(PUBLISHED[PRIOR].format(name), CLEAR_FOLDER)
        return (
            f"{stamped([resolved(pairs or ''), resolved(clean or '')], VIDEOS)} {stamp(start, CLEAR_FOLDER)} {name} "
            f"{'its prior was taken away ' if gone else ''}"
            f"{sorted(other.items(), key=str)}"
        )

    @classmethod
    def execute(cls, pairs, name, model, start, steps, batch, rate, seed, clean=""):
        # imported here, as above
        from ...clear_runtime.find.priors.checkpoints import PRIOR, PUBLISHED
        from ...clear_runtime.media.pictures import to_frames
        from ...clear_runtime.train.prior.options import PriorOptions
        from ...clear_runtime.train.prior.session import PriorSession
        from ...clear_runtime.train.processes import Processes
        from ...clear_runtime.train.results import NamedRun

        results = NamedRun(_runs(), folder_paths.get_folder_paths(CLEAR_FOLDER), name, PUBLISHED)
        with_text, without = resolved(pairs), resolved(clean)
        if with_text is None:
            raise ClearError(
                "Name the folder with the pairs, NAME.mp4 beside NAME_with_subtitle.mp4, or one subtitled video and "
                "its clean one."
            )
        options = PriorOptions(
            model=model,
            steps=steps,
            batch=batch,
            rate=rate or None,
            seed=seed,
            start=_start(start),
            checkpoint_every=min(_CHECKPOINT_EVERY, steps),
        )
        results.require_free()
        alone = Processes(comfy.model_management.get_torch_device(), alone=True)
        with Teller(cls, "Looking through the pairs", keeps=True) as tell:
            session = PriorSession(options, results.folder, alone, tell.event)
            report = _looked_through(with_text, without, tell)
            shown = _trained(session, report)
            file = results.publish({})[PRIOR]
            tell.say(f"Done: {file.name}")
        return io.NodeOutput(str(file), *map(to_frames, shown), str(report))


def _runs() -> Path:
    return Path(folder_paths.get_output_directory()) / "CLEAR"


def _start(choice: str) -> str:
    return {SCRATCH: "scratch", BUNDLED: "bundled"}.get(choice) or full_path(choice, CLEAR_FOLDER)


def _looked_through(with_text: Path, without: Path | None, tell: Teller):
    """What the look through the pairs finds. It stops within a frame of Cancel."""
    # imported here, as in execute
    from ...clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
    from ...clear_runtime.find.priors.checkpoints import load_prior

    found = find_pairs(with_text, without)
    done = itertools.count(1)
    cancel = comfy.model_management.throw_exception_if_processing_interrupted
    report = check_pairs(found, lambda pair: tell.tell(next(done), len(found)), cancel, ComfyPrior(load_prior()))
    log.info("%s", report)
    return report


def _trained(session, report):
    """Curves and example of a run that is at its end; Cancel leaves through the session, which saves first."""
    # imported here, as in execute
    from ...clear_runtime.data.frame_batches import DiskFrames
    from ...clear_runtime.find.priors.checkpoints import load_prior

    options, cancel = session.options, comfy.model_management.throw_exception_if_processing_interrupted
    comfy.model_management.unload_all_models()
    batches = DiskFrames(report, options.batch, options.crop, options.long_side, options.seed, on_frame=cancel)
    session.train(batches)
    return session.pictures(batches, lambda file: ComfyPrior(load_prior(file)))


def _sources() -> list:
    """What is trained on, and where it goes."""
    return [
        io.String.Input(
            "pairs",
            default="",
            tooltip="Folder with pairs NAME.mp4 and NAME_with_subtitle.mp4, or with the subtitled videos if "
            "clean is given; or one subtitled video. Its path, or its name in ComfyUI's input folder.",
        ),
        io.String.Input(
            "clean",
            default="",
            optional=True,
            tooltip="Folder with the clean videos, by the same names, or the one clean video. Empty: they are "
            "in the first folder.",
        ),
        io.String.Input(
            "name",
            default="my_prior",
            tooltip="Name of the prior: models/clear/NAME.safetensors. Checkpoints go to output/CLEAR/NAME. A "
            "file of that name from elsewhere is never overwritten.",
        ),
    ]


def _training() -> list:
    """What is trained, and how."""
    options = OptionInputs(TRAIN_PRIOR)
    return [
        *options.take("model"),
        io.Combo.Input(
            "start",
            options=[BUNDLED, SCRATCH, *prior_files()],
            default=BUNDLED,
            tooltip="What to train on from. The paper's model can go on from its own kind, or begin from "
            "scratch, with ImageNet weights if "
            "torchvision's file is in torch's hub cache.",
        ),
        *options.take("steps", "batch", "rate", "seed"),
        *options.rest(),
    ]


def _outputs() -> list:
    return [
        io.String.Output(display_name="prior", tooltip="The file that was written."),
        io.Image.Output(display_name="curves", tooltip="The loss and each of its terms, over all starts of this run."),
        io.Image.Output(
            display_name="example", tooltip="A frame, its pseudo-label and what the prior marks in it now."
        ),
        io.String.Output(display_name="report", tooltip="What the look through the pairs found."),
    ]
