"""Segments that are laid end to end are the film: its frames, its times, and all that the source has beside it."""

from fractions import Fraction

import pytest
import torch
from films import Film, flash_and_click, make, packets

from clear_runtime.errors import ClearError
from clear_runtime.media import video
from clear_runtime.media.join import join
from clear_runtime.media.steady import FileFrames
from clear_runtime.media.writer import VideoWriter

av = pytest.importorskip("av")

UNEVEN = tuple(range(0, 720, 30)) + tuple(range(720, 2880, 90))


def cut(source, folder, *borders):
    """A film in segments that end before these frames."""
    facts, frames = video.read_facts(source), FileFrames(source, video.read_facts(source))
    shown = [(frame, frames.times.popleft()) for frame in frames]
    paths = []
    for first, stop in zip((0, *borders), (*borders, len(shown))):
        paths.append(folder / f"{first}.nut")
        with VideoWriter(
            paths[-1], facts.width, facts.height, facts.fps, 4, facts.colour, like=facts, joins=True
        ) as writer:
            for frame, when in shown[first:stop]:
                writer.write(frame, when)
    return paths


def read(path):
    times, frames = zip(*video.read_timed_frames(path))
    return times, torch.stack(frames)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("borders", [(), (1, 2, 3), (20, 24, 25), (47,)])
def test_frames_and_times_are_those_of_the_segments(tmp_path, ending, borders):
    source = make(tmp_path / "a.mp4", Film(UNEVEN, flash=36))
    segments = cut(source, tmp_path, *borders)
    join(segments, tmp_path / f"b{ending}", source)
    times, frames = read(tmp_path / f"b{ending}")
    parts = [read(path) for path in segments]
    later = [a - b for a, b in zip(times, (one for part in parts for one in part[0]))]
    assert len(times) == len(UNEVEN)
    if ending == ".mkv":  # counts in thousandths, and from the first sound on
        assert max(later) - min(later) <= 0.001
    else:
        assert set(later) == {0}
    assert torch.equal(frames, torch.cat([part[1] for part in parts]))
    flash, click = flash_and_click(tmp_path / f"b{ending}")
    assert click == pytest.approx(flash, abs=0.005)
    with av.open(str(tmp_path / f"b{ending}")) as container:
        decoded = [packet.dts for packet in container.demux(video=0) if packet.dts is not None]
    assert decoded == sorted(set(decoded))


def test_all_else_of_the_source_goes_over_and_what_is_added_stands_in_it(tmp_path):
    film = Film(tracks=2, subtitles=True, title="A film", chapters=("one", "two"), aspect=Fraction(64, 45))
    source = make(tmp_path / "a.mkv", film)
    join(cut(source, tmp_path, 20), tmp_path / "b.mkv", source, {"prompt": '{"1": {}}'})
    for kind in ("audio", "subtitles"):
        assert packets(tmp_path / "b.mkv", kind) == packets(source, kind) and packets(source, kind)
    facts, before = video.read_facts(tmp_path / "b.mkv"), video.read_facts(source)
    assert (facts.aspect, facts.colour, facts.fps) == (before.aspect, before.colour, before.fps)
    with av.open(str(tmp_path / "b.mkv")) as container:
        names = {key.lower(): value for key, value in container.metadata.items()}
        assert names["title"] == "A film" and names["prompt"] == '{"1": {}}'
        assert [one["metadata"]["title"] for one in container.chapters()] == ["one", "two"]


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_left(tmp_path):
    source = make(tmp_path / "a.mp4", Film())
    segments = cut(source, tmp_path, 20)
    with pytest.raises(ClearError, match="cannot be written"):
        join(segments, tmp_path / "gone" / "b.mp4", source)
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


@pytest.mark.parametrize("width", [96, 112, 160])
def test_the_same_frames_give_the_same_bytes(tmp_path, width):
    made = set()
    for n in range(12):
        path = tmp_path / f"{n}.nut"
        with VideoWriter(path, width, 64, 25, joins=True) as writer:
            for t in range(30):
                noise = torch.rand(64, width, 3, generator=torch.Generator().manual_seed(t // 3))
                writer.write(0.3 + 0.2 * noise)
        with av.open(str(path)) as container:
            made.add(b"".join(bytes(packet) for packet in container.demux(video=0)))
    assert len(made) == 1
