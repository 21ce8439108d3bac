"""Fast: what a removal with the real shape costs, part by part: our way, DiffSynth's, and what the card could do."""

from __future__ import annotations

from functools import partial

import torch

from ...engines.denoiser import DiffSynthDenoiser
from ...engines.diffsynth_codec import DiffSynthCodec
from ...engines.schedule import sigmas
from . import kernels, work
from .part import Measured, Run, begin, cost
from .reference import their_removal
from .shapes import PAPER, STEPS, ClipSize, clips, prompt, random_model, random_vae

TAKES = {"whole": 25, "theirs": 90}
"""Seconds that one measurement of the larger clip may take; where fewer are left, it is left out."""


def main() -> None:
    run = begin()
    dtype = torch.bfloat16
    peak = run.attempt("peak", partial(kernels.matmul, run))
    run.attempt("attention", partial(kernels.attention, run, clips(run.tiny), dtype))
    model, vae = random_model(run.tiny, dtype, run.device), random_vae(run.tiny, dtype, run.device)
    context = prompt()
    denoiser, codec = DiffSynthDenoiser(model, context, device=run.device), DiffSynthCodec(vae, run.device)
    flops = peak["tflops"] * 1e12 if peak else None
    small, large = clips(run.tiny)
    with torch.inference_mode():
        ours = lambda clip: run.attempt(f"ours, {clip}", partial(_ours, run, denoiser, codec, clip, flops), 10)
        theirs = lambda clip, takes: run.attempt(
            f"DiffSynth, {clip}", partial(their_removal, run.device, model, vae, context, clip), takes
        )
        ours(small)
        ours(large.band())
        theirs(small, 15)
        run.attempt("kernels", partial(kernels.profile, run, denoiser, small))
        ours(large)
        ours(small.band())
        run.attempt("compiled", partial(kernels.compiled, run, model, small), 45)
        theirs(large, TAKES["theirs"])


def _ours(run: Run, denoiser: DiffSynthDenoiser, codec: DiffSynthCodec, clip: ClipSize, peak: float | None) -> dict:
    """Encode, five steps and decode, each by itself; `whole` is their sum, for they follow one another."""
    frames, noise, levels = clip.pixels(), clip.random_latents(), sigmas(STEPS)
    tiny_step = sigmas(1)
    codec.encode(frames[:5]), denoiser(noise, noise.flip(2), tiny_step)  # kernels are chosen at the first call
    encoded = cost(run.device, lambda: codec.encode(frames))
    sampled = cost(run.device, lambda: denoiser(noise, encoded.made, levels))
    decoded = cost(run.device, lambda: codec.decode(sampled.made))
    return rows(clip, encoded, sampled, decoded, work.step(denoiser.model, clip) * STEPS, peak)


def rows(
    clip: ClipSize, encoded: Measured, sampled: Measured, decoded: Measured, flops: float, peak: float | None
) -> dict:
    """As they are written down. flops: of all steps; peak: FLOP/s that the card was seen to reach."""
    seconds = encoded.seconds + sampled.seconds + decoded.seconds
    memories = [part.memory for part in (encoded, sampled, decoded) if part.memory is not None]
    whole = Measured(seconds, max(memories, default=None))
    share = {"share_of_peak": round(flops / sampled.seconds / peak, 3)} if peak else {}
    return {
        "frames": clip.frames,
        "height": clip.height,
        "width": clip.width,
        "tokens": clip.tokens,
        "encode": encoded.row(clip.frames),
        "denoise": sampled.row(clip.frames, pflop=round(flops / 1e15, 3), **share),
        "decode": decoded.row(clip.frames),
        "whole": whole.row(clip.frames, times_paper=round(seconds / clip.frames / PAPER, 2)),
    }


if __name__ == "__main__":
    main()
