"""A normalised LoRA onto a MODEL, through ComfyUI's patches: pairs, LoHa and LoKr, and what is added to weights
and biases as it is."""

from __future__ import annotations

from collections import Counter

import comfy.sd

from ...clear_runtime.engines import lora
from ...clear_runtime.engines.lora_shapes import BIAS, WEIGHT, Change, changes_of
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
    changes = changes_of(state)
    # another name where a part of the model is compiled
    actual = {change.target: f"diffusion_model.{shapes[change.target][0]}" for change in changes}
    patched = model
    for some in _one_a_weight(changes):
        named = {new: state[name] for change in some for name, new in _as_comfy(change, actual[change.target])}
        patched, _ = comfy.sd.load_lora_for_models(patched, None, named, strength, 0)
    wanted = Counter(actual[change.target] for change in changes)
    lost = [
        weight
        for weight, count in wanted.items()
        if len(patched.patches.get(weight, ())) != len(model.patches.get(weight, ())) + count
    ]
    if lost:
        raise ClearError(
            f"ComfyUI did not take {len(lost)} of the LoRA's {len(wanted)} layers (first {lost[0]}). This MODEL's "
            "loader does not allow LoRA patches there; load the model with Load CLEAR or Load Diffusion Model."
        )
    return patched


def _one_a_weight(changes: list[Change]) -> list[list[Change]]:
    """The changes, in lists that have one for each weight at most: of several in one file ComfyUI keeps the last."""
    lists: list[list[Change]] = []
    times: Counter[str] = Counter()
    for change in changes:
        if times[change.target] == len(lists):
            lists.append([])
        lists[times[change.target]].append(change)
        times[change.target] += 1
    return lists


def _as_comfy(change: Change, target: str):
    """(normalised name, ComfyUI's name) of the tensors of a change. It calls layers by their weights, and what has none
    by itself."""
    layer = target.removesuffix(WEIGHT).removesuffix(BIAS)
    return [(name, layer + name[len(change.layer) :]) for name in change.names]
