"""Run a prior over frames of any size."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .light import MULTIPLE

LONG_SIDE = 640  # pixels: the prior was trained on letters of 8 to 170 px, the sizes they have in a frame of this width
BATCH = 8        # frames at a time, at most


class Prior:
    """frames [T, H, W, 3] in 0..1 -> soft subtitle masks [T, H, W] in 0..1 at the frames' own size, float32 on the CPU.

    model: frames [N, 3, H, W] in 0..1, sides multiples of MULTIPLE -> logits [N, 1, H, W], with BYTES_PER_PIXEL: a LightPrior, a
    PaperPrior or a ReleasedPrior. long_side: pixels of the frames it was trained on; larger ones are scaled down for it.
    report: a sentence about the file that it came from.
    """

    def __init__(self, model: nn.Module, device: str | torch.device = "cpu", long_side: int = LONG_SIDE, report: str = ""):
        self.model = model.eval().to(device, memory_format=torch.channels_last)  # the layout in which convolutions are nearly twice as fast on a CPU
        self.device, self.long_side, self.batch, self.report = torch.device(device), long_side, BATCH, report

    def memory(self, height: int, width: int) -> int:
        """Bytes that one frame of a batch takes on the device while the prior runs; set `batch` to as many frames as there is room for."""
        scale = min(1.0, self.long_side / max(height, width))
        return round(height * width * scale ** 2 * self.model.BYTES_PER_PIXEL)

    @torch.inference_mode()
    def __call__(self, frames: Tensor) -> Tensor:
        height, width = frames.shape[1:3]
        if not len(frames):
            return torch.zeros(0, height, width)
        scale = min(1.0, self.long_side / max(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        masks = []
        for batch in frames.split(self.batch):
            x = batch.float().permute(0, 3, 1, 2)
            if scale < 1:  # before the frames move: less to carry and to hold, and Apple's GPUs learned this with torch 2.7 only
                x = F.interpolate(x, size, mode="bilinear", antialias=True)
            x = F.pad(x.to(self.device), (0, -size[1] % MULTIPLE, 0, -size[0] % MULTIPLE), mode="replicate")
            soft = self.model(x.contiguous(memory_format=torch.channels_last)).sigmoid()[..., :size[0], :size[1]].cpu()
            if scale < 1:
                soft = F.interpolate(soft, (height, width), mode="bilinear")
            masks.append(soft[:, 0])
        return torch.cat(masks)
