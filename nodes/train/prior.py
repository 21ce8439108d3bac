"""Train Prior: a Stage I prior from pairs of videos, with its curves on the node while it learns."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy_api.latest import io

from ...clear_runtime.errors import ClearError
from ..choices import BUNDLED
from ..comfy.files import CLEAR_FOLDER, full_path, prior_files, resolved, stamp, stamped
from ..comfy.managed import ComfyPrior

log = logging.getLogger(__name__)

SCRATCH = "from scratch"
_BY_ITSELF = 0.0
_PICTURE_EVERY = 10  # steps between two pictures on the node
_KEPT = ("curves.png", "example.png")  # in a finished run's folder


class TrainPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_TrainPrior",
            display_name="Train Prior",
            category="CLEAR",
            is_output_node=True,
            description="Learns to mark subtitles from pairs of videos, subtitled and clean; nobody draws a mask. "
            "Cancel keeps what was learned: running the "
            "node again with the same settings goes on from there and ends with the same weights. The prior appears in "
            "models/clear.",
            inputs=[
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
                io.Combo.Input(
                    "model",
                    options=["light", "paper"],
                    default="light",
                    tooltip="light: the small network that the bundled prior is. paper: two ResNet-50, for a large GPU "
                    "and hundreds of pairs.",
                ),
                io.Combo.Input(
                    "start",
                    options=[BUNDLED, SCRATCH, *prior_files()],
                    default=BUNDLED,
                    tooltip="What to train on from. The paper's model can go on from its own kind, or begin from "
                    "scratch, with ImageNet weights if "
                    "torchvision's file is in torch's hub cache.",
                ),
                io.Int.Input(
                    "steps",
                    default=1000,
                    min=1,
                    max=1_000_000,
                    tooltip="Training steps of this run, those before a Cancel included. They cannot be changed under "
                    "one name: to train on, "
                    "choose the finished prior in start, under another name.",
                ),
                io.Int.Input("batch", default=8, min=1, max=256, tooltip="Frames a step. Memory grows with it."),
                io.Float.Input(
                    "rate",
                    default=_BY_ITSELF,
                    min=0.0,
                    max=0.1,
                    step=1e-5,
                    round=False,
                    tooltip="Highest learning rate, no unit. 0: the model's own (light 0.003 from scratch and 0.0003 "
                    "from a prior; paper 0.00002).",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    control_after_generate=False,
                    tooltip="Order of the data and first weights.",
                ),
            ],
            outputs=[
                io.String.Output(display_name="prior", tooltip="The file that was written."),
                io.Image.Output(
                    display_name="curves", tooltip="The loss and each of its terms, over all starts of this run."
                ),
                io.Image.Output(
                    display_name="example", tooltip="A frame, its pseudo-label and what the prior marks in it now."
                ),
                io.String.Output(display_name="report", tooltip="What the look through the pairs found."),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, pairs, start, clean="", name="", **other):
        from ...clear_runtime.data.pairs_on_disk import VIDEOS
        from ...clear_runtime.find.priors.checkpoints import PRIOR, PUBLISHED

        # what ComfyUI's cache cannot see: that the file is no longer where the run put it
        gone = (_runs() / (name or "") / _KEPT[0]).exists() and not stamp(PUBLISHED[PRIOR].format(name), CLEAR_FOLDER)
        return (
            f"{stamped([resolved(pairs or ''), resolved(clean or '')], VIDEOS)} {stamp(start, CLEAR_FOLDER)} {name} "
            f"{'its prior was taken away ' if gone else ''}"
            f"{sorted(other.items(), key=str)}"
        )

    @classmethod
    def execute(cls, pairs, name, model, start, steps, batch, rate, seed, clean=""):
        from ...clear_runtime.data.frame_batches import DiskFrames
        from ...clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
        from ...clear_runtime.find.priors.checkpoints import PRIOR, PUBLISHED, load_prior
        from ...clear_runtime.media.pictures import to_frames
        from ...clear_runtime.train.prior.train import TrainOptions, check
        from ...clear_runtime.train.results import Results

        results = Results(_runs(), folder_paths.get_folder_paths(CLEAR_FOLDER), name, PUBLISHED)
        with_text, without = resolved(pairs), resolved(clean)
        if with_text is None:
            raise ClearError(
                "Name the folder with the pairs, NAME.mp4 beside NAME_with_subtitle.mp4, or one subtitled video and "
                "its clean one."
            )
        options = TrainOptions(
            model=model,
            steps=steps,
            batch=batch,
            rate=rate or None,
            seed=seed,
            start=_start(start),
            checkpoint_every=min(200, steps),
        )
        results.require_free()
        check(options, results.folder)
        found = find_pairs(with_text, without)
        looked = comfy.utils.ProgressBar(len(found))
        cancel = comfy.model_management.throw_exception_if_processing_interrupted
        report = check_pairs(found, lambda pair: looked.update(1), cancel, ComfyPrior(load_prior()))
        log.info("%s", report)
        comfy.model_management.unload_all_models()
        batches = DiskFrames(report, options.batch, options.crop, options.long_side, options.seed, on_frame=cancel)
        shown = _run(options, batches, results.folder)
        file = results.publish({})[PRIOR]
        return io.NodeOutput(str(file), *map(to_frames, shown), str(report))


def _runs() -> Path:
    return Path(folder_paths.get_output_directory()) / "CLEAR"


def _start(choice: str) -> str:
    return {SCRATCH: "scratch", BUNDLED: "bundled"}.get(choice) or full_path(choice, CLEAR_FOLDER)


def _run(options, batches, folder: Path):
    """Train to the end with the curves and the newest example on the node, and give both; Cancel leaves through the
    trainer, which saves first. A run that is at its end already gives those it ended with, or, where Cancel was pressed
    at its last step or a terminal trained it, what its prior makes of its last frames."""
    from PIL import Image

    from ...clear_runtime.find.priors.checkpoints import PRIOR, load_prior
    from ...clear_runtime.media.pictures import stacked
    from ...clear_runtime.train.history import History
    from ...clear_runtime.train.prior import pictures
    from ...clear_runtime.train.prior.train import example_of, train
    from ...clear_runtime.train.processes import Processes

    kept = [folder / name for name in _KEPT]
    bar, history, example = comfy.utils.ProgressBar(options.steps), History(folder), None
    # Nodes run under inference mode, which tensors never leave: what is trained must not be made in it. A run seeds
    # torch's generators, which are ComfyUI's too: nodes after this one draw what they would have drawn without it.
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.random.fork_rng(range(torch.cuda.device_count())),
        closing(
            train(options, batches, folder, Processes(comfy.model_management.get_torch_device(), alone=True))
        ) as steps,
    ):
        for p in steps:
            history.add(p)  # before Cancel is looked at: the trainer keeps this step
            comfy.model_management.throw_exception_if_processing_interrupted()
            example = p.example or example
            picture = None
            if example is not None and (p.example or p.step % _PICTURE_EVERY == 0):
                picture = (
                    "JPEG",
                    stacked(
                        [
                            pictures.curves(history.columns()),
                            pictures.example_panel(example.frame, example.label, example.mask),
                        ]
                    ),
                    None,
                )
            bar.update_absolute(p.step, p.steps, picture)
    if example is None and all(path.exists() for path in kept):
        return [Image.open(path).convert("RGB") for path in kept]
    if example is None:
        last = batches[options.steps - 1]
        example = example_of(last, ComfyPrior(load_prior(folder / PRIOR))(last.subtitled.permute(0, 2, 3, 1)))
    shown = [pictures.curves(history.columns()), pictures.example_panel(example.frame, example.label, example.mask)]
    for picture, path in zip(shown, kept):
        picture.save(path)
    return shown
