"""An optical flow that is linked to Remove Subtitles is what the fill follows; anything else is refused in words. The
network is torchvision's small one, which is called as ComfyUI's large one is, at a fraction of the time."""

import pytest
import torch
from hidden_backgrounds import lines, subtitled, texture


@pytest.fixture(scope="module")
def raft(pack):
    from clear_pack.nodes.comfy.managed import managed
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(0)
    return managed(raft_small(weights=None).eval())


@pytest.fixture
def images():
    clean = torch.stack([texture(width=400)[:, 8 * t : 8 * t + 160] for t in range(6)])
    return subtitled(clean, lines()[8:14])


def preview(run, images, **linked):
    asked = dict(output="preview", subtitle=lines()[8:14], subtitle_use="only", boxes="keep", mask_jumps=0)
    return run("CLEAR_SubtitleRemove", images=images, **asked, **linked)[0]


def test_the_fill_follows_what_is_linked(run, raft, images, monkeypatch):
    without, asked = preview(run, images), []
    forward = raft.model.forward
    monkeypatch.setattr(raft.model, "forward", lambda *pair: asked.append(len(pair[0])) or forward(*pair))
    with_it = preview(run, images, optical_flow=raft)
    assert sum(asked) == 2 * (len(images) - 1), "each pair of neighbours, there and back"
    assert with_it.shape == images.shape and with_it.isfinite().all()
    assert torch.equal(with_it[lines()[8:14] == 0], without[lines()[8:14] == 0])
    assert torch.equal(preview(run, images, optical_flow=None), without)


def test_what_is_no_raft_is_refused_at_once(run, pack, images):
    from clear_pack.clear_runtime.errors import ClearError
    from clear_pack.nodes.comfy.flow import flow_identity
    from clear_pack.nodes.comfy.managed import managed

    with pytest.raises(ClearError, match="RAFT"):
        preview(run, images, optical_flow=managed(torch.nn.Conv2d(1, 1, 1)))
    with pytest.raises(ClearError, match="RAFT"):
        flow_identity("another pack's")


def test_a_film_that_was_begun_with_another_flow_begins_anew(raft, pack):
    from clear_pack.nodes.comfy.flow import flow_identity
    from clear_pack.nodes.comfy.managed import managed
    from torchvision.models.optical_flow import raft_small

    torch.manual_seed(1)
    assert flow_identity(None) == {}
    assert flow_identity(raft) == flow_identity(raft) != flow_identity(managed(raft_small(weights=None)))
