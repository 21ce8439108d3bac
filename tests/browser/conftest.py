"""A real ComfyUI with its real page, and a Chromium that looks at it."""

import os
import sys
from pathlib import Path

import pytest
import torch

from launch.page import ComfyPage, chromium
from launch.server import Server

FRONTEND = os.environ.get("CLEAR_FRONTEND")
"""The `static` folder of another comfyui-frontend-package than the one that is installed."""
PICTURES = os.environ.get("CLEAR_PICTURES")
"""A folder for pictures of the pages, to be looked at."""


@pytest.fixture(scope="session")
def comfyui():
    more = ["--front-end-root", FRONTEND] if FRONTEND else []
    tree = Path(os.environ["COMFYUI_PATH"])
    with Server(Path(sys.executable), tree, cpu=not torch.cuda.is_available(), arguments=more) as server:
        yield server


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright  # other tests go without

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield window
        window.close()


@pytest.fixture(params=["classic", "vue"])
def renderer(request):
    return request.param


@pytest.fixture
def page(browser, comfyui, renderer):
    """A fresh page. At its end no script of the pack may have complained."""
    one = ComfyPage(browser, comfyui, renderer)
    yield one
    one.close()
    assert one.errors == []


@pytest.fixture
def pictures(renderer):
    """Keep a picture of a page under a name, where somebody wants to look at it."""

    def keep(page, name: str) -> None:
        if PICTURES:
            page.picture(Path(PICTURES) / f"{name}_{renderer}.png")

    return keep
