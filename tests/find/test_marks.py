"""What counts as a subtitle: each rule alone decides, and `subtitles_only` switches off those that are about
subtitles."""

import pytest
import torch

from clear_runtime.find.evidence import SHORTEST, keep_lasting, refine
from clear_runtime.find.lines import keep_lines
from clear_runtime.find.marks import MarkOptions, filters, look_ahead, marked, marks_of

FRAMES, HEIGHT, WIDTH = 12, 96, 160


def given(soft):
    """A prior whose answers are known: soft masks [T, H, W] in order."""
    answers = iter(soft)
    return lambda frames: torch.stack([next(answers) for _ in frames])


def mark(soft, frames, threshold=0.5, subtitles_only=True, **more):
    return marks_of(frames, given(soft), MarkOptions(threshold, subtitles_only), **more)[1]


def shown(top, left, frames=slice(None), strength=0.9):
    """Soft masks with one mark of 8 x 40 pixels, and grey frames in which it stands as white."""
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[frames, top : top + 8, left : left + 40] = strength
    return soft, 0.4 + 0.6 * (soft > 0)[..., None].float().expand(-1, -1, -1, 3)


def test_a_line_counts():
    soft, frames = shown(80, 60)
    for strict in (True, False):
        assert torch.equal(mark(soft, frames, 0.5, strict), soft > 0)


@pytest.mark.parametrize("strict", [True, False])
def test_the_threshold_itself_does_not_count(strict):
    soft, frames = shown(80, 60, strength=0.5)
    assert not mark(soft, frames, 0.5, strict).any() and mark(soft, frames, 0.49, strict).any()


@pytest.mark.parametrize("place", [dict(top=0, left=0), dict(top=80, left=60, frames=slice(3, 3 + SHORTEST - 2))])
def test_what_sits_in_a_corner_or_passes_by_counts_only_where_all_does(place):
    soft, frames = shown(**place)
    assert not mark(soft, frames, 0.5).any() and torch.equal(mark(soft, frames, 0.5, subtitles_only=False), soft > 0)


def test_what_stands_still_but_for_too_few_frames_does_not_count():
    soft, frames = shown(80, 60, frames=slice(3, 3 + SHORTEST - 1))
    assert (refine(soft, frames) > 0.5).any() and not mark(soft, frames, 0.5).any()
    soft, frames = shown(80, 60, frames=slice(3, 3 + SHORTEST))
    assert torch.equal(mark(soft, frames, 0.5), soft > 0)


def test_a_stream_counts_what_the_whole_counts():
    generator = torch.Generator().manual_seed(0)
    frames = (
        (torch.rand(90, HEIGHT // 8, WIDTH // 8, 3, generator=generator) > 0.5)
        .float()
        .repeat_interleave(8, 1)
        .repeat_interleave(8, 2)
    )
    frames[20:41, 60:72], frames[60:70, 60:72], frames[72:76, 60:72] = 1.0, 0.9, 0.1
    soft = torch.zeros(90, HEIGHT, WIDTH)
    soft[20:41, 60:72, 40:120], soft[60:70, 60:72, 30:120], soft[72:76, 60:72, 30:120], soft[::3, 10:14, 70:90] = (
        0.9,
        0.8,
        0.9,
        0.9,
    )
    whole = keep_lines(keep_lasting(refine(soft, frames) > 0.5)).bool()
    assert torch.equal(mark(soft, frames, 0.5), whole) and whole[20:41].any((1, 2)).all() and not whole[72:76].any()


def test_every_frame_gets_its_own_mask_whatever_the_batches():
    frames, sizes = torch.rand(21, 4, 6, 3), []

    def prior(batch):
        sizes.append(len(batch))
        return batch.mean(-1)

    seen = list(marked(iter(frames), prior, MarkOptions(subtitles_only=False), lenient=True, with_soft=True))
    assert len(seen) == 21 and max(sizes) <= 8
    for one, frame in zip(seen, frames):
        assert one.frame is frame or torch.equal(one.frame, frame)
        assert torch.equal(one.soft, frame.mean(-1)) and torch.equal(one.marks, one.soft > 0.5)


def test_a_lenient_look_keeps_what_only_place_and_duration_would_drop():
    for place in (dict(top=0, left=0), dict(top=80, left=60, frames=slice(3, 3 + SHORTEST - 2))):
        soft, frames = shown(**place)
        assert not mark(soft, frames).any() and torch.equal(mark(soft, frames, lenient=True), soft > 0)


@pytest.mark.parametrize("subtitles_only", [True, False])
def test_no_more_frames_are_pulled_than_the_filters_say(subtitles_only):
    options, pulled, most = MarkOptions(subtitles_only=subtitles_only), 0, 0

    def frames():
        nonlocal pulled
        for _ in range(300):
            pulled += 1
            yield torch.rand(8, 16, 3)

    for done, _ in enumerate(marked(frames(), lambda batch: batch.mean(-1), options)):
        most = max(most, pulled - done)
    assert pulled == 300 and most <= look_ahead(options) + 1
    assert all(rule.ahead >= 0 for rule in filters(options))


def test_what_moves_counts_only_where_all_does():
    rng = torch.Generator().manual_seed(0)
    scene = torch.rand(1, HEIGHT, WIDTH + FRAMES * 4, 3, generator=rng)
    frames = torch.cat([scene[:, :, 4 * t : 4 * t + WIDTH] for t in range(FRAMES)])
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[:, 80:88, 40:120] = 0.9
    assert not mark(soft, frames, 0.5).any() and mark(soft, frames, 0.5, subtitles_only=False).any()


def test_specks_never_count():
    soft = torch.zeros(FRAMES, HEIGHT, WIDTH)
    soft[:, 40, 80] = 1
    assert not mark(soft, torch.zeros(FRAMES, HEIGHT, WIDTH, 3), 0.5, subtitles_only=False).any()
