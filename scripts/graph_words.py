"""What the graphs of the template browser are called, and what stands on their nodes, by language.

ComfyUI gives names of its own templates in the page's language, and of a pack's none: a pack's graphs stand there by
the names of their files. So there is a set of files for each language, of which web/templates.js shows the page's.
"""

from __future__ import annotations

from pathlib import Path

NOTES = Path(__file__).resolve().parent / "notes"
ENGLISH, CHINESE = "en", "zh"

NAMES = {
    "Remove subtitles (no download)": "去除字幕（无需下载）",
    "Remove subtitles (Wan2.1 + CLEAR)": "去除字幕（Wan2.1 + CLEAR）",
    "Remove subtitles (MiniMax-Remover)": "去除字幕（MiniMax-Remover）",
    "Remove subtitles from a whole film": "去除整部影片的字幕",
    "Remove subtitles (one node)": "去除字幕（单个节点）",
    "Remove subtitles (any other model)": "去除字幕（其他任意模型）",
    "Remove with your own mask (logo, watermark)": "按自己画的区域去除（台标、水印）",
    "Remove what you name (text to mask, SAM3)": "用文字说出要去除的东西（SAM3）",
    "Clean, then upscale": "去除字幕后放大",
    "Show where subtitles are": "查看字幕在哪里",
    "Make training pairs": "制作训练视频对",
    "Train a LoRA from clean film": "用无字幕影片训练 LoRA",
    "Train a LoRA from this film": "用这部影片自身训练 LoRA",
    "Train a prior": "训练先验模型（查找字幕）",
}
"""In the order of the template browser, which web/templates.js keeps; the Chinese set in the same."""
TITLES = {
    "A frame, its pseudo-label, what the prior marks": "一帧、它的伪标签、先验模型的标记",
    "Any other model, in place of this": "换成其他任意模型",
    "Before, after, where the model sees the subtitle": "去除前、去除后、模型认为的字幕位置",
    "Clean half": "无字幕的一半",
    "Clean video": "无字幕视频",
    "Curves": "曲线",
    "Film and heat": "影片与热度",
    "How its lines look": "字幕的外观",
    "How much of each frame is subtitle": "每一帧中字幕所占的比例",
    "Pairs from this film": "取自这部影片的视频对",
    "Read me": "说明",
    "Remove subtitles": "去除字幕",
    "Report": "报告",
    "SAM3": "SAM3",
    "Subtitled half": "带字幕的一半",
    "The film": "影片",
    "The lines": "烧录的字幕",
    "Video with subtitles": "带字幕的视频",
    "What shall go": "要去除什么",
    "What was burned, and its exact mask": "烧录的内容及其精确遮罩",
    "What was found": "找到了什么",
}


def name_in(language: str, name: str) -> str:
    """A graph's name, from its English one."""
    return NAMES[name] if language == CHINESE else name


def title_in(language: str, title: str) -> str:
    """What stands above a node. Raises KeyError for a title that is not translated."""
    return TITLES[title] if language == CHINESE else title


def note_in(language: str, name: str) -> str:
    """A graph's note, scripts/notes/LANGUAGE/NAME.md."""
    return (NOTES / language / f"{name}.md").read_text(encoding="utf-8").rstrip("\n")
