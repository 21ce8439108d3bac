"""torchvision's ResNet-50 trunk, with ImageNet weights where the user has them. Nothing is downloaded."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ...checkpoint import read_shapes, read_tensors
from ...errors import ClearError

log = logging.getLogger(__name__)

IMAGENET_FILES = ("resnet50-11ad3fa6.pth", "resnet50-0676ba61.pth")
"""torchvision's own names of its two sets of ImageNet weights, the newer one first."""
STAGES = ("layer1", "layer2", "layer3", "layer4")  # at 1/4, 1/8, 1/16, 1/32 of the frame, with these channels:
CHANNELS = (256, 512, 1024, 2048)


def resnet50() -> nn.Module:
    """An untrained ResNet-50. Raises ClearError where torchvision cannot be imported."""
    try:
        # slow to import, and the light prior goes without it
        from torchvision.models import resnet50 as make
    except ImportError as missing:
        raise ClearError(
            f"The paper's prior needs torchvision, which does not load here ({missing}). "
            "Install the torchvision that belongs to this torch, or choose the light prior."
        ) from missing
    return make(weights=None)


def find_imagenet(path: str | Path | None = None) -> Path | None:
    """The file to start from: `path` if given (ClearError when it is missing), else torchvision's own in torch's hub
    cache, else None."""
    if path:
        if not Path(path).is_file():
            raise ClearError(
                f"There is no file {path}. Give torchvision's {IMAGENET_FILES[0]}, or leave it out to train from "
                f"scratch."
            )
        return Path(path)
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    return next((cache / name for name in IMAGENET_FILES if (cache / name).is_file()), None)


def load_imagenet(trunk: nn.Module, path: Path) -> None:
    """Put a ResNet-50 classifier's weights into a trunk made by resnet50(). Raises ClearError for another network's
    file."""
    state = {_plain(name): value for name, value in read_tensors(path).items() if isinstance(value, Tensor)}
    own = _require_resnet50(path, {name: value.shape for name, value in state.items()}, trunk)
    # the classifier is not used, and files of old torch versions count no batches: these stay as they were made
    trunk.load_state_dict({**trunk.state_dict(), **{name: state[name] for name in own if name in state}})
    log.info("ResNet-50 starts from the ImageNet weights in %s", path)


def require_resnet50(path: str | Path | None = None) -> None:
    """Raise ClearError where a ResNet-50 could not be made, or not started from the file that find_imagenet gives.
    Builds nothing."""
    with torch.device("meta"):
        trunk = resnet50()
    found = find_imagenet(path)
    if found is not None:
        _require_resnet50(found, {_plain(name): shape for name, shape in read_shapes(found).items()}, trunk)


def _plain(name) -> str:
    return str(name).removeprefix("module.")  # a torch file may hold names that are no words


def _require_resnet50(path: Path, shapes: Mapping[str, tuple[int, ...]], trunk: nn.Module) -> list[str]:
    """The names that a trunk takes from a file with these."""
    own = {name: value for name, value in trunk.state_dict().items() if not name.startswith("fc.")}
    wrong = [
        name
        for name, value in own.items()
        if not name.endswith("num_batches_tracked")
        and (name not in shapes or tuple(shapes[name]) != tuple(value.shape))
    ]
    if wrong:
        raise ClearError(
            f"{path.name} is not a ResNet-50: {len(wrong)} of its {len(own)} tensors are missing or of another shape, "
            f"first "
            f"{wrong[0]}. Use torchvision's {IMAGENET_FILES[0]}."
        )
    return list(own)
