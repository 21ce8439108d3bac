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
        large = [x for x in _tensors(out) if x.untyped_storage().nbytes() / x.element_size() >= self.least]
        if large:  # neither a view nor changed in place
            given = {x.untyped_storage()._cdata for x in _tensors((args, kwargs))}
            self.made += sum(x.untyped_storage()._cdata not in given for x in large)
        return out


def _tensors(tree) -> list[torch.Tensor]:
    # most operations give one, and walking a tree takes longer than they do
    return [tree] if isinstance(tree, torch.Tensor) else [x for x in tree_leaves(tree) if isinstance(x, torch.Tensor)]
