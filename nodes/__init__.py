"""The pack's nodes."""

from comfy_api.latest import ComfyExtension, io


class ClearExtension(ComfyExtension):
    """What ComfyUI asks for the list of nodes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        # whoever imports one file of this folder need not import them all
        from . import load
        from .areas import DrawAreas
        from .burn import BurnSubtitles
        from .comfy import film_facts, live
        from .comfy.demo_clip import offer_demo_clip
        from .comfy.files import register_folder
        from .compare import BeforeAfter
        from .composite import Composite
        from .load_minimax import LoadMiniMax
        from .prior import PriorMask
        from .remove import SubtitleRemove
        from .remove_video import SubtitleRemoveVideo
        from .train.lora import TrainLoRA
        from .train.pairs import LoadPairs
        from .train.prior import TrainPrior

        register_folder()
        offer_demo_clip()
        live.offer_routes()
        film_facts.offer_routes()
        return [
            load.LoadNano,
            load.LoadModel,
            LoadMiniMax,
            load.ApplyLoRA,
            load.Prompt,
            SubtitleRemove,
            SubtitleRemoveVideo,
            DrawAreas,
            Composite,
            BeforeAfter,
            PriorMask,
            TrainPrior,
            BurnSubtitles,
            LoadPairs,
            TrainLoRA,
        ]
