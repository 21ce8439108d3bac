"""Train Prior: a Stage I prior from pairs of videos, with its curves on the node while it learns."""
from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy_api.latest import io

from ..clear_runtime.errors import ClearError
from .load import FOLDER, _full_path
from .prior import BUNDLED, prior_files

log = logging.getLogger(__name__)

SCRATCH = "from scratch"
_BY_ITSELF = 0.0
_PICTURE_EVERY = 10  # steps between two pictures on the node


class TrainPrior(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_TrainPrior", display_name="Train Prior", category="CLEAR", is_output_node=True,
            description="Learns to mark subtitles from pairs of videos, subtitled and clean; nobody draws a mask. Cancel keeps what was learned: running the "
                        "node again with the same settings goes on from there and ends with the same weights. The prior appears in models/clear.",
            inputs=[io.String.Input("pairs", default="", tooltip="Folder with pairs NAME.mp4 and NAME_with_subtitle.mp4, or with the subtitled videos if clean is given."),
                    io.String.Input("clean", default="", optional=True, tooltip="Folder with the clean videos, by the same names. Empty: they are in the first folder."),
                    io.String.Input("name", default="my_prior", tooltip="Name of the prior: models/clear/NAME.safetensors. Checkpoints go to output/CLEAR/NAME."),
                    io.Combo.Input("model", options=["light", "paper"], default="light",
                                   tooltip="light: the small network that the bundled prior is. paper: two ResNet-50, for a large GPU and hundreds of pairs."),
                    io.Combo.Input("start", options=[BUNDLED, SCRATCH, *prior_files()], default=BUNDLED,
                                   tooltip="What to train on from. The paper's model can go on from its own kind, or begin from scratch, with ImageNet weights if "
                                           "torchvision's file is in torch's hub cache."),
                    io.Int.Input("steps", default=1000, min=1, max=1_000_000, tooltip="Training steps in all, over every start."),
                    io.Int.Input("batch", default=8, min=1, max=256, tooltip="Frames a step. Memory grows with it."),
                    io.Float.Input("rate", default=_BY_ITSELF, min=0.0, max=0.1, step=1e-5, round=False,
                                   tooltip="Highest learning rate, no unit. 0: the model's own (light 0.003 from scratch and 0.0003 from a prior; paper 0.00002)."),
                    io.Int.Input("seed", default=0, min=0, max=2 ** 31 - 1, control_after_generate=False, tooltip="Order of the data and first weights.")],
            outputs=[io.String.Output(display_name="prior", tooltip="The file that was written."),
                     io.Image.Output(display_name="curves", tooltip="The loss and each of its terms over the steps of this run."),
                     io.Image.Output(display_name="example", tooltip="A frame, its pseudo-label and what the prior marks in it now."),
                     io.String.Output(display_name="report", tooltip="What the look through the pairs found.")])

    @classmethod
    def execute(cls, pairs, name, model, start, steps, batch, rate, seed, clean=""):
        from ..clear_runtime.data.frame_batches import DiskFrames
        from ..clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
        from ..clear_runtime.pictures import to_frames
        from ..clear_runtime.prior import pictures
        from ..clear_runtime.prior.train import TrainOptions
        if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
            raise ClearError(f"{name!r} cannot be a file's name. Use letters, digits, - and _ only.")
        if not pairs.strip():
            raise ClearError("Name the folder with the pairs: NAME.mp4 beside NAME_with_subtitle.mp4.")
        rate = rate or (None if start == SCRATCH or model == "paper" else 3e-4)
        options = TrainOptions(model=model, steps=steps, batch=batch, rate=rate, seed=seed, start=_start(start), checkpoint_every=min(200, steps))
        found = find_pairs(pairs.strip(), clean.strip() or None)
        looked = comfy.utils.ProgressBar(len(found))
        report = check_pairs(found, lambda pair: (comfy.model_management.throw_exception_if_processing_interrupted(), looked.update(1)))
        log.info("%s", report)
        comfy.model_management.unload_all_models()
        batches = DiskFrames(report, options.batch, options.crop, options.long_side, options.seed)
        folder = Path(folder_paths.get_output_directory()) / "CLEAR" / name
        history, example = _run(options, batches, folder)
        target = _publish(folder / "prior.safetensors", name)
        panel = pictures.example_panel(example.frame, example.label, example.mask)
        return io.NodeOutput(str(target), to_frames(pictures.curves(history)), to_frames(panel), str(report))


def _start(choice: str) -> str:
    return {SCRATCH: "scratch", BUNDLED: "bundled"}.get(choice) or _full_path(choice, FOLDER)


def _run(options, batches, folder: Path):
    """Train to the end with the curves and the newest example on the node; Cancel leaves through the trainer, which saves first."""
    from ..clear_runtime.pictures import stacked
    from ..clear_runtime.prior import pictures
    from ..clear_runtime.prior.train import train
    from ..clear_runtime.processes import Processes
    bar, history, example = comfy.utils.ProgressBar(options.steps), defaultdict(list), None
    # nodes run under inference mode, which tensors never leave: what is trained must not be made in it
    with torch.inference_mode(False), torch.enable_grad(), \
            closing(train(options, batches, folder, Processes(comfy.model_management.get_torch_device()))) as steps:
        for p in steps:
            comfy.model_management.throw_exception_if_processing_interrupted()
            for name, value in {"total": p.loss, **p.terms}.items():
                history[name].append(value)
            example = p.example or example
            picture = None
            if example is not None and (p.example or p.step % _PICTURE_EVERY == 0):
                picture = ("JPEG", stacked([pictures.curves(history), pictures.example_panel(example.frame, example.label, example.mask)]), None)
            bar.update_absolute(p.step, p.steps, picture)
    if example is None:
        raise ClearError(f"The run in {folder} is at its end already. Ask for more steps under another name, or choose another name.")
    return history, example


def _publish(prior: Path, name: str) -> Path:
    """A copy in models/clear, where Prior Mask finds it."""
    target = Path(folder_paths.get_folder_paths(FOLDER)[0]) / f"{name}.safetensors"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(prior.read_bytes())
    os.replace(partial, target)
    return target
