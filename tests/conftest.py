"""For every test: one thread. The tensors here are small, and waiting for a second busy core costs more than it
brings."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def no_installed_fonts(monkeypatch, request):
    """Only the font inside Pillow, whatever the machine has; tests of other scripts ask for the machine's by their
    fixture `installed`."""
    from clear_runtime.data.synthetic import system_fonts

    if "installed" not in request.fixturenames:
        monkeypatch.setattr(system_fonts, "folders", lambda: [])


@pytest.fixture(scope="module")
def base():
    """The weights of a tiny Wan2.1 Fun-Control transformer."""
    from tiny_wan import wan_state

    return wan_state()


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """One encoded clip for the runs of tiny_run."""
    from tiny_clips import latent_clips
    from tiny_run import SHORT

    return latent_clips(tmp_path_factory.mktemp("latents"), crop=SHORT.crop, seed=SHORT.seed)
