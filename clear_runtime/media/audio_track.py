"""The sound of a video that is being written, from a waveform, and how sound keeps step with the picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import torch
from torch import Tensor

from ..errors import ClearError

BLOCK = 1024  # samples per AAC frame, ISO/IEC 14496-3
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
OPUS_LAYOUTS = {3: "3.0", 4: "quad"}
"""Where those of Vorbis are others (RFC 7845, 5.1.1.2)."""
# The sampling rates that AAC knows, ISO/IEC 14496-3 table 1.18.
AAC_RATES = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
VIDEO_RATE = 48_000
"""Samples a second where AAC has not the source's own rate: what video has."""
BITS_A_CHANNEL = 96_000
"""Bits a second of one channel: well over the 64,000 from which on AAC is taken for transparent."""

Packets = Iterator[tuple[Fraction, list]]
"""(time in seconds, packets that begin there) pairs, in order."""


class Feed:
    """Gives packets to a container in step with the picture: a muxer holds back the stream that runs ahead, so giving
    it everything first, or last, would keep a whole film in memory."""

    def __init__(self, container, packets: Packets):
        self._container, self._packets = container, packets
        self._held: tuple[Fraction, list] | None = None

    def advance(self, until: Fraction | None) -> None:
        """Write what begins up to a time in seconds; None: all that is left."""
        while True:
            if self._held is None:
                self._held = next(self._packets, None)
            if self._held is None or (until is not None and self._held[0] > until):
                return
            self._container.mux(self._held[1])
            self._held = None

    def finish(self) -> None:
        self.advance(None)


def aac_stream(container, rate: int, channels: int):
    """A new AAC stream of a container, at the rate itself where AAC has it. Layouts are by count: old containers name
    none, and AAC takes none without a name."""
    out = container.add_stream("aac", rate=rate if rate in AAC_RATES else VIDEO_RATE)
    out.codec_context.layout = LAYOUTS[min(channels, max(LAYOUTS))]
    out.codec_context.bit_rate = BITS_A_CHANNEL * min(channels, max(LAYOUTS))
    return out


def name_channels(context) -> None:
    """Give sound of which its file says the number of channels alone (AVI, WAV) the layout that is usual for these: MP4
    takes no PCM without one."""
    if context.layout.name.endswith(" channels") and context.channels in LAYOUTS:
        context.layout = LAYOUTS[context.channels]


def opus_stream(container, channels: int):
    """A new Opus stream of a container: its rate is 48,000, and it takes the layouts of Vorbis alone."""
    out = container.add_stream("libopus", rate=VIDEO_RATE)
    count = min(channels, max(LAYOUTS))
    out.codec_context.layout = {**LAYOUTS, **OPUS_LAYOUTS}[count]
    out.codec_context.bit_rate = BITS_A_CHANNEL * count
    return out


def waveform_packets(container, samples: Tensor, rate: int) -> Packets:
    """A waveform [channels, samples], in -1..1 or in the whole numbers of PCM, as AAC. Raises ClearError for another
    shape, and for what is no sound (NaN)."""
    if samples.ndim != 2 or samples.shape[0] not in LAYOUTS:
        raise ClearError(
            f"The sound has the shape {tuple(samples.shape)}. Give [channels, samples], with 1 to 8 channels."
        )
    samples = as_float(samples.detach().cpu())
    if not samples.isfinite().all():
        raise ClearError("The sound has values that are not numbers (NaN or infinity). Give another, or none.")
    return _encoded(samples, rate, LAYOUTS[samples.shape[0]], aac_stream(container, rate, samples.shape[0]))


def unpacked(samples: Tensor, rate: int, seconds: float) -> Tensor:
    """A waveform [channels, samples] of so many seconds of picture. ComfyUI hands packed PCM on as one channel with
    those of all others between its own samples, which plays too long by their number: it is parted again."""
    count = round(samples.shape[-1] / rate / seconds) if rate and seconds else 1
    if samples.shape[0] != 1 or count not in LAYOUTS or count == 1 or samples.shape[1] % count:
        return samples
    if abs(samples.shape[-1] / rate / seconds / count - 1) > NEARLY or not _alternates(samples[0].float(), count):
        return samples
    return samples.reshape(-1, count).T


def _alternates(samples: Tensor, count: int) -> bool:
    """Whether samples are those of several channels in turn: steps from one to the next differ by the channel, or are
    larger than those of one channel. Sound of one channel that lasts longer than the picture has neither."""
    steps = (samples[1:] - samples[:-1]).abs()
    by_channel = torch.stack([steps[channel::count].mean() for channel in range(count)])
    own = (samples[count:] - samples[:-count]).abs().mean()
    return bool(by_channel.max() > UNEVEN * by_channel.min() or own < steps.mean())


NEARLY = 0.02
"""Share by which sound and picture differ in length at most where both are of one film."""
UNEVEN = 1.2
"""How much larger the steps into one channel are than those into another where channels take turns."""


def as_float(samples: Tensor) -> Tensor:
    """Samples in -1..1, from whole numbers too: 8 bits are stored from 0 on, 24 bits in the upper ones of 32. Whole
    numbers that a loader put into floats as they were are told by their size."""
    if samples.dtype == torch.uint8:
        return (samples.float() - 128) / 128
    if not samples.is_floating_point():
        return samples.float() / -float(torch.iinfo(samples.dtype).min)
    samples = samples.float()
    top = samples.abs().max().item() if samples.numel() else 0.0
    loud = next((full for full in (LOUDEST, 2.0**15, 2.0**23, 2.0**31) if top <= full), 1.0)
    return samples if loud == LOUDEST else samples / loud


LOUDEST = 16.0
"""What a float waveform reaches at most: 24 dB over full scale, which no mix does; 16-bit samples as floats reach
thousands."""


def _encoded(samples: Tensor, rate: int, layout: str, out) -> Packets:
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    samples = samples.clamp(-1, 1)
    for start in range(0, samples.shape[1], BLOCK):
        block = samples[:, start : start + BLOCK].contiguous()
        frame = av.AudioFrame.from_ndarray(block.numpy(), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield Fraction(start, rate), out.encode(frame)
    yield Fraction(samples.shape[1], rate), out.encode(None)
