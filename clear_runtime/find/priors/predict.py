"""Run a prior over frames of any size."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...frames.precision import cpu_has_bfloat16
from .light import MULTIPLE, LightPrior

LONG_SIDE = 640  # pixels: the prior was trained on letters of 8 to 170 px, the sizes they have in a frame of this width
BATCH = 8  # frames at a time, at most


class Prior:
    """frames [T, H, W, 3] in 0..1 -> soft subtitle masks [T, H, W] in 0..1 at the frames' own size, float32 on the CPU.

    model: frames [N, 3, H, W] in 0..1, sides multiples of MULTIPLE -> logits [N, 1, H, W], with BYTES_PER_PIXEL: a
    LightPrior, a PaperPrior or a ReleasedPrior. long_side: pixels of the frames it was trained on; larger ones are
    scaled down for it. report: a sentence about the file that it came from.
    """

    def __init__(
        self, model: nn.Module, device: str | torch.device = "cpu", long_side: int = LONG_SIDE, report: str = ""
    ):
        self.model = model.eval().to(
            device, memory_format=torch.channels_last
        )  # the layout in which convolutions are nearly twice as fast on a CPU
        self.device, self.long_side, self.batch, self.report = torch.device(device), long_side, BATCH, report
        # half of the time; of the pixels that are marked, one in 400 is another, all at the letters' edges
        self.halved = isinstance(model, LightPrior) and self.device.type == "cpu" and cpu_has_bfloat16()

    def memory(self, height: int, width: int) -> int:
        """Bytes that one frame of a batch takes on the device while the prior sees it at this size; set `batch` to as
        many frames as there is room for."""
        return round(height * width * self.model.BYTES_PER_PIXEL)

    def __call__(self, frames: Tensor) -> Tensor:
        """One look at frames of any size."""
        return at_own_scale(self.sees, frames, self.long_side, self.batch)

    @torch.inference_mode()
    def sees(self, frames: Tensor) -> Tensor:
        """The same at the size that the frames have, whatever it is: find/look.py chooses the scales."""
        height, width = frames.shape[1:3]
        masks = [torch.zeros(0, height, width)]
        for batch in frames.split(self.batch) if len(frames) else ():
            x = batch.float().permute(0, 3, 1, 2)
            x = x.to(self.device)
            if height % MULTIPLE or width % MULTIPLE:
                x = F.pad(x, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.halved):
                logits = self.model(x.contiguous(memory_format=torch.channels_last))
            masks.append(logits.float().sigmoid()[:, 0, :height, :width].cpu())
        return torch.cat(masks)


def at_own_scale(sees: Callable[[Tensor], Tensor], frames: Tensor, long_side: int, batch: int = BATCH) -> Tensor:
    """What a prior that was trained on frames of `long_side` pixels sees in frames [T, H, W, 3], the larger ones scaled
    down for it, so many at a time -> soft masks [T, H, W] at the frames' own size."""
    height, width = frames.shape[1:3]
    scale = min(1.0, long_side / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    if scale == 1 or not len(frames):
        return sees(frames)
    masks = []
    for part in frames.split(batch):
        # before the frames move: less to carry and to hold, and Apple's GPUs learned this with torch 2.7 only
        small = F.interpolate(part.float().permute(0, 3, 1, 2), size, mode="bilinear", antialias=True)
        masks.append(F.interpolate(sees(small.permute(0, 2, 3, 1))[None], (height, width), mode="bilinear")[0])
    return torch.cat(masks)
