"""The network that Stage II trains: DiffSynth's Wan, frozen, with a LoRA by PEFT and the occlusion head on a middle
block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ...checkpoint import write_tensors
from ...engines import lora as lora_files
from ...engines.denoiser import control_condition, inject_lora, wan_model
from ...errors import ClearError
from ...wan import CLIP_VISION_SHAPE, TIMESTEPS
from .occlusion_head import OcclusionHead
from .options import TARGETS

LORA, HEAD = "lora.safetensors", "occlusion_head.safetensors"
"""The files that a run writes (save)."""
PUBLISHED = {LORA: "{}.safetensors", HEAD: "{}.occlusion_head.safetensors"}
"""What they are called where they are used; {} stands for the run's name."""


class Adapted(nn.Module):
    """velocity and M_pred from noisy latents; only the LoRA and the head can learn.

    base: weights in DiffSynth's names. They are taken as they are, without a copy, unless dtype or device say
    otherwise. rank, targets: of a new LoRA, scale 1. start: a normalised LoRA to train on from instead; rank and
    targets are then its own. middle: the block whose activations the head reads; None for the middle one.
    checkpointing: keep a block's input only, and compute the block again for its gradient. temporal: what differences
    of frames count to begin with, a number that is learned too; None for no such number.
    """

    def __init__(
        self,
        base: Mapping[str, Tensor],
        rank: int = 64,
        targets: Sequence[str] = TARGETS,
        start: Mapping[str, Tensor] | None = None,
        middle: int | None = None,
        checkpointing: bool = True,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        temporal: float | None = None,
    ):
        super().__init__()
        self.wan = wan_model(base).to(device, dtype).requires_grad_(False)
        if start is not None:
            inject_lora(self.wan, start)
        else:
            _new_lora(self.wan, rank, targets)
        for name, parameter in self.lora().items():
            # it moves by less than half precision can tell, and what it starts from was rounded to the base's format on
            # the way in
            value = parameter.data if start is None else start[name]
            parameter.data = value.to(device, torch.float32, copy=True)
            parameter.requires_grad_()
        for module in self.wan.modules():
            if hasattr(module, "cast_input_dtype_enabled"):
                # PEFT would make float32 of half-precision inputs, and autocast half precision of that again
                module.cast_input_dtype_enabled = False
        self.middle = len(self.wan.blocks) // 2 if middle is None else middle
        require_block(self.middle, len(self.wan.blocks))
        self.head = OcclusionHead(self.wan.dim).to(device)
        self.temporal = None if temporal is None else nn.Parameter(torch.tensor(temporal, device=device))
        self.checkpointing, self.dtype = checkpointing, dtype
        self.train()

    def forward(self, noisy: Tensor, control: Tensor, sigma: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """noisy, control [N, 16, t, h, w] in model space, sigma [N], context [1, tokens, 4096] -> velocity [N, 16, t,
        h, w], M_pred [N, t, h, w]."""
        # takes seconds to import: only where something is trained
        from diffsynth.pipelines.wan_video import model_fn_wan_video

        n, device = len(noisy), noisy.device
        # The hook is there for this pass alone: one that stayed would hear the checkpoint compute the block again, and
        # keep it.
        heard: list[Tensor] = []
        hook = self.wan.blocks[self.middle].register_forward_hook(lambda block, inputs, output: heard.append(output))
        try:
            # the timestep stays in full precision: bfloat16 makes 556 of the sampler's 555.6
            with torch.autocast(device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16):
                velocity = model_fn_wan_video(
                    self.wan,
                    latents=noisy.to(self.dtype),
                    timestep=TIMESTEPS * sigma.float(),
                    context=context.to(device, self.dtype).expand(n, -1, -1),
                    clip_feature=torch.zeros(n, *CLIP_VISION_SHAPE[1:], dtype=self.dtype, device=device),
                    y=control_condition(control).to(self.dtype),
                    use_gradient_checkpointing=self.checkpointing and torch.is_grad_enabled(),
                )
        finally:
            hook.remove()
        return velocity.float(), self.head(heard[0], tuple(noisy.shape[2:]))

    def lora(self) -> dict[str, nn.Parameter]:
        """The LoRA's parameters by normalised name (clear_runtime.engines.lora)."""
        return {name.replace(".default.", "."): p for name, p in self.wan.named_parameters() if ".lora_" in name}

    def learned(self) -> dict[str, nn.Parameter]:
        """Everything that trains: the LoRA, the head as `head.NAME`, and `temporal` where there is that."""
        more = {} if self.temporal is None else {"temporal": self.temporal}
        return {**self.lora(), **{f"head.{name}": p for name, p in self.head.named_parameters()}, **more}

    @property
    def share(self) -> float:
        """The LoRA's share of all parameters of the adapted transformer, 0..1."""
        return sum(p.numel() for p in self.lora().values()) / sum(p.numel() for p in self.wan.parameters())


def require_targets(targets: Sequence[str], modules: Sequence[str]) -> None:
    """Raise ClearError unless every target ends the name of a linear layer inside the blocks, where the LoRA goes."""
    inside = [name for name in modules if name.startswith("blocks.")]
    strange = [target for target in targets if not any(name.endswith("." + target) for name in inside)]
    if strange or not targets:
        raise ClearError(
            f"No layer inside the model's blocks ends in {', '.join(strange) or 'nothing'}. CLEAR's targets are "
            f"{', '.join(TARGETS)}."
        )


def require_block(middle: int | None, blocks: int) -> None:
    """Raise ClearError unless there is a block of that number, or none is named."""
    if middle is not None and not 0 <= middle < blocks:
        raise ClearError(f"There is no block {middle}: this model has blocks 0 to {blocks - 1}.")


def _new_lora(wan: nn.Module, rank: int, targets: Sequence[str]) -> None:
    # takes seconds to import: only where something is trained
    from peft import LoraConfig, inject_adapter_in_model

    names = [name for name, module in wan.named_modules() if isinstance(module, nn.Linear)]
    require_targets(targets, names)
    # only inside the blocks: what is around them is shared by all steps and has no place in CLEAR's files
    modules = [
        name
        for name in names
        if name.startswith("blocks.") and name.endswith(tuple("." + target for target in targets))
    ]
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=rank, target_modules=modules), wan)


def save(
    path, model: Adapted, values: Mapping[str, Tensor] | None = None, metadata: Mapping[str, str] | None = None
) -> None:
    """Write `lora.safetensors` (half precision, ComfyUI's names) and `occlusion_head.safetensors` into a folder.

    values: what to write instead of the parameters as they are (their moving average).
    """
    values = values or model.learned()
    lora_files.write_lora(path / LORA, {name: values[name].detach().half() for name in model.lora()}, metadata)
    write_tensors(
        path / HEAD,
        {name: values[f"head.{name}"].detach() for name in model.head.state_dict()},
        {"block": str(model.middle)},
    )
