"""For every test: one thread. The tensors here are small, and waiting for a second busy core costs more than it
brings."""

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from launch.page import chromium

# how long an example takes says something of the machine, and nothing of the code
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

FOLDERS = {"browser": ("browser", "comfy", "slow"), "comfy": ("comfy", "slow"), "gpu": ("gpu",), "nodes": ("comfy",)}
"""The markers of all tests of a folder. A server is started for those of tests/browser and of tests/comfy."""
TOGETHER = ("tests/comfy/", "tests/nodes/")
"""Folders whose tests run in one process where there are several: ComfyUI is started, or imported, once."""


def pytest_addoption(parser):
    parser.addoption("--browser", action="store_true", help="run tests/browser, in the Chromium that is installed")


def pytest_configure(config):
    if not getattr(config.option, "numprocesses", None):  # the process that hands tests out runs none
        import torch  # it takes seconds, for which the others would wait

        torch.set_num_threads(1)


def pytest_collection_modifyitems(config, items):
    """Marks what runs ComfyUI's code, and skips what this machine has not."""
    import torch  # not in the process that hands tests out

    lacking = {}
    if reason := _no_browser(config):
        lacking["browser"] = reason
    if not os.environ.get("COMFYUI_PATH"):
        lacking["comfy"] = "COMFYUI_PATH names no ComfyUI; `python run.py test` brings one"
    if not torch.cuda.is_available() and not os.environ.get("CLEAR_TEST_DEVICE"):
        lacking["gpu"] = "torch sees no CUDA device; CLEAR_TEST_DEVICE=cpu runs these tests all the same"
    for item in items:
        for name in FOLDERS.get(item.path.relative_to(Path(__file__).parent).parts[0], ()):
            item.add_marker(name)
        for name, reason in lacking.items():
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))
    if hasattr(config, "workerinput"):  # one of several processes: none of them shall be left with a long file
        long = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config, log):
    """As --dist loadfile, with some folders as if they were one file."""
    from xdist.scheduler import LoadFileScheduling  # an optional package: it is there when this is called

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            folder = next((one for one in TOGETHER if nodeid.startswith(one)), None)
            return folder or super()._split_scope(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def _no_browser(config) -> str | None:
    """Why tests in a browser cannot run, or were not asked for."""
    if not config.getoption("browser"):
        return "`python run.py test --browser` runs these; they take minutes"
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed; `python run.py test --browser` brings it"
    if chromium() is None:
        return "no Chromium is installed (Debian: apt install chromium); CLEAR_CHROMIUM names one elsewhere"
    return None


@pytest.fixture(autouse=True)
def ordinary_priority():
    """What tests write themselves as AV1 makes a process of root's a real-time one (media/codecs.py)."""
    yield
    if hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """No test cuts the power: what is written is read from the system's memory, and a busy disk would cost seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture
def no_installed_fonts(monkeypatch, request):
    """Only the font inside Pillow, whatever the machine has; tests of other scripts ask for the machine's by their
    fixture `installed`."""
    from clear_runtime.data.synthetic import system_fonts

    if "installed" not in request.fixturenames:
        monkeypatch.setattr(system_fonts, "folders", lambda: [])


@pytest.fixture(scope="session")
def base():
    """The weights of a tiny Wan2.1 Fun-Control transformer."""
    from tiny_wan import wan_state

    return wan_state()


@pytest.fixture(scope="session")
def latents(tmp_path_factory):
    """The file of one encoded clip."""
    from tiny_clips import encoded

    return encoded(tmp_path_factory.mktemp("latents"))


@pytest.fixture(scope="module")
def clips(latents):
    """The same as the runs of tiny_run read it; a run that goes on changes where it stands."""
    from tiny_run import SHORT

    from clear_runtime.train.lora.cache import LatentClips

    return LatentClips(latents, 4, SHORT.crop, "as is", seed=SHORT.seed)
