"""What a film loses where it goes on as frames and one waveform, as between ComfyUI's own nodes: said before."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from .colour import HD_LINES, MATRICES
from .video import Facts, is_cover, main_stream, named

LOOKED_AT = 500
"""Packets from whose times it is told whether they are even."""
UNEVEN = 1.5
"""How many times as long the longest time from one frame to the next is as the shortest: clocks round."""
LATE = 0.05
"""Seconds after 0 from which on a picture begins late."""


def lost_as_frames(path: Path, facts: Facts) -> list[str]:
    """In words, one sentence each; nothing where it loses nothing. Raises OSError for a file that cannot be read."""
    # brings FFmpeg's libraries: only where a file is read
    import av

    said = []
    with av.open(named(path)) as container:
        first, film = container.streams.video[0], main_stream(container)
        if is_cover(first):
            said.append("The file's first picture is a cover: its frames are that one.")
        elif first.index != film.index:
            said.append("The file has several pictures: its frames are those of the first, which is not the largest.")
        if len(container.streams.audio) > 1:
            said.append("Of the film's tracks of sound the first alone goes with its frames.")
        if container.streams.subtitles or getattr(container, "chapters", list)():
            said.append("The film's subtitle tracks and chapters do not go with its frames.")
        if _uneven(container, film):
            said.append(
                "The film's frames come at uneven times: as frames they come evenly, and out of step with the sound."
            )
    if facts.start > LATE:
        late = f"{float(facts.start):.2f}"
        said.append(f"The picture begins {late} s late: as frames it begins at once, before the sound.")
    if facts.aspect != 1:
        shape = f"{facts.aspect.numerator}:{facts.aspect.denominator}"
        said.append(f"The film's pixels are {shape}, not square: its frames are shown as if they were.")
    if facts.rotation:
        said.append("The picture is stored turned: older versions of ComfyUI leave its frames lying.")
    if facts.depth > 8 or facts.colour.hdr:
        said.append("The film has more than 8 bits or HDR: its frames have 8 bits and ordinary colours.")
    elif facts.colour.matrix not in MATRICES and facts.as_stored().height >= HD_LINES:
        said.append(
            "The film is HD and does not say its colours: ComfyUI reads them as SD's, and red moves by 5 levels."
        )
    return said


def _uneven(container, film) -> bool:
    times = sorted(packet.pts for packet in islice(container.demux(film), LOOKED_AT) if packet.pts is not None)
    steps = [later - one for one, later in zip(times, times[1:]) if later > one]
    return bool(steps) and max(steps) > max(UNEVEN * min(steps), min(steps) + 1)
