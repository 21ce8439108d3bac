"""What the minutes are spent on, in order of value: change a run's order, limits and trainings here alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import ClearError


@dataclass(frozen=True)
class Part:
    """name: of its module in this folder too. seconds: what it is worth at most; 0 for what the others leave."""

    name: str
    seconds: int
    about: str


PARTS = (
    Part("right", 75, "the tests marked gpu: the same pictures as on the CPU"),
    Part("comfy", 90, "the nodes in a ComfyUI, on the card"),
    Part("fast", 210, "seconds a frame and memory of a removal with the real shape"),
    Part("trainable", 110, "seconds a step and memory of both trainers"),
    Part("better", 0, "the bundled weights, trained on"),
)
FOR_THE_LAST = 0.35
"""Share of the minutes that the part without seconds of its own has at least; the others shrink alike for it."""


@dataclass(frozen=True)
class Training:
    """A training of bundled weights. name: of the command of `train-nano`; it is run with --data, --run, --minutes and
    these arguments. weights: the files that it leaves in its --run, in the bundled ones' names. tiny: arguments of the
    rehearsal, after the others."""

    name: str
    arguments: tuple[str, ...]
    weights: tuple[str, ...]
    tiny: tuple[str, ...] = ()


TRAININGS = (
    Training(
        "prior",
        ("--wide", "--start", "bundled", "--rate", "2e-3", "--average", "0.999", "--workers", "11", "--batch", "48"),
        ("nano_prior.safetensors",),
        ("--workers", "1", "--batch", "4"),
    ),
    Training(
        "fill",
        ("--workers", "4", "--batch", "48"),
        ("nano_fill.safetensors", "nano_fill_smooth.safetensors"),
        ("--workers", "0", "--batch", "1", "--texts", "8", "--held-back", "2", "--every", "1"),
    ),
    Training(
        "model",
        ("--on-device", "--workers", "4", "--batch", "32"),
        ("nano_codec.safetensors", "nano_transformer.safetensors", "nano_lora.safetensors"),
        ("--workers", "0", "--batch", "2", "--texts", "8"),
    ),
)
"""Side by side: the prior's data are drawn by the processors, the others' on the card."""


def parts(only: Sequence[str] | None = None) -> list[Part]:
    """The parts that are asked for, in their order. Raises ClearError for a name that none has."""
    unknown = set(only or ()) - {part.name for part in PARTS}
    if unknown:
        names = ", ".join(part.name for part in PARTS)
        raise ClearError(f"There is no part {', '.join(sorted(unknown))}. There are {names}.")
    return [part for part in PARTS if not only or part.name in only]


def limits(asked: Sequence[Part], seconds: float) -> dict[str, float]:
    """Seconds that each part may take of `seconds`. What a part leaves goes to the part without seconds of its own, if
    one is asked for: the runner gives it all that is left."""
    fixed, has_rest = sum(part.seconds for part in asked), any(not part.seconds for part in asked)
    room = seconds * (1 - FOR_THE_LAST) if has_rest else seconds
    scale = min(1.0, room / fixed) if fixed else 1.0
    given = {part.name: part.seconds * scale for part in asked if part.seconds}
    rest = seconds - sum(given.values())
    return {part.name: given.get(part.name, rest) for part in asked}


def trainings(names: Sequence[str] | None = None, changed: Sequence[str] = ()) -> list[Training]:
    """The trainings by name; changed: NAME=WORDS, words in place of one's arguments. Raises ClearError for a name that
    none has."""
    known = {training.name: training for training in TRAININGS}
    for change in changed:
        name, _, words = change.partition("=")
        _require(known, name)
        known[name] = replace(known[name], arguments=tuple(words.split()))
    for name in names or known:
        _require(known, name)
    return [known[name] for name in names or known]


def _require(known: dict[str, Training], name: str) -> None:
    if name not in known:
        raise ClearError(f"There is no training {name}. There are {', '.join(known)}.")
