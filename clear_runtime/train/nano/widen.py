"""Start a wider light prior from a narrower one's weights: it computes the same at first, and has room to learn."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...errors import ClearError
from ...find.priors.light import LightPrior


@torch.no_grad()
def start_from(model: LightPrior, start: Mapping[str, Tensor]) -> None:
    """Copy the tensors of a light prior of the same or smaller widths into `model`, in place.

    What a channel of before sees of the channels that are new weighs nothing, so that the function is kept; the new
    channels' own weights stay as they were drawn. Raises ClearError where `start` is no smaller light prior.
    """
    try:
        old = LightPrior.of_shapes({name: tuple(value.shape) for name, value in start.items()})
    except ValueError as none:
        raise ClearError("That start is no light prior. Choose another file, or start from scratch.") from none
    if any(a > b for a, b in zip(old.widths + old.context, model.widths + model.context)):
        raise ClearError(
            f"A prior of the widths {old.widths} and {old.context} dilated convolutions does not fit into one of "
            f"{model.widths} and {model.context}. Choose widths that are at least as large."
        )
    own = model.state_dict()
    for name, value in start.items():
        if value.dim() == 0:  # BatchNorm's counter
            own[name].copy_(value)
            continue
        if value.dim() == 1:
            own[name][: len(value)] = value.to(own[name])
            continue
        inputs = list(range(value.shape[1]))
        if name.startswith("up."):  # its input is the skip's channels and then those from below
            level = int(name.split(".")[1])
            inputs = [*range(old.widths[level]), *(model.widths[level] + i for i in range(old.widths[level + 1]))]
        own[name][: len(value)] = 0
        own[name][: len(value), inputs] = value.to(own[name])
