"""Translucent boxes: what is recovered under them, and that nothing else is touched."""

import pytest
import torch
from paths import DEMO
from torch.nn import functional as F

from clear_runtime.fill.boxes.find import find_boxes
from clear_runtime.fill.boxes.lift import lift_boxes
from clear_runtime.fill.boxes.options import BoxOptions
from clear_runtime.fill.plain import fill
from clear_runtime.frames.masks import grow
from clear_runtime.media.video import read_frames
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

BOX = (64, 90, 40, 160)  # top, bottom, left, right
BLACK, BLUE, WHITE = (0.0, 0.0, 0.0), (0.08, 0.08, 0.31), (1.0, 1.0, 1.0)


def scene(count=16, height=112, width=200, speed=2, seed=0):
    """Blurred noise that wanders sideways, in the tones of a film."""
    noise = torch.rand(1, 3, height, width + speed * count, generator=torch.Generator().manual_seed(seed))
    for reach in (2, 3, 4):
        noise = F.avg_pool2d(noise, 2 * reach + 1, 1, reach, count_include_pad=False)
    noise = (noise - noise.mean()) / noise.std() * 0.15 + 0.5
    return (
        torch.stack([noise[0, :, :, speed * t : speed * t + width] for t in range(count)])
        .permute(0, 2, 3, 1)
        .clamp(0, 1)
    )


def letters(height=112, width=200, box=BOX):
    """Strokes of a line of text inside the box, and the same with an outline of 2 pixels: [1, H, W]."""
    strokes, (top, bottom, left, right) = torch.zeros(1, height, width), box
    for x in range(left + 10, right - 12, 12):
        strokes[:, top + 8 : bottom - 8, x : x + 2] = strokes[:, top + 8 : top + 10, x : x + 7] = 1
    return strokes, grow(strokes, 2)


def subtitle(frames, opacity=0.6, colour=BLACK, fill_colour=1.0, outline=0.0, box=BOX, strength=None, noise=0.004):
    """Frames with a line of text on a box, and what a prior marks: the whole box, somewhat large, without its right
    end."""
    out, (top, bottom, left, right) = frames.clone(), box
    strokes, outlined = letters(*frames.shape[1:3], box)
    strength = torch.ones(len(frames)) if strength is None else strength
    marks = torch.zeros(frames.shape[:3])
    for t, share in enumerate(strength.tolist()):
        one = out[t : t + 1]
        part = one[:, top:bottom, left:right]
        part.lerp_(torch.tensor(colour), opacity * share)
        one.lerp_(torch.full((3,), outline), outlined[..., None] * share)
        one.lerp_(torch.full((3,), fill_colour), strokes[..., None] * share)
        if share > 0:
            marks[t, top - 3 : bottom + 3, left - 3 : right - 6] = 1
    out += noise * torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
    return (out.clamp(0, 1) * 255).round() / 255, marks


MIDDLE = slice(5, 10)
"""Frames that a fill is compared by: what it borrows from further frames adds time and little else."""


def recovered(frames, hidden, clean):
    """PSNR of the middle frames with what is hidden filled."""
    return psnr(fill(frames[MIDDLE], hidden[MIDDLE]), clean[MIDDLE])


def psnr(a, b, where=(slice(None), slice(BOX[0], BOX[1]), slice(BOX[2], BOX[3]))):
    return float(-10 * (a[where] - b[where]).square().mean().log10())


@pytest.mark.parametrize(
    "opacity, colour", [(0.4, BLACK), (0.6, BLACK), (0.8, BLACK), (0.5, BLUE), (0.6, (0.4, 0.4, 0.4))]
)
def test_the_scene_under_a_box_comes_back(opacity, colour):
    clean = scene()
    shown, marks = subtitle(clean, opacity, colour)
    [(found_box, _)] = find_boxes(shown, marks)
    assert (
        found_box.region.top,
        found_box.region.top + found_box.region.height,
        found_box.region.left,
        found_box.region.left + found_box.region.width,
    ) == BOX
    assert abs(found_box.through - (1 - opacity)) < 0.06
    result = lift_boxes(shown, marks)
    assert recovered(result.frames, result.hidden, clean) > recovered(shown, marks, clean) + 5


def test_a_white_box_with_dark_letters():
    clean = scene()
    shown, marks = subtitle(clean, 0.5, WHITE, fill_colour=0.0, outline=0.0)
    result = lift_boxes(shown, marks)
    assert recovered(result.frames, result.hidden, clean) > recovered(shown, marks, clean) + 5


def test_letters_stay_hidden_with_their_outline_and_the_box_is_covered():
    shown, marks = subtitle(scene())
    result = lift_boxes(shown, marks)
    _, outlined = letters()
    assert result.hidden[outlined.expand_as(marks) > 0].min() == 1
    top, bottom, left, right = BOX
    assert result.lifted[:, top:bottom, left:right].all()
    assert result.hidden[:, top:bottom, left:right].mean() < 0.75


def test_outside_the_box_the_frames_keep_their_bits():
    shown, marks = subtitle(scene())
    before = shown.clone()
    result = lift_boxes(shown, marks)
    assert torch.equal(shown, before)
    assert torch.equal(result.frames[~result.lifted], shown[~result.lifted])
    assert result.lifted.float().mean() < 0.2


def test_a_box_that_fades_is_taken_off_by_as_much_as_there_is():
    clean = scene(24)
    strength = torch.tensor([0, 0, 0.25, 0.5, 0.75] + [1.0] * 14 + [0.75, 0.5, 0.25, 0, 0])
    shown, marks = subtitle(clean, 0.6, strength=strength)
    result = lift_boxes(shown, marks)
    assert not result.lifted[[0, 1, -2, -1]].any() and result.lifted[5:19].any((1, 2)).all()
    filled = fill(result.frames, result.hidden)
    for t in (3, 4, 10, 19, 20):
        assert psnr(filled[t : t + 1], clean[t : t + 1]) > 24


def test_two_lines_one_after_the_other_have_boxes_of_their_own():
    clean, wide = scene(24), (64, 90, 20, 180)
    shown, marks = subtitle(clean)
    shown[12:], marks[12:] = (x[12:] for x in subtitle(clean, box=wide))
    result = lift_boxes(shown, marks)
    assert (
        not result.lifted[:12, :, :36].any()
        and result.lifted[12:, 70, 20:180].all()
        and result.lifted[:12, 70, 40:160].all()
    )
    assert psnr(fill(result.frames, result.hidden), clean, (slice(None), slice(64, 90), slice(20, 180))) > 24


@pytest.mark.parametrize("speed", [0, 2])
@pytest.mark.parametrize("seed", range(4))
def test_letters_without_a_box_change_nothing(speed, seed):
    clean = scene(speed=speed, seed=seed)
    shown, marks = subtitle(clean, opacity=0.0)
    assert find_boxes(shown, marks) == []
    result = lift_boxes(shown, marks)
    assert result.frames is shown and result.hidden is marks and not result.lifted.any()


@pytest.mark.parametrize("opacity", [0.95, 1.0])
def test_a_box_that_lets_too_little_through_is_left(opacity):
    shown, marks = subtitle(scene(), opacity)
    result = lift_boxes(shown, marks)
    assert result.frames is shown and result.hidden is marks


def test_a_dark_part_of_the_scene_is_no_box():
    """A wall that begins where the text does, but with a pattern of its own, as scenes have."""
    clean, other = scene(), scene(seed=5)
    top, bottom, left, right = BOX
    clean[:, top:bottom, left:right] = 0.4 * other[:, top:bottom, left:right]
    shown, marks = subtitle(clean, opacity=0.0)
    assert lift_boxes(shown, marks).frames is shown


@pytest.mark.parametrize("marks", [torch.zeros(6, 40, 60), torch.ones(6, 40, 60)])
def test_nothing_marked_or_everything(marks):
    frames = torch.rand(6, 40, 60, 3, generator=torch.Generator().manual_seed(0))
    result = lift_boxes(frames, marks)
    assert result.frames is frames and result.hidden is marks


def test_a_film_with_letters_over_its_textures_is_left_alone():
    frames = torch.stack(list(read_frames(DEMO / "bunny_clean.mp4"))[:12])
    height, width = frames.shape[1:3]
    for top in range(20, height - 60, 50):
        box = (top, top + 30, width // 4, width * 3 // 4)
        shown, marks = subtitle(frames, opacity=0.0, box=box)
        assert lift_boxes(shown, marks).frames is shown


# -- how strong, how soft, how far -------------------------------------------------------------------------------------


def softened(frames):
    """Frames whose edges are as soft as those of a video that was made larger."""
    planes = frames.permute(0, 3, 1, 2)
    for _ in range(2):
        planes = F.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)
    return planes.permute(0, 2, 3, 1)


def test_a_full_box_is_full_in_every_frame():
    shown, marks = subtitle(scene())
    [(_, strength)] = find_boxes(shown, marks)
    assert (strength == 1).all()


def test_a_frame_that_looks_weaker_does_not_flicker():
    """In one frame a pale smear hides the box's edges; all of the box is there before and after."""
    shown, marks = subtitle(scene(speed=0))
    weak, _ = subtitle(scene(speed=0), strength=torch.full((16,), 0.7))
    shown[8] = weak[8]
    [(_, strength)] = find_boxes(shown, marks)
    assert (strength == 1).all()


def test_no_single_frame_is_taken_off_differently_from_those_around_it():
    shown, marks = subtitle(scene(), 0.5, BLUE)
    [(_, strength)] = find_boxes(softened(shown), marks)
    steps = strength.diff().abs()
    assert torch.minimum(steps[1:], steps[:-1]).max() < 0.02


@pytest.mark.parametrize("seed", [0, 2])
def test_a_soft_box_is_as_dense_as_further_inside(seed):
    shown, marks = subtitle(scene(seed=seed, speed=0), 0.5, BLUE)
    [(found_box, _)] = find_boxes(softened(shown), marks)
    assert abs(found_box.through - 0.5) < 0.05


@pytest.mark.parametrize("opacity", [0.84, 0.86])
def test_a_soft_box_is_not_taken_for_a_darker_one_than_8_bits_hold(opacity):
    shown, marks = subtitle(scene(speed=0), opacity)
    boxes = find_boxes(softened(shown), marks)
    assert boxes and all(found_box.through > BoxOptions().darkest for found_box, _ in boxes)


def test_soft_edges_are_filled_in():
    top, bottom, left, right = BOX
    shown, marks = subtitle(scene())
    crisp, soft = lift_boxes(shown, marks), lift_boxes(softened(shown), marks)
    edge = (slice(None), slice(top - 1, top + 1), slice(left, right))
    assert soft.hidden[edge].min() == 1 and soft.lifted[edge].all()
    assert crisp.hidden[edge].max() == 0


def test_marks_beyond_the_edge_go_but_for_a_letter_that_reaches_over_it():
    top, bottom, left, right = BOX
    shown, marks = subtitle(scene())
    shown[:, bottom - 6 : bottom + 3, 150:154] = 1
    hidden = lift_boxes(shown, marks).hidden
    assert hidden[:, top - 3 : top].max() == 0 and hidden[:, bottom:, :140].max() == 0
    assert hidden[:, bottom : bottom + 3, 150:154].min() == 1


def test_boxes_of_nearly_one_width_are_told_apart():
    """The marks of the two lines overlap so much that they count as one line's."""
    clean, other = scene(24), (64, 90, 36, 164)
    shown, marks = subtitle(clean)
    shown[12:], marks[12:] = (x[12:] for x in subtitle(clean, box=other))
    found = find_boxes(shown, marks)
    assert sorted((found_box.region.left, found_box.region.right) for found_box, _ in found) == [(36, 164), (40, 160)]


def test_boxes_of_one_frame_do_not_overlap():
    """A light box gives way to a denser one at its place, which is there in part, as it seems, from the start."""
    clean = scene(32, speed=1)
    shown, marks = subtitle(clean, 0.4)
    shown[16:] = subtitle(clean, 0.7)[0][16:]
    found = find_boxes(shown, marks)
    assert len(found) == 2
    assert torch.stack([strength > 0 for _, strength in found]).sum(0).max() == 1


def test_a_box_without_letters_is_left():
    """Nothing stands out in it, so that letters in the scene's own colours would be taken for the scene."""
    clean, (top, bottom, left, right) = scene(), BOX
    shown, marks = clean.clone(), torch.zeros(16, 112, 200)
    shown[:, top:bottom, left:right] *= 0.4
    marks[:, top - 3 : bottom + 3, left - 3 : right + 3] = 1
    assert find_boxes(shown, marks) and lift_boxes(shown, marks).frames is shown


def test_a_box_full_of_letters_is_left():
    """What shows through between them is too little to gain anything."""
    clean, (top, bottom, left, right) = scene(), BOX
    shown, marks = subtitle(clean)
    shown[:, top + 3 : bottom - 3, left + 3 : right - 3] = 1
    assert find_boxes(shown, marks) and lift_boxes(shown, marks).frames is shown


# -- in the remover ----------------------------------------------------------------------------------------------------


def removed(shown, marks, **options):
    """Looked at once: this prior would mark the same again, whatever was done."""
    options = RemoveOptions.of(output="preview", second_look=False, **options)
    pairs = list(remove(iter(shown), None, lambda frames: marks[: len(frames)], options))
    return torch.stack([f for f, _ in pairs]), torch.stack([m for _, m in pairs])


def test_the_remover_shows_the_scene_and_says_where():
    clean = scene()
    shown, marks = subtitle(clean)
    out, mask = removed(shown, marks)
    top, bottom, left, right = BOX
    assert mask[:, top:bottom, left:right].min() == 1 and torch.equal(out[mask == 0], shown[mask == 0])
    assert psnr(out[MIDDLE], clean[MIDDLE]) > recovered(shown, marks, clean) + 4.5


def test_windows_agree():
    clean = scene(21)
    shown, marks = subtitle(clean)
    whole, _ = removed(shown, marks)
    parts, _ = removed(shown, marks, window=13, overlap=4)
    # other windows have other frames that show what the letters hide, so they are not the same
    assert psnr(parts, whole) > max(psnr(whole, clean), psnr(parts, clean)) + 2


def test_limit_and_protect_hold_for_boxes_too():
    shown, marks = subtitle(scene())
    limit, protect = torch.zeros(1, 112, 200), torch.zeros(1, 112, 200)
    limit[:, :, :120], protect[:, :, :70] = 1, 1
    options = RemoveOptions.of(output="preview", second_look=False)
    pairs = list(remove(iter(shown), None, lambda frames: marks, options, limit, protect))
    out, mask = torch.stack([f for f, _ in pairs]), torch.stack([m for _, m in pairs])
    assert torch.equal(out[:, :, 120:], shown[:, :, 120:]) and torch.equal(out[:, :, :70], shown[:, :, :70])
    assert mask[:, :, 120:].max() == 0 and mask[:, 70:80, 75:115].min() == 1


def test_the_switch_leaves_boxes_where_they_are():
    shown, marks = subtitle(scene())
    result = lift_boxes(shown, marks, BoxOptions(lift=False))
    assert result.frames is shown and result.hidden is marks and not result.lifted.any()
    assert lift_boxes(shown, marks).lifted.any()


def grown_by_words(frames, count=4, each=3):
    """A box that is a quarter wider every third frame until it is whole. (frames, marks, where the box is in each)."""
    shown, marks, boxes = [], [], []
    top, bottom, left, right = BOX
    for t in range(len(frames)):
        part = min(count, 1 + t // each)
        box = top, bottom, left, left + (right - left) * part // count
        one, mask = subtitle(frames[t : t + 1], box=box)
        shown.append(one)
        marks.append(mask)
        boxes.append(box)
    return torch.cat(shown), torch.cat(marks), boxes


@pytest.mark.parametrize("grows", [True, False])
def test_a_box_that_grows_with_its_words_is_followed(grows):
    shown, marks, boxes = grown_by_words(scene(22))
    found = find_boxes(shown, marks, BoxOptions(grows=grows))
    there = [[box.region for box, strength in found if strength[t] > 0] for t in range(len(shown))]
    assert all(len(regions) == 1 for regions in there[9:])
    assert all(bool(regions) == grows for regions in there[3:9])
    for regions, (_, bottom, left, right) in zip(there, boxes):
        for region in regions:
            assert max(abs(region.right - right), abs(region.left - left), abs(region.bottom - bottom)) <= 1


def two_rows():
    """(frames, marks) of a box with two rows, of which each has marks of its own."""
    top, bottom, left, right = BOX
    shown, marks = subtitle(scene(), box=(top - 26, bottom, left, right))
    marks[:, top - 2 : top + 2] = 0
    return shown, marks


def test_two_rows_on_one_box_are_one():
    top, bottom, left, right = BOX
    regions = [box.region for box, _ in find_boxes(*two_rows())]
    assert [(r.top, r.bottom, r.left, r.right) for r in regions] == [(top - 26, bottom, left, right)]
    assert all(box.region.height < 40 for box, _ in find_boxes(*two_rows(), BoxOptions(rows=0.0)))


def test_an_edge_that_runs_through_a_row_is_no_boxs():
    """Marks of a row that is half on a box and half above it."""
    shown, marks = subtitle(scene())
    top, bottom, left, right = BOX
    assert find_boxes(shown, marks)
    marks[:, top - 20 : top + 9, left + 20 : right - 20] = 1
    marks[:, top + 9 : top + 11] = 0
    assert not find_boxes(shown, marks)
