"""The bundled transformer while it is trained: Wan's Fun-Control network, written for speed on small inputs.

Same tensors and arithmetic as DiffSynth's and ComfyUI's Wan (a test holds them equal), with three differences that cost
nothing: the bundled prompt is constant, so each cross-attention is the constant it gives; the LoRA is merged into its
layers on the fly, so that base and LoRA train together; and rotary positions are real numbers.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from ...wan import CHANNELS, NORM_EPS, PATCH, TEXT_WIDTH, TIME_WIDTH, VISION_WIDTH

DIM, HEADS, FFN, LAYERS, RANK = 256, 2, 1024, 6, 32
"""Channels of a token, heads (of Wan's width), channels between a block's last two layers, blocks, rank of the LoRA."""
CARRIER = 4.0
"""The constant that every second free channel of a token carries (see NanoWan), in units of a latent's deviation."""
THETA = 10000.0
"""Base of the frequencies of rotary positions and of timesteps, as Wan has it."""
ALONG = ("t angle -> t 1 1 angle", "h angle -> 1 h 1 angle", "w angle -> 1 1 w angle")
"""What changes with one axis of the grid alone, laid along it."""


class LoraLinear(nn.Linear):
    """A linear layer with a LoRA of scale 1 that can be switched off."""

    def __init__(self, inward: int, outward: int, rank: int):
        super().__init__(inward, outward)
        self.down, self.up = (
            nn.Parameter(torch.randn(rank, inward) / inward**0.5),
            nn.Parameter(torch.zeros(outward, rank)),
        )
        self.lora = True

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight + self.up @ self.down if self.lora else self.weight, self.bias)


def rotary(shape: tuple[int, int, int], head: int, device) -> tuple[Tensor, Tensor]:
    """Cosine and sine [tokens, head / 2] for a grid of tokens: the head is shared among time, height and width as Wan
    does."""
    sizes = (head - 2 * (head // 3), head // 3, head // 3)
    angles = []
    for axis, (count, size) in enumerate(zip(shape, sizes)):
        rates = THETA ** (-torch.arange(0, size, 2, device=device, dtype=torch.float64) / size)
        along = rearrange(torch.arange(count, device=device)[:, None] * rates, ALONG[axis])
        angles.append(along.expand(*shape, -1))
    of_tokens = rearrange(torch.cat(angles, -1), "t h w angle -> (t h w) angle")
    return of_tokens.cos().float(), of_tokens.sin().float()


def rotate(x: Tensor, position: tuple[Tensor, Tensor]) -> Tensor:
    """x [N, tokens, heads, head]; neighbouring channels are the two parts of one complex number."""
    cos, sin = (p[:, None].to(x.dtype) for p in position)
    a, b = rearrange(x, "... (pair two) -> two ... pair", two=2)
    return rearrange([a * cos - b * sin, a * sin + b * cos], "two ... pair -> ... (pair two)")


class _Attention(nn.Module):
    def __init__(self, dim: int, rank: int):
        super().__init__()
        self.q, self.k, self.v, self.o = (LoraLinear(dim, dim, rank) for _ in range(4))
        self.norm_q, self.norm_k = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor, position) -> Tensor:
        dim = x.shape[-1]
        q, k = (
            F.rms_norm(self.q(x), (dim,), self.norm_q, NORM_EPS),
            F.rms_norm(self.k(x), (dim,), self.norm_k, NORM_EPS),
        )
        q, k, v = (rearrange(y, "n s (head c) -> n s head c", head=HEADS) for y in (q, k, self.v(x)))
        q, k = rotate(q, position).to(v.dtype), rotate(k, position).to(v.dtype)
        y = F.scaled_dot_product_attention(*(rearrange(y, "n s head c -> n head s c") for y in (q, k, v)))
        return self.o(rearrange(y, "n head s c -> n s (head c)"))


class _Block(nn.Module):
    def __init__(self, dim: int, ffn: int, rank: int):
        super().__init__()
        self.attention = _Attention(dim, rank)
        self.prompt = nn.Parameter(torch.zeros(dim))  # what the cross-attention to a constant prompt adds
        self.widen, self.narrow = LoraLinear(dim, ffn, rank), LoraLinear(ffn, dim, rank)
        self.modulation = nn.Parameter(torch.zeros(1, 6, dim))
        with torch.no_grad():
            self.modulation[:, (2, 5)] = 1.0
            for last in (self.attention.o, self.narrow):
                last.weight.mul_(0.01), last.bias.zero_()  # at first a block adds next to nothing

    def forward(self, x: Tensor, time: Tensor, position) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.modulation + time).chunk(6, 1)
        norm = lambda y: F.layer_norm(y, y.shape[-1:], eps=NORM_EPS)
        x = x + gate1 * self.attention(norm(x) * (1 + scale1) + shift1, position)
        x = x + self.prompt
        return x + gate2 * self.narrow(F.gelu(self.widen(norm(x) * (1 + scale2) + shift2), approximate="tanh"))


class NanoWan(nn.Module):
    """velocity = f(x, control, timestep), latents [N, 16, t, h, w] in model space, timestep = 1000 sigma [N].

    At the start velocity = x - control, so the network begins by repeating its control. Every second free channel of a
    token carries a large constant: layer norm then hardly depends on the content, and the repetition is exact to a few
    per cent instead of being scaled token by token.
    """

    def __init__(self, dim: int = DIM, ffn: int = FFN, layers: int = LAYERS, rank: int = RANK):
        super().__init__()
        cells = CHANNELS * math.prod(PATCH)
        self.patch = nn.Linear(2 * cells, dim)
        self.time1, self.time2, self.time3 = nn.Linear(TIME_WIDTH, dim), nn.Linear(dim, dim), nn.Linear(dim, 6 * dim)
        self.blocks = nn.ModuleList(_Block(dim, ffn, rank) for _ in range(layers))
        self.modulation, self.head = nn.Parameter(torch.zeros(1, 2, dim)), nn.Linear(dim, cells)
        with torch.no_grad():
            for p in (
                self.patch.weight,
                self.patch.bias,
                self.head.weight,
                self.head.bias,
                self.time2.bias,
                self.time3.bias,
            ):
                p.zero_()
            self.time2.weight.mul_(0.1), self.time3.weight.mul_(0.1)  # at first the timestep hardly matters
            self.patch.weight[: 2 * cells] = torch.eye(2 * cells)
            free = dim - 2 * cells
            self.patch.bias[2 * cells :] = CARRIER * torch.tensor([1.0, -1.0]).repeat(free // 2)
            spread = math.sqrt((2 * cells + free * CARRIER**2) / dim)
            # written channel last, read channel first
            order = rearrange(torch.arange(cells), "(c cell) -> (cell c)", c=CHANNELS)
            repeat = spread * torch.eye(cells)[order]
            self.head.weight[:, :cells], self.head.weight[:, cells : 2 * cells] = repeat, -repeat

    def forward(self, x: Tensor, control: Tensor, timestep: Tensor) -> Tensor:
        _, _, t, h, w = x.shape
        cut = lambda z: rearrange(z, "n c t (h p) (w q) -> n (t h w) (c p q)", p=PATCH[1], q=PATCH[2])
        half = TIME_WIDTH // 2
        rates = THETA ** (-torch.arange(half, device=x.device, dtype=torch.float64) / half)
        angles = timestep.double()[:, None] * rates
        time = self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()], 1).float())))
        by_block = rearrange(self.time3(F.silu(time)), "n (six c) -> n six c", six=6)
        position = rotary((t, h // 2, w // 2), self.patch.out_features // HEADS, x.device)
        with torch.autocast(x.device.type, enabled=False):  # repeating the control takes more digits than bfloat16 has
            y = self.patch(torch.cat([cut(x), cut(control)], -1))
        for block in self.blocks:
            y = block(y, by_block, position)
        with torch.autocast(x.device.type, enabled=False):
            shift, scale = (self.modulation + time.float()[:, None]).chunk(2, 1)
            y = self.head(F.layer_norm(y.float(), y.shape[-1:], eps=NORM_EPS) * (1 + scale) + shift)
        # Wan writes a patch back with the channel last
        grid = dict(t=t, h=h // PATCH[1], w=w // PATCH[2], p=PATCH[1], q=PATCH[2])
        return rearrange(y, "n (t h w) (p q c) -> n c t (h p) (w q)", **grid)

    def use_lora(self, on: bool) -> None:
        for module in self.modules():
            if isinstance(module, LoraLinear):
                module.lora = on


def export(state: dict[str, Tensor], layers: int = LAYERS) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """State of a NanoWan -> (base in DiffSynth's names, LoRA in PEFT's names without the adapter's).

    Cross-attention comes out with zero queries, keys and values and the constant as its output bias; what only serves
    prompts, images and reference frames is zero.
    """
    base = _around_the_blocks(state)
    lora: dict[str, Tensor] = {}
    for i in range(layers):
        _export_block(f"blocks.{i}.", state, base, lora)
    return base, lora


def _around_the_blocks(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What lies before and behind the blocks, in DiffSynth's names."""
    dim = state["patch.weight"].shape[0]
    zeros = torch.zeros
    cells = CHANNELS * 4
    patch = zeros(dim, 3 * cells)
    patch[:, : 2 * cells] = state["patch.weight"]
    return {
        "patch_embedding.weight": patch.view(dim, 3 * CHANNELS, *PATCH),
        "patch_embedding.bias": state["patch.bias"],
        "text_embedding.0.weight": zeros(dim, TEXT_WIDTH),
        "text_embedding.0.bias": zeros(dim),
        "text_embedding.2.weight": zeros(dim, dim),
        "text_embedding.2.bias": zeros(dim),
        "time_embedding.0.weight": state["time1.weight"],
        "time_embedding.0.bias": state["time1.bias"],
        "time_embedding.2.weight": state["time2.weight"],
        "time_embedding.2.bias": state["time2.bias"],
        "time_projection.1.weight": state["time3.weight"],
        "time_projection.1.bias": state["time3.bias"],
        "head.head.weight": state["head.weight"],
        "head.head.bias": state["head.bias"],
        "head.modulation": state["modulation"],
        "img_emb.proj.0.weight": torch.ones(VISION_WIDTH),
        "img_emb.proj.0.bias": zeros(VISION_WIDTH),
        "img_emb.proj.1.weight": zeros(VISION_WIDTH, VISION_WIDTH),
        "img_emb.proj.1.bias": zeros(VISION_WIDTH),
        "img_emb.proj.3.weight": zeros(dim, VISION_WIDTH),
        "img_emb.proj.3.bias": zeros(dim),
        "img_emb.proj.4.weight": torch.ones(dim),
        "img_emb.proj.4.bias": zeros(dim),
        "ref_conv.weight": zeros(dim, CHANNELS, 2, 2),
        "ref_conv.bias": zeros(dim),
    }


def _export_block(block: str, state: dict[str, Tensor], base: dict[str, Tensor], lora: dict[str, Tensor]) -> None:
    """Add what is in a block of state, its names beginning with `block`, to base and lora."""
    zeros, dim, rank = torch.zeros, state["patch.weight"].shape[0], state[f"{block}widen.down"].shape[0]
    for ours, theirs in (
        ("attention.q", "self_attn.q"),
        ("attention.k", "self_attn.k"),
        ("attention.v", "self_attn.v"),
        ("attention.o", "self_attn.o"),
        ("widen", "ffn.0"),
        ("narrow", "ffn.2"),
    ):
        for part in ("weight", "bias"):
            base[f"{block}{theirs}.{part}"] = state[f"{block}{ours}.{part}"]
        lora[f"{block}{theirs}.lora_A.weight"], lora[f"{block}{theirs}.lora_B.weight"] = (
            state[f"{block}{ours}.down"],
            state[f"{block}{ours}.up"],
        )
    for name in ("q", "k", "v", "o", "k_img", "v_img"):
        base[f"{block}cross_attn.{name}.weight"], base[f"{block}cross_attn.{name}.bias"] = (zeros(dim, dim), zeros(dim))
    base[f"{block}cross_attn.o.bias"] = state[f"{block}prompt"]
    for name in ("q", "k", "v", "o"):
        lora[f"{block}cross_attn.{name}.lora_A.weight"], lora[f"{block}cross_attn.{name}.lora_B.weight"] = (
            zeros(rank, dim),
            zeros(dim, rank),
        )
    for name in ("norm_q", "norm_k", "norm_k_img"):
        base[f"{block}cross_attn.{name}.weight"] = torch.ones(dim)
    base[f"{block}self_attn.norm_q.weight"], base[f"{block}self_attn.norm_k.weight"] = (
        state[f"{block}attention.norm_q"],
        state[f"{block}attention.norm_k"],
    )
    base[f"{block}norm3.weight"], base[f"{block}norm3.bias"] = torch.ones(dim), zeros(dim)
    base[f"{block}modulation"] = state[f"{block}modulation"]
