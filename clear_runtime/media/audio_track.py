"""The sound of a video that is being written: copied packet by packet, or encoded from a waveform.

Audio is handed to the muxer no further than the picture has come: a muxer holds back the stream that runs ahead, so
giving it everything first, or last, would keep a whole film in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from ..errors import ClearError

BLOCK = 1024  # samples per AAC frame, ISO/IEC 14496-3
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# The sampling rates that AAC knows, ISO/IEC 14496-3 table 1.18.
AAC_RATES = {96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
VIDEO_RATE = 48_000
"""Samples a second where AAC has not the source's own rate: what video has."""
BITS_A_CHANNEL = 96_000
"""Bits a second of one channel: well over the 64,000 from which on AAC is taken for transparent."""


class AudioTrack:
    """Feeds (time in seconds, packets) pairs to a container, in step with the picture."""

    def __init__(self, container, packets: Iterator[tuple[Fraction, list]]):
        self._container, self._packets = container, packets
        self._held: tuple[Fraction, list] | None = None

    def advance(self, until: Fraction | None) -> None:
        """Write the sound up to a time in seconds; None: all that is left."""
        while True:
            if self._held is None:
                self._held = next(self._packets, None)
            if self._held is None or (until is not None and self._held[0] > until):
                return
            self._container.mux(self._held[1])
            self._held = None

    def finish(self) -> None:
        self.advance(None)


def audio_track(container, source: str | os.PathLike | None, waveform: tuple[Tensor, int] | None) -> AudioTrack:
    """The track for an output container: the first audio stream of `source`, or a waveform, or silence."""
    if source is not None and waveform is not None:
        raise ClearError("The sound is given twice, as a file and as a waveform. Give one of the two.")
    if source is not None:
        return AudioTrack(container, _from_file(container, Path(source)))
    if waveform is not None:
        return AudioTrack(container, _from_waveform(container, *waveform))
    return AudioTrack(container, iter(()))


def _from_file(container, path: Path) -> Iterator[tuple[Fraction, list]]:
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    source = av.open(str(path))
    if not source.streams.audio:
        source.close()
        return iter(())
    track = source.streams.audio[0]
    if track.codec_context.name in container.supported_codecs:
        return _copied(source, track, container.add_stream_from_template(track))
    rate = track.codec_context.sample_rate
    out = container.add_stream("aac", rate=rate if rate in AAC_RATES else VIDEO_RATE)
    # by its count: old containers name no layout, and AAC takes none without a name
    out.codec_context.layout = LAYOUTS[min(track.codec_context.channels, 8)]
    return _transcoded(source, track, out)


def _copied(source, track, out) -> Iterator[tuple[Fraction, list]]:
    with source:
        for packet in source.demux(track):
            if packet.dts is None:  # the empty packet that ends a stream
                continue
            when = packet.dts * packet.time_base
            packet.stream = out
            yield when, [packet]


def _transcoded(source, track, out) -> Iterator[tuple[Fraction, list]]:
    when = Fraction(0)
    with source:
        for frame in source.decode(track):
            if frame.pts is not None:
                when = frame.pts * frame.time_base
            # counted in samples: some demuxers count in blocks, too coarse for the encoder's shorter frames
            frame.pts, frame.time_base = round(when * frame.sample_rate), Fraction(1, frame.sample_rate)
            yield when, out.encode(frame)
            when += Fraction(frame.samples, frame.sample_rate)
        yield when, out.encode(None)


def _from_waveform(container, samples: Tensor, rate: int) -> Iterator[tuple[Fraction, list]]:
    if samples.ndim != 2 or samples.shape[0] not in LAYOUTS:
        raise ClearError(
            f"The sound has the shape {tuple(samples.shape)}. Give [channels, samples], with 1 to 8 channels."
        )
    out = container.add_stream("aac", rate=rate if rate in AAC_RATES else VIDEO_RATE)
    layout = LAYOUTS[samples.shape[0]]
    out.codec_context.layout = layout
    out.codec_context.bit_rate = BITS_A_CHANNEL * samples.shape[0]
    return _encoded(samples, rate, layout, out)


def _encoded(samples: Tensor, rate: int, layout: str, out) -> Iterator[tuple[Fraction, list]]:
    # brings FFmpeg's libraries: only where a file is read or written
    import av

    for start in range(0, samples.shape[1], BLOCK):
        block = samples[:, start : start + BLOCK].detach().float().cpu().contiguous()
        frame = av.AudioFrame.from_ndarray(block.numpy(), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield Fraction(start, rate), out.encode(frame)
    yield Fraction(samples.shape[1], rate), out.encode(None)
