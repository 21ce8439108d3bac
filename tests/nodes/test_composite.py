"""Composite Subtitles in process: any other model's frames in, the source without its subtitle out."""

import json

import pytest
import torch
from subtitled_frames import subtitled_frames

WIDGETS = {"fit": "scaled", "mask_from": "auto", "grow": -1, "feather": 2}


def test_frames_of_another_model_and_size_are_composited(run):
    source = subtitled_frames()
    clean = source[:1].expand(len(source), -1, -1, -1)  # nothing moves, and frame 0 has no line
    small = torch.nn.functional.interpolate(clean.movedim(3, 1), (88, 160), mode="area").movedim(1, 3)
    out, masks, report, data = run("CLEAR_Composite", source=source.half(), cleaned=small * 0.9, **WIDGETS)
    assert out.shape == source.shape and out.dtype == torch.float16 and masks.shape == source.shape[:3]
    assert torch.equal(out[masks == 0], source.half()[masks == 0])
    there = masks[6] > 0
    before, after = ((x[6].float() - clean[6])[there].abs().mean() for x in (source, out))
    assert before > 0.1 and after < 0.25 * before
    assert not masks[0].any() and not masks[13].any()
    assert report.startswith("Subtitles in") and json.loads(data)["still_there"] == []


def test_no_model_of_ours_is_needed_and_masks_hold(run):
    source = subtitled_frames()
    clean, everywhere = source[:1].expand(14, -1, -1, -1), torch.zeros(1, 176, 320)
    everywhere[:, 100:, :] = 1
    out, masks, *_ = run("CLEAR_Composite", source=source, cleaned=clean, protect=everywhere, **WIDGETS)
    assert torch.equal(out, source) and not masks.any()
    drawn = torch.zeros(1, 176, 320)
    drawn[:, 20:30, 40:60] = 1
    _, masks, *_ = run("CLEAR_Composite", source=source, cleaned=clean, subtitle=drawn, subtitle_use="only", **WIDGETS)
    assert (masks[:, 20:30, 40:60] == 1).all() and not masks[:, 40:].any()


def test_what_does_not_belong_together_is_refused_in_words(run, error):
    source = subtitled_frames()
    with pytest.raises(error, match="3 cleaned frames for 14"):
        run("CLEAR_Composite", source=source, cleaned=source[:3], **WIDGETS)
    with pytest.raises(error, match="another shape"):
        run("CLEAR_Composite", source=source, cleaned=source[:, :, :200], **WIDGETS)
    with pytest.raises(error, match="no frames in cleaned, an IMAGE of shape .1, 14"):
        run("CLEAR_Composite", source=source, cleaned=source[None], **WIDGETS)
    with pytest.raises(error, match="frames in cleaned have 1 channels"):
        run("CLEAR_Composite", source=source, cleaned=source[..., :1], **WIDGETS)
    with pytest.raises(error, match="no frames in source"):
        run("CLEAR_Composite", source=source[0], cleaned=source, **WIDGETS)
    for name in ("limit", "protect", "subtitle"):
        with pytest.raises(error, match=f"{name} mask.*320x176"):
            run("CLEAR_Composite", source=source, cleaned=source, **{name: torch.ones(1, 88, 160)}, **WIDGETS)
    with pytest.raises(error, match="RAFT"):
        run("CLEAR_Composite", source=source, cleaned=source, optical_flow=object(), **WIDGETS)


def test_alpha_is_left_out_and_what_is_missing_is_filled_along_the_flow_that_is_linked(run, pack):
    from clear_pack.nodes.comfy.managed import managed
    from torchvision.models.optical_flow import raft_small

    source = subtitled_frames()[4:10]
    asked = []
    torch.manual_seed(0)
    flow = managed(raft_small(weights=None).eval())
    forward = flow.model.forward
    flow.model.forward = lambda *pair: asked.append(len(pair[0])) or forward(*pair)
    drawn = torch.zeros(1, 176, 320)
    drawn[:, 140:150, 140:170] = 1
    out, masks, report, _ = run(
        "CLEAR_Composite",
        source=torch.cat([source, torch.ones_like(source[..., :1])], -1),
        cleaned=torch.cat([source, torch.ones_like(source[..., :1])], -1)[:4],
        subtitle=drawn,
        subtitle_use="only",
        optical_flow=flow,
        **WIDGETS,
    )
    assert out.shape == source.shape and asked, "the last two frames were filled"
    assert "end 2 before the source does" in report
