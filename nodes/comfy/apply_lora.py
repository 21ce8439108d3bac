"""A normalised LoRA onto a MODEL, through ComfyUI's patches."""

from __future__ import annotations

import comfy.sd

from ...clear_runtime.engines import lora
from ...clear_runtime.errors import ClearError
from .backend import model_base, model_shapes


def with_lora(model, state, strength: float):
    """A clone of the MODEL with the LoRA at a strength; the MODEL given stays as it is. At strength 0 the clone has no
    patches.

    Raises ClearError for another base, or when any LoRA tensor finds no layer of its size (how many, and why).
    """
    base, shapes = model_base(model), model_shapes(model)
    lora.require_fit(state, {name: shape for name, (_, shape) in shapes.items()}, str(base))
    if strength == 0:
        return model.clone()
    named, weights = {}, []
    for module in lora.modules(state):
        actual = shapes[f"{module}.weight"][0].removesuffix(
            ".weight"
        )  # another name where a part of the model is compiled
        weights.append(f"diffusion_model.{actual}.weight")
        for side in ("lora_A", "lora_B"):
            named[f"diffusion_model.{actual}.{side}.weight"] = state[f"{module}.{side}.weight"]
    patched, _ = comfy.sd.load_lora_for_models(model, None, named, strength, 0)
    lost = [
        weight for weight in weights if len(patched.patches.get(weight, ())) != len(model.patches.get(weight, ())) + 1
    ]
    if lost:
        raise ClearError(
            f"ComfyUI did not take {len(lost)} of the LoRA's {len(weights)} layers (first {lost[0]}). This MODEL's "
            f"loader does not allow "
            "LoRA patches there; load the model with Load CLEAR or Load Diffusion Model."
        )
    return patched
