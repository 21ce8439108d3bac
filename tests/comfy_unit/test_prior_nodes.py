"""Prior Mask and Train Prior inside ComfyUI's own process."""
import pytest
import torch
from tiny_pairs import clip, write_pair

from clear_runtime.data.burn import Style


@pytest.fixture(scope="module")
def frames():
    """[10, 352, 640, 3]: a line stands in frames 3 to 7."""
    return torch.from_numpy(clip(frames=10, text="Nobody saw it coming.", height=352, width=640, spans=[(3, 8)], style=Style(size=24), at=0.86)[1]).float() / 255


@pytest.fixture
def output(tmp_path, monkeypatch):
    import folder_paths
    monkeypatch.setattr(folder_paths, "get_output_directory", lambda: str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def pairs(tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for i in range(2):
        write_pair(folder, f"v{i}", frames=6, seed=i)
    return folder


def settings(folder, **changes):
    return dict(pairs=str(folder), name="mine", model="light", start="bundled light prior", steps=2, batch=1, rate=0.0, seed=0) | changes


def test_masks_overlay_and_plot(run, frames):
    soft, binary, overlay, plot = run("CLEAR_PriorMask", images=frames, prior="bundled light prior", threshold=0.5, grow=0, temporal=True)
    assert soft.shape == binary.shape == (10, 352, 640) and overlay.shape == frames.shape and plot.shape == (1, 240, 960, 3)
    assert set(binary.unique().tolist()) == {0.0, 1.0} and torch.equal(binary, (soft >= 0.5).float())
    assert (binary.flatten(1).mean(1) > 0.005).tolist() == [3 <= t < 8 for t in range(10)]
    assert (overlay - frames).abs().amax(-1)[soft > 0.9].min() > 0 and torch.allclose(overlay[soft < 1e-4], frames[soft < 1e-4], atol=1e-3)


def test_growth_threshold_and_single_frames(run, frames):
    options = dict(prior="bundled light prior", temporal=False)
    _, narrow, *_ = run("CLEAR_PriorMask", images=frames[4:5], threshold=0.5, grow=0, **options)
    _, wide, *_ = run("CLEAR_PriorMask", images=frames[4:5].half(), threshold=0.5, grow=3, **options)
    assert wide.sum() > 1.3 * narrow.sum() and (wide >= narrow).all()
    _, sure, *_ = run("CLEAR_PriorMask", images=frames[4:5], threshold=0.99, grow=0, **options)
    assert sure.sum() < narrow.sum()


def test_what_is_no_video_and_no_file_is_refused(run, models, error):
    with pytest.raises(error, match="colour frames"):
        run("CLEAR_PriorMask", images=torch.rand(2, 8, 8, 1), prior="bundled light prior", threshold=0.5, grow=0, temporal=True)
    with pytest.raises(error, match="no file gone.safetensors in models/clear"):
        run("CLEAR_PriorMask", images=torch.rand(2, 8, 8, 3), prior="gone.safetensors", threshold=0.5, grow=0, temporal=True)


def test_a_prior_is_trained_and_used(run, models, output, pairs, frames):
    path, curves, example, report = run("CLEAR_TrainPrior", **settings(pairs))
    assert path == str(models / "clear" / "mine.safetensors") and (output / "CLEAR" / "mine" / "training.pt").exists()
    assert report.startswith("2 of 2 pairs can be used") and curves.shape[0] == example.shape[0] == 1
    soft, *_ = run("CLEAR_PriorMask", images=frames, prior="mine.safetensors", threshold=0.5, grow=0, temporal=True)
    assert soft.isfinite().all()


def test_a_cancelled_run_goes_on_to_the_same_weights(run, models, output, pairs, monkeypatch):
    import comfy.model_management as management
    from safetensors.torch import load_file
    run("CLEAR_TrainPrior", **settings(pairs, name="whole", steps=3))
    calls = []

    def cancel():
        calls.append(1)
        if len(calls) == 4:  # two pairs are looked through first
            raise management.InterruptProcessingException()
    with monkeypatch.context() as patch:
        patch.setattr(management, "throw_exception_if_processing_interrupted", cancel)
        with pytest.raises(management.InterruptProcessingException):
            run("CLEAR_TrainPrior", **settings(pairs, name="parts", steps=3))
    assert torch.load(output / "CLEAR" / "parts" / "training.pt", weights_only=True)["step"] == 2
    run("CLEAR_TrainPrior", **settings(pairs, name="parts", steps=3))
    whole, parts = (load_file(models / "clear" / f"{name}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


@pytest.mark.parametrize("changes,says", [(dict(pairs=""), "Name the folder"), (dict(name="../x"), "cannot be a file's name"), (dict(model="paper"), "not a prior of the kind paper")])
def test_bad_settings_are_refused(run, models, output, pairs, error, changes, says):
    with pytest.raises(error, match=says):
        run("CLEAR_TrainPrior", **settings(pairs, **changes))
