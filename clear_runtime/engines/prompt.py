"""The one prompt that CLEAR was trained with, and its embedding on disk, so that the text encoder is needed once."""

from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import read_tensors, write_tensors
from ..errors import ClearError
from ..wan import TEXT_TOKENS, TEXT_WIDTH

PROMPT = (
    "Please remove the subtitle text from the video while preserving the character appearance, background "
    "composition, and color style. Do not add any new elements."
)
"""Word for word what the released training code (silent-commit/CLEAR) passes to the text encoder; its shell script uses
another one."""
FILE_NAME = "clear_prompt_umt5-xxl.safetensors"
_KEY = "prompt_embedding"


def fixed_length(embedding: Tensor) -> Tensor:
    """[1, n, 4096] -> [1, 512, 4096], padded with zeros or cut. Raises ClearError for another width."""
    if embedding.ndim != 3 or embedding.shape[0] != 1 or embedding.shape[2] != TEXT_WIDTH:
        raise ClearError(
            f"This text embedding has the shape {list(embedding.shape)}; Wan2.1 takes umT5-XXL's, [1, tokens, "
            f"{TEXT_WIDTH}]. Load umt5_xxl_fp8_e4m3fn_scaled.safetensors (or the bf16 one) with type wan."
        )
    out = embedding.new_zeros(1, TEXT_TOKENS, TEXT_WIDTH)
    count = min(TEXT_TOKENS, embedding.shape[1])
    out[:, :count] = embedding[:, :count]
    return out


def save_embedding(path: str | Path, embedding: Tensor) -> None:
    """Keep the embedding [1, n, 4096] of PROMPT; trailing zero tokens are left out. The file appears when it is
    complete."""
    used = embedding[0].any(1).nonzero()
    count = int(used[-1]) + 1 if len(used) else 1
    write_tensors(path, {_KEY: embedding[:, :count].float()}, {"prompt": PROMPT})


def load_embedding(path: str | Path) -> Tensor:
    """The kept embedding, [1, 512, 4096] float32. Raises ClearError for a damaged file or one of another kind."""
    tensors = read_tensors(path)
    if _KEY not in tensors:
        raise ClearError(
            f"{Path(path).name} holds no prompt embedding. Delete it and make it anew from the text encoder, as the "
            f"node CLEAR Prompt does."
        )
    if not torch.isfinite(tensors[_KEY]).all():
        raise ClearError(
            f"{Path(path).name} holds NaN or infinity. Delete it and make it anew from the text encoder, as the node "
            f"CLEAR Prompt does."
        )
    return fixed_length(tensors[_KEY].float())
