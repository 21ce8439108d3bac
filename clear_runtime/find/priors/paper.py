"""The paper's Stage I model: two ResNet-50 encoders with features at 1/8, and a 4-layer U-Net decoder (CLEAR, section
3.2).

Where the paper is silent: a top-down sum of the trunk's last three stages makes the 1/8 features, so that a stroke is
seen with the line it belongs to; the decoder's skips come from E_sub's first layers, because letters are two to four
pixels wide and 1/8 alone cannot place their edges. Nothing of F_content reaches the mask.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .resnet import CHANNELS, resnet50

FEATURES = 256  # channels of F_sub and F_content
IMAGENET_MEAN, IMAGENET_STD = (
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
)  # what torchvision's weights were trained with


class ResNetEncoder(nn.Module):
    """frames [N, 3, H, W] in 0..1, sides multiples of 32 -> maps at 1/2 (64 channels), 1/4 (256) and 1/8 (FEATURES)."""

    def __init__(self):
        super().__init__()
        self.trunk = resnet50()
        del self.trunk.fc, self.trunk.avgpool  # the classifier
        self.lateral = nn.ModuleList(nn.Conv2d(channels, FEATURES, 1) for channels in CHANNELS[1:])
        self.smooth = nn.Sequential(
            nn.Conv2d(FEATURES, FEATURES, 3, 1, 1, bias=False),
            nn.GroupNorm(32, FEATURES),
            nn.ReLU(),
            nn.Conv2d(FEATURES, FEATURES, 1),
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> list[Tensor]:
        trunk = self.trunk
        half = trunk.relu(trunk.bn1(trunk.conv1((frames - self.mean) / self.std)))
        quarter = trunk.layer1(trunk.maxpool(half))
        stages = [trunk.layer2(quarter)]
        stages += [trunk.layer3(stages[-1])]
        stages += [trunk.layer4(stages[-1])]
        fused = self.lateral[2](stages[2])
        for lateral, stage in zip(reversed(self.lateral[:2]), reversed(stages[:2])):
            fused = lateral(stage) + F.interpolate(fused, scale_factor=2.0, mode="nearest")
        return [half, quarter, self.smooth(fused)]


class PaperPrior(nn.Module):
    """frames [N, 3, H, W] in 0..1, sides multiples of 32 -> logits of the subtitle mask [N, 1, H, W]: E_sub and its
    decoder."""

    BYTES_PER_PIXEL = 450  # see LightPrior

    def __init__(self):
        super().__init__()
        self.encoder = ResNetEncoder()
        widths = (128, 64, 32, 16)
        self.layers = nn.ModuleList(
            (
                _layer(FEATURES, widths[0]),
                _layer(widths[0] + 256, widths[1]),
                _layer(widths[1] + 64, widths[2]),
                _layer(widths[2], widths[3]),
            )
        )
        self.leave = nn.Conv2d(widths[3], 1, 1)

    def encode(self, frames: Tensor) -> list[Tensor]:
        return self.encoder(frames)

    def decode(self, features: list[Tensor]) -> Tensor:
        half, quarter, f_sub = features
        x = self.layers[0](f_sub)
        for layer, skip in zip(self.layers[1:3], (quarter, half)):
            x = layer(torch.cat([skip, F.interpolate(x, scale_factor=2.0, mode="nearest")], 1))
        return self.leave(self.layers[3](F.interpolate(x, scale_factor=2.0, mode="nearest")))

    def forward(self, frames: Tensor) -> Tensor:
        return self.decode(self.encode(frames))


def _layer(inward: int, outward: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, 1, 1, bias=False),
        nn.GroupNorm(8, outward),
        nn.ReLU(),
        nn.Conv2d(outward, outward, 3, 1, 1, bias=False),
        nn.GroupNorm(8, outward),
        nn.ReLU(),
    )
