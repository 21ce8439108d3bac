"""Write weights as they are shipped: half precision, whole files only."""
import os
from pathlib import Path

import torch
from safetensors.torch import save_file


def save_fp16(path: Path, state: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> None:
    """Floating tensors become float16, counters stay; the file appears under its name only when it is complete."""
    partial = Path(path).with_suffix(".partial")
    tensors = {k: (v.half() if v.is_floating_point() else v).contiguous().cpu() for k, v in state.items()}
    save_file(tensors, str(partial), metadata=metadata)
    os.replace(partial, path)
