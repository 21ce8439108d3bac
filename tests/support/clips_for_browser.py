"""A graph that takes seconds: nine small frames of the demo clip, filled without a network, on Before / After."""

import uuid

from comfy_graphs import cut


def _node(number, kind, inputs=(), outputs=(), values=(), pos=(0, 0), size=(300, 200)):
    return {
        "id": number,
        "type": kind,
        "pos": list(pos),
        "size": list(size),
        "flags": {},
        "order": number,
        "mode": 0,
        "inputs": [{"name": name, "type": type_, "link": link} for name, type_, link in inputs],
        "outputs": [{"name": name, "type": type_, "links": links} for name, type_, links in outputs],
        "properties": {},
        "widgets_values": list(values),
    }


def small_removal(server) -> dict:
    """The graph; `small.mp4` is put into the server's input folder."""
    if not (server.base / "input" / "small.mp4").exists():
        cut(server, "small.mp4")
    nodes = [
        _node(1, "LoadVideo", outputs=[("VIDEO", "VIDEO", [1])], values=["small.mp4", "image"]),
        _node(
            2,
            "GetVideoComponents",
            [("video", "VIDEO", 1)],
            [("images", "IMAGE", [2, 3]), ("audio", "AUDIO", []), ("fps", "FLOAT", [])],
            pos=(0, 320),
        ),
        _node(
            3,
            "CLEAR_SubtitleRemove",
            [("images", "IMAGE", 2)],
            [("IMAGE", "IMAGE", [4]), ("MASK", "MASK", [5]), ("report", "STRING", []), ("report_json", "STRING", [6])],
            [1, 1.0, 0, 81, 16, "preview"],
            pos=(340, 0),
            size=(340, 700),
        ),
        _node(
            4,
            "CLEAR_BeforeAfter",
            [
                ("before", "IMAGE", 3),
                ("after", "IMAGE", 4),
                ("mask", "MASK", 5),
                ("audio", "AUDIO", None),
                ("report", "STRING", 6),
            ],
            values=[25.0, "browser/small", 10.0],
            pos=(720, 0),
            size=(560, 480),
        ),
    ]
    links = [
        [1, 1, 0, 2, 0, "VIDEO"],
        [2, 2, 0, 3, 0, "IMAGE"],
        [3, 2, 0, 4, 0, "IMAGE"],
        [4, 3, 0, 4, 1, "IMAGE"],
        [5, 3, 1, 4, 2, "MASK"],
        [6, 3, 3, 4, 4, "STRING"],
    ]
    return {
        "id": str(uuid.uuid4()),
        "version": 0.4,
        "last_node_id": 4,
        "last_link_id": 6,
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
    }


def with_report(graph: dict) -> dict:
    """The same, with its report on Preview as Text."""
    number = len(graph["links"]) + 1
    shown = dict(inputs=[("source", "*", number)], outputs=[("STRING", "STRING", [])], pos=(720, 560), size=(500, 160))
    graph["nodes"].append(_node(9, "PreviewAny", **shown))
    graph["nodes"][2]["outputs"][2]["links"] = [number]
    graph["links"].append([number, 3, 2, 9, 0, "STRING"])
    return graph
