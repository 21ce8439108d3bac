"""Tell from a transformer's weight shapes whether it is the base that CLEAR needs, and if not, what it is."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ..errors import ClearError
from ..wan import CHANNELS

NEEDED = (
    "CLEAR needs Wan2.1-Fun-V1.1-1.3B-Control (48 input channels, 1536 wide); put its "
    "diffusion_pytorch_model.safetensors into models/diffusion_models"
)
_IN_CHANNELS = {
    16: "a Wan2.1 text-to-video model (T2V), which cannot take a control video",
    32: "a Wan2.1 camera control model",
    36: "a Wan2.1 image-to-video or Fun-InP model (I2V)",
}
WIDTHS = {5120: "a 14B Wan model", 3072: "a 5B Wan2.2 model"}
"""Of tokens -> the models that are told by it."""
_OF_WAN = {
    "vace_patch_embedding.": "a Wan2.1 VACE model",
    "vace_blocks.": "a Wan2.1 VACE model",
    "control_adapter.": "a Wan camera control model",
    "face_adapter.": "a Wan2.2 Animate model",
    "casual_audio_encoder.": "a Wan2.2 sound-to-video model (S2V)",
}
_NOT_WAN = (
    ("lora_", "a LoRA file; a whole model goes here"),
    ("condition_embedder.", "a model in Diffusers' layout, whose names differ"),
    ("double_blocks.", "a Flux or HunyuanVideo model"),
    ("joint_blocks.", "a Stable Diffusion 3 model"),
    ("input_blocks.", "a Stable Diffusion model"),
    ("transformer_blocks.", "a model of another family"),
    ("shared.weight", "a text encoder"),
    ("decoder.", "a VAE"),
)
_AROUND = (
    "patch_embedding.weight",
    "text_embedding.0.weight",
    "text_embedding.2.weight",
    "time_embedding.0.weight",
    "time_embedding.2.weight",
    "time_projection.1.weight",
    "head.head.weight",
    "head.modulation",
    "img_emb.proj.1.weight",
    "img_emb.proj.3.weight",
)


@dataclass(frozen=True)
class Base:
    """A usable base: `width` of its tokens, number of `blocks`, and whether it has the reference convolution of Fun
    V1.1."""

    width: int
    blocks: int
    ref_conv: bool

    @property
    def warning(self) -> str | None:
        """Why results may be worse with this base, or None."""
        if self.ref_conv:
            return None
        return (
            "This is Wan2.1-Fun-Control V1.0 (no ref_conv). It runs, but the CLEAR LoRA was trained on V1.1: "
            "for best results use alibaba-pai's Wan2.1-Fun-V1.1-1.3B-Control."
        )

    def __str__(self) -> str:
        return f"a Wan2.1 Fun-Control model ({self.width} wide, {self.blocks} blocks)"


def describe_base(shapes: Mapping[str, tuple[int, ...]]) -> Base:
    """The base that these weights are (names without prefix -> shapes). Raises ClearError that names what else they
    are."""
    if not is_wan(shapes):
        raise ClearError(f"This is {other_model(shapes)}. {NEEDED}.")
    width, channels = shapes["patch_embedding.weight"][:2]
    what = kind_of_wan(shapes)
    if what is None and channels != 3 * CHANNELS:  # latents, control, and as many that are zero
        what = f"{_IN_CHANNELS.get(channels, 'a Wan model of another kind')} ({channels} input channels)"
    elif what is None and not any(name.startswith("img_emb.") for name in shapes):
        what = "a Wan model without image tokens (no img_emb)"
        if not any(name.startswith("text_embedding.") for name in shapes):
            what = "MiniMax-Remover, which Load MiniMax-Remover takes"
    if what is not None:
        raise ClearError(f"This is {what}. {NEEDED}.")
    return Base(width, whole_blocks(shapes, _AROUND, "Wan2.1 Fun-Control"), "ref_conv.weight" in shapes)


def is_wan(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether these are the weights of a Wan transformer, in Wan's own names."""
    patch = shapes.get("patch_embedding.weight", ())
    return len(patch) == 5 and "blocks.0.self_attn.q.weight" in shapes  # a convolution over time, height and width


def other_model(names: Collection[str]) -> str:
    """What weights are, in words, that are no Wan transformer's."""
    return next((text for mark, text in _NOT_WAN if any(mark in name for name in names)), "not a Wan model")


def kind_of_wan(shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """What kind of Wan these are that is told by a part of its own or by its width; None for a plain small one."""
    what = next((text for mark, text in _OF_WAN.items() if any(name.startswith(mark) for name in shapes)), None)
    width, channels = shapes["patch_embedding.weight"][:2]
    if what is None and width in WIDTHS:
        what = f"{WIDTHS[width]} ({width} wide, {channels} input channels)"
    return what


def whole_blocks(shapes: Mapping[str, tuple[int, ...]], around: Iterable[str], model: str) -> int:
    """How many blocks there are; ClearError when a tensor of one, or around them, is missing. model: its name."""
    inside: dict[int, set[str]] = {}
    for name in shapes:
        match = re.match(r"blocks\.(\d+)\.(.+)", name)
        if match:
            inside.setdefault(int(match[1]), set()).add(match[2])
    whole = set.union(*inside.values())
    missing = [name for name in around if name not in shapes]
    missing += [f"blocks.{i}.{name}" for i in range(max(inside) + 1) for name in sorted(whole - inside.get(i, set()))]
    missing = [name for name in missing if name.endswith((".weight", ".bias", "modulation"))]
    if missing:
        raise ClearError(
            f"This {model} file is incomplete: {len(missing)} weights are missing, first {missing[0]}. "
            f"Download it again."
        )
    return len(inside)
