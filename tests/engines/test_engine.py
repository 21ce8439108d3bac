"""The seam between pipeline and engines: a further engine needs no change in the pipeline."""

import itertools

import pytest
import torch
from toy_parts import FakeDenoiser, video, white
from toy_parts import run as cleaned

from clear_runtime.engines.engine import Needs, Painted
from clear_runtime.engines.plain_fill import PlainFill
from clear_runtime.errors import ClearError
from clear_runtime.options import RemoveOptions
from clear_runtime.pipeline import remove
from clear_runtime.progress import AROUND


class Grey:
    """Paints holes grey, sees only the band around them, in multiples of 8 pixels, five frames at least."""

    needs = Needs(multiple=8, group=4, context=4, control="prefilled", region="subtitle band", tells_changes=True)
    steps = 3

    def __init__(self):
        self.pieces = []

    def paint(self, piece, seed, on_stage):
        self.pieces.append(piece)
        for step in range(self.steps):
            on_stage("sample", step + 1)
        grey = torch.where(piece.holes[..., None], 0.5, piece.frames)
        return Painted(grey, changed=piece.holes.float() if piece.differs else None)


def film(count=9, height=64, width=96):
    frames = torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(0)) * 0.9
    top, left = height * 50 // 64, width * 20 // 96
    frames[:, top : top + 4, left : left + 40] = 1
    return frames


def run(engine, frames, **options):
    steps = []
    asked = RemoveOptions.of(**{"window": 9, "overlap": 0, "grow": 0, "feather": 0, **options})
    report = lambda progress: steps.append((progress.stage, progress.done))
    out, masks = zip(*remove(iter(frames), engine, white, asked, total=len(frames), on_progress=report))
    return torch.stack(out), torch.stack(masks), steps


def test_an_engine_of_twenty_lines_works_in_the_pipeline():
    frames, engine = film(), Grey()
    out, masks, steps = run(engine, frames)
    assert (out[:, 50:54, 20:60] == 0.5).all() and torch.equal(out[masks == 0], frames[masks == 0])
    (piece,) = engine.pieces
    assert piece.frames.shape == (9, 24, 48, 3) and piece.canvas == (64, 96) and piece.filled
    assert (piece.frames[piece.holes] < 0.95).all(), "what it is given is filled, as it asked"
    assert piece.holes[:, 50 - piece.region.top].sum() == 9 * 40
    sampled = [done for stage, done in steps if stage == "sample"]
    assert [later - sooner for sooner, later in itertools.pairwise(sampled)] == [9, 9]
    assert steps[-1] == ("done", 9 + (3 + AROUND) * 9), "frames looked at, and painted in three steps and some more"


def test_it_is_given_what_the_user_says():
    frames, engine = film(), Grey()
    run(engine, frames, control="as is", region="whole frame")
    (piece,) = engine.pieces
    assert piece.frames.shape == (9, 64, 96, 3) and not piece.filled and torch.equal(piece.frames, frames)


def test_frames_are_filled_up_to_its_groups_and_the_first_ones_come_back():
    frames, engine = film(7), Grey()
    out, _, _ = run(engine, frames)
    assert len(engine.pieces[0].frames) == 9 and out.shape == frames.shape
    assert torch.equal(engine.pieces[0].frames[8], engine.pieces[0].frames[6])


def test_what_it_changed_can_be_the_mask():
    frames, engine = film(), Grey()
    out, masks, _ = run(engine, frames, mask_from="difference", region="whole frame", control="prefilled")
    assert (masks[:, 50:54, 20:60] == 1).all() and masks.sum() == 9 * 160 and (out[masks == 1] == 0.5).all()
    with pytest.raises(ClearError, match="cannot say what it changed.*mask_from"):
        run(PlainFill(), frames, mask_from="difference")


def test_large_frames_are_scaled_down_for_it_unless_it_wants_none_of_that():
    frames, engine = film(5, 256, 384), Grey()
    out, masks, _ = run(engine, frames, max_pixels=128 * 192, region="whole frame")
    assert engine.pieces[0].canvas == (128, 192) and out.shape == frames.shape
    assert torch.equal(out[masks == 0], frames[masks == 0])
    engine.needs = Needs(scaled=False)
    run(engine, frames, max_pixels=128 * 192, region="whole frame")
    assert engine.pieces[1].canvas == (256, 384)


def test_the_plain_fill_is_what_a_preview_gives():
    frames = film()
    preview, masks, _ = run(None, frames, output="preview")
    filled, same, _ = run(PlainFill(), frames)
    assert torch.equal(preview, filled) and torch.equal(masks, same) and masks.any()


@pytest.mark.parametrize("options", [{}, {"control": "prefilled"}, {"output": "raw"}, {"clean_overlap": True}])
def test_a_picture_that_is_no_numbers_ends_the_run_and_names_the_frame(options):
    def broken_from_the_third_window_on(noise, control):
        windows.append(control)
        return control * (float("nan") if len(windows) == 3 else 1)

    windows, frames = [], video(30)
    with pytest.raises(ClearError, match="painted of frame 16 has values that are not numbers.*half precision"):
        cleaned(frames, FakeDenoiser(broken_from_the_third_window_on), **options)
