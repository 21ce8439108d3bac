"""What the tests of Stage II share."""

import encoded_once
import pytest

from clear_runtime.train.lora import cache


@pytest.fixture(autouse=True)
def clips_are_encoded_once(monkeypatch):
    encoded_once.remember(monkeypatch, cache)
