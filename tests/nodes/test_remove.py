"""Remove Subtitles in process: equal to DiffSynth from pixels to pixels, every kind of frame, every wrong
connection."""

import pytest
import tiny_wan
import torch

from clear_runtime import pipeline as remover
from clear_runtime.engines.clear import ClearEngine
from clear_runtime.engines.denoiser import DiffSynthDenoiser
from clear_runtime.engines.diffsynth_codec import DiffSynthCodec
from clear_runtime.frames import windows
from clear_runtime.progress import AROUND

WIDGETS = {
    "steps": 2,
    "cfg": 1.0,
    "seed": 5,
    "window": 81,
    "overlap": 16,
    "output": "composite",
    "control": "auto",
    "region": "auto",
    "mask_from": "prior",
    "grow": 4,
    "feather": 4,
}


@pytest.fixture(scope="session")
def wan(pack, weights, load_model):
    """MODEL with LoRA and VAE, both small and random, as the node takes them."""
    import comfy.sd
    from clear_pack.nodes.comfy.apply_lora import with_lora

    context = tiny_wan.window()[2]
    return {
        "model": with_lora(load_model(weights[0]), weights[1], 1.0),
        "vae": comfy.sd.VAE(sd=dict(tiny_wan.vae_state()), dtype=torch.float32),
        "positive": [[context, {}]],
    }


@pytest.fixture(scope="session")
def nano(pack, weights, load_model):
    """The same MODEL, marked as the bundled one, with the bundled codec."""
    from clear_pack.clear_runtime.engines.nano.load import load_bundled_codec
    from clear_pack.nodes.comfy import kinds, nano_vae

    model = load_model(weights[0])
    model.set_attachments(kinds.NANO_MARK, True)
    return {"model": model, "vae": nano_vae.NanoVAE(load_bundled_codec()), "positive": [[torch.zeros(1, 1, 4096), {}]]}


@pytest.fixture
def marked(pack, monkeypatch):
    """The prior replaced by one that marks a block near the bottom, so that a test knows where pixels may change."""
    from clear_pack.clear_runtime.find.priors import checkpoints

    class Block:
        model, device, batch, long_side = torch.nn.Conv2d(1, 1, 1), "cpu", 8, None

        def memory(self, height, width):
            return 4 * height * width

        def sees(self, frames):
            masks = torch.zeros(frames.shape[:3])
            masks[:, -14:-8, 12:-12] = 1
            return masks

    monkeypatch.setattr(checkpoints, "load_prior", Block)


def frames(count=6, height=48, width=64, seed=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 5, generator=generator)
    picture = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0].permute(1, 2, 0)
    return (picture + 0.02 * torch.randn(count, height, width, 3, generator=generator)).clamp(0, 1).to(dtype)


@pytest.mark.parametrize("count, height, width", [(9, 32, 48), (6, 33, 47)])
def test_one_window_from_pixels_to_pixels_equals_diffsynth_and_peft(run, wan, weights, count, height, width):
    images = frames(count, height, width)
    ours, *_ = run("CLEAR_SubtitleRemove", images=images, **wan, **{**WIDGETS, "steps": 5, "output": "raw"})
    denoiser = DiffSynthDenoiser.from_state(weights[0], wan["positive"][0][0], weights[1])
    options = remover.RemoveOptions.of(
        steps=5, seed=5, output="raw", control="as is", region="whole frame", mask_from="difference"
    )
    theirs = remover.remove(
        iter(images), ClearEngine(DiffSynthCodec.from_state(tiny_wan.vae_state()), denoiser), None, options, total=count
    )
    theirs = torch.stack([frame for frame, _ in theirs])
    assert ours.shape == theirs.shape == images.shape
    assert (ours - theirs).abs().max() < 1e-4
    assert (ours - images).abs().mean() > 0.01 and ours.std() > 0.001, (
        "the network's picture is not the source, and is not flat"
    )


@pytest.mark.parametrize(
    "count, height, width, dtype", [(1, 48, 64, torch.float32), (7, 49, 63, torch.float16), (5, 96, 40, torch.float32)]
)
@pytest.mark.parametrize("output", ["composite", "raw", "preview"])
def test_every_frame_comes_back(run, nano, marked, count, height, width, dtype, output):
    images = frames(count, height, width, dtype=dtype)
    given = images.clone()
    linked = {} if output == "preview" else nano
    cleaned, masks, *_ = run("CLEAR_SubtitleRemove", images=images, **linked, **{**WIDGETS, "output": output})
    assert cleaned.shape == images.shape and cleaned.dtype == dtype and masks.shape == images.shape[:3]
    assert torch.isfinite(cleaned).all() and cleaned.min() >= 0 and cleaned.max() <= 1
    assert torch.equal(images, given), "the IMAGE given is another node's too"
    if output != "raw":
        assert masks[:, -12, 20].min() == 1 and masks[:, 2].max() == 0
        assert torch.equal(cleaned[masks == 0], images[masks == 0])
        assert not torch.equal(cleaned[masks == 1], images[masks == 1])


def test_alpha_is_left_out_and_windows_join(run, nano, marked):
    images = torch.cat([frames(14), torch.ones(14, 48, 64, 1)], 3)
    cleaned, masks, *_ = run(
        "CLEAR_SubtitleRemove", images=images, **nano, **{**WIDGETS, "steps": 1, "window": 9, "overlap": 4}
    )
    assert cleaned.shape == (14, 48, 64, 3) and masks.shape == (14, 48, 64)


def test_limit_and_protect(run, marked):
    images = frames()
    left, right = torch.zeros(1, 48, 64), torch.zeros(6, 48, 64)
    left[..., :32], right[..., 40:] = 1, 1
    everywhere, masks, *_ = run("CLEAR_SubtitleRemove", images=images, **{**WIDGETS, "output": "preview"})
    assert masks[..., :32].any() and masks[..., 40:].any()
    limited, masks, *_ = run("CLEAR_SubtitleRemove", images=images, limit=left, **{**WIDGETS, "output": "preview"})
    assert masks[..., :32].any() and not masks[..., 33:].any() and torch.equal(limited[:, :, 33:], images[:, :, 33:])
    spared, masks, *_ = run("CLEAR_SubtitleRemove", images=images, protect=right, **{**WIDGETS, "output": "preview"})
    assert masks[..., :32].any() and not masks[..., 40:].any() and torch.equal(spared[:, :, 40:], images[:, :, 40:])


def test_one_bar_over_windows_and_steps_with_a_picture(run, nano, marked, monkeypatch):
    import comfy.utils
    from PIL.Image import Image

    calls, bars = [], []

    class Bar:
        def __init__(self, total):
            bars.append(total)

        def update_absolute(self, value, total=None, preview=None):
            calls.append((value, total, preview))

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    run("CLEAR_SubtitleRemove", images=frames(14), **nano, **{**WIDGETS, "steps": 3, "window": 9, "overlap": 4})
    values = [value for value, _, _ in calls]
    whole = (1 + 3 + AROUND) * 14  # each frame is looked at, and painted in three steps and what stands around them
    assert len(bars) == 1 and {total for _, total, _ in calls} == {whole}
    assert values == sorted(values) and values[-1] == whole, "never back, and to the end"
    assert len(set(values)) > 3 * len(windows.plan(14, 9, 4)), "it moves with every step"
    pictures = [preview for _, _, preview in calls if preview]
    assert pictures and all(
        kind == "JPEG" and isinstance(image, Image) and image.size == (64, 48) for kind, image, _ in pictures
    )


@pytest.mark.parametrize("height, width, shown", [(1, 4096, (512, 1)), (4096, 1, (1, 512))])
def test_of_frames_that_are_a_line_a_picture_is_left(run, marked, monkeypatch, height, width, shown):
    import comfy.utils

    pictures = []

    class Bar:
        def __init__(self, total):
            pass

        def update_absolute(self, value, total=None, preview=None):
            pictures.extend([preview[1]] if preview else [])

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    images = torch.rand(3, height, width, 3)
    cleaned, masks, *_ = run("CLEAR_SubtitleRemove", images=images, **{**WIDGETS, "output": "preview"})
    assert cleaned.shape == images.shape and masks.shape == (3, height, width)
    assert pictures and {picture.size for picture in pictures} == {shown}


def test_cancel_ends_the_removal(run, nano, marked, monkeypatch):
    import comfy.model_management
    import comfy.utils

    class Bar:
        def __init__(self, total):
            pass

        def update_absolute(self, value, total=None, preview=None):
            assert value < 14 + 20, "cancelled after the second step"
            if value > 14:
                comfy.model_management.interrupt_current_processing()

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run("CLEAR_SubtitleRemove", images=frames(14), **nano, **{**WIDGETS, "steps": 5, "window": 9, "overlap": 4})


def test_missing_connections_are_named(run, nano, error):
    with pytest.raises(error, match="MODEL and VAE and CONDITIONING not connected"):
        run("CLEAR_SubtitleRemove", images=frames(1), **WIDGETS)
    with pytest.raises(error, match="^VAE not connected"):
        run("CLEAR_SubtitleRemove", images=frames(1), model=nano["model"], positive=nano["positive"], **WIDGETS)


def test_nano_and_wan_do_not_mix(run, nano, wan, error):
    with pytest.raises(error, match="MODEL is CLEAR Nano, but the VAE"):
        run("CLEAR_SubtitleRemove", images=frames(1), **{**nano, "vae": wan["vae"]}, **WIDGETS)
    with pytest.raises(error, match="VAE is CLEAR Nano's, but the MODEL"):
        run("CLEAR_SubtitleRemove", images=frames(1), **{**wan, "vae": nano["vae"]}, **WIDGETS)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"cfg": 3.0}, "negative CONDITIONING"),
        ({"positive": [[torch.zeros(1, 77, 768), {}]]}, "768 wide.*4096"),
        ({"window": 9, "overlap": 9}, "overlap"),
        ({"images": torch.zeros(0, 8, 8, 3)}, "no frames"),
        ({"images": torch.zeros(2, 8, 8, 1)}, "1 channels"),
        ({"images": torch.full((2, 16, 16, 3), float("nan"))}, "NaN"),
    ],
)
def test_bad_input_is_refused_before_any_sampling(run, nano, marked, error, monkeypatch, changes, words):
    import comfy.sample

    monkeypatch.setattr(comfy.sample, "sample_custom", lambda *a, **k: pytest.fail("sampled"))
    with pytest.raises(error, match=words):
        run("CLEAR_SubtitleRemove", **{"images": frames(2), **nano, **WIDGETS, **changes})


def test_a_trained_prior_may_find_the_subtitles(run, nano, pack, tmp_path, monkeypatch):
    """A file in models/clear, whose prior marks nothing, leaves the frames as they were."""
    import folder_paths
    from clear_pack.clear_runtime.find.priors.checkpoints import save_prior
    from clear_pack.clear_runtime.find.priors.light import LightPrior

    prior = LightPrior()
    with torch.no_grad():
        prior.leave[0].weight.zero_()
        prior.leave[0].bias.fill_(-20)
    save_prior(tmp_path / "blind.safetensors", "light", prior.state_dict(), 640)
    monkeypatch.setattr(
        folder_paths,
        "get_full_path",
        lambda folder, name: str(tmp_path / name) if folder == "clear" and name == "blind.safetensors" else None,
    )
    images = frames()
    cleaned, mask, report, _ = run("CLEAR_SubtitleRemove", images=images, **nano, **WIDGETS, prior="blind.safetensors")
    assert torch.equal(cleaned, images) and not mask.any() and report.startswith("No subtitle was found in 6 frames.")
