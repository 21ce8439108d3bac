"""From frames to marks: what of a video's text counts as subtitle, whole rows, in all of their frames."""

import numpy as np
import pytest
import torch
from drawn_rows import HEIGHT, WIDTH, at, letters, scene, video, white
from PIL import Image

from clear_runtime.find.marks import find_text, marked, marks_of
from clear_runtime.find.options import LOOK_HERE, MarkOptions
from clear_runtime.find.rules import Rules

FRAMES = 48
LINE, OTHER = at(letters(1, 14), 150, 70), at(letters(2, 10), 150, 90)
EVEN = MarkOptions(grow=0)


def mark(frames, options=EVEN, prior=white, **more):
    return torch.stack([one.marks for one in marked(frames, prior, options, **more)])


def same(marks, mask, when):
    """Whether the marks are the mask in these frames and nothing in the others."""
    expected = torch.zeros_like(marks)
    expected[when] = torch.from_numpy(mask)
    return torch.equal(marks, expected)


def test_a_line_counts_in_each_of_its_frames_and_in_no_other():
    frames = video(scene(FRAMES), (LINE, slice(10, 35)))
    assert same(mark(frames), LINE, slice(10, 35))
    assert same(mark(frames, MarkOptions(subtitles_only=False, grow=0)), LINE, slice(10, 35))


def test_lines_one_after_the_other_do_not_run_together():
    frames = video(scene(FRAMES), (LINE, slice(4, 20)), (OTHER, slice(20, 40)))
    marks = mark(frames)
    assert same(marks[:20], LINE, slice(4, 20)) and same(marks[20:], OTHER, slice(0, 20))


@pytest.mark.parametrize("speed", [4, 14])
def test_a_caption_over_lettering_that_drives_past_goes_alone(speed):
    """Where they touch they are one blob, from the first look on; only over time they part."""
    caption, sign, when = at(letters(2, 14), 142, 70), letters(3, 4, 11), slice(6, 30)
    signs = np.stack([at(np.pad(sign, ((0, 0), (200, 0)))[:, speed * t :], 70, 100) for t in range(40)])
    frames = video(scene(40, 1.0), *((one, slice(t, t + 1)) for t, one in enumerate(signs)), (caption, when))
    marks = mark(frames).numpy()
    assert marks[when][:, caption].mean(1).min() > 0.95
    assert (marks & signs & ~caption).sum() < 0.1 * signs.sum()


def test_a_score_in_a_corner_stays_with_and_without_a_line_beside_it():
    score = at(letters(3, 5), 8, 8)
    marks = mark(video(scene(FRAMES), (score, slice(0, 48)), (LINE, slice(10, 35))))
    assert same(marks, LINE, slice(10, 35))


def test_what_stands_all_the_time_beside_lines_that_change_stays():
    name = at(letters(3, 8), 20, 110)
    frames = video(scene(FRAMES), (name, slice(0, 48)), (LINE, slice(4, 20)), (OTHER, slice(22, 40)))
    assert not mark(frames)[:, :60].any() and mark(frames)[:, 140:].any()
    assert mark(frames, MarkOptions(subtitles_only=False, grow=0))[:, :60].any((1, 2)).all()


def test_a_sign_that_the_prior_sees_now_and_then_has_not_come_and_gone():
    """A studio that stands still: what would have told is the picture, and it shows the sign all the time."""
    sign = at(letters(3, 8), 20, 110)
    frames = video(scene(96), (sign, slice(0, 96)), (LINE, slice(0, 16)))
    frames[:, 0, 0] = torch.arange(96)[:, None] / 100

    def unsure(batch):
        soft = white(batch)
        for t, one in zip((100 * batch[:, 0, 0, 0]).round().int().tolist(), soft):
            one[:60, : 150 if t // 30 % 2 else 110] = 0  # another part of it each time
            if t % 30 > 12:
                one[:60] = 0
        return soft

    marks = mark(frames, prior=unsure)
    assert not marks[:, 10:60].any() and same(marks[:, 60:], LINE[60:], slice(0, 16))


def test_where_nothing_tells_a_low_line_goes_and_a_title_stays_and_it_is_said():
    title = at(letters(3, 8), 20, 110)
    finding = find_text(video(scene(FRAMES), (title, slice(0, 48)), (LINE, slice(0, 48))), white, EVEN)
    verdicts = sorted((one.track.region.top, one.verdict.goes, one.verdict.certain) for one in finding.found)
    assert [verdict[1:] for verdict in verdicts] == [(False, False), (True, False)]


def test_what_moves_with_the_scene_stays_and_a_line_over_it_goes():
    grey = scene(FRAMES, pan=3.0)
    frames = video(grey, (LINE, slice(8, 40)))
    for t in range(FRAMES):
        sign = torch.from_numpy(at(letters(3, 8), 40, 200 - 3 * t if t < 66 else 0))
        frames[t][sign] = 1.0
    marks = mark(frames)
    assert same(marks, LINE, slice(8, 40))
    assert marks_of(frames[:30], white, EVEN, lenient=True)[1][:, :100].sum() == 0


def test_words_that_are_shown_one_by_one_all_go():
    words = [(at(letters(n, 4), 150, 120 + 3 * n), slice(6 * n, 6 * n + 6)) for n in range(8)]
    marks = mark(video(scene(FRAMES), *words))
    for mask, when in words:
        assert (marks[when] & torch.from_numpy(mask)).sum() >= 0.95 * 6 * mask.sum()


def test_a_fade_counts_from_its_first_frames_to_its_last():
    frames = video(scene(60))
    strength = np.interp(np.arange(60), [8, 22, 38, 52], [0, 1, 1, 0])
    line = torch.from_numpy(LINE)
    for t in range(60):
        frames[t][line] += float(strength[t]) * (1 - frames[t][line])
    counted = mark(frames).any((1, 2))
    assert counted[10:51].all() and not counted[:6].any() and not counted[55:].any()


def test_a_stream_counts_what_the_whole_counts_and_comes_back_as_it_was():
    frames = video(scene(200), (LINE, slice(20, 60)), (OTHER, slice(70, 130)), (LINE, slice(150, 190)))
    whole, stream = mark(frames), list(marked(iter(frames), white, EVEN))
    assert torch.equal(torch.stack([one.marks for one in stream]), whole)
    assert all(torch.equal(one.frame, frame) and one.soft is None for one, frame in zip(stream, frames))


def test_a_stream_is_held_for_a_few_seconds_only():
    pulled, most = 0, 0

    def frames():
        nonlocal pulled
        for frame in video(scene(300)):
            pulled += 1
            yield frame

    for done, _ in enumerate(marked(frames(), white)):
        most = max(most, pulled - done)
    assert pulled == 300 and most <= 130


def test_growth_is_given_or_judged_from_the_picture():
    frames = video(scene(FRAMES) * 0, (LINE, slice(10, 35)))
    assert mark(frames, MarkOptions(grow=3)).sum() > mark(frames, MarkOptions(grow=1)).sum() > LINE.sum() * 25
    rim = torch.nn.functional.max_pool2d(torch.from_numpy(LINE)[None].float(), 9, 1, 4)[0] > 0
    outlined = frames.clone()
    outlined[10:35, rim & ~torch.from_numpy(LINE)] = 0.3  # four pixels that the prior does not mark
    judged = mark(outlined, MarkOptions())
    assert judged[20][rim].float().mean() > 0.95 and mark(frames, MarkOptions())[20].sum() < rim.sum()


def test_a_users_mask_adds_its_area_or_lets_the_prior_be_less_sure():
    sign = at(letters(3, 8), 20, 20)  # in a corner
    frames = video(scene(FRAMES), (sign, slice(0, 48)))
    place = torch.zeros(1, HEIGHT, WIDTH)
    place[:, 10:50, 10:150] = 1
    assert not mark(frames).any()
    assert torch.equal(mark(frames, subtitle=place), (place > 0.5).expand(FRAMES, -1, -1))
    here = MarkOptions(grow=0, subtitle_use=LOOK_HERE)
    assert same(mark(frames, here, subtitle=place), sign, slice(0, 48))
    faint = lambda frames: 0.35 * white(frames)
    assert not any(one.marks.any() for one in marked(frames, faint, here))
    assert all(one.marks.any() for one in marked(frames, faint, here, subtitle=place))


@pytest.mark.parametrize("subtitles_only", [True, False])
def test_soft_masks_are_those_of_every_frame(subtitles_only):
    frames = video(scene(20), (LINE, slice(5, 15)))
    seen = list(marked(frames, white, MarkOptions(subtitles_only=subtitles_only), with_soft=True))
    for one, frame in zip(seen, frames):
        assert (one.soft - white(frame[None])[0]).abs().max() < 1 / 255


def test_no_frames_give_no_marks():
    assert list(marked([], white)) == [] and marks_of(torch.zeros(0, 8, 8, 3), white)[1].shape == (0, 8, 8)


def slab(frames):
    """A prior that marks one block around whatever is white: of two words as long, it sees the same."""
    text = white(frames) > 0.5
    out = torch.zeros(text.shape)
    for block, mask in zip(out, text):
        if mask.any():
            lines, columns = (mask.any(axis).nonzero() for axis in (1, 0))
            block[lines.min() : lines.max() + 1, columns.min() : columns.max() + 1] = 1
    return out


def test_words_that_cover_the_same_pixels_are_told_apart_by_the_picture():
    words = [at(letters(seed, 4), 150, 120) for seed in range(4)]
    frames = video(scene(48), *((word, slice(12 * n, 12 * n + 11)) for n, word in enumerate(words)))
    finding = find_text(frames, slab, EVEN)
    assert [one.track.looks[0].t for one in finding.found] == [0, 12, 24, 36]
    assert all(one.verdict.goes for one in finding.found)


@pytest.mark.parametrize("touches", [slice(8, 16), slice(20, 24)], ids=["from its first frame", "in between"])
def test_a_line_that_runs_into_a_tall_sign_behind_it_goes_in_all_of_its_frames(touches):
    """A car's writing passes close above a caption, and to the prior both are one."""
    frames = video(scene(FRAMES, pan=2.0), (LINE, slice(8, 40)))
    for t in range(*touches.indices(FRAMES)):
        tall = torch.from_numpy(at(letters(5, 4, scale=9), 88, 190 + 6 * (t - touches.start)))
        frames[t][tall] = 1.0
    marks, line = mark(frames), torch.from_numpy(LINE)
    assert (marks[8:40] & line).sum((1, 2)).min() >= 0.97 * line.sum()
    assert not marks[:, :80].any() and not marks[:8].any() and not marks[41:].any()


POEM = [at(letters(n, 12), top, 80) for n, top in enumerate(range(30, 181, 30))]


def now_and_then(batch):
    """A prior that sees a row of the poem in every eighth look only. The first pixel of a frame says which it is."""
    soft = white(batch)
    for t, one in zip((100 * batch[:, 0, 0, 0]).round().int().tolist(), soft):
        one[0] = 0
        if t % 24:
            one[85:115] = 0
    return soft


@pytest.mark.parametrize("without", [None, "holds", "paragraph"])
def test_a_poem_goes_whole_although_the_prior_hardly_sees_a_row_of_it(without):
    frames = video(scene(72), *[(row, slice(0, 72)) for row in POEM])
    frames[:, 0, 0] = torch.arange(72)[:, None] / 100
    marks = mark(frames, prior=now_and_then, rules=Rules().without(without) if without else Rules())
    poem = torch.from_numpy(np.maximum.reduce(POEM))
    assert ((marks & poem).sum() == 72 * poem.sum()) == (without is None)


@pytest.mark.parametrize("rules, goes", [(Rules(), True), (Rules().without("grain").without("keeps"), False)])
def test_a_faint_line_in_the_grain_of_a_film_does_not_move(rules, goes):
    grain = torch.from_numpy(np.random.default_rng(0).normal(0, 0.022, (FRAMES, *LINE.shape))).float()
    frames = (0.8 + grain)[..., None].repeat(1, 1, 1, 3)
    frames[8:40] += 0.07 * torch.from_numpy(LINE)[None, :, :, None]
    frames[:, 0, 0] = torch.arange(FRAMES)[:, None] / 100

    def sees(batch):
        line = torch.nn.functional.interpolate(torch.from_numpy(LINE)[None, None].float(), batch.shape[1:3])[0, 0]
        return torch.stack([line * (8 <= round(100 * float(one[0, 0, 0])) < 40) for one in batch])

    marks = mark(frames, prior=sees, rules=rules)
    assert bool((marks[9:39] & torch.from_numpy(LINE)).sum() > 0.9 * 30 * int(LINE.sum())) == goes


def test_a_line_that_grows_about_its_middle_goes_whole():
    """A title that comes nearer: no pixel of it stands, and no row of a look is where the one before was."""
    size, when = (360, 640), slice(10, 50)
    grey, shown = scene(60, pan=2.0, size=size), np.zeros((60, *size))
    row = Image.fromarray(letters(4, 12, 8).astype(np.uint8) * 255)
    for t in range(when.start, when.stop):
        share = 0.4 + 0.004 * (t - 10)
        drawn = np.asarray(row.resize((round(row.width * share), round(row.height * share))), float) / 255
        shown[t, 250 - drawn.shape[0] // 2 :, 320 - drawn.shape[1] // 2 :][: drawn.shape[0], : drawn.shape[1]] = drawn
    frames = video(grey + (1 - grey) * shown)
    marks = mark(frames).numpy()
    share = [marks[t][shown[t] > 0.9].mean() for t in range(when.start, when.stop)]
    assert min(share) > 0.75 and np.mean(share) > 0.95
    assert not marks[: when.start].any() and not marks[when.stop :].any()


@pytest.mark.parametrize("size, share", [((16, 16), 0.02), ((12, 24), 0.03), ((8, 32), 0.05)])
def test_a_thin_row_at_the_edge_of_a_picture_smaller_than_its_masks_is_looked_at(size, share):
    class AtTheBottom:
        """Says that the lowest rows of every frame are text."""

        long_side = 320

        def __call__(self, frames):
            masks = torch.zeros(frames.shape[:3])
            masks[:, -max(1, round(masks.shape[1] * share)) :] = 1
            return masks

    frames = torch.rand(30, *size, 3, generator=torch.Generator().manual_seed(0))
    finding = find_text(list(frames), AtTheBottom())
    assert finding.finder.count == 30 and finding.found, "and no crash"
