"""What is held in memory while a function runs."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Copies(TorchDispatchMode):
    """Tensors made inside that hold at least half as many values as `like`."""

    def __init__(self, like: torch.Tensor):
        super().__init__()
        self.least, self.made = like.numel() / 2, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)}
        for x in tree_leaves(out):
            if (
                isinstance(x, torch.Tensor) and x.untyped_storage()._cdata not in given
            ):  # neither a view nor changed in place
                self.made += x.untyped_storage().nbytes() / x.element_size() >= self.least
        return out
