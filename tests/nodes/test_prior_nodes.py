"""Prior Mask inside ComfyUI's own process."""

import pytest
import torch
from previews import WIDGETS
from subtitled_frames import subtitled_frames

from clear_runtime.find.marks import marks_of
from clear_runtime.find.options import MarkOptions
from clear_runtime.find.priors.checkpoints import load_prior


@pytest.fixture(scope="module")
def frames():
    return subtitled_frames()


def test_masks_overlay_and_plot(run, frames):
    soft, binary, overlay, plot, report = run(
        "CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=True
    )
    about, found, *_ = report.splitlines()
    assert about == "nano_prior.safetensors: a light prior. Keys of the checkpoint: every key matches."
    assert found == "Subtitles in 8 of 14 frames. Nothing frames 0-2, frames 11-13."
    assert (
        soft.shape == binary.shape == (14, 176, 320)
        and overlay.shape == frames.shape
        and plot.shape == (1, 240, 960, 3)
    )
    counted = marks_of(frames, load_prior(), MarkOptions(grow=0))[1]
    assert counted.any() and torch.equal(binary, counted.float()), "what Remove Subtitles takes, not widened"
    assert (binary.flatten(1).mean(1) > 0.005).tolist() == [3 <= t < 11 for t in range(14)]
    assert (overlay - frames).abs().amax(-1)[soft > 0.9].min() > 0 and torch.allclose(
        overlay[soft < 1e-4], frames[soft < 1e-4], atol=1e-3
    )


def test_growth_threshold_and_single_frames(run, frames):
    options = dict(prior="bundled light prior", temporal=False)
    _, narrow, *_ = run("CLEAR_PriorMask", images=frames[4:5], threshold=0.5, grow=0, **options)
    _, wide, *_ = run("CLEAR_PriorMask", images=frames[4:5].half(), threshold=0.5, grow=3, **options)
    assert wide.sum() > 1.3 * narrow.sum() and (wide >= narrow).all()
    _, sure, *_ = run("CLEAR_PriorMask", images=frames[4:5] * 0.02, threshold=0.99, grow=0, **options)
    assert not sure.any()


def test_neighbouring_frames_count_only_where_they_are_asked_for(run, frames):
    flash = torch.cat([frames[:2], frames[4:5], frames[8:], frames[:2]])  # the line stands in frame 2 alone
    areas = [
        run("CLEAR_PriorMask", images=flash, prior="bundled light prior", threshold=0.5, grow=0, temporal=temporal)[1]
        .flatten(1)
        .sum(1)
        for temporal in (False, True)
    ]
    assert areas[0][2] > 250 and areas[1][2] == 0


def test_the_plot_is_of_the_binary_mask(run, frames):
    from clear_runtime.media.pictures import share_plot, to_frames

    soft, binary, _, plot, _ = run(
        "CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=6, temporal=False
    )
    assert torch.equal(plot, to_frames(share_plot([mask.mean().item() for mask in binary])))
    assert not torch.equal(plot, to_frames(share_plot([mask.mean().item() for mask in soft])))


def test_the_bar_moves_with_every_frame_and_cancel_is_looked_at_before_each(run, frames, cancelled, monkeypatch):
    import comfy.utils

    options, moved = dict(images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=False), []

    class Bar:
        def __init__(self, total, *more, **options):
            self.total = total

        def update_absolute(self, value, total=None, preview=None):
            moved.append((value, self.total if total is None else total))

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    run("CLEAR_PriorMask", **options)
    assert moved == [(n, 14) for n in range(1, 15)]
    moved.clear()
    with cancelled(when=lambda: len(moved) == 3):
        run("CLEAR_PriorMask", **options)
    assert len(moved) == 3


def test_cancel_is_looked_at_before_the_prior_is(run, frames, pack, cancelled):
    import sys

    prior = sys.modules["clear_pack.nodes.prior"].chosen_prior("bundled light prior")
    prior.model.register_forward_pre_hook(lambda *_: pytest.fail("the prior ran"))
    with cancelled(at=1):
        sys.modules["clear_pack.nodes.comfy.managed"].ComfyPrior(prior)(frames)


def test_prior_mask_runs_again_when_the_prior_s_file_changed(pack, models):
    node, inputs = pack.listed["CLEAR_PriorMask"], dict(prior="mine.safetensors", threshold=0.5, grow=0, temporal=True)
    (models / "clear" / "mine.safetensors").write_bytes(b"one")
    before = node.fingerprint_inputs(**inputs)
    assert before == node.fingerprint_inputs(**inputs) != node.fingerprint_inputs(**inputs | {"grow": 1})
    (models / "clear" / "mine.safetensors").write_bytes(b"other")
    assert before != node.fingerprint_inputs(**inputs)


@pytest.mark.slow
def test_the_prior_looks_at_as_many_frames_as_there_is_room_for(run, frames, pack, monkeypatch):
    import sys

    import comfy.model_management as management

    checkpoints = sys.modules["clear_pack.clear_runtime.find.priors.checkpoints"]
    prior, seen, asked = checkpoints.load_prior(), [], []
    # how many at a time is asked, and not what they show
    monkeypatch.setattr(prior.model, "forward", lambda x: seen.append(len(x)) or x[:, :1], raising=False)
    loading = management.load_models_gpu
    monkeypatch.setattr(
        management,
        "load_models_gpu",
        lambda *a, memory_required=0, **k: (
            asked.append(memory_required),
            loading(*a, memory_required=memory_required, **k),
        ),
    )
    comfy_prior = sys.modules["clear_pack.nodes.comfy.managed"].ComfyPrior(prior)
    each = prior.memory(176, 320)
    for free, batches in ((100 * each, [8, 6]), (3.5 * each, [3, 3, 3, 3, 2]), (0, [1] * 14)):
        monkeypatch.setattr(management, "get_free_memory", lambda *a, free=free, **k: free)
        seen.clear()
        assert comfy_prior.sees(frames).shape == frames.shape[:3]
        assert seen == batches and max(asked) == 8 * each
    large = prior.memory(1440, 2560)
    monkeypatch.setattr(management, "get_free_memory", lambda *a, **k: 2**40)
    seen.clear()
    comfy_prior.sees(torch.zeros(3, 1440, 2560, 3))
    most = 2**30 // large
    assert 1 <= most < 3 and seen[0] == most, "no more than a gibibyte at a time"


class Elsewhere(torch.Tensor):
    """Stands for a tensor on a GPU, where ComfyUI keeps images with --gpu-only: nothing can be computed with it and a
    tensor on the CPU."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        parts = [part for arg in args for part in (arg if isinstance(arg, (list, tuple)) else [arg])]
        assert not any(type(part) is torch.Tensor and part.ndim for part in parts), (
            f"{function.__name__} of tensors on two devices"
        )
        out = super().__torch_function__(function, types, args, kwargs)
        return out.as_subclass(torch.Tensor) if function in (torch.Tensor.cpu, torch.Tensor.to) else out


def test_frames_on_the_gpu_give_what_frames_on_the_cpu_give(run, frames):
    options = dict(prior="bundled light prior", threshold=0.5, grow=1, temporal=True)
    for ours, theirs in list(
        zip(
            run("CLEAR_PriorMask", images=frames, **options),
            run("CLEAR_PriorMask", images=frames.as_subclass(Elsewhere), **options),
        )
    )[:4]:
        assert type(theirs) is torch.Tensor and torch.equal(ours, theirs)


def test_subtitles_are_removed_from_frames_on_the_gpu_within_masks_on_the_gpu(run, frames):
    frames = frames[2:9]
    preview = WIDGETS | dict(window=5, overlap=1, subtitles_only=False)
    limit, protect = torch.zeros(1, 176, 320), torch.zeros(len(frames), 176, 320)
    limit[:, 100:], protect[..., 165:] = 1, 1
    ours = run("CLEAR_SubtitleRemove", images=frames, limit=limit, protect=protect, **preview)
    theirs = run(
        "CLEAR_SubtitleRemove",
        images=frames.as_subclass(Elsewhere),
        limit=limit.as_subclass(Elsewhere),
        protect=protect.as_subclass(Elsewhere),
        **preview,
    )
    assert ours[1].any() and ours[2:] == theirs[2:]
    assert all(type(b) is torch.Tensor and torch.equal(a, b) for a, b in zip(ours[:2], theirs))


def test_what_comes_out_lies_where_comfyui_keeps_images(run, frames, monkeypatch):
    import comfy.model_management as management

    monkeypatch.setattr(management, "intermediate_device", lambda: torch.device("meta"))
    preview = WIDGETS | dict(window=9, overlap=4)
    results = [
        *run("CLEAR_SubtitleRemove", images=frames, **preview)[:2],
        *run("CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=True)[:3],
    ]
    assert [result.device.type for result in results] == ["meta"] * 5


def test_frames_with_values_that_are_no_numbers_are_refused(run, frames, error):
    broken = frames.clone()
    broken[6, 5, 5] = float("nan")
    with pytest.raises(error, match="Frame 6 has values that are not numbers"):
        run("CLEAR_PriorMask", images=broken, prior="bundled light prior", threshold=0.5, grow=0, temporal=True)


def test_what_is_no_video_and_no_file_is_refused(run, models, error):
    with pytest.raises(error, match="colour frames"):
        run(
            "CLEAR_PriorMask",
            images=torch.rand(2, 8, 8, 1),
            prior="bundled light prior",
            threshold=0.5,
            grow=0,
            temporal=True,
        )
    with pytest.raises(error, match="no file gone.safetensors in models/clear"):
        run(
            "CLEAR_PriorMask",
            images=torch.rand(2, 8, 8, 3),
            prior="gone.safetensors",
            threshold=0.5,
            grow=0,
            temporal=True,
        )
