"""What is connected to a node that removes, as an engine."""

from __future__ import annotations

from ...clear_runtime.engines.engine import Engine
from ...clear_runtime.engines.options import EngineOptions
from .backend import clear_engine
from .kinds import is_minimax
from .minimax import minimax_engine


def comfy_engine(model, vae, positive, negative, cfg: float, options: EngineOptions) -> Engine:
    """The connected MODEL, VAE and CONDITIONING as the engine that the MODEL is of.

    Raises ClearError when something is missing or does not belong together.
    """
    make = minimax_engine if is_minimax(model) else clear_engine
    return make(model, vae, positive, negative, cfg, options)
