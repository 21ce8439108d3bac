"""The pack's nodes."""
from comfy_api.latest import ComfyExtension, io


class ClearExtension(ComfyExtension):
    """What ComfyUI asks for the list of nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        from . import load
        from .burn import BurnSubtitles
        from .compare import BeforeAfter
        from .demo_clip import offer_demo_clip
        from .files import register_folder
        from .pairs import LoadPairs
        from .prior import PriorMask
        from .remove import SubtitleRemove
        from .train_lora import TrainLoRA
        from .train_prior import TrainPrior
        register_folder()
        offer_demo_clip()
        return [load.LoadNano, load.LoadModel, load.ApplyLoRA, load.Prompt, SubtitleRemove, BeforeAfter, PriorMask, TrainPrior, BurnSubtitles,
                LoadPairs, TrainLoRA]
