"""What a normalised LoRA changes: weights and biases by name, and the shape of each change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from torch import Tensor

from ..errors import ClearError

WEIGHT, BIAS = ".weight", ".bias"
_BARE = ("modulation",)
"""Layers that are a tensor themselves, and have no weight."""
_CORES = ("hada_t1", "hada_t2", "lokr_t2")


@dataclass(frozen=True)
class Change:
    """Something that is added to a weight or a bias, or stands in its place. target: the tensor's name in the base.
    names: of the tensors that it is made of, in the normalised state. adapter: whether it is a product of factors."""

    layer: str
    target: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    adapter: bool


def fits(change: Change, weight: tuple[int, ...]) -> bool:
    """Whether a change is of a weight's shape; a LoKr's product is brought to it, and needs its size alone."""
    return change.shape == tuple(weight) or (change.adapter and prod(change.shape) == prod(weight) and len(weight) > 2)


def changes_of(state: Mapping[str, Tensor], source: str = "This LoRA") -> list[Change]:
    """All changes of a normalised state, in its order. Raises ClearError for one whose factors are not whole."""
    layers: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        stem = name.removesuffix(WEIGHT)
        layer, _, kind = stem.rpartition(".")
        layers.setdefault(layer, {})[kind] = value
    return [change for layer, parts in layers.items() for change in _of_layer(layer, parts, state, source)]


def _of_layer(layer: str, parts: Mapping[str, Tensor], state: Mapping[str, Tensor], source: str) -> list[Change]:
    named = lambda kinds: tuple(name for kind in kinds for name in _names(layer, kind) if name in state)
    weight = layer if layer.endswith(_BARE) else layer + WEIGHT
    factors = [kind for kind in parts if kind.startswith(("lora_", "hada_", "lokr_"))]
    found = []
    if factors:
        shape = _product(layer, {kind: parts[kind] for kind in factors}, source)
        found.append(Change(layer, weight, shape, named([*factors, "alpha"]), True))
    for kind, target in (("diff", weight), ("set_weight", weight), ("diff_b", layer + BIAS)):
        if kind in parts:
            found.append(Change(layer, target, tuple(parts[kind].shape), named([kind]), False))
    return found


def _names(layer: str, kind: str) -> tuple[str, ...]:
    return (f"{layer}.{kind}.weight", f"{layer}.{kind}")


def _product(layer: str, factors: Mapping[str, Tensor], source: str) -> tuple[int, ...]:
    """The shape of the weight that factors multiply to."""
    if cores := [kind for kind in factors if kind in _CORES]:
        raise ClearError(
            f"{source}: {layer} has a Tucker core ({', '.join(sorted(cores))}), as LoHa and LoKr of convolutions have. "
            "The layers that such files change in Wan2.1 are linear, so it was made for another model; use another "
            "file."
        )
    families = {kind.split("_")[0] for kind in factors}
    try:
        (family,) = families
        shape = {"lora": _pair, "hada": _hadamard, "lokr": _kronecker}[family](factors)
    except (KeyError, ValueError, IndexError):
        raise ClearError(
            f"{source}: the factors of {layer} ({', '.join(sorted(factors))}) are not one whole LoRA, LoHa or LoKr. "
            "The file is damaged, or of a kind that ComfyUI does not know; use another checkpoint."
        ) from None
    if not all(shape):
        raise ClearError(
            f"{source}: the factors of {layer} have rank 0, so they hold no numbers. Use another checkpoint."
        )
    return shape


def _pair(factors: Mapping[str, Tensor]) -> tuple[int, ...]:
    return factors["lora_B"].shape[0], factors["lora_A"].shape[1]


def _hadamard(factors: Mapping[str, Tensor]) -> tuple[int, ...]:
    shapes = {(factors[f"hada_w{n}_a"].shape, factors[f"hada_w{n}_b"].shape) for n in (1, 2)}
    ((rows, rank), (inner, columns)) = [tuple(shape) for shape in shapes.pop()]
    if shapes or rank != inner or not rank:
        raise ValueError
    return rows, columns


def _kronecker(factors: Mapping[str, Tensor]) -> tuple[int, ...]:
    sides = []
    for n in (1, 2):
        if f"lokr_w{n}" in factors:
            rows, columns = factors[f"lokr_w{n}"].shape[:2]
        else:
            (rows, rank), (inner, columns) = (factors[f"lokr_w{n}_{side}"].shape for side in "ab")
            if rank != inner or not rank:
                raise ValueError
        sides.append((rows, columns))
    (a, b), (c, d) = sides
    return a * c, b * d
