"""Films as they occur, made by PyAV itself: what reads and writes them is not what made them."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from tiny_film import Grey, job

from clear_runtime.film.run import clean
from clear_runtime.film.store import Store
from clear_runtime.media import video

RATE = 48_000
CLOCK = Fraction(1, 1000)
LINE = "A line of a subtitle track"


@dataclass(frozen=True)
class Film:
    """What a film is made of. times: of its frames, in milliseconds. flash, more_flashes: frames that are white; a
    click is in the sound at each one's time."""

    times: tuple[int, ...] = tuple(range(0, 2000, 40))
    size: tuple[int, int] = (96, 64)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    flash: int | None = None
    more_flashes: tuple[int, ...] = ()
    aspect: Fraction = Fraction(1)
    tags: tuple[int, int, int] | None = None  # matrix, primaries, transfer
    tracks: int = 1
    sound_from: float = 0.0  # seconds
    subtitles: bool = False  # a track of one line, in Matroska
    rotation: int | None = None
    cover_first: bool = False
    title: str = ""
    chapters: tuple[str, ...] = ()
    interlaced: str = ""  # which field comes first: tff, bff
    location: str = ""  # of colour samples
    full_range: bool = False
    parameters: str = ""  # of x265
    clock: float = 0  # seconds on the container's own, where it begins


def picture(t: int, size: tuple[int, int]) -> np.ndarray:
    """A gradient with a square that moves: [H, W, 3] uint8."""
    width, height = size
    ys, xs = np.mgrid[:height, :width]
    frame = np.stack([60 + 120 * xs / width, 70 + 90 * ys / height, 90 + 50 * (xs + ys) / (width + height)], -1)
    left = 2 * t % (width - 16)
    frame[height // 4 : height // 4 + 16, left : left + 16] = (200, 60, 40)
    return frame.astype(np.uint8)


def make(path: Path, film: Film = Film()) -> Path:
    early = {"avoid_negative_ts": "disabled"} if film.clock < 0 else {}
    options = {"output_ts_offset": str(film.clock), **early} if film.clock else {}
    with av.open(str(path), "w", options=options) as container:
        cover = _cover(container) if film.cover_first else None
        stream = _stream(container, film)
        sounds = [_sound(container, path) for _ in range(film.tracks)]
        lines = av.open(_line_file(path)) if film.subtitles else None
        text = container.add_stream_from_template(lines.streams[0]) if lines else None
        if film.title:
            container.metadata["title"] = film.title
        if film.chapters:
            container.set_chapters(
                [
                    {"id": n, "start": 500 * n, "end": 500 * (n + 1), "time_base": CLOCK, "metadata": {"title": name}}
                    for n, name in enumerate(film.chapters)
                ]
            )
        if cover is not None:
            container.mux(cover)
        if lines:
            for packet in lines.demux():
                if packet.dts is not None:
                    packet.stream = text
                    container.mux(packet)
        _write(container, stream, sounds, film)
    return path


def _stream(container, film: Film):
    located = {"chroma_sample_location": film.location} if film.location else {}
    options = {**({"crf": "4"} if "26" in film.codec else {}), **located}
    if film.interlaced:
        options["x264-params"] = f"{film.interlaced}=1"
    if film.codec == "libx265":
        options["x265-params"] = ":".join(one for one in ("log-level=none", film.parameters) if one)
    stream = container.add_stream(film.codec, rate=25, options=options)
    stream.width, stream.height = film.size
    stream.pix_fmt = film.pixel_format
    stream.disposition = 1
    stream.codec_context.time_base = stream.time_base = CLOCK
    stream.codec_context.sample_aspect_ratio = film.aspect
    if film.tags:
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc = film.tags
    if film.full_range:
        stream.codec_context.color_range = 2
    if film.rotation is not None:
        stream.set_display_rotation(film.rotation)
    return stream


def _sound(container, path: Path):
    sound = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=RATE)
    sound.codec_context.layout = "mono"
    return sound


def _line_file(path: Path) -> str:
    lines = path.with_suffix(".srt")
    lines.write_text(f"1\n00:00:00,500 --> 00:00:01,300\n{LINE}\n")
    return str(lines)


def _cover(container):
    cover = container.add_stream("mjpeg", rate=1)
    cover.width, cover.height, cover.pix_fmt = 320, 320, "yuvj420p"
    cover.disposition = 0x400
    frame = av.VideoFrame.from_ndarray(np.full((320, 320, 3), 128, np.uint8), "rgb24").reformat(format="yuvj420p")
    frame.pts, frame.time_base = 0, Fraction(1)
    return cover.encode(frame)


def _write(container, stream, sounds, film: Film) -> None:
    seconds = (film.times[-1] + 40) / 1000
    samples = np.zeros(int(seconds * RATE), np.float32)
    flashes = {film.flash, *film.more_flashes} - {None}
    for t in flashes:
        at = round(film.times[t] * RATE / 1000)
        samples[at : at + 48] = 0.9
    for n, sound in enumerate(sounds):
        first = round(film.sound_from * RATE)
        for start in range(first, len(samples), 960):
            block = (samples[start : start + 960] / (n + 1))[None]
            frame = av.AudioFrame.from_ndarray(block, format="fltp" if sound.name == "aac" else "flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    for t, when in enumerate(film.times):
        levels = np.full((*film.size[::-1], 3), 255, np.uint8) if t in flashes else picture(t, film.size)
        frame = av.VideoFrame.from_ndarray(levels, "rgb24").reformat(
            format=film.pixel_format, interpolation=32 | 262144
        )
        if film.tags:
            frame.colorspace, frame.color_primaries, frame.color_trc = film.tags
        frame.pts, frame.time_base = when, CLOCK
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def packets(path: Path, kind: str) -> list[list[tuple[float, bytes]]]:
    """(time in seconds, bytes) of each packet of each track of a kind."""
    with av.open(str(path)) as container:
        tracks = range(len(getattr(container.streams, kind)))
    return [_packets_of(path, kind, track) for track in tracks]


def _packets_of(path: Path, kind: str, track: int) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[track]
        return [(round(float(p.pts * p.time_base), 3), bytes(p)) for p in container.demux(stream) if p.size]


def flash_and_click(path: Path) -> tuple[float, float]:
    """When a film's whitest frame and its loudest sample come, in seconds."""
    with av.open(str(path)) as container:
        flash = max((f.to_ndarray(format="gray").mean(), float(f.time)) for f in container.decode(video=0))[1]
    with av.open(str(path)) as container:
        click, loudest = 0.0, 0.0
        for frame in container.decode(audio=0):
            values = np.abs(frame.to_ndarray()[0])
            if values.max() > loudest:
                loudest, click = values.max(), float(frame.time) + values.argmax() / frame.sample_rate
    return flash, click


def cleaned(source, target, store=None):
    """What a run makes that paints over one place of every frame."""
    place = torch.zeros(1, 64, 96)
    place[:, 40:50, 20:60] = 1
    store = store or Store(container=target.suffix)
    return clean(job(source, target, Grey(), subtitle=place, subtitle_use="only", prior=None, store=store))


def frames(path):
    return torch.stack([frame for _, frame in video.read_timed_frames(path)])
