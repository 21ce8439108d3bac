"""The bundled model as an engine: CLEAR's, kept within what so small a network was trained for."""

from __future__ import annotations

from ..clear import ClearEngine
from ..codec import Codec
from ..denoiser import Denoiser
from ..options import EngineOptions
from .limits import CONTEXT, SHARE, WORKING_PIXELS, InPieces


def nano_engine(codec: Codec, denoiser: Denoiser, options: EngineOptions = EngineOptions()) -> ClearEngine:
    """codec and denoiser are the bundled ones, from DiffSynth or ComfyUI. Steps stay as they are: they are the
    user's."""
    return ClearEngine(
        codec,
        InPieces(denoiser),
        options,
        SHARE,
        max_pixels=WORKING_PIXELS,
        context=CONTEXT,
        control="prefilled",
        region="subtitle band",
    )
