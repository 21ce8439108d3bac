"""The shipped demo graph, whole: by ComfyUI's API, and through `run.py demo`."""

import json
import os
import subprocess
import sys
from fractions import Fraction

import films
import pytest
import torch
import torch.nn.functional as F
from comfy_graphs import DEMO, ROOT

from clear_runtime import metrics
from clear_runtime.media.colour import UNTAGGED
from clear_runtime.media.video import read_facts, read_frames, read_timed_frames
from clear_runtime.media.writer import VideoWriter
from launch import demo


def load(path):
    return torch.stack(list(read_frames(path)))


def test_the_graph_of_frames_runs_as_it_is_drawn(comfyui, template, small_clip):
    prompt = template(
        "Remove subtitles (no download).json",
        LoadVideo={"file": "small.mp4"},
        CLEAR_SubtitleRemove={"steps": 1},
        CLEAR_BeforeAfter={"filename_prefix": "d/film"},
    )
    outputs = comfyui.run(prompt, bound=300)
    saved = [one["filename"] for output in outputs.values() for one in output.get("video", [])]
    assert len([name for name in saved if name.endswith("_clean.mp4")]) == 1, "one clean video a run"
    path = comfyui.base / "output" / "d" / next(name for name in saved if name.endswith("_clean.mp4"))
    clean, facts = load(path), read_facts(path)
    assert clean.shape == small_clip.shape
    assert (facts.fps, facts.audio) == (Fraction(25), "aac")
    assert metrics.psnr(clean[:, :8], small_clip[:, :8]) > 40  # rows above the text


@pytest.fixture
def own_video(tmp_path):
    """A user's file: odd sides, frames at times of their own, no colour tags, a space in its name."""
    path, source = tmp_path / "my film.mkv", DEMO / "bunny_subtitled.mp4"
    with VideoWriter(path, 127, 95, Fraction(24000, 1001), colour=UNTAGGED, beside=source) as writer:
        for index, frame in zip(range(7), read_frames(source)):
            writer.write(frame[256:351, 190:317], Fraction(index * index, 50))
    return path


def test_run_py_demo_with_a_file_of_the_user(comfyui, own_video, tmp_path):
    out, before, scratch = tmp_path / "results", own_video.read_bytes(), tmp_path / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "demo", "--video", str(own_video), "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(p.name for p in out.iterdir()) == [
        f"my film_{end}" for end in ("before_after.mkv", "before_after.png", "clean.mkv", "report.json")
    ]
    assert own_video.read_bytes() == before
    result = out / "my film_clean.mkv"
    facts, report = read_facts(result), json.loads((out / "my film_report.json").read_text(encoding="utf-8"))
    assert (facts.width, facts.height, facts.audio, facts.colour) == (127, 95, "aac", UNTAGGED)
    times = [time for time, _ in read_timed_frames(own_video)]
    assert [time for time, _ in read_timed_frames(result)] == times
    assert films.packets(result, "audio") == films.packets(own_video, "audio") != []
    both = read_facts(out / "my film_before_after.mkv")
    assert (both.width, both.height, both.audio) == (2 * 127 + 2, 95, "aac")
    assert (report["frames_in"], report["frames_out"], report["size"]) == (7, 7, [127, 95])
    assert (
        report["run_seconds"] > 0
        and report["server_peak_memory_gb"] > 0.1
        and report["settings"]["CLEAR_SubtitleRemoveVideo"]["window"] == 81
    )
    assert "Set-up took" in done.stdout and "Cleaning" in done.stdout
    assert list(scratch.glob("clear-comfyui-*")) == [], (
        "the server's own folder must go with it"
    )  # torch leaves a cache of its own beside it


@pytest.mark.parametrize(
    "content, why", [(b"not a film", "not a video"), (None, "no video stream")], ids=["text", "sound only"]
)
def test_run_py_demo_refuses_what_is_no_video(comfyui, tmp_path, content, why):
    path = tmp_path / "x.mp4"
    if content is None:
        import av

        with av.open(str(path), "w") as container, av.open(str(DEMO / "bunny_subtitled.mp4")) as source:
            track = container.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = track
                    container.mux(packet)
    else:
        path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "demo", "--video", str(path), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2 and why in done.stderr and "Traceback" not in done.stderr
    assert "Starting ComfyUI" not in done.stdout


def test_the_bundled_clip_is_scored_against_its_clean_original(comfyui, tmp_path):
    from launch import measure

    subtitled, clean = DEMO / "bunny_subtitled.mp4", DEMO / "bunny_clean.mp4"
    untouched = measure.score(str(subtitled), str(subtitled), str(demo.TRUTH))
    perfect = measure.score(str(subtitled), str(clean), str(demo.TRUTH))
    assert untouched["frames_in"] == perfect["frames_out"] == 49
    assert untouched["psnr_mask"] == untouched["psnr_mask_of_input"] < 15
    assert perfect["psnr_mask"] == float("inf") and perfect["psnr_background"] > 35


def test_the_demo_s_mask_covers_the_text_and_nothing_else():
    told = json.loads((DEMO / "bunny.json").read_text(encoding="utf-8"))
    subtitled, clean = load(DEMO / "bunny_subtitled.mp4"), load(DEMO / "bunny_clean.mp4")
    import numpy as np
    from PIL import Image

    bits = torch.from_numpy(np.array(Image.open(DEMO / told["mask"])))
    shown = torch.zeros(len(clean), dtype=torch.int)
    for line in told["lines"]:
        mask = (bits >> line["bit"] & 1).float()
        changed = (subtitled - clean).abs().amax(-1)[line["first"] : line["stop"]].mean(0)
        far = F.max_pool2d(mask[None, None], 25, 1, 12)[0, 0] == 0
        assert changed[mask > 0].mean() > 0.25 and changed[far].mean() < 0.02
        shown[line["first"] : line["stop"]] += 1
    assert shown.max() == 1 and (shown == 0).any(), "one line at a time, and a moment without any"
