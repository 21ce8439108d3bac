"""Where pixels are replaced: by the prior, by what the network changed, by both; and what a second look still finds."""

import pytest
import torch
from toy_parts import FakeDenoiser, engine, run, video, white

from clear_runtime.find.report import Report
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove


@pytest.mark.parametrize("prior", [None, white])
def test_the_mask_can_come_from_what_the_network_changed(prior):
    frames = video(17, 48, 64, text=(20, 24, 16, 48))

    def clean(noise, control):
        out = control + 0.01 * noise
        out[:, :, :, 10:12, 8:24] -= 3
        return out

    out, masks = run(frames, FakeDenoiser(clean), prior=prior, mask_from="difference", grow=0, feather=0)
    expected = torch.zeros(17, 48, 64)
    expected[:, 20:24, 16:48] = 1
    assert torch.equal(masks, expected)
    assert torch.equal(out[masks == 0], frames[masks == 0]) and (out[masks == 1] < 0.9).all()
    out, masks = run(frames, FakeDenoiser(), prior=prior, mask_from="difference")
    assert torch.equal(out, frames) and not masks.any()


def sees_nothing(frames):
    return torch.zeros(frames.shape[:3])


def takes_away_a_line(noise, control):
    out = control + 0.01 * noise
    out[:, :, :, 10:12, 8:24] -= 3
    return out


def test_a_line_that_the_prior_missed_and_the_network_took_away_is_in_the_result():
    frames = video(17, 48, 64, text=(20, 24, 16, 48))
    line = torch.zeros(17, 48, 64)
    line[:, 20:24, 16:48] = 1
    given = dict(prior=sees_nothing, grow=0, feather=0)
    for mask_from in ("auto", "both"):
        out, masks = run(frames, FakeDenoiser(takes_away_a_line), mask_from=mask_from, **given)
        assert torch.equal(masks, line) and (out[masks == 1] < 0.9).all()
        assert torch.equal(out[masks == 0], frames[masks == 0])
    assert not run(frames, FakeDenoiser(takes_away_a_line), mask_from="prior", **given)[1].any()
    assert not run(frames, FakeDenoiser(takes_away_a_line), mask_from="both", output="preview", **given)[1].any()


def test_what_both_find_is_joined():
    frames = video(17, 48, 64, text=(20, 24, 16, 48))
    frames[:, 40:44, 20:44] = 1  # which the network leaves
    bottom = lambda frames: torch.cat([torch.zeros(len(frames), 32, 64), white(frames)[:, 32:]], 1)
    _, masks = run(frames, FakeDenoiser(takes_away_a_line), prior=bottom, mask_from="both", grow=0, feather=0)
    assert masks[:, 20:24, 16:48].all() and masks[:, 40:44, 20:44].all() and masks.sum() == 17 * (4 * 32 + 4 * 24)


def test_a_network_that_drifts_everywhere_or_repaints_a_part_changes_no_line():
    frames = video(17, 48, 64, text=None)
    drifting = FakeDenoiser(lambda noise, control: control + 0.1 + 0.05 * noise)
    assert not run(frames, drifting, prior=sees_nothing, mask_from="both")[1].any()

    def repaints(noise, control):
        out = control + 0.01 * noise
        out[:, :, :, 4:20, 8:24] -= 3
        return out

    assert not run(frames, FakeDenoiser(repaints), prior=sees_nothing, mask_from="both")[1].any()


def test_what_can_still_be_read_is_replaced_again_under_a_wider_mask_and_what_stays_is_told():
    frames = video(17, 48, 64, text=(30, 34, 16, 48))
    half = lambda frames: torch.cat([white(frames)[..., :40], torch.zeros(len(frames), 48, 24)], 2)
    seen = []

    def prior(frames):  # sees half of the line until that is gone
        seen.append(len(frames))
        return white(frames) if not (frames[:, 30:34, 16:40] > 0.95).any() else half(frames)

    _, once = run(frames, prior=prior, output="preview", second_look=False)
    out, twice = run(frames, prior=prior, output="preview", second_look=True)
    assert not once[:, 31, 46].any() and (frames[:, 31, 46] == 1).all()
    assert twice[:, 30:34, 16:48].all() and not (white(out) > 0.5).any()
    report = Report()
    stubborn = FakeDenoiser(lambda noise, control: control)
    asked = RemoveOptions.of(window=17, overlap=0, steps=1, control="as is", mask_from="prior")
    list(remove(frames, engine(denoiser=stubborn, options=asked), white, asked, report=report))
    assert len(report.left) > 12 and "Still to be read after it: frames 0-" in report.text()
