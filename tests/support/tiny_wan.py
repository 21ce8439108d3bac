"""A small Wan of the Fun-Control shape with random weights, and a random LoRA for it: what the equality tests share."""

import torch

TARGETS = (
    "self_attn.q",
    "self_attn.k",
    "self_attn.v",
    "self_attn.o",
    "cross_attn.q",
    "cross_attn.k",
    "cross_attn.v",
    "cross_attn.o",
    "ffn.0",
    "ffn.2",
)


def wan_state(width=256, ffn=512, blocks=2, channels=48, seed=0) -> dict[str, torch.Tensor]:
    """Weights in DiffSynth's names; noisy enough that every part of the model matters."""
    from diffsynth.models.wan_video_dit import WanModel

    torch.manual_seed(seed)
    model = WanModel(
        dim=width,
        in_dim=channels,
        ffn_dim=ffn,
        out_dim=16,
        text_dim=4096,
        freq_dim=256,
        eps=1e-6,
        patch_size=(1, 2, 2),
        num_heads=width // 128,
        num_layers=blocks,
        has_image_input=True,
        has_ref_conv=True,
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return {name: value.clone() for name, value in model.state_dict().items()}


def lora_state(state, rank=4, seed=1, scale=0.05) -> dict[str, torch.Tensor]:
    """A normalised LoRA over every target of CLEAR."""
    generator, out = torch.Generator().manual_seed(seed), {}
    for name, weight in state.items():
        module = name.removesuffix(".weight")
        if name.startswith("blocks.") and module.endswith(TARGETS) and weight.ndim == 2:
            out[f"{module}.lora_A.weight"] = torch.randn(rank, weight.shape[1], generator=generator) * scale
            out[f"{module}.lora_B.weight"] = torch.randn(weight.shape[0], rank, generator=generator) * scale
    return out


def vae_state(dim=8, seed=2) -> dict[str, torch.Tensor]:
    """Wan2.1's VAE with few channels and random weights, in the released names."""
    from diffsynth.models.wan_video_vae import VideoVAE_

    torch.manual_seed(seed)
    return {name: value.clone() for name, value in VideoVAE_(dim=dim, z_dim=16).state_dict().items()}


def window(frames=3, height=8, width=12, tokens=20, seed=3):
    """noise, control [1, 16, t, h, w] and a text embedding [1, tokens, 4096]."""
    generator = torch.Generator().manual_seed(seed)
    noise, control = (torch.randn(1, 16, frames, height, width, generator=generator) for _ in range(2))
    return noise, control, torch.randn(1, tokens, 4096, generator=generator)
