"""What stands in the widgets of the graphs' nodes, in the order of their inputs, of which saved graphs know only the
places (tests/nodes/nodes.json)."""

PRIOR = ["bundled light prior", True]
FOUND = [0.5, "add", "auto", True]
REMOVE = [1, 1.0, 0, 81, 16, "composite", "auto", "auto", "auto", -1, 2, *PRIOR, *FOUND, 0.0, 8, False]
FILM = [
    *REMOVE[:11],
    "",
    "",
    "",
    7.0,
    "CLEAR/film",
    *PRIOR,
    "",
    True,
    *FOUND,
    False,
    "",
    8,
    "as the source",
    False,
    True,
]
COMPOSITE = ["scaled", "auto", -1, 2, "bundled light prior", 0.5, True, *FOUND[1:], 0.0, 8]
TRAINED_LOOK = [
    24.0,
    "",
    "latin",
    "as set",
    "",
    5.5,
    "#ffffff",
    7.0,
    "#000000",
    0.0,
    0.0,
    "#000000",
    1.0,
    "bottom",
    5.0,
]
TRAINED_LOOK += [0.0, 0]
TRAINING = [60, 16, "q,k,v,o,ffn.0,ffn.2", 0.001, 1, 1, 9, 64, 160, "auto", "auto", False, "adamw", "none", 0, 20]
LOOK = ["#ffffff", 8.0, "#000000", 0.0, 0.0, "#000000", 1.0, "bottom", 5.0, 0.2, 3]


def training(name: str) -> list:
    """Of Train CLEAR LoRA. name: of its run, in each graph another, for a run goes on with the pairs that it knows."""
    return ["bundled light prior", name, *TRAINING]
