"""The record of later ComfyUIs' nodes, which shipped graphs are checked against, agrees with a server that has them."""

import json
import os

import newer_nodes
import pytest


@pytest.mark.parametrize("name", newer_nodes.NAMES)
def test_the_record_is_what_a_server_says(comfyui, name):
    info = comfyui.get("/object_info")
    if name not in info:
        pytest.skip(f"this ComfyUI is older than {name}")
    if os.environ.get("CLEAR_RECORD_NODES"):
        record = newer_nodes.recorded() if newer_nodes.RECORD.exists() else {}
        record[name] = newer_nodes.described(info[name])
        newer_nodes.RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    assert newer_nodes.recorded()[name] == newer_nodes.described(info[name])
