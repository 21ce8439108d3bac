"""The pipeline, with a codec and a denoiser small enough to know what they do."""

import itertools
from dataclasses import replace

import pytest
import torch
from toy_parts import SMALL, FakeDenoiser, PoolCodec, engine, run, video, white

from clear_runtime.engines.engine import Painted
from clear_runtime.engines.plain_fill import PlainFill
from clear_runtime.errors import ClearError
from clear_runtime.find.report import Report
from clear_runtime.frames.windows import Window
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove
from clear_runtime.pipeline import replace as replaced

# -- what comes back ---------------------------------------------------------------------------------------------------


COUNTS, SIZES, DTYPES = (1, 2, 4, 5, 17, 40), ((24, 36), (23, 37), (40, 21), (5, 3)), (torch.float32, torch.float16)


@pytest.mark.parametrize(
    "count, size, dtype",  # each count with each size, and each of both with each type
    [(count, size, DTYPES[(i + j) % 2]) for i, count in enumerate(COUNTS) for j, size in enumerate(SIZES)],
)
def test_every_frame_comes_back_in_order_size_and_type(count, size, dtype):
    frames = video(count, *size, text=(1, 2, 1, 2), dtype=dtype)
    for output in ("composite", "raw", "preview"):
        out, masks = run(frames, output=output, grow=0, feather=0)
        assert out.shape == frames.shape and out.dtype == dtype
        assert masks.shape == frames.shape[:3] and masks.dtype == torch.float32
        assert out.min() >= 0 and out.max() <= 1 and torch.isfinite(out).all()
        if output != "raw":
            assert torch.equal(out[masks == 0], frames[masks == 0])


@pytest.mark.parametrize("control", ["as is", "prefilled"])
@pytest.mark.parametrize("region", ["whole frame", "subtitle band"])
@pytest.mark.parametrize("max_pixels", [1024, 1280 * 720])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_outside_the_mask_the_source_stays_bit_for_bit(control, region, max_pixels, dtype):
    frames = video(23, 36, 52, text=(24, 27, 16, 36), dtype=dtype)
    out, masks = run(
        frames,
        FakeDenoiser(lambda n, c: c.clamp(max=0.4) + 0.01 * n),
        control=control,
        region=region,
        max_pixels=max_pixels,
        overlap=5,
    )
    assert torch.equal(out[masks == 0], frames[masks == 0])
    assert (out[:, 25, 20:28] != frames[:, 25, 20:28]).all()
    assert masks[:, 24:27, 16:36].min() == 1 and masks[:, 5].max() == 0


def test_a_denoiser_that_repeats_a_prefilled_control_gives_the_fill():
    """In one window: of frames that two share, the fill paints half as many twice."""
    frames = video(9)
    preview, _ = run(frames, output="preview")
    assert (run(frames, control="prefilled")[0] - preview).abs().max() < 1e-5
    assert (preview[:, 14:17, 8:28] < 0.95).all()


def test_a_share_of_the_networks_change_is_kept():
    frames, darker = video(9), FakeDenoiser(lambda noise, control: control - 0.1)
    fill = run(frames, output="preview")[0][:, 15, 10:20]
    for share in (0.0, 0.5, 1.0):
        out = run(frames, darker, control="prefilled", keep_change=share)[0][:, 15, 10:20]
        assert torch.allclose(out, (fill - 0.1 * share).clamp(0, 1), atol=1e-5)


def test_raw_is_the_networks_picture():
    frames, codec = video(9, 24, 36), PoolCodec()
    out, masks = run(frames, FakeDenoiser(lambda noise, control: control * 0.5), codec, output="raw")
    assert torch.allclose(out, codec.decode(codec.encode(frames) * 0.5), atol=1e-6)
    assert masks[:, 15, 10:20].min() == 1 and masks[:, 2].max() == 0


def test_raw_in_a_band_is_the_source_elsewhere():
    frames = video(9, 400, 36, text=(390, 394, 8, 28))
    out, _ = run(
        frames,
        FakeDenoiser(lambda noise, control: control * 0.5),
        output="raw",
        region="subtitle band",
        max_pixels=5000,
    )
    assert torch.equal(out[:, :150], frames[:, :150]) and out[:, 390:394].max() < 0.75


# -- windows -----------------------------------------------------------------------------------------------------------


def test_the_result_does_not_depend_on_the_windows():
    frames = video(37)
    pointwise = lambda noise, control: 0.5 * control + 0.05 * noise.clamp(-1, 1)
    whole, _ = run(frames, FakeDenoiser(pointwise), output="raw", window=37, overlap=0)
    for window, overlap in ((9, 1), (9, 5), (17, 4), (21, 0)):
        parts, _ = run(frames, FakeDenoiser(pointwise), output="raw", window=window, overlap=overlap)
        starts = range(4, 37, 4)  # a window's first latent stands for one frame: only that frame may differ
        same = [t for t in range(37) if t not in starts]
        assert torch.allclose(parts[same], whole[same], atol=2e-2)


@pytest.mark.parametrize("first, count", list(itertools.product(range(4, 26, 3), (8, 11))))
def test_a_line_is_marked_the_same_wherever_windows_end(first, count):
    """A line's first frames have only a future to be judged by, its last ones only a past; both may lie in another
    window."""
    frames = video(49, text=None)
    frames[first : first + count, 14:17, 8:28] = 1
    sizes = ((49, 0), (17, 0), (17, 4), (9, 5))
    masks = [run(frames, window=window, overlap=overlap, control="as is")[1] for window, overlap in sizes]
    assert torch.equal(masks[0].amax((1, 2)) == 1, torch.tensor([first <= t < first + count for t in range(49)]))
    assert all(torch.equal(masks[0], other) for other in masks[1:])


def test_one_window_fades_into_the_next():
    denoiser = FakeDenoiser(lambda noise, control: torch.full_like(control, 0.2 * len(denoiser.calls)))
    out, _ = run(video(13), denoiser, output="raw", window=9, overlap=5)
    assert len(denoiser.calls) == 2  # frames 4 to 8 are in both windows
    assert out.mean((1, 2, 3)).tolist() == pytest.approx(
        [0.2] * 4 + [0.2 + 0.2 * k / 6 for k in range(1, 6)] + [0.4] * 4, abs=1e-5
    )


def test_an_engine_that_needs_few_frames_to_fade_paints_no_others_twice():
    asked = []

    class Few(PlainFill):
        needs = replace(PlainFill.needs, fades=0.4)

        def paint(self, piece, seed, on_stage):
            asked.append((piece.window.start, piece.unpainted))
            return Painted(torch.full_like(piece.frames, 0.2 * len(asked)))

    options = RemoveOptions.of(window=9, overlap=5, second_look=False, boxes="keep", grow=0, feather=0)
    marks = torch.ones(24, 36, dtype=torch.bool)
    asked_of = lambda frames, **more: replaced(((one, marks) for one in frames), Few(), options, **more)
    out = torch.stack([frame for frame, _ in asked_of(video(13))])
    assert asked == [(0, 0), (4, 3)]
    expected = [0.2] * 7 + [0.2 + 0.2 / 3, 0.2 + 0.4 / 3] + [0.4] * 4
    assert out.mean((1, 2, 3)).tolist() == pytest.approx(expected, abs=1e-5)
    # where another run has painted the window before, the same frames are left out
    list(asked_of(video(13)[4:], windows=[Window(4, 13)], wanted=9))
    assert asked[2:] == [(4, 3)]


def test_the_same_latent_frame_starts_from_the_same_noise():
    calls = {}
    for window, overlap in ((33, 0), (9, 5)):
        denoiser = FakeDenoiser()
        run(video(33), denoiser, window=window, overlap=overlap)
        calls[window] = [noise for noise, *_ in denoiser.calls]
    whole = calls[33][0]
    assert len(calls[33]) == 1 and len(calls[9]) == 7
    for index, noise in enumerate(calls[9]):
        assert torch.equal(noise, whole[:, :, index : index + 3])


def test_a_band_gets_its_part_of_the_whole_frames_noise():
    frames = video(9, 400, 36, text=(390, 394, 8, 28))
    whole, part = FakeDenoiser(), FakeDenoiser()
    run(frames, whole)
    codec = PoolCodec()
    run(frames, part, codec, region="subtitle band")
    height = codec.seen[0][1]
    assert 64 < height < 100
    assert torch.equal(part.calls[0][0], whole.calls[0][0][..., -height // 2 :, :])


def test_windows_without_subtitles_are_not_sampled():
    frames = video(40, text=None)
    frames[0:8, 14:17, 8:28] = 1
    denoiser = FakeDenoiser()
    out, masks = run(frames, denoiser)
    assert len(denoiser.calls) == 1
    assert torch.equal(out[8:], frames[8:]) and masks[8:].max() == 0 and masks[3].max() == 1
    assert len(_calls(video(40, text=None), output="raw")) == 5


def _calls(frames, **options):
    denoiser = FakeDenoiser()
    run(frames, denoiser, **options)
    return denoiser.calls


@pytest.mark.parametrize("window, overlap, stride", [(9, 1, 8), (17, 5, 12)])
@pytest.mark.parametrize(
    "mask_from, ahead_of_windows", [("prior", 125), ("difference", 0)]
)  # a row of text is judged by what comes after it
def test_frames_are_pulled_a_window_and_a_stride_ahead_and_what_marks_need(
    window, overlap, stride, mask_from, ahead_of_windows
):
    pulled, ahead = 0, []

    def source():
        nonlocal pulled
        for frame in video(200):
            pulled += 1
            yield frame

    stream = remove(
        source(),
        engine(),
        white,
        RemoveOptions.of(window=window, overlap=overlap, steps=1, mask_from=mask_from, control="as is"),
    )
    assert pulled == 0
    for given, _ in enumerate(stream):
        ahead.append(pulled - given)
    assert len(ahead) == 200 and max(ahead) <= window + stride + ahead_of_windows


# -- masks -------------------------------------------------------------------------------------------------------------


def test_growth_and_feather_are_in_pixels():
    _, masks = run(video(1, 40, 60, text=(20, 21, 30, 32)), grow=3, feather=3)
    assert masks[0, 20, 24:39].tolist() == pytest.approx(
        [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0], abs=1e-6
    )


def test_limit_and_protect_bound_what_changes():
    frames, denoiser = video(20), FakeDenoiser(lambda noise, control: control * 0.5)
    limit, protect = torch.zeros(1, 24, 36), torch.zeros(1, 24, 36)
    limit[:, :, :20] = 1
    protect[:, :, :12] = 1
    for control, output in itertools.product(("as is", "prefilled"), ("composite", "preview", "raw")):
        out, masks = run(frames, denoiser, limit=limit, protect=protect, control=control, output=output)
        changed = (out != frames).any(-1)
        assert not changed[:, :, :12].any() and not changed[:, :, 20:].any() and changed[:, 14:17, 12:20].all()
        assert masks[:, :, :12].max() == masks[:, :, 20:].max() == 0


def test_masks_for_the_whole_video_go_by_absolute_frame():
    frames, limit = video(21), torch.zeros(21, 24, 36)
    limit[[2, 12, 20]] = 1
    out, masks = run(frames, limit=limit, output="preview")
    assert [t for t in range(21) if masks[t].any()] == [2, 12, 20]
    assert [t for t in range(21) if not torch.equal(out[t], frames[t])] == [2, 12, 20]
    _, masks = run(frames, protect=limit, output="preview")
    assert [t for t in range(21) if not masks[t].any()] == [2, 12, 20]


def test_protecting_everything_samples_nothing():
    assert not _calls(video(9), protect=torch.ones(1, 24, 36))


@pytest.mark.parametrize(
    "area, total, numbers",
    [
        (torch.ones(5, 24, 36), 20, "5 frames, the video has 20"),
        (torch.ones(30, 24, 36), 20, "30 frames, the video has 20"),
        (torch.ones(12, 24, 36), None, "12 frames, the video has at least 17"),
        (torch.ones(1, 24, 35), None, "35x24 pixels, the frames are 36x24"),
        (torch.ones(24, 36), None, "2 dimensions"),
    ],
)
@pytest.mark.parametrize("name", ["limit", "protect"])
def test_masks_that_do_not_fit_are_refused(name, area, total, numbers):
    with pytest.raises(ClearError, match=f"{name} mask .*{numbers}"):
        run(video(20), total=total, **{name: area})


def test_a_mask_longer_than_the_video_is_mentioned(caplog):
    run(video(9), limit=torch.ones(12, 24, 36), output="preview")
    assert "12 frames" in caplog.text and "9" in caplog.text


def test_a_preview_runs_no_network():
    out, masks = run(video(9), output="preview", denoiser=FakeDenoiser(lambda *_: pytest.fail("sampled")))
    alone = list(remove(iter(video(9)), None, white, RemoveOptions.of(output="preview", **SMALL)))
    assert torch.equal(torch.stack([f for f, _ in alone]), out) and masks.any()


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_no_frames_are_refused():
    with pytest.raises(ClearError, match="no frames"):
        run([])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_numbers_are_refused(value):
    frames = video(20)
    frames[12, 3, 4, 1] = value
    with pytest.raises(ClearError, match="Frame 12 .*NaN"):
        run(frames)


def test_frames_of_another_kind_are_refused():
    with pytest.raises(ClearError, match="Frame 1 .*37x24.*36x24"):
        run([video(1)[0], video(1, 24, 37)[0]])
    with pytest.raises(ClearError, match="uint8"):
        run((video(2) * 255).byte())
    with pytest.raises(ClearError, match="shape"):
        run(video(2)[..., :2])


def test_missing_parts_are_named_before_a_frame_is_pulled():
    with pytest.raises(ClearError, match="VAE and a model"):
        remove(None, None, white)
    with pytest.raises(ClearError, match="prior"):
        remove(None, engine(), None)
    codec = PoolCodec()
    codec.temporal = 8
    with pytest.raises(ClearError, match="8 frames"):
        engine(codec)


@pytest.mark.parametrize(
    "options",
    [
        dict(window=4),
        dict(overlap=81),
        dict(steps=0),
        dict(seed=-1),
        dict(output="Raw"),
        dict(control="x"),
        dict(region=""),
        dict(mask_from="y"),
        dict(threshold=1.5),
        dict(grow=-2),
        dict(feather=-2),
        dict(max_pixels=0),
        dict(keep_change=2.0),
        dict(threshold=float("nan")),
        dict(mask_from="difference", output="preview"),
        dict(mask_from="difference", region="subtitle band"),
    ],
)
def test_options_that_cannot_work_are_refused_at_once(options):
    with pytest.raises(ClearError):
        RemoveOptions.of(**options)


@pytest.mark.parametrize("where, shown", [((1, 5, 1, 9), range(20)), ((14, 17, 8, 28), range(8, 12))])
def test_what_does_not_behave_like_a_subtitle_is_left_unless_all_marks_shall_go(where, shown):
    """A graphic in a corner, and a line that stands for four frames."""
    frames = video(20, text=None)
    for t in shown:
        frames[t, where[0] : where[1], where[2] : where[3]] = 1
    left, mask = run(frames, output="preview")
    assert torch.equal(left, frames) and not mask.any()
    cleaned, mask = run(frames, output="preview", subtitles_only=False)
    marked = (mask > 0).flatten(1).any(1).nonzero().flatten().tolist()
    assert marked == list(shown) and not (white(cleaned) > 0).any()


@pytest.mark.parametrize("use", ["add", "only", "look here"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_mask_of_another_size_is_refused_before_anything_is_looked_at(use, streamed):
    looked = []
    prior = lambda frames: looked.append(len(frames)) or white(frames)
    frames = iter(video(6, 24, 36)) if streamed else video(6, 24, 36)
    with pytest.raises(ClearError, match="subtitle mask"):
        options = RemoveOptions.of(output="preview", subtitle_use=use)
        list(remove(frames, None, prior, options, subtitle=torch.ones(1, 12, 36)))
    assert not looked


@pytest.mark.parametrize(
    "asked, with_mask, said",
    [
        ({"subtitle_use": "only"}, True, "Replaced in 4 of 10 frames: what the mask subtitle covers."),
        ({"subtitles_only": False}, False, "Text in 10 of 10 frames, each looked at on its own."),
        (
            {"output": "composite", "mask_from": "difference"},
            False,
            "Replaced in 10 of 10 frames: what the model changed.",
        ),
    ],
)
def test_a_report_says_what_was_replaced_where_nobody_looks_over_time(asked, with_mask, said):
    mask = torch.zeros(10, 24, 36)
    mask[3:7, 4:8, 4:8] = 1
    report, frames = Report(), video(10, 24, 36)
    options = RemoveOptions.of(**{**SMALL, "output": "preview", **asked})
    dark = FakeDenoiser(lambda noise, control: control * 0.2)
    paints = None if options.output.output == "preview" else engine(None, dark, options)
    list(remove(frames, paints, white, options, subtitle=mask if with_mask else None, report=report))
    assert report.text().splitlines()[0] == said


def test_a_mask_without_a_frame_is_refused():
    with pytest.raises(ClearError, match="no frame"):
        remove(video(6, 24, 36), None, white, RemoveOptions.of(output="preview"), protect=torch.ones(0, 24, 36))
