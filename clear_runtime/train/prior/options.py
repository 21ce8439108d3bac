"""The options of a Stage I run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ...errors import ClearError
from ...option import Option, option, require_valid
from .. import options
from .losses import Weights

OWN: dict[str, dict[str, Any]] = {
    "paper": dict(steps=None, rate=2e-5, schedule="constant", average=0.0, long_side=1280),
    "light": dict(steps=2000, rate=3e-3, schedule="cosine", average=0.998, long_side=640),
}
"""What each model is trained with unless told otherwise. The paper's: CLEAR, one epoch of AdamW at 2e-5, from ImageNet
weights, on 1280x720. The light one begins without any weights, so it takes larger and falling steps, and is averaged
over them."""
FROM_A_PRIOR = 3e-4
"""The light one's rate where it does begin with weights: larger steps would first forget what they know."""
SIDE = 32
"""Pixels: both encoders halve a frame five times, so that sides of crops are multiples of it."""


@dataclass(frozen=True)
class PriorOptions:
    """Options that are None are the model's own (see OWN and FROM_A_PRIOR). Raises ClearError for values that cannot
    work."""

    model: str = option(
        "light",
        "light: the small network that the bundled prior is. paper: two ResNet-50, for a large GPU and hundreds of "
        "pairs.",
        zh="light：小网络，内置先验模型用的就是它。paper：两个 ResNet-50，适合大显存显卡和数百对视频。",
        name_zh="模型",
        more="light has 1 million weights. paper needs torchvision; ImageNet weights are used if torchvision's file is "
        "in torch's hub cache, and are never downloaded.",
        more_zh="light 有一百万个权重。paper 需要 torchvision；如果 torch 的 hub 缓存里有 torchvision 的 ImageNet "
        "权重文件就会使用，但绝不会自动下载。",
        choices=tuple(reversed(OWN)),
    )
    steps: int | None = option(
        None,
        "Training steps in all, over every start. Default: 2000 for light, one epoch for paper.",
        zh="总训练步数，包括各次接续训练。默认：light 为 2000，paper 为一轮。",
        name_zh="步数",
        unit="steps",
        low=1,
        most=1_000_000,
    )
    batch: int = option(
        8,
        "Frames a step. Memory grows with it.",
        zh="每步的帧数。数值越大，占用内存越多。",
        name_zh="批量",
        unit="frames",
        low=1,
        most=256,
    )
    crop: tuple[int, int] = option(
        (192, 320),
        "Height and width in pixels of what is cut from a frame, multiples of 32.",
        zh="从画面中裁出部分的高度和宽度（像素），须为 32 的倍数。",
        name_zh="裁剪",
        parts={
            "height": Option("Height in pixels.", zh="高度（像素）。", name_zh="高度", low=SIDE, step=SIDE),
            "width": Option("Width in pixels.", zh="宽度（像素）。", name_zh="宽度", low=SIDE, step=SIDE),
        },
    )
    long_side: int | None = option(
        None,
        "Frames are scaled to at most this many pixels before they are cut, and the prior will see them so later. "
        "Default: the model's own (light 640, paper 1280).",
        zh="裁剪前把画面的长边缩小到不超过这个像素数，以后先验模型也这样看画面。默认用模型自己的值"
        "（light 640，paper 1280）。",
        name_zh="长边",
        unit="pixels",
        low=1,
    )
    rate: float | None = option(
        None,
        "Highest learning rate, no unit. Default: the model's own (light 0.003 from scratch and 0.0003 from a prior; "
        "paper 0.00002).",
        zh="最高学习率，无单位。默认用模型自己的值（light 从头训练为 0.003，从先验模型接着训练为 0.0003；"
        "paper 为 0.00002）。",
        name_zh="学习率",
        over=0,
        under=math.inf,
        most=0.1,
        step=1e-5,
        fine=True,
    )
    schedule: str | None = option(
        None,
        "Of the learning rate: constant, or cosine, which falls to nothing after a warm-up. Default: the model's own "
        "(light cosine, paper constant).",
        zh="学习率的变化：constant 不变，cosine 在预热之后降到零。默认用模型自己的值（light cosine，paper constant）。",
        name_zh="学习率变化",
        choices=("constant", "cosine"),
    )
    weight_decay: float = options.weight_decay(1e-3)
    average: float | None = option(
        None,
        "Decay of the moving average of the weights, which is saved as the prior. 0: none. Default: the model's own "
        "(light 0.998, paper 0).",
        zh="权重滑动平均的衰减系数，保存的是平均后的权重。0：不用。默认用模型自己的值（light 0.998，paper 0）。",
        name_zh="滑动平均",
        low=0,
        under=1,
    )
    weights: Weights = field(default_factory=Weights)
    start: str = option(
        "scratch",
        "What to train on from: scratch, bundled (for light), or the file of a prior.",
        zh="从哪里开始训练：scratch 从头开始，bundled 从内置模型（light），或一个先验模型文件。",
        name_zh="起点",
        unit="start",
    )
    imagenet: str | None = option(
        None,
        "The file of ResNet-50's weights, for paper. Default: torchvision's own in torch's hub cache.",
        zh="ResNet-50 的权重文件，用于 paper。默认用 torch 的 hub 缓存里 torchvision 的文件。",
        name_zh="ImageNet 权重",
        unit="file",
    )
    precision: str = option(
        "float32",
        "Of the arithmetic; the weights are float32.",
        zh="运算的精度；权重始终是 float32。",
        name_zh="精度",
        choices=("float32", "bfloat16"),
    )
    seed: int = options.seed("Order of the data and first weights.", "决定数据顺序和初始权重。")
    checkpoint_every: int = options.checkpoint_every(200)
    example_every: int = option(
        50,
        "Steps between two looks at the example.",
        zh="每隔多少步看一次示例。",
        name_zh="预览间隔",
        unit="steps",
        low=1,
    )
    workers: int = option(
        0,
        "Processes that read frames beside the training. 0: the training reads them itself.",
        zh="在训练之外读取画面的进程数。0：由训练进程自己读取。",
        name_zh="读取进程",
        unit="processes",
        low=0,
    )

    def __post_init__(self):
        object.__setattr__(self, "crop", tuple(self.crop))
        own = dict(OWN.get(self.model, {}))
        if self.model == "light" and self.start != "scratch":
            own["rate"] = FROM_A_PRIOR
        for name, value in own.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)
        require_valid(self)
        if any(side % SIDE for side in self.crop):
            raise ClearError(
                f"The crop is {self.crop[0]}x{self.crop[1]} pixels; both sides must be multiples of {SIDE}."
            )
        # at 1/32 one value is left, which has no deviation for BatchNorm to divide by
        if self.batch * self.crop[0] * self.crop[1] == SIDE * SIDE:
            raise ClearError(
                "One frame of 32x32 pixels a step is too little to train on; choose a larger crop or batch."
            )
