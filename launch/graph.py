"""ComfyUI's two graph formats: what the editor saves (nodes, links, widget values in order) and what /prompt takes.

The editor's format leaves out the names of widget values; their order is the node's own, so the running server's
/object_info is needed to read it, and the same file fits servers whose nodes have grown.
"""

from .console import Problem

NOTES = {"Note", "MarkdownNote"}
OUTSIDE, GIVEN = -10, -20
"""What the inputs and outputs of a subgraph count as inside of it."""
MUTED, BYPASSED = 2, 4
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
CHOICE_WITH_INPUTS = "COMFY_DYNAMICCOMBO_V3"
# The editor puts a second widget behind these inputs and saves its value too.
AFTER_GENERATE = {"fixed", "increment", "decrement", "randomize"}
UPLOADS = {"image_upload", "video_upload", "audio_upload"}


def to_prompt(graph: dict, object_info: dict) -> dict:
    """An editor's graph as /prompt takes it: {id: {class_type, inputs}}. Raises Problem for nodes the server lacks."""
    every, sources = laid_open(graph)
    nodes = {key: n for key, n in every.items() if n["type"] not in NOTES and n.get("mode", 0) != MUTED}
    missing = sorted({n["type"] for n in nodes.values() if n["type"] not in object_info})
    if missing:
        raise Problem(
            f"This ComfyUI has no node {', '.join(missing)}. It needs ComfyUI 0.3.75 or newer, and the pack loaded."
        )
    bypassed = [n["type"] for n in nodes.values() if n.get("mode", 0) == BYPASSED]
    if bypassed:
        raise Problem(f"{', '.join(bypassed)} is bypassed in the graph; set it to run, or mute it.")
    prompt = {}
    for key, node in nodes.items():
        inputs = _widgets(node, object_info[node["type"]])
        for slot in node.get("inputs", []):
            source = sources.get((key, slot["name"]))
            if source and source[0] in nodes:
                inputs[slot["name"]] = list(source)
        prompt[key] = {"class_type": node["type"], "inputs": inputs}
    return prompt


def laid_open(graph: dict) -> tuple[dict[str, dict], dict[tuple[str, str], tuple[str, int]]]:
    """Nodes by id, those of a subgraph by "its node's id:their own", and what is linked to an input: (id, its name) ->
    (id, number of the output)."""
    kinds = {one["id"]: one for one in graph.get("definitions", {}).get("subgraphs", [])}
    outer = {link[0]: (str(link[1]), link[2]) for link in graph["links"]}
    nodes: dict[str, dict] = {}
    sources: dict[tuple[str, str], tuple[str, int]] = {}
    given: dict[tuple[str, int], tuple[str, int]] = {}  # an output of a subgraph -> of the node inside
    for node in graph["nodes"]:
        key, within = str(node["id"]), kinds.get(node["type"])
        linked = {slot["name"]: outer[slot["link"]] for slot in node.get("inputs", []) if slot.get("link") in outer}
        if within is None:
            nodes[key] = node
            sources |= {(key, name): source for name, source in linked.items()}
            continue
        inner = {link["id"]: link for link in within["links"]}
        for one in within["nodes"]:
            nodes[f"{key}:{one['id']}"] = one
            for slot in one.get("inputs", []):
                link = inner.get(slot.get("link"))
                if link is not None and link["origin_id"] != OUTSIDE:
                    sources[f"{key}:{one['id']}", slot["name"]] = f"{key}:{link['origin_id']}", link["origin_slot"]
                elif link is not None and (name := within["inputs"][link["origin_slot"]]["name"]) in linked:
                    sources[f"{key}:{one['id']}", slot["name"]] = linked[name]
        for link in (one for one in inner.values() if one["target_id"] == GIVEN):
            given[key, link["target_slot"]] = f"{key}:{link['origin_id']}", link["origin_slot"]
    return nodes, {place: given.get(source, source) for place, source in sources.items()}


def _widgets(node: dict, info: dict) -> dict:
    values = list(node.get("widgets_values") or [])
    found: dict = {}
    _take(info["input"], "", values, found, info.get("input_order"))
    return found


def _take(groups: dict, prefix: str, values: list, found: dict, order: dict | None = None) -> None:
    """Move values from the front of the list to the names of widgets, in the order of the schema."""
    for group in ("required", "optional"):
        specs = groups.get(group, {})
        for name in (order or {}).get(group, list(specs)):
            kind, options = _kind(specs[name])
            if kind is None or not values:
                continue
            found[prefix + name] = value = values.pop(0)
            if kind == CHOICE_WITH_INPUTS:
                chosen = [o for o in options["options"] if o["key"] == value]
                if chosen:
                    _take(chosen[0]["inputs"], f"{prefix}{name}.", values, found)
            if values and _has_second_widget(name, kind, options, values[0]):
                values.pop(0)


def _kind(spec: list) -> tuple[str | None, dict]:
    """The widget type of an input, None for one that only takes a link."""
    options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    kind = "COMBO" if isinstance(spec[0], list) else spec[0]
    shown = (kind in WIDGETS or kind == CHOICE_WITH_INPUTS) and not options.get("forceInput")
    return (kind if shown else None), options


def _has_second_widget(name: str, kind: str, options: dict, following) -> bool:
    if kind == "INT" and (options.get("control_after_generate") or name in ("seed", "noise_seed")):
        return following in AFTER_GENERATE
    return kind == "COMBO" and any(options.get(u) for u in UPLOADS) and following in ("image", "video", "audio")


def only_to(prompt: dict, wanted: set) -> dict:
    """The part of a prompt that the nodes of some classes need, and nothing else."""
    keep, todo = {}, [key for key, node in prompt.items() if node["class_type"] in wanted]
    while todo:
        key = todo.pop()
        if key not in keep:
            keep[key] = prompt[key]
            todo += [
                v[0] for v in prompt[key]["inputs"].values() if isinstance(v, list) and len(v) == 2 and v[0] in prompt
            ]
    return keep


def set_input(prompt: dict, class_type: str, **values) -> None:
    """Set inputs of every node of one class."""
    for node in prompt.values():
        if node["class_type"] == class_type:
            node["inputs"].update(values)
