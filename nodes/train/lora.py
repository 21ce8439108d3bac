"""Train CLEAR LoRA: Stage II on the connected MODEL, with curves, an example and the head's mask on the node while it
learns."""

from __future__ import annotations

import logging
from pathlib import Path

import folder_paths
from comfy_api.latest import io

from ..comfy.files import CLEAR_FOLDER, stamp
from ..comfy.live import Teller
from ..prior import chosen_prior
from . import lora_schema

log = logging.getLogger(__name__)


class TrainLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_TrainLoRA",
            display_name="Train CLEAR LoRA",
            category="CLEAR",
            is_output_node=True,
            hidden=[io.Hidden.unique_id],
            description="Trains a CLEAR LoRA (Stage II of the paper) on your own pairs. Cancel keeps what was learned: "
            "running the node again with the same settings "
            "goes on from there and ends with the same weights. The MODEL that comes out carries the new LoRA.",
            inputs=lora_schema.inputs(),
            outputs=lora_schema.outputs(),
        )

    @classmethod
    def fingerprint_inputs(cls, prior, start, **other):
        return (
            f"{stamp(prior, CLEAR_FOLDER)} {stamp(start, 'loras', CLEAR_FOLDER)} "
            f"{sorted(other.items())}{_gone(**other)}"
        )

    @classmethod
    def execute(cls, model, vae, positive, pairs, prior, name, optimiser, **settings):
        # what trains is imported here and below: ComfyUI's start need not wait for it
        from ...clear_runtime.engines.lora import read_lora
        from ...clear_runtime.media.pictures import to_frames
        from ...clear_runtime.train.lora.model import HEAD, LORA, PUBLISHED
        from ...clear_runtime.train.lora.preflight import require_packages
        from ...clear_runtime.train.results import NamedRun
        from ..comfy.apply_lora import with_lora
        from ..comfy.backend import model_base, require_pair
        from ..comfy.shared_weights import embedding, require_trainable
        from .lora_run import run_options, trained

        nano = require_pair(model, vae, positive)
        require_packages(optimiser)
        require_trainable(model)
        context = embedding(positive)
        options = run_options(model, nano, optimiser=optimiser, **settings)
        results = NamedRun(_runs(), folder_paths.get_folder_paths("loras"), name, PUBLISHED)
        results.claim()
        with Teller(cls, "Getting ready", keeps=True) as tell:
            session = trained(results.folder, options, model, vae, context, pairs, chosen_prior(prior), nano, tell)
            curves, example = session.pictures()
            files = results.publish({"base": str(model_base(model)), "control": options.control})
            file = files[LORA]
            tell.say(f"Done: {file.name}")
        log.info("the LoRA is %s", file)
        return io.NodeOutput(
            with_lora(model, read_lora(file), 1.0),
            file.name,
            to_frames(curves),
            to_frames(example),
            f"{pairs}\n{session.latents.changed}\n{session.report()}\nLoRA: {file}\nOcclusion head: {files[HEAD]}\n"
            f"Checkpoints: {results.folder}",
        )


def _runs() -> Path:
    return Path(folder_paths.get_output_directory()) / "CLEAR"


def _gone(name="", steps=0, **_) -> str:
    """Says so when this run is at its end and its LoRA has been deleted since: ComfyUI would hand on what it remembers,
    and no file be there. Empty otherwise, before the first start and after the last, and while a run that was cancelled
    waits to go on."""
    # imported here, as in execute
    from ...clear_runtime.checkpoint import read_metadata
    from ...clear_runtime.train.lora.model import LORA, PUBLISHED
    from ...clear_runtime.train.results import claimed

    folder = _runs() / (name or "")
    if not claimed(folder) or not (folder / LORA).is_file():
        return ""
    at_end = read_metadata(folder / LORA).get("steps") == str(steps)
    return " gone" if at_end and not stamp(PUBLISHED[LORA].format(name), "loras") else ""
