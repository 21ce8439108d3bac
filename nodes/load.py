"""Load CLEAR Nano, Load CLEAR, Apply CLEAR LoRA, CLEAR Prompt: what Remove Subtitles needs."""

from __future__ import annotations

import logging
import os

import comfy.sd
import folder_paths
import torch
from comfy_api.latest import io

from ..clear_runtime.engines import prompt
from ..clear_runtime.errors import ClearError
from .choices import NO_LORA
from .comfy.files import CLEAR_FOLDER, full_path, lora_files, stamp
from .comfy.kinds import NANO_MARK, is_nano

log = logging.getLogger(__name__)

DTYPES = {
    "default": {},
    "bf16": {"dtype": torch.bfloat16},
    "fp16": {"dtype": torch.float16},
    "fp32": {"dtype": torch.float32},
    "fp8_e4m3fn": {"dtype": torch.float8_e4m3fn},
    "fp8_e4m3fn_fast": {"dtype": torch.float8_e4m3fn, "fp8_optimizations": True},
    "fp8_e5m2": {"dtype": torch.float8_e5m2},
}
"""Number formats of weights, by the name that users see -> what ComfyUI's loader is told."""


def _nano_base(**options):
    # what nodes run is imported when they run: ComfyUI starts without it
    from ..clear_runtime.engines.nano import load as bundled

    return comfy.sd.load_diffusion_model_state_dict(bundled.transformer_state_dict(), **options)


def _strength():
    return io.Float.Input(
        "strength",
        default=1.0,
        min=0.0,
        max=2.0,
        step=0.05,
        tooltip="How much of the LoRA is applied; 1 is what it was trained with, 0 leaves the subtitles in. No unit.",
    )


def _lora(options: list[str]):
    return io.Combo.Input(
        "lora", options=options, tooltip="The CLEAR LoRA: a .safetensors or .pt file in models/loras or models/clear."
    )


class LoadNano(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_LoadNano",
            display_name="Load CLEAR Nano",
            category="CLEAR",
            description="The bundled small model, whole: nothing to download. Its three outputs belong together.",
            inputs=[_strength()],
            outputs=[
                io.Model.Output(display_name="MODEL", tooltip="Goes with the VAE of this node only."),
                io.Vae.Output(
                    display_name="VAE",
                    tooltip="One latent cell is 4x4 pixels and 4 frames; goes with the MODEL of this node only.",
                ),
                io.Conditioning.Output(
                    display_name="CONDITIONING", tooltip="The constant that the small model was trained with."
                ),
            ],
        )

    @classmethod
    def execute(cls, strength):
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.engines.nano import load as bundled
        from .comfy.apply_lora import with_lora
        from .comfy.nano_vae import NanoVAE

        model = _nano_base()
        model.set_attachments(NANO_MARK, True)
        model.cached_patcher_init = (_nano_base, ())  # ComfyUI's compile nodes load the model anew through this
        return io.NodeOutput(
            with_lora(model, bundled.lora_state(), strength),
            NanoVAE(bundled.load_bundled_codec()),
            [[bundled.prompt_embedding(), {}]],
        )


class LoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_LoadModel",
            display_name="Load CLEAR",
            category="CLEAR",
            description="Wan2.1 Fun-Control 1.3B with a CLEAR LoRA. Use alibaba-pai's Wan2.1-Fun-V1.1-1.3B-Control "
            "(its diffusion_pytorch_model.safetensors): "
            "V1.0, ComfyUI's repackaged wan2.1_fun_control_1.3B_bf16.safetensors, loads with a warning, for the LoRA "
            "was not trained on it.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=folder_paths.get_filename_list("diffusion_models"),
                    tooltip="The base model's file in models/diffusion_models: Wan2.1-Fun-V1.1-1.3B-Control.",
                ),
                _lora([NO_LORA, *lora_files()]),
                _strength(),
                io.Combo.Input(
                    "weight_dtype",
                    options=list(DTYPES),
                    default="default",
                    tooltip="Number format of the weights. default lets ComfyUI choose; fp8 halves the memory of bf16 "
                    "at some loss.",
                ),
            ],
            outputs=[io.Model.Output(display_name="MODEL")],
        )

    @classmethod
    def fingerprint_inputs(cls, model_name, lora, strength, weight_dtype):
        return f"{stamp(model_name, 'diffusion_models')} {stamp(lora, 'loras', CLEAR_FOLDER)} {strength} {weight_dtype}"

    @classmethod
    def execute(cls, model_name, lora, strength, weight_dtype):
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.checkpoint import read_shapes
        from ..clear_runtime.engines.base_model import describe_base
        from ..clear_runtime.engines.lora import read_lora
        from .comfy.apply_lora import with_lora

        path = full_path(model_name, "diffusion_models")
        base = describe_base(
            {
                name.removeprefix("model.").removeprefix("diffusion_model."): shape
                for name, shape in read_shapes(path).items()
            }
        )
        state = None if lora == NO_LORA else read_lora(full_path(lora, "loras", CLEAR_FOLDER), pairs_only=False)
        if base.warning:
            log.warning("%s: %s", model_name, base.warning)
        model = comfy.sd.load_diffusion_model(path, model_options=dict(DTYPES[weight_dtype]))
        return io.NodeOutput(model if state is None else with_lora(model, state, strength))


class ApplyLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_ApplyLoRA",
            display_name="Apply CLEAR LoRA",
            category="CLEAR",
            description="A CLEAR LoRA onto a Wan2.1 Fun-Control MODEL from any loader (GGUF, fp8, compiled). Every "
            "tensor must find its layer.",
            inputs=[
                io.Model.Input(
                    "model", tooltip="Wan2.1-Fun-V1.1-1.3B-Control from any loader, or the bundled nano model."
                ),
                _lora(lora_files()),
                _strength(),
            ],
            outputs=[io.Model.Output(display_name="MODEL")],
        )

    @classmethod
    def fingerprint_inputs(cls, lora, strength, **linked):
        return f"{stamp(lora, 'loras', CLEAR_FOLDER)} {strength}"

    @classmethod
    def execute(cls, model, lora, strength):
        # what nodes run is imported when they run: ComfyUI starts without it
        from ..clear_runtime.engines.lora import read_lora
        from .comfy.apply_lora import with_lora
        from .comfy.backend import model_base

        base = model_base(model)
        if base.warning and not is_nano(model):
            log.warning(base.warning)
        return io.NodeOutput(
            with_lora(model, read_lora(full_path(lora, "loras", CLEAR_FOLDER), pairs_only=False), strength)
        )


class Prompt(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(
            node_id="CLEAR_Prompt",
            display_name="CLEAR Prompt",
            category="CLEAR",
            description="The one prompt that CLEAR was trained with. Its embedding is kept in models/clear, so that "
            "the text encoder (6.7 GB) is needed "
            f"once: after that the CLIP input is not even loaded. Delete {prompt.FILE_NAME} there to encode again.",
            inputs=[
                io.Clip.Input(
                    "clip",
                    optional=True,
                    lazy=True,
                    tooltip="umt5_xxl from Load CLIP with type wan. Needed only while no embedding is kept; then it "
                    "may be left out.",
                )
            ],
            outputs=[io.Conditioning.Output(display_name="CONDITIONING", tooltip="512 tokens, 4096 wide.")],
        )

    @classmethod
    def check_lazy_status(cls, **linked):
        kept = folder_paths.get_full_path(CLEAR_FOLDER, prompt.FILE_NAME)
        return [name for name, value in linked.items() if value is None and kept is None]

    @classmethod
    def execute(cls, clip=None):
        kept = folder_paths.get_full_path(CLEAR_FOLDER, prompt.FILE_NAME)
        if kept is not None:
            return io.NodeOutput([[prompt.load_embedding(kept), {}]])
        if clip is None:
            raise ClearError(
                f"The prompt's embedding is not in models/{CLEAR_FOLDER} yet. Connect a CLIP once (Load CLIP, "
                "umt5_xxl_fp8_e4m3fn_scaled.safetensors from models/text_encoders, type wan), or put "
                f"{prompt.FILE_NAME} from another installation into models/{CLEAR_FOLDER}."
            )
        embedding = _encode(clip)
        target = os.path.join(folder_paths.get_folder_paths(CLEAR_FOLDER)[0], prompt.FILE_NAME)
        prompt.save_embedding(target, embedding)
        log.info("the prompt's embedding is kept in %s; the text encoder is not needed any more", target)
        return io.NodeOutput([[embedding, {}]])


def _encode(clip) -> torch.Tensor:
    tokens = clip.tokenize(prompt.PROMPT)
    if "umt5xxl" not in tokens:
        raise ClearError(
            f"This CLIP is another text encoder ({', '.join(tokens)}). CLEAR's prompt needs umT5-XXL: Load CLIP with "
            "umt5_xxl_fp8_e4m3fn_scaled.safetensors and type wan."
        )
    return prompt.fixed_length(clip.encode_from_tokens(tokens).float().cpu())
