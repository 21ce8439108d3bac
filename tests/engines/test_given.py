"""Frames that another model cleaned: only the subtitle's pixels come from them, in the source's colours."""

import pytest
import torch
from torch.nn import functional as F
from toy_parts import white

from clear_runtime.engines.given import GivenFrames
from clear_runtime.errors import ClearError
from clear_runtime.find.report import Report
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove

SIZE, BAR = (64, 96), (slice(None), slice(50, 54), slice(20, 60))


def scene(count=9, height=64, width=96):
    """A smooth picture that moves slowly: small enough of detail to survive another size."""
    y, x = torch.meshgrid(torch.linspace(0, 3, height), torch.linspace(0, 4, width), indexing="ij")
    frames = [torch.stack([(x + t / 20).sin(), (y - t / 30).cos(), (x + y).sin()], -1) for t in range(count)]
    return torch.stack(frames) * 0.3 + 0.45


def subtitled(clean):
    out = clean.clone()
    out[BAR] = 1
    return out


def run(cleaned, source, fit="scaled", **options):
    report = Report()
    engine = GivenFrames(cleaned, len(source), SIZE, fit)
    asked = RemoveOptions.of(**{"window": 9, "overlap": 0, "grow": 0, "feather": 0, **options})
    out, masks = zip(*remove(source, engine, white, asked, total=len(source), report=report))
    report.notes += engine.notes()
    return torch.stack(out), torch.stack(masks), report


def resized(frames, height, width):
    moved = F.interpolate(frames.movedim(3, 1), (height, width), mode="bicubic", antialias=True)
    return moved.movedim(1, 3).clamp(0, 1)


@pytest.mark.parametrize("height, width", [(64, 96), (32, 48), (96, 144), (48, 70)])
def test_only_the_subtitle_is_taken_at_any_size(height, width):
    clean = scene()
    source = subtitled(clean)
    out, masks, report = run(resized(clean, height, width).half(), source)
    assert torch.equal(out[masks == 0], source[masks == 0]) and (masks[BAR] == 1).all()
    assert masks.sum() == 9 * 4 * 40, "the letters and nothing else"
    assert (out - clean).abs().max() < 0.02
    assert not report.notes


def test_the_other_model_s_colours_become_the_source_s():
    clean = scene()
    darker = clean * 0.8 + torch.tensor([0.05, 0.0, 0.1])
    out, _, _ = run(darker, subtitled(clean))
    assert (darker - clean)[BAR].abs().mean() > 0.05
    assert (out - clean)[BAR].abs().mean() < 0.01


def saturated(frames, share):
    grey = frames.mean(-1, keepdim=True)
    return grey + share * (frames - grey)


def flowers(count=5):
    """A scene with detail of many colours, under the subtitle as elsewhere: they differ from letter to letter."""
    dots = torch.rand(3, 16, 24, generator=torch.Generator().manual_seed(3))
    return resized(dots.movedim(0, -1)[None], 64, 96).expand(count, -1, -1, -1) * 0.7 + 0.1


@pytest.mark.parametrize(
    "moved",
    [
        lambda x: x * 0.75,
        lambda x: 0.5 + 1.2 * (x - 0.5),
        lambda x: x**1.4,
        lambda x: x**0.7,
        lambda x: saturated(x, 0.6),
        lambda x: saturated(x, 1.3),
        lambda x: (16 + 219 * x) / 255,
    ],
    ids=["gain", "contrast", "darker gamma", "lighter gamma", "pale", "vivid", "limited range"],
)
def test_a_colour_that_moved_more_here_than_there_is_the_source_s_again(moved):
    clean = flowers()
    given = moved(clean).clamp(0, 1)
    out, _, report = run(given, subtitled(clean), window=5)
    before, after = ((x - clean)[BAR].abs().mean() for x in (given, out))
    assert before > 0.015 and after < 0.008
    assert not report.notes


def test_colours_that_nothing_beside_the_letters_shows_are_not_guessed():
    clean = flowers() * 0.02 + 0.4  # grey all round
    clean[BAR] = torch.tensor([0.8, 0.2, 0.1])  # and red under the letters
    out, _, _ = run((clean + 0.05).clamp(0, 1), subtitled(clean), window=5)
    assert (out - clean)[BAR].abs().max() < 0.06


def test_frames_of_another_film_are_refused_and_some_are_said():
    clean, other = flowers(9), flowers(9).flip(2)
    with pytest.raises(ClearError, match="cleaned frames 0 to 8 show something else"):
        run(other, subtitled(clean))
    with pytest.raises(ClearError, match="something else"):
        run(torch.zeros_like(clean), subtitled(clean))
    mixed = torch.cat([clean[:6], other[6:]])
    _, _, report = run(mixed, subtitled(clean))
    assert "In 3 frames, the first of them 6, the cleaned ones seem to show something else" in report.text()


def test_values_that_are_no_numbers_are_refused_by_the_frame():
    cleaned = scene()
    cleaned[4, 52, 30] = torch.nan
    with pytest.raises(ClearError, match="Cleaned frame 4 has values that are not numbers"):
        run(cleaned, subtitled(scene()))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_frame_or_a_few_are_enough(count):
    clean = flowers(count)
    out, masks, _ = run(clean * 0.8, subtitled(clean), window=5)
    assert len(out) == count and (masks[BAR] == 1).all() and (out - clean)[BAR].abs().mean() < 0.01


def test_edges_that_were_cut_off_are_not_stretched():
    clean = scene()
    source = subtitled(clean)
    middle = clean[:, :, 16:80]
    out, masks, _ = run(resized(middle, 128, 128), source, fit="cropped")
    assert (out - clean)[BAR].abs().max() < 0.03
    assert torch.equal(out[masks == 0], source[masks == 0])
    with pytest.raises(ClearError, match='64x64 pixels, the source 96x64.*fit to "cropped"'):
        run(middle, source)


def test_a_subtitle_beyond_the_cut_edges_is_filled():
    clean = scene()
    source = clean.clone()
    source[:, 50:54, 6:60] = 1
    out, masks, _ = run(clean[:, :, 16:80], source, fit="cropped")
    assert (masks[:, 50:54, 6:60] == 1).all()
    assert (out - clean)[:, :, :16].abs().max() < 0.1 and (out - clean)[:, :, 20:].abs().max() < 0.02


def test_frames_that_are_missing_at_the_end_are_filled_and_said():
    clean = scene(11)
    source = subtitled(clean)
    out, masks, report = run(clean[:9], source)
    assert len(out) == 11 and (masks[BAR] == 1).all() and (out - clean).abs().max() < 0.1
    assert report.notes == ["The cleaned frames end 2 before the source does; these were filled."]
    assert report.notes[0] in report.text() and report.notes[0] in report.json()
    assert len(run(scene(12), source)[0]) == 11, "frames too many at the end are left out"
    with pytest.raises(ClearError, match="2 cleaned frames for 11.*frame rate"):
        run(clean[:2], source)


def test_letters_that_the_other_model_left_are_filled():
    clean = scene()
    source = subtitled(clean)
    cleaned = clean.clone()
    cleaned[4:] = source[4:]
    out, _, report = run(cleaned, source)
    assert (out - clean).abs().max() < 0.1, "the line is gone where the model left it"
    assert "still showed letters; these were filled" in report.text() and not report.left
    darker, _, _ = run(cleaned * 0.8, source)
    assert (darker - clean).abs().max() < 0.1, "whatever its colours are"
    without, _, _ = run(cleaned, source, second_look=False)
    assert (without[6][50:54, 20:60] > 0.9).all(), "it is the second look that found it"


def test_what_only_the_other_model_saw_can_be_the_mask():
    clean = scene()
    source = clean.clone()
    source[:, 30:33, 10:80] = 0.05  # dark letters, which this prior does not know
    noise = 0.02 * torch.rand(clean.shape, generator=torch.Generator().manual_seed(0))
    out, masks, _ = run(clean * 0.9 + noise, source, mask_from="difference")
    assert masks[:, 30:33, 12:78].min() == 1 and masks.mean() < 0.2
    assert (out - clean)[masks == 1].abs().mean() < 0.05
    assert run(clean, source)[1].sum() == 0, "the prior sees nothing there"
    with pytest.raises(ClearError, match="fit is"):
        run(clean, source, fit="stretched")


@pytest.mark.parametrize("fit", ["scaled", "cropped"])
@pytest.mark.parametrize("height, width", [(0, 0), (1, 200), (200, 1)])
def test_frames_that_cannot_be_of_the_picture_are_refused_before_any_work(height, width, fit):
    with pytest.raises(ClearError, match=f"{width}x{height} pixels: too small or too narrow.* 96x64"):
        GivenFrames(torch.zeros(9, height, width, 3), 9, SIZE, fit)
