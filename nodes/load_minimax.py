"""Load MiniMax-Remover: the second network that Remove Subtitles can paint with."""

from __future__ import annotations

import folder_paths
from comfy_api.latest import io

from ..clear_runtime.catalogue import LOAD_MINIMAX
from .comfy.files import full_path, stamp
from .comfy.inputs import OptionInputs
from .load import DTYPES


class LoadMiniMax(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_LoadMiniMax",
            display_name="Load MiniMax-Remover",
            category="CLEAR",
            description="MiniMax-Remover 1.3B, which paints holes and needs no prompt: the holes are what the prior "
            "finds, your own mask, or both. Its author tried objects, not subtitles. For Remove Subtitles, with 6 "
            "steps and Wan2.1's VAE.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=folder_paths.get_filename_list("diffusion_models"),
                    tooltip="A file in models/diffusion_models: the community's "
                    "Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors, or the transformer of zibojia/minimax-remover.",
                ),
                io.Combo.Input(
                    "weight_dtype",
                    options=list(DTYPES),
                    default="default",
                    tooltip="Number format of the weights. default lets ComfyUI choose; fp8 halves the memory of fp16 "
                    "at some loss.",
                ),
                *OptionInputs(LOAD_MINIMAX).rest(),
            ],
            outputs=[io.Model.Output(display_name="MODEL", tooltip="For Remove Subtitles; takes no LoRA.")],
        )

    @classmethod
    def fingerprint_inputs(cls, model_name, weight_dtype, **options):
        return f"{stamp(model_name, 'diffusion_models')} {weight_dtype} {sorted(options.items())}"

    @classmethod
    def execute(cls, model_name, weight_dtype="default", **given):
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.checkpoint import read_shapes
        from ..clear_runtime.engines.minimax_names import require_remover, wan_names
        from .comfy.minimax import load_minimax

        path, own = full_path(model_name, "diffusion_models"), LOAD_MINIMAX.options(given)
        require_remover(wan_names(read_shapes(path)))  # before gigabytes are read
        return io.NodeOutput(load_minimax(path, DTYPES[weight_dtype], own))
