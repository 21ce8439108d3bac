"""Saved workflows keep working: every node id, input and output that ever landed is still there, in its place.

nodes.json holds them. A new one is added to it by `python -m pytest tests/nodes/test_frozen.py` with
CLEAR_RECORD_NODES=1; one that is in it is never taken out.
"""

import json
import os
from pathlib import Path

RECORD = Path(__file__).parent / "nodes.json"
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}


def described(schema) -> dict:
    """widgets: in the order that a saved workflow gives their values in; whoever takes only a link is no widget."""
    inputs = [(one.id, one.get_io_type(), bool(getattr(one, "force_input", False))) for one in schema.inputs]
    ordered = sorted(schema.inputs, key=lambda one: bool(getattr(one, "optional", False)))
    return {
        "inputs": {name: kind for name, kind, _ in inputs},
        "required": sorted(one.id for one in schema.inputs if not getattr(one, "optional", False)),
        "widgets": [
            one.id for one in ordered if one.get_io_type() in WIDGETS and not getattr(one, "force_input", False)
        ],
        "outputs": [[one.display_name, one.io_type] for one in schema.outputs],
    }


def test_ids_inputs_and_outputs_are_those_on_record(pack):
    now = {node_id: described(node.GET_SCHEMA()) for node_id, node in pack.listed.items()}
    recorded = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for node_id, was in recorded.items():
        assert node_id in now, f"{node_id} is gone; a node that retires keeps its id (CONTRIBUTING.md)"
        is_ = now[node_id]
        lost = {name: kind for name, kind in was["inputs"].items() if is_["inputs"].get(name) != kind}
        assert not lost, f"{node_id}: {lost} renamed, retyped or removed"
        assert set(is_["required"]) <= set(was["required"]), f"{node_id}: a new input has no default"
        assert is_["widgets"][: len(was["widgets"])] == was["widgets"], (
            f"{node_id}: saved values would shift; a new input comes behind all others (CONTRIBUTING.md, Add an option)"
        )
        assert is_["outputs"][: len(was["outputs"])] == was["outputs"], f"{node_id}: saved links would shift"
    if os.environ.get("CLEAR_RECORD_NODES"):
        RECORD.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        recorded = now
    assert recorded == now, "something is new; record it: CLEAR_RECORD_NODES=1"
