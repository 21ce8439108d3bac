"""The card by itself: its peak, the attention kernels, where a step's time goes, and what compiling would bring."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...engines.denoiser import DiffSynthDenoiser
from ...engines.schedule import sigmas
from ...wan import HEAD_WIDTH
from .part import Run, cost
from .shapes import ClipSize

BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "memory-efficient": SDPBackend.EFFICIENT_ATTENTION,
}
HEADS = 12  # of attention, in Wan2.1-1.3B


def matmul(run: Run) -> dict:
    """TFLOP/s of a large product of random bfloat16 matrices."""
    side = 256 if run.tiny else 8192
    a, b = (torch.randn(side, side, device=run.device).bfloat16() for _ in range(2))
    for _ in range(3):
        a @ b
    took = cost(run.device, lambda: a @ b, 20)
    return {"side": side, "tflops": round(2 * side**3 / took.seconds / 1e12, 3)}


def attention(run: Run, clips: list[ClipSize], dtype: torch.dtype) -> dict:
    """Milliseconds and TFLOP/s of one block's self-attention, by the kernel that computes it."""
    found = {}
    for clip in clips:
        heads = 1 if run.tiny else HEADS
        q, k, v = (torch.randn(1, heads, clip.tokens, HEAD_WIDTH, device=run.device).to(dtype) for _ in range(3))
        flops = 4 * clip.tokens**2 * HEAD_WIDTH * heads
        rows = {"default": _timed(run, lambda q=q, k=k, v=v: F.scaled_dot_product_attention(q, k, v), flops)}
        for name, backend in BACKENDS.items():

            def only(backend=backend, q=q, k=k, v=v):
                with sdpa_kernel(backend):
                    return F.scaled_dot_product_attention(q, k, v)

            rows[name] = _timed(run, only, flops)
        if find_spec("flash_attn") is not None:
            from flash_attn import flash_attn_func  # where somebody installed it

            parts = [part.transpose(1, 2).contiguous() for part in (q, k, v)]
            rows["flash-attn"] = _timed(run, lambda parts=parts: flash_attn_func(*parts), flops)
        found[str(clip)] = rows
    return found


def _timed(run: Run, function, flops: float) -> dict:
    try:
        function()
    except RuntimeError as refused:  # not for this device, type or size
        return {"failed": str(refused).strip().splitlines()[0][:200]}
    took = cost(run.device, function, 3)
    return {"ms": round(1000 * took.seconds, 3), "tflops": round(flops / took.seconds / 1e12, 1)}


def profile(run: Run, denoiser: DiffSynthDenoiser, clip: ClipSize, count: int = 12) -> list[dict]:
    """The kernels that one step spends most on: name, share of the time, calls."""
    # slow to import, and needed here alone
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiling

    on_card = run.device.type == "cuda"
    kinds = [ProfilerActivity.CUDA] if on_card else [ProfilerActivity.CPU]
    noise = clip.random_latents()
    with profiling(activities=kinds) as profiled:
        denoiser(noise, noise.flip(2), sigmas(1))
    time_of = lambda event: event.self_device_time_total if on_card else event.self_cpu_time_total
    events = sorted(profiled.key_averages(), key=time_of, reverse=True)
    total = sum(map(time_of, events)) or 1
    return [
        {"kernel": event.key[:120], "share": round(time_of(event) / total, 4), "calls": event.count}
        for event in events[:count]
    ]


def compiled(run: Run, model: nn.Module, clip: ClipSize) -> dict:
    """One block as it is and compiled: milliseconds, and the seconds that compiling took."""
    width = model.blocks[0].self_attn.q.weight.shape[0]
    dtype, device = next(model.parameters()).dtype, run.device
    x = torch.randn(1, clip.tokens, width, device=device).to(dtype)
    # 769 tokens of context: the prompt's and the image's
    context, time = (
        torch.randn(1, 769, width, device=device).to(dtype),
        torch.randn(1, 6, width, device=device).to(dtype),
    )
    t, h, w = clip.latents
    table = [part.to(device) for part in model.freqs]
    grid = (t, h // 2, w // 2)
    places = [
        part[: grid[axis]].view(*[-1 if i == axis else 1 for i in range(3)], part.shape[1]).expand(*grid, -1)
        for axis, part in enumerate(table)
    ]
    freqs = torch.cat(places, -1).reshape(clip.tokens, 1, -1)
    block = model.blocks[0]
    call = lambda function: lambda: function(x, context, time, freqs)
    call(block)()
    plain = cost(device, call(block), 5)
    # a rehearsal asks whether the way there works: building kernels takes most of its time
    faster = torch.compile(block, backend="aot_eager" if run.tiny else "inductor")
    first = cost(device, call(faster))
    after = cost(device, call(faster), 5)
    return {
        "ms": round(1000 * plain.seconds, 2),
        "compiled_ms": round(1000 * after.seconds, 2),
        "compiling_seconds": round(first.seconds, 1),
    }
