"""The bar on a node while it runs, and Cancel."""

from __future__ import annotations

import comfy.model_management
import comfy.utils


def progress_bar(total: int = 1):
    """A callback (done, total, picture) that raises when the user has pressed Cancel, and else moves ComfyUI's bar.

    total: None leaves it as it is. picture: shown on the node, (format, PIL image, longest side).
    """
    bar = comfy.utils.ProgressBar(total)

    def advance(done: int, total: int | None = None, picture=None) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total, picture)

    return advance
