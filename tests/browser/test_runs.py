"""Every shipped graph, opened and run to its end. Its clip is a shorter and smaller one, and large models are small
random ones under the names of the files that the graph asks for."""

import json
import re

import pytest
import tiny_minimax
import tiny_wan
import torch
from comfy_graphs import DEMO, cut
from safetensors.torch import save_file
from shipped_graphs import ENGLISH

from clear_runtime.engines.prompt import FILE_NAME, save_embedding

BOUND = 900  # seconds; the longest, a training, takes about one minute on two free cores
NEEDS_ITS_FILE = "SAM3"
"""Of a graph's name: its network has one size alone, too large to be made up."""
NODES = "[app.graph, ...(app.graph.subgraphs?.values() ?? [])].flatMap(g => g.nodes)"


@pytest.fixture(scope="module")
def models(comfyui):
    """Files of the large models' names, with small random weights; of a text encoder only what it would give."""
    folder = comfyui.base / "models"
    for name in ("diffusion_models", "vae", "loras", "text_encoders", "upscale_models", "clear"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    wan = tiny_wan.wan_state()
    save_file(wan, folder / "diffusion_models" / "diffusion_pytorch_model.safetensors")
    holes = {name: value.half() for name, value in tiny_minimax.state().items()}
    save_file(holes, folder / "diffusion_models" / "Wan2_1-MiniMaxRemover_1_3B_fp16.safetensors")
    torch.save(tiny_wan.lora_state(wan), folder / "loras" / "CLEAR-mask-free-subtitle-removal.pt")
    save_file(tiny_wan.vae_state(), folder / "vae" / "wan_2.1_vae.safetensors")
    words = folder / "text_encoders" / "umt5_xxl_fp8_e4m3fn_scaled.safetensors"
    save_file({"never_read": torch.zeros(1)}, words)
    save_embedding(folder / "clear" / FILE_NAME, torch.randn(1, 8, 4096, generator=torch.Generator().manual_seed(0)))
    save_file(tiny_upscaler(), folder / "upscale_models" / "RealESRGAN_x4plus.safetensors")


def tiny_upscaler() -> dict[str, torch.Tensor]:
    """SRVGGNetCompact (Real-ESRGAN's small one) for four times the size, random."""
    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.PReLU(8)]
    layers += [torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.PReLU(8), torch.nn.Conv2d(8, 3 * 4 * 4, 3, padding=1)]
    return {f"body.{name}": value for name, value in torch.nn.Sequential(*layers).state_dict().items()}


@pytest.fixture(scope="module")
def clips(comfyui):
    """Frames around the subtitle, eleven with it and without; of the film with one line as many as it takes to learn
    from it. Names: of the shipped clips -> theirs."""
    place = dict(top=176, left=160, height=176, width=320)
    cut(comfyui, "short.mp4", count=11, **place)
    cut(comfyui, "short_clean.mp4", DEMO / "bunny_clean.mp4", count=11, **place)
    cut(comfyui, "short_film.mp4", DEMO / "bunny_half.mp4", count=49, **place)
    return {f"clear_demo{which}.mp4": f"short{which}.mp4" for which in ("", "_clean", "_film")}


@pytest.mark.parametrize("graph", ENGLISH, ids=lambda path: path.stem)
@pytest.mark.parametrize("renderer", ["classic"])
def test_a_template_runs_to_its_end(models, clips, page, graph, pictures):
    if NEEDS_ITS_FILE in graph.stem:
        pytest.skip("SAM3 runs with its own file alone")
    text = graph.read_text(encoding="utf-8")
    for shipped, short in clips.items():
        text = text.replace(f'"{shipped}"', f'"{short}"')
    page.load(json.loads(text))
    page.queue()
    told = page.wait_for_end(BOUND)
    assert told["status"]["status_str"] == "success", [
        about.get("exception_message", kind) for kind, about in told["status"]["messages"]
    ]
    assert page.run_js("() => app.lastNodeErrors ?? {}") == {}, "sockets or widgets are red"
    page.page.wait_for_timeout(2000)
    panels = page.run_js(
        f"() => {NODES}.map(n => [n.title, n.clearLive]).filter(([, p]) => p?.root)"
        ".map(([title, p]) => [title, p.told, p.text.textContent, p.fill.style.width])"
    )
    assert all(told and words and bar == "100%" for _, told, words, bar in panels), panels
    sliders = page.run_js(f"() => {NODES}.filter(n => n.clearCompare).map(n => !!n.clearCompare.told)")
    assert all(sliders), "a slider shows nothing"
    page.whole_view(0.55)
    pictures(page, re.sub(r"\W+", "_", graph.stem))
