"""The paper's two-ResNet model, its ImageNet weights, and the published trainer's checkpoints."""

import pytest
import torch

pytest.importorskip("torchvision")

from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.find.priors.paper import ResNetEncoder
from clear_runtime.find.priors.released import ReleasedPrior, load_released
from clear_runtime.find.priors.resnet import find_imagenet, load_imagenet, resnet50
from clear_runtime.train.prior.losses import stage_one
from clear_runtime.train.prior.stage_one import paper_stage_one


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture(scope="module")
def released():
    torch.manual_seed(0)
    return ReleasedPrior()


@pytest.fixture(scope="module")
def trunk():
    return resnet50()


def test_shapes_are_the_papers_and_every_part_learns():
    model = paper_stage_one()
    frames = torch.rand(2, 3, 64, 64)
    out = model(frames)
    assert out.f_sub.shape == out.f_content.shape == (2, 256, 8, 8)
    assert out.logits.shape == (2, 1, 64, 64) and out.reconstruction.shape == frames.shape
    total, _ = stage_one(out, (torch.rand(2, 1, 64, 64) > 0.95).float(), frames)
    total.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_resnet_sees_frames_as_imagenet_s_weights_learned_them():
    """Less 0.485, 0.456, 0.406 and divided by 0.229, 0.224, 0.225: torchvision's, for R, G and B."""
    encoder, seen = ResNetEncoder().eval(), []
    encoder.trunk.conv1.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    frames = torch.rand(1, 3, 32, 32)
    encoder(frames)
    expected = torch.stack(
        [(frames[:, c] - mean) / std for c, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225)))],
        1,
    )
    assert torch.allclose(seen[0], expected, atol=1e-6)


def test_imagenet_weights_come_from_the_users_files_only(empty_hub_cache, trunk, tmp_path):
    assert find_imagenet() is None
    empty_hub_cache.mkdir(parents=True)
    torch.save(trunk.state_dict(), empty_hub_cache / "resnet50-0676ba61.pth")
    assert find_imagenet() == empty_hub_cache / "resnet50-0676ba61.pth"
    model = paper_stage_one()
    for encoder in (model.prior.encoder, model.content.encoder):
        assert torch.equal(encoder.trunk.layer3[0].conv1.weight, trunk.layer3[0].conv1.weight)
        assert torch.equal(encoder.trunk.bn1.running_var, trunk.bn1.running_var)
    with pytest.raises(ClearError, match="no file"):
        find_imagenet(tmp_path / "nowhere.pth")


def test_another_networks_weights_are_refused(trunk, tmp_path):
    torch.save({"conv1.weight": torch.zeros(64, 3, 3, 3), "epoch": 3}, tmp_path / "resnet18.pth")
    with pytest.raises(ClearError, match="not a ResNet-50"):
        load_imagenet(trunk, tmp_path / "resnet18.pth")


def keys_of_the_published_trainer():
    """The names its model saves, written down from its description and not from our class."""
    from torchvision.models import resnet50 as theirs

    trunk = theirs(weights=None).state_dict()
    names = {
        ("stem.0." if k.startswith("conv1.") else "stem.1.") + k.split(".", 1)[1]
        for k in trunk
        if k.startswith(("conv1.", "bn1."))
    }
    names |= {k for k in trunk if k.startswith("layer")}
    names |= {f"fusion.lateral_convs.{i}.weight" for i in range(4)} | {
        f"fusion.smooth_convs.{i}.{k}" for i in range(4) for k in ("0.weight", "1.weight", "1.bias")
    }
    names |= {"fusion_projection.0.weight", "fusion_projection.1.weight", "fusion_projection.1.bias"}
    names |= {
        f"disentangle_head.{b}_branch.{i}.{p}"
        for b in ("content", "subtitle")
        for i in (0, 1, 3)
        for p in ("weight", "bias")
    }
    names |= {f"mask_head.mask_predictor.{i}.{p}" for i in (0, 1, 3, 4, 6, 7, 9) for p in ("weight", "bias")}
    return names | {f"decoder.decoder.{i}.{p}" for i in (0, 1, 3, 4, 6, 7, 9, 11) for p in ("weight", "bias")}


def test_the_published_names_are_ours(released):
    assert set(released.state_dict()) == keys_of_the_published_trainer()


def masks_of_the_published_model(state, frames):
    """Mask logits of a checkpoint, from the published model's description: torchvision's trunk on frames in -1..1; from
    the deepest stage up, each stage's 256 channels and the level above, enlarged, are added and smoothed; the level at
    1/8 is doubled three times."""
    from torch.nn import functional as F
    from torchvision.models import resnet50 as theirs

    trunk = theirs(weights=None).eval()
    trunk.load_state_dict(
        {
            k.replace("stem.0", "conv1").replace("stem.1", "bn1"): v
            for k, v in state.items()
            if k.startswith(("stem.", "layer"))
        },
        strict=False,
    )
    norm = lambda x, name, groups: F.group_norm(x, groups, state[f"{name}.weight"], state[f"{name}.bias"]).relu()
    x, stages = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1((frames - 0.5) / 0.5)))), []
    for layer in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
        x = layer(x)
        stages.append(x)
    above = None
    for i in (3, 2, 1):
        level = F.conv2d(stages[i], state[f"fusion.lateral_convs.{i}.weight"])
        if above is not None:
            level = level + F.interpolate(above, level.shape[-2:], mode="bilinear", align_corners=False)
        above = norm(
            F.conv2d(level, state[f"fusion.smooth_convs.{i}.0.weight"], padding=1), f"fusion.smooth_convs.{i}.1", 32
        )
    head, x = "mask_head.mask_predictor", above
    for i in (0, 3, 6):
        x = norm(
            F.conv_transpose2d(x, state[f"{head}.{i}.weight"], state[f"{head}.{i}.bias"], stride=2, padding=1),
            f"{head}.{i + 1}",
            8,
        )
    x = F.conv2d(x, state[f"{head}.9.weight"], state[f"{head}.9.bias"], padding=1)
    return F.interpolate(x, frames.shape[-2:], mode="bilinear", align_corners=False)


@torch.no_grad()
def test_a_published_checkpoint_computes_what_its_trainer_s_model_does(released):
    frames, state = torch.rand(1, 3, 64, 96), released.state_dict()
    expected = masks_of_the_published_model(state, frames)
    assert expected.std() > 0.01 and torch.allclose(load_released(state)[0](frames), expected, atol=1e-5)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"model": s, "epoch": 0, "config": {"adapter": {"fusion_layer": "layer2"}}},
        lambda s: {"model_state_dict": {f"module.{k}": v for k, v in s.items()}},
        lambda s: {"model": {f"_orig_mod.module.{k}": v for k, v in s.items()}, "config": {"adapter": None}},
    ],
    ids=["bare", "trainer's", "ddp", "compiled around ddp"],
)
def test_a_published_checkpoint_gives_its_masks(released, wrap):
    frames = torch.rand(1, 3, 64, 96)
    model, report = load_released(wrap(released.state_dict()))
    assert str(report) == "every key matches"
    assert torch.equal(model(frames), released.eval()(frames)) and model(frames).shape == (1, 1, 64, 96)


def test_missing_and_unexpected_keys_are_reported(released):
    state = {k: v for k, v in released.state_dict().items() if not k.startswith("decoder.")} | {
        "adaptive_loss_weights.log_vars": torch.zeros(3)
    }
    _, report = load_released(state)
    assert len(report.missing) == 16 and report.unexpected == ("adaptive_loss_weights.log_vars",)
    assert "16 missing (decoder.decoder.0.bias" in str(
        report
    ) and "1 unexpected (adaptive_loss_weights.log_vars)" in str(report)


def test_a_published_checkpoint_is_a_prior_that_says_what_did_not_match(released, tmp_path):
    state = {k: v for k, v in released.state_dict().items() if not k.startswith("decoder.")} | {
        "adaptive_loss_weights.log_vars": torch.zeros(3)
    }
    torch.save({"model": state}, tmp_path / "published.pt")
    prior = load_prior(tmp_path / "published.pt")
    assert prior.report.startswith("published.pt: a prior of CLEAR's published trainer")
    assert (
        "16 missing (decoder.decoder.0.bias" in prior.report
        and "1 unexpected (adaptive_loss_weights.log_vars)" in prior.report
    )
    assert prior.long_side == 1280, "what it was trained on: 1280x720"
    assert load_prior().report == "nano_prior.safetensors: a light prior. Keys of the checkpoint: every key matches."


def test_the_pyramid_level_is_told_from_the_checkpoint(released):
    assert load_released(ReleasedPrior("layer1").state_dict())[0].level == "layer1"
    assert (
        load_released({"model": released.state_dict(), "config": {"adapter": {"fusion_layer": "layer1+2"}}})[0].level
        == "layer1+2"
    )


@pytest.mark.parametrize(
    "state,says",
    [
        ({"backbone.0.weight": torch.zeros(1)}, "single-scale"),
        ({"blocks.0.weight": torch.zeros(1)}, "not a Stage I checkpoint.*blocks"),
        ({}, "nothing"),
        ({3: torch.zeros(1)}, "not a Stage I checkpoint.*3"),
    ],
)
def test_another_architecture_is_named(state, says):
    with pytest.raises(ClearError, match=says):
        load_released(state)


def test_holes_in_the_mask_path_and_other_widths_are_refused(released):
    state = released.state_dict()
    with pytest.raises(ClearError, match="incomplete: 1 tensors.*layer4.2.conv3.weight"):
        load_released({k: v for k, v in state.items() if k != "layer4.2.conv3.weight"})
    with pytest.raises(ClearError, match="another architecture: mask_head"):
        load_released({**state, "mask_head.mask_predictor.0.weight": torch.zeros(128, 64, 4, 4)})
