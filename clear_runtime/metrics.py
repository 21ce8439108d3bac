"""How close a cleaned video is to the clean original.

Frames [T, H, W, 3] float in 0..1, masks [T, H, W]; every figure is one number. Decibels are of a peak of 1.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .checkpoint import read_tensors
from .errors import ClearError
from .frames.region import bounds


def _same_shape(result: Tensor, reference: Tensor) -> None:
    if result.shape != reference.shape:
        raise ClearError(
            f"Frames of shape {tuple(result.shape)} cannot be compared with frames of shape "
            f"{tuple(reference.shape)}. Give two videos of the same length and size."
        )


def _inside(mask: Tensor, frames: Tensor) -> Tensor:
    if mask.shape != frames.shape[:3]:
        raise ClearError(
            f"The mask has the shape {tuple(mask.shape)}, the frames {tuple(frames.shape)}. "
            "Give a mask with one value for each pixel of each frame."
        )
    inside = mask > 0.5
    if not inside.any():
        raise ClearError(
            "The mask is empty, so there is nothing to measure inside it. Give a clip with a subtitle, and its mask."
        )
    return inside


def _decibel(error: Tensor) -> float:
    mean = float(error.double().square().mean())
    return math.inf if mean == 0 else -10 * math.log10(mean)


def psnr(result: Tensor, reference: Tensor) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(1 / mean squared error), over all pixels and channels at once."""
    _same_shape(result, reference)
    return _decibel(result.float() - reference.float())


def masked_psnr(result: Tensor, reference: Tensor, mask: Tensor) -> float:
    """PSNR in dB over the pixels where mask > 0.5 alone; a whole-frame PSNR hides a small subtitle's residue."""
    _same_shape(result, reference)
    inside = _inside(mask, reference)
    return _decibel((result.float() - reference.float())[inside])


def flicker(result: Tensor, reference: Tensor, mask: Tensor, pairs: Tensor | None = None) -> float:
    """Mean |d/dt result - d/dt reference| in 0..1 over pixels that are inside the mask in both frames of a pair. pairs:
    [T - 1] bool, those of neighbouring frames that count; None for all.

    Zero when every change from frame to frame is the original's own, whatever the constant error. The absolute form
    of the temporal difference error of Xiao et al., "Space-time distillation for video super-resolution" (2021).
    """
    _same_shape(result, reference)
    inside = _inside(mask, reference)
    both = inside[1:] & inside[:-1]
    if pairs is not None:
        both = both & pairs[:, None, None]
    if not both.any():
        raise ClearError(
            "The mask covers no pixel in two frames in a row, so that flicker cannot be seen. Give a clip whose "
            "subtitle stays longer."
        )
    difference = result.float() - reference.float()
    return float((difference[1:] - difference[:-1]).abs()[both].mean())


def texture_energy(result: Tensor, reference: Tensor, mask: Tensor) -> float:
    """High-pass energy of the brightness over the pixels where mask > 0.5, as a share of the reference's: 1 is as much
    texture as there was, less is a smear. High-pass: a pixel less the mean of the 5 x 5 around it."""
    _same_shape(result, reference)
    inside = _inside(mask, reference)
    return _fine_energy(result, inside) / max(_fine_energy(reference, inside), 1e-12)


def texture_cost(result: Tensor, reference: Tensor, mask: Tensor, share: float = 0.8) -> float:
    """PSNR in dB that the result would lose over the pixels where mask > 0.5, if detail that has nothing to do with the
    reference were added up to a `texture_energy` of `share`; 0 where it has that. What is unrelated adds its whole
    energy to the error, so no such detail costs less."""
    _same_shape(result, reference)
    inside = _inside(mask, reference)
    fine = _fine_energy(reference, inside)
    missing = share * fine - _fine_energy(result, inside)
    error = float((result.float() - reference.float())[inside].double().square().mean())
    return 10 * math.log10(1 + max(0.0, missing) / max(error, 1e-12))


def _fine_energy(frames: Tensor, inside: Tensor) -> float:
    grey = frames.float().mean(-1)[:, None]
    fine = (grey - F.avg_pool2d(grey, 5, 1, 2, count_include_pad=False))[:, 0]
    return float(fine[inside].double().square().mean())


class Overlap:
    """Pixels of found and true masks (booleans of one shape), counted together over frames."""

    def __init__(self):
        self.both = self.found = self.true = 0

    def add(self, found: Tensor, true: Tensor) -> Overlap:
        if found.shape != true.shape:
            raise ClearError(
                f"Masks of shape {tuple(found.shape)} cannot be compared with masks of shape {tuple(true.shape)}. "
                "Give masks of the same length and size."
            )
        self.both += int((found & true).sum())
        self.found += int(found.sum())
        self.true += int(true.sum())
        return self

    def __iadd__(self, other: Overlap) -> Overlap:
        self.both, self.found, self.true = self.both + other.both, self.found + other.found, self.true + other.true
        return self

    def report(self) -> dict[str, float]:
        """Intersection over union, F1, recall and precision, 0..1."""
        return {
            "iou": self.both / max(1, self.found + self.true - self.both),
            "f1": 2 * self.both / max(1, self.found + self.true),
            "recall": self.both / max(1, self.true),
            "precision": self.both / max(1, self.found),
        }


class Lpips:
    """Learned perceptual distance (Zhang et al., "The unreasonable effectiveness of deep features", CVPR 2018): its
    version 0.1 over AlexNet, the mean over the frames with a subtitle of the box around that subtitle. 0 for equal
    pictures.

    Needs the package `lpips`, and torchvision's ImageNet weights of AlexNet: in the file `weights`, or in torch's hub
    cache. Nothing is downloaded here.
    """

    MARGIN, LEAST = 16, 64
    """Pixels around the subtitle that are judged with it, and the smallest side of a box that AlexNet can judge."""

    def __init__(self, device: str | torch.device = "cpu", weights: Path | None = None):
        try:
            # optional packages
            import lpips
            from torchvision.models import AlexNet_Weights
        except ImportError as missing:
            raise ClearError(
                f"LPIPS needs {missing.name}, which is not installed: pip install lpips torchvision"
            ) from missing
        source = AlexNet_Weights.IMAGENET1K_V1.url
        stored = weights or Path(torch.hub.get_dir()) / "checkpoints" / source.rsplit("/", 1)[1]
        if not stored.exists():
            raise ClearError(
                f"LPIPS needs AlexNet's ImageNet weights, and {stored} is not there. Put {source} there, or leave "
                f"LPIPS out."
            )
        self.device = torch.device(device)
        self.model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
        features = {name: value for name, value in read_tensors(stored).items() if name.startswith("features.")}
        # lpips keeps torchvision's layers under the same numbers, in five slices
        own = self.model.net.state_dict()
        wanted = {name: features.get("features." + name.split(".", 1)[1]) for name in own}
        if any(value is None or value.shape != own[name].shape for name, value in wanted.items()):
            raise ClearError(f"{stored} does not hold torchvision's AlexNet. Put {source} there.")
        self.model.net.load_state_dict(wanted)
        self.model.to(self.device)

    @torch.inference_mode()
    def __call__(self, result: Tensor, reference: Tensor, mask: Tensor) -> float:
        """result, reference: frames [T, H, W, 3] in 0..1; mask [T, H, W] of the subtitle."""
        _same_shape(result, reference)
        inside = _inside(mask, reference)
        total, count = 0.0, 0
        for a, b, where in zip(result, reference, inside, strict=True):
            box = bounds(where[None], self.MARGIN)
            if box is None:
                continue
            x, y = (2 * self._whole(box.of(frame[None])) - 1 for frame in (a, b))
            total += float(self.model(x, y))
            count += 1
        return total / count

    def _whole(self, part: Tensor) -> Tensor:
        """[1, h, w, 3] -> [1, 3, h', w'] on the device, continued by its border to the least side."""
        height, width = part.shape[1:3]
        planes = part.to(self.device, torch.float32).permute(0, 3, 1, 2)
        return F.pad(planes, (0, max(0, self.LEAST - width), 0, max(0, self.LEAST - height)), mode="replicate")
