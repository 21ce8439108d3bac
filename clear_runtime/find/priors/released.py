"""The model that CLEAR's published Stage I trainer makes, so that its checkpoints can be used: one ResNet-50, a feature
pyramid, a mask head on it, and beside these the two branches and the decoder that only its training needed.

Frames go in as -1..1. The checkpoint's names are the interface here, so the modules carry them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import ClearError
from .resnet import CHANNELS, STAGES, resnet50

log = logging.getLogger(__name__)

_WRAPPERS = ("model", "model_state_dict")
_WIDTH, _MIXED = 256, 512  # channels of the pyramid and of what the branches take
_MASK_PARTS = ("stem", *STAGES, "fusion.", "mask_head")  # what a mask is made with


@dataclass(frozen=True)
class KeyReport:
    """What a checkpoint lacked and what it had beyond the model."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def __str__(self) -> str:
        return (
            "; ".join(
                f"{len(names)} {kind} ({', '.join(names[:4])}{', …' if len(names) > 4 else ''})"
                for kind, names in (("missing", self.missing), ("unexpected", self.unexpected))
                if names
            )
            or "every key matches"
        )


class ReleasedPrior(nn.Module):
    """frames [N, 3, H, W] in 0..1, sides multiples of 32 -> logits of the subtitle mask [N, 1, H, W].

    level: the pyramid level the mask is read from, "layer1" (1/4), "layer2" (1/8, its default) or "layer1+2" (both, at
    1/8).
    """

    BYTES_PER_PIXEL = 475  # see LightPrior

    def __init__(self, level: str = "layer2"):
        super().__init__()
        trunk = resnet50()
        self.level = level
        self.stem = nn.Sequential(trunk.conv1, trunk.bn1, trunk.relu, trunk.maxpool)
        self.layer1, self.layer2, self.layer3, self.layer4 = (getattr(trunk, name) for name in STAGES)
        self.fusion = _Pyramid()
        self.fusion_projection = _norm_relu(nn.Conv2d(_WIDTH, _MIXED, 1, bias=False), 32)
        self.disentangle_head = nn.ModuleDict(
            {
                f"{name}_branch": nn.Sequential(
                    *_norm_relu(nn.Conv2d(_MIXED, _MIXED, 1), 32), nn.Conv2d(_MIXED, _WIDTH, 1)
                )
                for name in ("content", "subtitle")
            }
        )
        self.mask_head = nn.ModuleDict({"mask_predictor": _mask_head(2 if level == "layer1" else 3)})
        self.decoder = nn.ModuleDict({"decoder": _frame_decoder()})

    def forward(self, frames: Tensor) -> Tensor:
        x, maps = self.stem(frames * 2 - 1), []
        for name in STAGES:
            x = getattr(self, name)(x)
            maps.append(x)
        quarter, eighth = self.fusion(maps)[:2]
        if self.level == "layer1":
            eighth = quarter
        elif self.level == "layer1+2":  # 0.4 and 0.6 are the published trainer's
            eighth = 0.4 * F.interpolate(quarter, eighth.shape[-2:], mode="bilinear") + 0.6 * eighth
        return F.interpolate(self.mask_head["mask_predictor"](eighth), frames.shape[-2:], mode="bilinear")


def load_released(checkpoint: Mapping) -> tuple[ReleasedPrior, KeyReport]:
    """The model of a checkpoint of the published trainer (as read_tensors gives it), with what did not match.

    Raises ClearError when it is another architecture, or lacks something that a mask is made with.
    """
    state = next((checkpoint[name] for name in _WRAPPERS if isinstance(checkpoint.get(name), Mapping)), checkpoint)
    state = {_plain(str(name)): value for name, value in state.items() if isinstance(value, Tensor)}
    if any(name.startswith("backbone.") for name in state):
        raise ClearError(
            "This Stage I checkpoint is of the published trainer's single-scale model (backbone.*), whose masks are at "
            "1/32 of the frame. "
            "Use one trained with use_multiscale: true."
        )
    if not all(any(name.startswith(part) for name in state) for part in ("stem.", "layer1.", "fusion.", "mask_head.")):
        raise ClearError(
            f"This is not a Stage I checkpoint: of the parts stem, layer1 to layer4, fusion and mask_head it holds "
            f"{', '.join(sorted({name.split('.')[0] for name in state})[:6]) or 'nothing'}."
        )
    model = ReleasedPrior(_level(checkpoint, state))
    own = model.state_dict()
    differing = [name for name in own if name in state and own[name].shape != state[name].shape]
    if differing:
        raise ClearError(
            f"This Stage I checkpoint is of another architecture: {differing[0]} has the shape "
            f"{tuple(state[differing[0]].shape)}, "
            f"not {tuple(own[differing[0]].shape)} (and {len(differing) - 1} more differ)."
        )
    report = KeyReport(*(tuple(sorted(names)) for names in (set(own) - set(state), set(state) - set(own))))
    needed = [
        name for name in report.missing if name.startswith(_MASK_PARTS) and not name.endswith("num_batches_tracked")
    ]
    if needed:
        raise ClearError(
            f"This Stage I checkpoint is incomplete: {len(needed)} tensors that the mask is made with are missing, "
            f"first {needed[0]}."
        )
    # what only the trainer needed stays as it was made
    model.load_state_dict({name: state.get(name, value) for name, value in own.items()})
    log.info("Stage I checkpoint of the published trainer, mask from %s: %s", model.level, report)
    return model.eval(), report


def _plain(name: str) -> str:
    """Without what DDP and torch.compile put before it, whichever was around the other."""
    while name.startswith(("module.", "_orig_mod.")):
        name = name.split(".", 1)[1]
    return name


def _level(checkpoint: Mapping, state: Mapping) -> str:
    """Two doublings in the mask head mean 1/4; three mean 1/8, where only the stored settings tell whether 1/4 was
    mixed in."""
    if "mask_head.mask_predictor.9.weight" not in state:
        return "layer1"
    settings = checkpoint.get("config")
    adapter = settings.get("adapter") if isinstance(settings, Mapping) else None
    stored = adapter.get("fusion_layer") if isinstance(adapter, Mapping) else None
    return "layer1+2" if stored == "layer1+2" else "layer2"


class _Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.lateral_convs = nn.ModuleList(nn.Conv2d(channels, _WIDTH, 1, bias=False) for channels in CHANNELS)
        self.smooth_convs = nn.ModuleList(
            _norm_relu(nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1, bias=False), 32) for _ in CHANNELS
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        out = [self.smooth_convs[-1](self.lateral_convs[-1](maps[-1]))]
        for lateral, smooth, one in reversed(list(zip(self.lateral_convs[:-1], self.smooth_convs[:-1], maps[:-1]))):
            out.insert(0, smooth(lateral(one) + F.interpolate(out[0], one.shape[-2:], mode="bilinear")))
        return out


def _norm_relu(conv: nn.Module, groups: int) -> nn.Sequential:
    return nn.Sequential(conv, nn.GroupNorm(groups, conv.out_channels), nn.ReLU())


def _mask_head(doublings: int) -> nn.Sequential:
    layers, width = [], _WIDTH
    for _ in range(doublings):
        layers += [*_norm_relu(nn.ConvTranspose2d(width, width // 2, 4, 2, 1), 8)]
        width //= 2
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 3, 1, 1))


def _frame_decoder() -> nn.Sequential:
    layers = []
    for inward, outward, groups in ((256, 128, 16), (128, 64, 8), (64, 32, 4)):
        layers += [*_norm_relu(nn.ConvTranspose2d(inward, outward, 4, 2, 1), groups)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 3, 3, 1, 1), nn.Tanh())
