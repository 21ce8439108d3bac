"""The bundled model: its codec, its transformer, and how its weights are kept."""

import numpy as np
import pytest
import torch

from clear_runtime.cli.main import main
from clear_runtime.engines.nano import load
from clear_runtime.engines.nano.codec import NanoCodecNet
from clear_runtime.engines.nano.limits import InPieces
from clear_runtime.engines.nano.transformer import NanoWan, export
from clear_runtime.errors import ClearError
from clear_runtime.train.moving_average import MovingAverage
from clear_runtime.train.nano.run import ClockedRun
from clear_runtime.train.nano.store import save_fp16


def moving_waves(frames, height, width):
    t, y, x = np.meshgrid(np.arange(frames), np.arange(height), np.arange(width), indexing="ij")
    wave = lambda a, b, c: 0.5 + 0.35 * np.sin(a * x / width + b * y / height + c * t)
    return torch.from_numpy(np.stack([wave(9, 2, 0.1), wave(3, 8, 0.05), wave(5, 5, -0.1)], -1)).float()


@pytest.fixture(scope="module")
def codec():
    return load.load_bundled_codec()


def test_the_codec_gives_a_clip_back(codec):
    frames = moving_waves(13, 64, 96)
    latents = codec.encode(frames)
    assert latents.shape == (1, 16, 4, 16, 24) and latents.dtype == torch.float32
    out = codec.decode(latents)
    assert out.shape == frames.shape
    assert -10 * (out - frames).square().mean().log10() > 32


def test_the_codec_is_causal(codec):
    frames = moving_waves(13, 32, 32)
    later = frames.clone()
    later[9:] = 0
    assert torch.equal(codec.encode(frames)[:, :, :3], codec.encode(later)[:, :, :3])


def test_a_single_frame_is_a_clip(codec):
    frame = moving_waves(1, 32, 48)
    assert codec.decode(codec.encode(frame)).shape == frame.shape


def test_principal_components_are_whitened_and_invert():
    torch.manual_seed(0)
    net = NanoCodecNet()
    blocks = torch.randn(4000, 16) @ torch.randn(16, 192)
    net.start_from(blocks)
    with torch.no_grad():
        z = net.encoder.linear(blocks.T[None, :, :, None])[0, :, :, 0]
        back = net.decoder.linear(z[None, :, :, None])[0, :, :, 0].T
    assert torch.allclose(z.std(1), torch.ones(16), atol=0.02) and z.mean(1).abs().max() < 0.02
    assert (back - blocks).abs().max() < 1e-2


def test_a_fresh_transformer_repeats_its_control():
    torch.manual_seed(0)
    noise, control = torch.randn(1, 16, 3, 8, 12), torch.randn(1, 16, 3, 8, 12)
    with torch.no_grad():
        velocity = NanoWan()(noise, control, torch.tensor([1000.0]))
    assert (noise - velocity - control).std() < 0.1


def test_the_exported_transformer_is_diffsynths_wan():
    dit = pytest.importorskip(
        "diffsynth.models.wan_video_dit",
        reason="the reference implementation is an optional dependency: pip install diffsynth",
    )
    from diffsynth.pipelines.wan_video import model_fn_wan_video

    torch.manual_seed(0)
    ours = NanoWan(layers=2)
    with torch.no_grad():
        for p in ours.parameters():
            p.add_(torch.randn_like(p) * 0.02)
        x, control, t = torch.randn(1, 16, 3, 8, 12), torch.randn(1, 16, 3, 8, 12), torch.tensor([882.0])
        base, lora = export(ours.state_dict(), layers=2)
        theirs = dit.WanModel(
            dim=256,
            in_dim=48,
            ffn_dim=1024,
            out_dim=16,
            text_dim=4096,
            freq_dim=256,
            eps=1e-6,
            patch_size=(1, 2, 2),
            num_heads=2,
            num_layers=2,
            has_image_input=True,
            has_ref_conv=True,
        )
        call = lambda: model_fn_wan_video(
            theirs,
            latents=x,
            timestep=t,
            context=torch.zeros(1, 1, 4096),
            clip_feature=torch.zeros(1, 257, 1280),
            y=torch.cat([control, torch.zeros_like(control)], 1),
        )
        theirs.load_state_dict(base)
        ours.use_lora(False)
        assert (ours(x, control, t) - call()).abs().max() < 1e-4
        merged = {
            k: v + lora[k.replace("weight", "lora_B.weight")] @ lora[k.replace("weight", "lora_A.weight")]
            if k.replace("weight", "lora_A.weight") in lora
            else v
            for k, v in base.items()
        }
        theirs.load_state_dict(merged)
        ours.use_lora(True)
        assert (ours(x, control, t) - call()).abs().max() < 1e-4


def test_constant_tensors_are_kept_as_their_shape(tmp_path):
    state = {
        "wide": torch.zeros(64, 64),
        "ones": torch.ones(2048),
        "small": torch.zeros(4),
        "real": torch.randn(64, 64),
    }
    save_fp16(tmp_path / "x.safetensors", state, drop_constants=True)
    assert (tmp_path / "x.safetensors").stat().st_size < 64 * 64 * 2 + 1000
    back = load.read(tmp_path / "x.safetensors")
    assert {k: v.shape for k, v in back.items()} == {k: v.shape for k, v in state.items()}
    assert all(torch.equal(back[k], v.half()) for k, v in state.items())


def test_the_bundled_files_stay_small():
    assert sum(f.stat().st_size for f in load.FOLDER.glob("*.safetensors")) < 30e6


def test_a_run_continues_from_its_checkpoint(tmp_path):
    def start():
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
        average = MovingAverage(model.state_dict(), 0.998)
        return (
            model,
            optimiser,
            average,
            ClockedRun(
                tmp_path, {"model": model, "optimiser": optimiser, "average": average}, minutes=1, peak=1e-2, every=0
            ),
        )

    model, optimiser, average, run = start()
    for _ in range(5):
        optimiser.zero_grad()
        model(torch.ones(2, 4)).sum().backward()
        optimiser.step(), average.update(model.state_dict())
        assert run.tick(optimiser)
    again, _, average_again, continued = start()
    spent = torch.load(tmp_path / "training.pt", weights_only=True)["clock"]["spent"]
    assert continued.step == 5 and spent > 0 and continued.before == spent <= continued.spent
    assert torch.equal(again.weight, model.weight) and torch.equal(
        average_again.values["weight"], average.values["weight"]
    )


def test_a_run_s_full_disk_and_damaged_checkpoint_are_said(tmp_path, monkeypatch):
    def start():
        model = torch.nn.Linear(4, 1)
        return ClockedRun(tmp_path, {"model": model}, minutes=1, peak=1e-2, every=0)

    run = start()
    run.save()
    kept = (tmp_path / "training.pt").read_bytes()

    def full(content, path):
        path.write_bytes(b"half of")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(ClearError, match="No space left on device"):
        patch.setattr(torch, "save", full)
        run.save()
    assert (tmp_path / "training.pt").read_bytes() == kept and [path.name for path in tmp_path.iterdir()] == [
        "training.pt"
    ]
    (tmp_path / "training.pt").write_bytes(kept[: len(kept) // 2])
    with pytest.raises(ClearError, match="training.pt is damaged"):
        start()


def test_a_window_in_pieces_keeps_what_every_piece_keeps():
    noise, control = torch.randn(1, 16, 21, 4, 6), torch.randn(1, 16, 21, 4, 6)
    sizes, steps = [], []

    def repeat(noise, control, sigmas, on_step, known):
        sizes.append(noise.shape[2])
        on_step(1, 1)
        return control.clone()

    for count in range(1, 22):
        sizes.clear()
        out = InPieces(repeat)(
            noise[:, :, :count], control[:, :, :count], torch.tensor([1.0, 0.0]), lambda i, n: steps.append((i, n))
        )
        assert torch.equal(out, control[:, :, :count])
        assert set(sizes) == {min(count, 5)}
    assert steps[-1] == (1, 1)


@pytest.mark.parametrize(
    "command",
    [
        ["train-nano", "codec", "--run", "run"],
        ["train-nano", "prior", "--run", "run"],
        ["bench", "nano-lora"],
        ["train-nano", "transformer", "--run", "run", "--codec", str(load.FOLDER / "nano_codec.safetensors")],
    ],
)
def test_a_command_says_in_a_line_what_the_user_can_mend(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="^error: No training material below nowhere"):
        main([*command, "--data", "nowhere"])


def test_what_a_head_marks_is_measured_inside_the_mask_and_outside():
    from clear_runtime.bench.nano_lora import marked
    from clear_runtime.engines.nano.load import load_bundled_codec

    clean = torch.randint(0, 255, (1, 5, 32, 64, 3), dtype=torch.uint8)
    mask = torch.zeros(1, 5, 32, 64, dtype=torch.uint8)
    mask[:, :, 16:, :32] = 1
    control = []

    def m_pred(noisy, given, sigma):
        control.append(given)
        said = torch.full((1, 2, 8, 16), 0.25)
        said[:, :, 4:, :8] = 0.75
        return said

    codec = load_bundled_codec().net
    assert marked(m_pred, codec, [(clean, 255 - clean, clean, mask)], torch.device("cpu")) == pytest.approx(
        {"M_pred inside": 0.75, "M_pred outside": 0.25}
    )
    assert torch.allclose(control[0], codec.encode((255 - clean).float().div(255).permute(0, 1, 4, 2, 3)), atol=0.1), (
        "the subtitled video"
    )
