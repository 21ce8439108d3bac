"""Which options a user meets where: on nodes, as flags and on help pages, all of them made from this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .data.synthetic.burn_style import BurnStyle
from .engines.options import EngineOptions, MiniMaxOptions
from .film.options import RemoveFilmOptions
from .find.options import MarkOptions
from .frames.windows import WindowOptions
from .option import AUTO, Option, described, kinds_of, made_of
from .options import RemoveOptions
from .train.lora.options import LoraOptions
from .train.prior.options import PriorOptions


@dataclass(frozen=True)
class ShownOption:
    """An option as it is shown: `name` there, `field` in its dataclass, the default there, what is said of it, and the
    type of its values."""

    name: str
    field: str
    default: Any
    about: Option
    kind: type

    def parts(self) -> list[ShownOption]:
        """A tuple of several things as so many options, and any other as itself."""
        if not self.about.parts:
            return [self]
        named = zip(self.about.parts.items(), self.default)
        return [ShownOption(name, self.field, value, about, self.kind) for (name, about), value in named]


@dataclass(frozen=True)
class Surface:
    """An options dataclass in one place where it is shown. defaults: by field, where they are not the dataclass's own.
    names: field -> the name there, where that is another; titles: field -> its Chinese name there. auto: field -> what
    AUTO comes to, in English and in Chinese, where it is a choice there and the default. own: name there -> what of its
    Option is another there. left_out: fields that only the command line shows."""

    of: type
    defaults: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    auto: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def shown(self) -> list[ShownOption]:
        """All options of the dataclass, in order."""
        kinds = kinds_of(self.of)
        return [
            self._there(
                ShownOption(
                    self.names.get(one.name, one.name),
                    one.name,
                    self.defaults.get(one.name, one.default),
                    about,
                    kinds[one.name],
                )
            )
            for one, about in described(self.of)
        ]

    def on_nodes(self) -> list[ShownOption]:
        """Those that nodes have, each part of a tuple as an option of its own."""
        mine = [one for one in self.shown() if one.field not in self.left_out]
        return [part if part is one else self._there(part) for one in mine for part in one.parts()]

    def _there(self, one: ShownOption) -> ShownOption:
        """The option with what is another there."""
        about = replace(one.about, **self.own.get(one.name, {}))
        if one.field not in self.auto:
            return replace(one, about=about)
        en, zh = self.auto[one.field]
        choices = (AUTO, *about.choices)
        about = replace(about, help=f"{about.help} auto: {en}", zh=f"{about.zh}auto：{zh}", choices=choices)
        return replace(one, about=about, default=AUTO)

    def title(self, one: ShownOption) -> str:
        """Its Chinese name."""
        return self.titles.get(one.field, one.about.name_zh)

    def options(self, given: Mapping[str, Any]) -> Any:
        """The dataclass from values by the names there; what is not given, or None, is the default there. Raises
        ClearError for a name that there is not, and for a value that cannot work."""
        rest = {name: value for name, value in given.items() if value is not None}
        values = {one.field: rest.pop(one.name, one.default) for one in self.shown()}
        return made_of(self.of, {**values, **rest})


def names_of(of: type) -> frozenset[str]:
    """The options of a dataclass, by name."""
    return frozenset(one.name for one, _ in described(of))


REMOVE = Surface(RemoveOptions, left_out=frozenset({"context", "max_pixels", "keep_change"}))
"""Remove Subtitles."""
REMOVE_VIDEO = Surface(RemoveFilmOptions, left_out=REMOVE.left_out | {"fps"})
"""Remove Subtitles (Video): the file knows its rate."""
REMOVE_FILES = replace(REMOVE_VIDEO, names={"start": "from", "end": "to"})
"""The command `remove`."""
COMPOSITE = Surface(
    RemoveOptions,
    own={
        "mask_from": {
            "help": "Where the replaced pixels are found. prior: by the subtitle prior that is chosen. difference: by "
            "what the other model changed. both: the prior's, and rows of text that only the other model took away. "
            "auto: prior.",
            "zh": "如何确定要替换的像素。prior：由所选的字幕先验模型判断。difference：看另一个模型改动了哪里。"
            "both：先验模型找到的，加上只有另一个模型抹去的文字行。auto：prior。",
            "more": "",
            "more_zh": "",
        },
        "second_look": {
            "help": "Look at the result once more. What can still be read of a line is replaced again under a wider "
            "mask, by the fill where the cleaned frames show it themselves, and what stays after that is reported.",
            "zh": "再检查一遍结果：仍能辨认的字幕用更大的遮罩重做一次，若 cleaned 的画面里本来就还有字，则改用填补；"
            "之后还剩下的写入报告。",
        },
    },
    left_out=names_of(WindowOptions) | names_of(EngineOptions) | {"output"},
)
"""Composite Subtitles: what paints is elsewhere."""
MASK = Surface(
    MarkOptions,
    defaults={"grow": 0},  # the marks as the prior sees them: nothing is removed yet
    names={"subtitles_only": "temporal"},  # inputs of a node are never renamed
    titles={"subtitles_only": "利用时间信息"},
    left_out=frozenset({"subtitle_use"}),  # it has no such mask
)
"""Prior Mask, and the command `mask`."""
TRAIN_LORA = Surface(
    LoraOptions,
    names={"example_every": "preview_every"},
    auto={
        "control": ("as is for Wan2.1, both for nano.", "Wan2.1 用 as is，Nano 用 both。"),
        "precision": (
            "bfloat16 where the GPU computes in it, float32 elsewhere.",
            "GPU 支持时用 bfloat16，否则用 float32。",
        ),
    },
    own={part: {"low": 0} for part in ("frames", "height", "width")},  # 0: the node's word for all of a clip
    left_out=frozenset(
        {
            "start",  # a list of files there
            "schedule",
            "weight_decay",
            "middle",
            "average",
            "sampler_steps",
            "at_steps",
            "checkpoint_every",
        }
    ),
)
"""Train CLEAR LoRA. The command `train-lora` shows the dataclass as it is."""
TRAIN_PRIOR = Surface(
    PriorOptions,
    defaults={"steps": 1000, "rate": 0.0},  # a short training on from the bundled prior
    own={
        "steps": {
            "help": "Training steps of this run, those before a Cancel included. They cannot be changed under one "
            "name: to train on, choose the finished prior in start, under another name.",
            "zh": "这次训练的总步数，含取消后接着训练的部分。同一名称下不能更改：想继续训练，请换一个名称，"
            "并在起点中选择已完成的先验模型。",
        },
        "rate": {
            "help": "Highest learning rate, no unit. 0: the model's own (light 0.003 from scratch and 0.0003 from a "
            "prior; paper 0.00002).",
            "zh": "最高学习率，无单位。0 表示用模型自己的默认值（light 从头训练为 0.003，从先验模型接着训练为 0.0003；"
            "paper 为 0.00002）。",
            "over": None,
            "low": 0.0,
        },
    },
    left_out=frozenset(
        {
            "start",  # a list of files there
            "crop",
            "long_side",
            "schedule",
            "weight_decay",
            "average",
            "imagenet",
            "precision",
            "checkpoint_every",
            "example_every",
            "workers",
        }
    ),
)
"""Train Prior. The command `train-prior` shows the dataclass as it is."""
LOAD_MINIMAX = Surface(MiniMaxOptions)
"""Load MiniMax-Remover."""
BURN = Surface(BurnStyle)
"""Burn Subtitles."""
NODES = {
    "CLEAR_LoadMiniMax": LOAD_MINIMAX,
    "CLEAR_SubtitleRemove": REMOVE,
    "CLEAR_SubtitleRemoveVideo": REMOVE_VIDEO,
    "CLEAR_Composite": COMPOSITE,
    "CLEAR_PriorMask": MASK,
    "CLEAR_BurnSubtitles": BURN,
    "CLEAR_TrainLoRA": TRAIN_LORA,
    "CLEAR_TrainPrior": TRAIN_PRIOR,
}
"""Node -> the options among its inputs."""
