"""The moving average of what is trained, which moves slower than the weights themselves and serves better."""
from collections.abc import Mapping

import torch
from torch import Tensor


class MovingAverage:
    """Of named tensors, with a decay per update; the first updates count more. values: the average, empty when the decay is 0."""

    def __init__(self, tensors: Mapping[str, Tensor], decay: float):
        self.decay, self.count = decay, 0
        self.values = {name: value.detach().clone() for name, value in tensors.items()} if decay else {}

    @torch.no_grad()
    def update(self, tensors: Mapping[str, Tensor]) -> None:
        self.count += 1
        keep = min(self.decay, self.count / (self.count + 10))
        moving = [name for name, value in self.values.items() if value.is_floating_point()]
        if moving:  # all at once: on a GPU one kernel instead of hundreds
            torch._foreach_lerp_([self.values[name] for name in moving], [tensors[name].detach() for name in moving], 1 - keep)
        for name in self.values.keys() - set(moving):
            self.values[name].copy_(tensors[name])

    def state_dict(self) -> dict:
        return {"count": self.count, "values": self.values}

    def load_state_dict(self, state: dict) -> None:
        self.count = state["count"]
        for name, value in state["values"].items():
            self.values[name].copy_(value)
