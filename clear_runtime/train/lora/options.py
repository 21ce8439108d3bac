"""The options of a Stage II run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ...option import Option, option, require_valid
from .. import options
from . import losses

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
TARGETS = ("q", "k", "v", "o", "ffn.0", "ffn.2")
"""CLEAR's layers, as PEFT matches them: ten modules a block, in self- and cross-attention and the feed-forward."""
CONTROLS = ("as is", "prefilled", "both")

_CROP = {
    "frames": Option(
        "Frames of an example, rounded down to 4k + 1. 0, or more than a clip has: the whole clip. Memory grows with "
        "it.",
        zh="每个样本的帧数，向下取到 4k + 1。0 或多于片段的帧数：整个片段。数值越大，占用内存越多。",
        name_zh="帧数",
        more="A clip that is shorter, or of another shape, gives smaller examples, and leaves the others as they are.",
        more_zh="较短或形状不同的片段给出较小的样本，不影响其他片段。",
        low=1,
        most=1001,
    ),
    "height": Option(
        "Height of an example in pixels, cut from the clip around the subtitle. 0, or more than a clip has: its whole "
        "height.",
        zh="样本的高度（像素），从片段中字幕附近裁出。0 或大于片段：整个高度。",
        name_zh="高度",
        low=16,
        most=4096,
        step=16,
    ),
    "width": Option(
        "Width of an example in pixels. 0, or more than a clip has: its whole width.",
        zh="样本的宽度（像素）。0 或大于片段：整个宽度。",
        name_zh="宽度",
        low=16,
        most=4096,
        step=16,
    ),
}
"""What the crop is made of; 0 for all of a clip is a node's way to say it."""


@dataclass(frozen=True)
class LoraOptions:
    """CLEAR's own values where it names them. Raises ClearError for values that cannot work."""

    steps: int = option(
        1000,
        "Training steps in all, over every start. More steps under the same name go on from the last.",
        zh="总训练步数，包括各次接续训练。同一名称下增加步数，会从上次的末尾接着训练。",
        name_zh="步数",
        unit="steps",
        low=1,
        most=1_000_000,
    )
    rate: float = option(
        1e-4,
        "Learning rate, no unit. CLEAR has 0.0001.",
        zh="学习率，无单位。CLEAR 用 0.0001。",
        name_zh="学习率",
        over=0,
        under=math.inf,
        least=1e-7,
        most=0.1,
        step=1e-6,
        fine=True,
    )
    schedule: str = option(
        "constant",
        "Of the learning rate: constant (CLEAR), or cosine, which falls to nothing after a warm-up.",
        zh="学习率的变化：constant 不变（CLEAR），cosine 在预热之后降到零。",
        name_zh="学习率变化",
        choices=("constant", "cosine"),
    )
    weight_decay: float = options.weight_decay(1e-2)
    rank: int = option(
        64,
        "Rank of the LoRA; its size grows with it. CLEAR has 64.",
        zh="LoRA 的秩；文件大小随之增长。CLEAR 用 64。",
        name_zh="秩",
        low=1,
        most=512,
    )
    targets: tuple[str, ...] = option(
        TARGETS,
        "Layers that the LoRA changes, in every block; on a node with commas between. These are CLEAR's.",
        zh="LoRA 在每个块中改动的层；节点上用逗号分隔。默认为 CLEAR 所用的。",
        name_zh="目标层",
        unit="layer",
    )
    batch: int = option(
        1,
        "Examples that are computed together. Memory grows with it.",
        zh="同时计算的样本数。数值越大，占用内存越多。",
        name_zh="批量",
        unit="examples",
        low=1,
        most=64,
    )
    accumulate: int = option(
        1,
        "Batches before the weights move: as good as a larger batch, without its memory.",
        zh="多少批之后更新一次权重：效果等于更大的批量，但不多占内存。",
        name_zh="累积",
        unit="batches",
        low=1,
        most=1024,
    )
    crop: tuple[int, int, int] = option(
        (81, 480, 832),
        "Frames, height and width in pixels of an example, cut from the clip around the subtitle. Memory grows with "
        "it.",
        zh="每个样本的帧数、高度和宽度（像素），从片段中字幕附近裁出。数值越大，占用内存越多。",
        name_zh="裁剪",
        parts=_CROP,
    )
    control: str = option(
        "as is",
        "What the model is shown while it learns: the subtitled frames as is (the paper's way), with the subtitle "
        "filled in beforehand (prefilled), or both, each half of the time.",
        zh="训练时给模型看什么：原样的带字幕画面（as is，论文的做法）、预先填补掉字幕的画面（prefilled），"
        "或各占一半（both）。",
        name_zh="控制画面",
        choices=CONTROLS,
    )
    recipe: str = option(
        "prior",
        "What the loss is made of. prior: the flow's error, weighed by the prior's mask; the best in our comparison. "
        "paper: all of the paper's terms; its rows: lora only, focal prior, distillation, adaptation. paper, not "
        "focal; paper, detached; paper, ramped; feedback: variants. released: what the published weights were trained "
        "by.",
        zh="损失由哪些项组成。prior：流匹配误差，按先验遮罩加权；在我们的对比中最好。paper：论文的全部各项；"
        "论文消融实验的各行：lora only、focal prior、distillation、adaptation。"
        "paper, not focal、paper, detached、paper, ramped、feedback：变体。released：公开权重所用的训练方法。",
        name_zh="损失组成",
        unit="recipe",
        choices=tuple(losses.RECIPES),
    )
    middle: int | None = option(
        None,
        "The block whose activations the occlusion head reads, from 0. Default: the middle one.",
        zh="遮挡头读取哪一块的激活，从 0 数起。默认为中间的一块。",
        name_zh="中间块",
        unit="block",
    )
    precision: str = option(
        "bfloat16",
        "Of the frozen weights and the arithmetic; the LoRA itself is float32.",
        zh="冻结权重与运算的精度；LoRA 本身始终是 float32。",
        name_zh="精度",
        choices=tuple(DTYPES),
    )
    checkpointing: bool = option(
        True,
        "Compute each block twice instead of keeping what its gradient needs: a fraction of the memory, a third more "
        "time.",
        zh="每个块算两遍，而不是保留求梯度所需的内容：内存只要一小部分，时间多三分之一。",
        name_zh="重算",
    )
    optimiser: str = option(
        "adamw",
        "adamw8bit saves memory and needs the package bitsandbytes.",
        zh="adamw8bit 更省内存，需要安装 bitsandbytes。",
        name_zh="优化器",
        choices=("adamw", "adamw8bit"),
    )
    average: float = option(
        0.0,
        "Decay of the moving average of the weights, which is saved in their place. 0: none.",
        zh="权重滑动平均的衰减系数，保存的是平均后的权重。0：不用。",
        name_zh="滑动平均",
        low=0,
        under=1,
    )
    start: str | None = option(
        None,
        "A LoRA to train on from. Rank and targets are then its own.",
        zh="从哪个 LoRA 接着训练。秩和目标层随它而定。",
        name_zh="起点",
        unit="file",
    )
    seed: int = options.seed(
        "First weights, and order, places and noise of the examples.", "决定初始权重，以及样本的顺序、位置和噪声。"
    )
    sampler_steps: int = option(
        5,
        "Steps of the sampler whose noise levels are trained on more often than others.",
        zh="采样器的步数；它用到的噪声水平会更常训练。",
        name_zh="采样步数",
        unit="steps",
        low=1,
    )
    at_steps: float = option(
        0.5,
        "Share of the noise levels, 0 to 1, that are the sampler's own.",
        zh="有多大比例的噪声水平取自采样器，0 到 1。",
        name_zh="采样水平占比",
        low=0,
        high=1,
    )
    checkpoint_every: int = options.checkpoint_every(100)
    example_every: int = option(
        50,
        "Steps between two looks at the example; each costs five sampler steps.",
        zh="每隔多少步看一次示例；每次要花五个采样步。",
        name_zh="预览间隔",
        unit="steps",
        low=1,
        most=100_000,
    )

    def __post_init__(self):
        object.__setattr__(self, "targets", tuple(self.targets))
        object.__setattr__(self, "crop", tuple(self.crop))
        require_valid(self)
