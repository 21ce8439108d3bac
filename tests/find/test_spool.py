"""A film's rows lie on disk while it is looked at: the same is found, and memory does not grow with the video."""

from types import SimpleNamespace
from weakref import WeakSet

import numpy as np
import pytest
import torch
from drawn_rows import at, letters, scene, video, white

from clear_runtime.find.finder import BATCH, MOMENT
from clear_runtime.find.kept_looks import KeptLooks
from clear_runtime.find.marks import find_text
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.pace import EVERY
from clear_runtime.find.report import lines_of
from clear_runtime.find.rows import Row
from clear_runtime.find.spans import with_marks
from clear_runtime.find.spool import Spool
from clear_runtime.frames.region import Region

LOGO, LINES = at(letters(3, 8), 20, 20), [at(letters(n, 9), 150, 80) for n in range(4)]


def film(count=240):
    """A logo stands all the time; a line for every fifty frames."""
    shown = ((line, slice(60 * n + 5, 60 * n + 50)) for n, line in enumerate(LINES) if 60 * n < count)
    return video(scene(count), (LOGO, slice(0, count)), *shown)


def test_with_a_spool_the_same_is_found(tmp_path):
    frames = film()
    spool = Spool(tmp_path)
    plain, spooled = (find_text(frames, white, MarkOptions(grow=0), spool=one) for one in (None, spool))
    assert spool.size > 0 and not list(tmp_path.iterdir()), "the file has no name"
    assert [one.verdict for one in plain.found] == [one.verdict for one in spooled.found]
    for t in range(len(frames)):
        assert torch.equal(plain.marks(t), spooled.marks(t)), t


def test_masks_held_in_memory_do_not_grow_with_the_video(monkeypatch):
    held, count = WeakSet(), 0
    real = Row.soft.fset

    def counted(row, soft):
        nonlocal count
        count += row not in held
        held.add(row)
        real(row, soft)

    monkeypatch.setattr(Row, "soft", Row.soft.setter(counted))
    peak = 0

    def watched(frames):
        nonlocal peak
        for frame in frames:
            peak = max(peak, sum(not row.is_packed for row in held))
            yield frame

    find_text(watched(film()), white, MarkOptions(grow=0), spool=Spool())
    looks = MOMENT // EVERY + 2 + BATCH  # of a row that goes on: what is compared, and the last batch
    assert count > 130 and 0 < peak <= 2 * looks


@pytest.mark.parametrize("cut", [0, 1, 700])
def test_a_pass_that_was_stopped_asks_the_prior_about_no_look_twice(tmp_path, cut):
    frames, path, asked = film(120), tmp_path / "looks", []

    def prior(batch):
        asked.append(len(batch))
        return white(batch)

    def stopped():
        yield from frames[:70]
        raise KeyboardInterrupt

    whole = find_text(frames, prior, MarkOptions(grow=0))
    in_all, asked[:] = len(asked), []
    with pytest.raises(KeyboardInterrupt):
        find_text(stopped(), prior, MarkOptions(grow=0), looks=path)
    before = len(asked)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    again = find_text(frames, prior, MarkOptions(grow=0), looks=path)
    assert before > 1 and len(asked) - in_all == (cut > 0), "of the last batch, if it was not written to its end"
    assert all(torch.equal(whole.marks(t), again.marks(t)) for t in range(120))


def test_each_line_has_its_marks_whether_it_goes_or_not():
    frames = film(120)
    finding = find_text(frames, white, MarkOptions(grow=0), spool=Spool())
    lines = lines_of(finding.found, finding.finder.scales)
    assert sorted(line.goes for line, _ in lines) == [False, True, True]
    for (line, rows), mask in zip(sorted(lines, key=lambda one: (one[0].goes, one[0].first)), (LOGO, *LINES)):
        spans = list(finding.line(rows))
        assert spans[0].first == line.first and spans[-1].stop == line.stop
        marks = torch.stack([marks for _, marks in with_marks(frames, spans)])
        assert np.array_equal(marks[(line.first + line.stop) // 2].numpy(), mask)
        assert marks.any((1, 2)).nonzero()[:, 0].tolist() == list(range(line.first, line.stop))


def test_a_shot_begins_with_its_very_frame():
    grey = scene(60)
    grey[31:] = grey[31:, ::-1, ::-1]
    finding = find_text(video(grey), white)
    assert finding.finder.shots == [0, 31]


class Asked:
    """A Looker of 4 by 4 pixels: white at looks, black between two of them."""

    scales, known = SimpleNamespace(fine=(4, 4)), ()

    def __call__(self, frames):
        return [np.full((4, 4), 255, np.uint8) for _ in frames]

    def beside(self, frames, near):
        return [np.zeros((4, 4), np.uint8) for _ in frames]


def test_what_was_seen_between_two_looks_is_not_taken_for_looks(tmp_path):
    """Another pass, with rules that ask nothing between looks, reads what one with them has kept."""
    frames, path, near = [torch.zeros(4, 4, 3)] * 2, tmp_path / "looks", [Region(0, 0, 2, 2)]
    KeptLooks(Asked(), path).beside(frames, near)
    assert all((one == 0).all() for one in KeptLooks(Asked(), path).beside(frames, near))
    assert all((one == 255).all() for one in KeptLooks(Asked(), path)(frames))
