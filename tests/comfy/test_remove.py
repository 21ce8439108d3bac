"""Remove Subtitles in a running ComfyUI. These hold for any weights; how well the subtitle goes is measured
elsewhere."""

import threading

import pytest
import torch
import torch.nn.functional as F
from comfy_graphs import cut, graph_of, pictures

from launch.console import Problem
from launch.server import NodeFailed

STEPS = {
    "steps": 1,
    "cfg": 1.0,
    "seed": 0,
    "window": 81,
    "overlap": 16,
    "output": "composite",
    "control": "auto",
    "region": "auto",
    "mask_from": "prior",
    "grow": 4,
    "feather": 4,
    "second_look": False,  # it takes as long as the first
}
NANO = {"model": ("@2", 0), "vae": ("@2", 1), "positive": ("@2", 2)}


def removal(clip, load=None, **changes):
    """Load -> remove -> as PNG files: cleaned frames (node 4), masks (6), loaded frames (7). Node 3 is the removal."""
    nodes = [
        ("LoadVideo", {"file": clip}),
        ("GetVideoComponents", {"video": ("@0", 0)}),
        load or ("CLEAR_LoadNano", {"strength": 1.0}),
        ("CLEAR_SubtitleRemove", {"images": ("@1", 0), **NANO, **STEPS, **changes}),
    ]
    nodes += [
        ("SaveImage", {"images": ("@3", 0), "filename_prefix": f"r/{clip}-frame"}),
        ("MaskToImage", {"mask": ("@3", 1)}),
        ("SaveImage", {"images": ("@5", 0), "filename_prefix": f"r/{clip}-mask"}),
        ("SaveImage", {"images": ("@1", 0), "filename_prefix": f"r/{clip}-source"}),
    ]
    return graph_of(*nodes)


@pytest.mark.parametrize(
    "name, size",
    [
        ("small.mp4", {}),
        ("single.mp4", {"count": 1}),
        ("odd.mp4", {"height": 95, "width": 127, "count": 6}),
        ("portrait.mp4", {"top": 200, "height": 152, "width": 96, "left": 200, "count": 5}),
    ],
)
def test_every_frame_comes_back_and_nothing_changes_outside_the_mask(comfyui, name, size):
    shape = cut(comfyui, name, **size).shape
    outputs = comfyui.run(removal(name), bound=300)
    # how a file is decoded differs a little between versions of ComfyUI, so its own loaded frames are what must stay
    frames, masks, source = (pictures(comfyui, outputs, key) for key in ("4", "6", "7"))
    masks = masks[..., 0]
    assert frames.shape == source.shape == shape and masks.shape == source.shape[:3]
    assert masks.any(), "the subtitle was not found"
    # a picture file rounds the mask: its faintest edge, up to two pixels wide, reads as 0 there
    edge = F.max_pool2d((masks > 0).float()[:, None], 5, 1, 2)[:, 0] > 0
    assert (frames == source)[~edge].all()
    assert (frames != source)[masks > 127].any()


def test_preview_needs_no_model_and_shows_where_pixels_change(comfyui, small_clip):
    graph = removal("small.mp4", output="preview")
    for name in NANO:
        del graph["3"]["inputs"][name]
    del graph["2"]
    outputs = comfyui.run(graph, bound=300)
    assert pictures(comfyui, outputs, "6").any()
    assert len(pictures(comfyui, outputs, "4")) == len(small_clip)


def test_the_same_seed_gives_the_same_frames(comfyui, small_clip):
    first = comfyui.run(removal("small.mp4", seed=7), bound=300)
    other = comfyui.run(
        removal("small.mp4", seed=8), bound=60
    )  # so that the next run is not answered from ComfyUI's cache
    again = comfyui.run(removal("small.mp4", seed=7), bound=300)
    assert torch.equal(pictures(comfyui, first, "4"), pictures(comfyui, again, "4"))
    assert len(pictures(comfyui, other, "4")) == len(small_clip)


def test_progress_is_one_bar_that_never_goes_back(comfyui, small_clip):
    seen = []
    comfyui.run(
        removal("small.mp4", steps=3, window=5, overlap=0, seed=3),
        lambda node, done, total: seen.append((node, done, total)),
        bound=300,
    )
    ours = [(done / total) for node, done, total in seen if node == "3"]
    assert len(ours) >= 6 and ours[-1] == 1, ours
    assert ours == sorted(ours), ours


def test_cancel_ends_the_run(comfyui):
    cut(comfyui, "long.mp4", count=17)
    steps, seen = 100, []

    def on_progress(node, done, total):
        if node == "3":
            seen.append(done / total)
            if len(seen) == 6:
                threading.Thread(target=comfyui.interrupt).start()

    with pytest.raises(Problem, match="cancelled"):
        comfyui.run(removal("long.mp4", steps=steps, region="whole frame"), on_progress, bound=300)
    # that no further step begins is counted in tests/nodes; here some may, until the server has heard
    assert len(seen) >= 6 and seen[-1] < 0.5, seen
    comfyui.run(removal("small.mp4", seed=99), bound=300)  # and the server is fit for more


@pytest.mark.parametrize(
    "changes, load, why",
    [
        ({"window": 17, "overlap": 17}, None, "(?i)overlap"),
        ({"model": None}, None, "MODEL not connected"),
        (
            {"vae": ("@2", 0), "model": None, "positive": None},
            ("VAELoader", {"vae_name": "pixel_space"}),
            "MODEL and CONDITIONING not connected",
        ),
        ({"cfg": 3.0}, None, "(?i)negative"),
    ],
    ids=["overlap as long as the window", "no model", "only a VAE", "guidance without a negative"],
)
def test_wrong_inputs_are_refused_in_a_sentence(comfyui, small_clip, changes, load, why):
    graph = removal("small.mp4", load=load, **{k: v for k, v in changes.items() if v is not None})
    for name, value in changes.items():
        if value is None:
            del graph["3"]["inputs"][name]
    seen = []
    with pytest.raises(NodeFailed, match=why) as failed:
        comfyui.run(graph, lambda node, done, total: seen.append(node), bound=300)
    assert failed.value.kind == "ClearError" and "3" not in seen, "it was refused after work had begun"


def test_another_family_s_vae_is_refused(comfyui, small_clip):
    graph = removal("small.mp4")
    graph["8"] = {"class_type": "VAELoader", "inputs": {"vae_name": "pixel_space"}}
    graph["3"]["inputs"]["vae"] = ["8", 0]
    with pytest.raises(NodeFailed, match="the VAE is another one") as failed:
        comfyui.run(graph, bound=300)
    assert failed.value.kind == "ClearError"


def test_a_window_below_the_minimum_never_starts(comfyui, small_clip):
    with pytest.raises(Problem, match="CLEAR_SubtitleRemove: .*min"):
        comfyui.run(removal("small.mp4", window=1), bound=300)


def test_comfyui_s_own_vae_nodes_work_with_the_bundled_codec(comfyui, small_clip):
    outputs = comfyui.run(
        graph_of(
            ("LoadVideo", {"file": "small.mp4"}),
            ("GetVideoComponents", {"video": ("@0", 0)}),
            ("CLEAR_LoadNano", {"strength": 1.0}),
            ("VAEEncode", {"pixels": ("@1", 0), "vae": ("@2", 1)}),
            ("VAEDecode", {"samples": ("@3", 0), "vae": ("@2", 1)}),
            ("SaveImage", {"images": ("@4", 0), "filename_prefix": "r/vae"}),
        ),
        bound=60,
    )
    back = pictures(comfyui, outputs, "5").float() / 255
    assert back.shape == small_clip.shape
    assert -10 * torch.log10((back - small_clip).square().mean()) > 20
