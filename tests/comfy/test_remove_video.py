"""The shipped graph for a whole film in a running ComfyUI."""

import torch
from comfy_graphs import cut

from clear_runtime.media.video import read_facts, read_timed_frames

GRAPH = "Remove subtitles from a whole film.json"


def made(server, outputs):
    """The file that the node says it has saved."""
    (shown,) = [one for output in outputs.values() for one in output.get("images", [])]
    return server.base / "output" / shown["subfolder"] / shown["filename"]


def test_the_graph_runs_as_it_is_drawn(comfyui, template):
    frames = cut(comfyui, "film.mp4", count=21)
    prompt = template(
        GRAPH,
        LoadVideo={"file": "film.mp4"},
        CLEAR_SubtitleRemoveVideo={"filename_prefix": "f/film", "window": 17, "overlap": 4},
    )
    seen = []
    outputs = comfyui.run(prompt, lambda node, done, total: seen.append((node, done / total)), bound=300)
    path, source = made(comfyui, outputs), comfyui.base / "input" / "film.mp4"
    times, after = zip(*read_timed_frames(path))
    assert times == tuple(time for time, _ in read_timed_frames(source))
    after = torch.stack(after)
    assert after.shape == frames.shape and read_facts(path).audio == read_facts(source).audio is not None
    difference = (after - frames).abs().amax((0, 3))
    assert difference.max() > 0.3 and difference[:10].mean() < 0.03, "the letters go, and what is far from them stays"
    names = sorted(one.name for one in path.parent.iterdir())
    assert names == ["film_00001_.mp4", "film_00001__plan.json", "film_00001__plan.marks"]
    ours = [share for node, share in seen if prompt[node]["class_type"] == "CLEAR_SubtitleRemoveVideo"]
    assert ours == sorted(ours) and ours[-1] == 1


def test_a_video_made_in_the_graph_goes_on_to_other_nodes(comfyui, template, small_clip):
    prompt = template(GRAPH, LoadVideo={"file": "small.mp4"}, CLEAR_SubtitleRemoveVideo={"filename_prefix": "g/film"})
    (node,) = [key for key, one in prompt.items() if one["class_type"] == "CLEAR_SubtitleRemoveVideo"]
    (loaded,) = [key for key, one in prompt.items() if one["class_type"] == "LoadVideo"]
    prompt["parts"] = {"class_type": "GetVideoComponents", "inputs": {"video": [loaded, 0]}}
    made_here = {"images": ["parts", 0], "audio": ["parts", 1], "fps": 25.0}
    prompt["made"] = {"class_type": "CreateVideo", "inputs": made_here}
    prompt[node]["inputs"]["video"] = ["made", 0]
    saved = {"video": [node, 0], "filename_prefix": "g/saved", "format": "auto", "codec": "auto"}
    prompt["saved"] = {"class_type": "SaveVideo", "inputs": saved}
    outputs = comfyui.run(prompt, bound=300)
    (shown,) = outputs["saved"]["images"]
    assert read_facts(comfyui.base / "output" / shown["subfolder"] / shown["filename"]).frames == len(small_clip)
