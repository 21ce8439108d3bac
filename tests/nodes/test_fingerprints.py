"""What makes ComfyUI run a node again."""

import pytest

NODES = [
    "CLEAR_LoadMiniMax",
    "CLEAR_LoadModel",
    "CLEAR_ApplyLoRA",
    "CLEAR_Composite",
    "CLEAR_SubtitleRemove",
    "CLEAR_SubtitleRemoveVideo",
    "CLEAR_PriorMask",
    "CLEAR_TrainPrior",
    "CLEAR_BurnSubtitles",
    "CLEAR_LoadPairs",
    "CLEAR_TrainLoRA",
]


def test_all_nodes_that_say_when_to_run_again_are_looked_at(pack):
    from comfy_api.latest import io

    own = [
        name
        for name, node in pack.listed.items()
        if node.fingerprint_inputs.__func__ is not io.ComfyNode.fingerprint_inputs.__func__
    ]
    assert sorted(own) == sorted(NODES)


@pytest.mark.parametrize("name", NODES)
def test_an_input_that_is_connected_does_not_make_the_node_run_each_time(pack, name):
    """ComfyUI hands on None for it, and runs the node and all behind it again when the fingerprint fails."""
    node = pack.listed[name]
    connected = {one.id: None for one in node.GET_SCHEMA().inputs}
    assert node.fingerprint_inputs(**connected) == node.fingerprint_inputs(**connected)
