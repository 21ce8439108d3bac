"""Burn Subtitles and Load Training Pairs inside ComfyUI's own process."""

import asyncio
import os
import sys

import pytest
import torch
from own_film import BRIEF, measure_once, write_film
from tiny_pairs import clip, write, write_pair

LINE = "1\n00:00:00,200 --> 00:00:00,400\nRain\n"


@pytest.fixture(autouse=True)
def inputs(tmp_path, monkeypatch):
    """ComfyUI's input folder."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "get_input_directory", lambda: str(tmp_path / "input"))
    (tmp_path / "input").mkdir()
    return tmp_path / "input"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "videos").mkdir()
    return tmp_path / "videos"


def frames(count=10, **options):
    return torch.from_numpy(clip(frames=count, **{"height": 96, "width": 160} | options)[0]).float() / 255


def settings(pack, node_id, **changes):
    schema = pack.listed[node_id].GET_SCHEMA()
    return {one.id: one.default for one in schema.inputs if getattr(one, "default", None) is not None} | changes


@pytest.fixture
def burn(run, pack):
    return lambda images, **changes: run(
        "CLEAR_BurnSubtitles", images=images, **settings(pack, "CLEAR_BurnSubtitles", size=16.0, **changes)
    )


@pytest.fixture
def load(run, pack):
    return lambda **changes: run("CLEAR_LoadPairs", **settings(pack, "CLEAR_LoadPairs", **changes))


@pytest.mark.parametrize("kind", [torch.float32, torch.float16])
def test_frames_get_lines_and_the_mask_is_exact(burn, kind):
    clean = frames().to(kind)
    out, mask, style, report = burn(clean)
    assert (
        out.shape == clean.shape
        and out.dtype == kind
        and mask.shape == clean.shape[:3]
        and set(mask.unique().tolist()) == {0.0, 1.0}
    )
    assert torch.equal(out[mask == 0], clean[mask == 0]) and (out[mask == 1] != clean[mask == 1]).float().mean() > 0.9
    assert report.startswith("1 line, font ") and style.scripts == ("latin",) and style.size == 16


def test_the_seed_and_nothing_else_decides_the_pixels(burn):
    first, again, other = (burn(frames(), seed=seed, look="random")[0] for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_frames_with_an_alpha_channel_lose_it(burn):
    assert burn(torch.cat([frames(2), torch.ones(2, 96, 160, 1)], -1))[0].shape == (2, 96, 160, 3)


def test_a_file_of_the_input_folder_is_burned_at_its_times(burn, inputs):
    pytest.importorskip("pysubs2")
    (inputs / "film.srt").write_text(LINE)
    _, mask, style, report = burn(frames(), file="film.srt", fps=20.0)
    assert mask.flatten(1).any(1).tolist() == [4 <= t < 8 for t in range(10)]
    assert report.endswith("00:00.20  Rain") and style.file == str(inputs / "film.srt")


def test_what_cannot_be_burned_is_refused(burn, error, tmp_path):
    for changes, says in (
        (dict(font="Nowhere Sans"), "No font of the family"),
        (dict(file=str(tmp_path / "gone.srt")), "There is no file"),
        (dict(colour="white"), "^colour is .white., which is no colour"),
        (dict(box_colour="12"), "^box_colour is .12."),
        (dict(scripts="elvish"), "no letters for elvish"),
    ):
        with pytest.raises(error, match=says):
            burn(frames(2), **changes)
    with pytest.raises(error, match="cannot be read; they need"):
        burn(frames(2, height=32, width=64))
    with pytest.raises(error, match="colour frames"):
        burn(torch.rand(2, 8, 8, 1))


@pytest.fixture
def refused(comfy_nodes, pack, monkeypatch):
    """What ComfyUI's own validation says of a node with these settings, input -> text; its images are linked and not
    known yet."""
    import execution

    monkeypatch.setitem(sys.modules, "nodes", comfy_nodes)
    monkeypatch.setattr(execution, "nodes", comfy_nodes)

    def ask(node_id, **changes):
        for name, node in pack.listed.items():
            monkeypatch.setitem(comfy_nodes.NODE_CLASS_MAPPINGS, name, node)
        inputs = settings(pack, node_id, **changes) | ({"images": ["2", 0]} if node_id == "CLEAR_BurnSubtitles" else {})
        prompt = {
            "1": {"class_type": node_id, "inputs": inputs},
            "2": {"class_type": "EmptyImage", "inputs": dict(width=64, height=64, batch_size=1, color=0)},
            "3": {"class_type": "CLEAR_LoadPairs", "inputs": settings(pack, "CLEAR_LoadPairs")},
        }
        good, errors, _ = asyncio.run(execution.validate_inputs("prompt", prompt, "1", {}))
        assert good == (not errors)
        return [(error["extra_info"]["input_name"], error["details"]) for error in errors]

    return ask


def test_a_wrong_file_is_reported_once_before_anything_runs(refused, tmp_path):
    for node_id, name, value, says in (
        ("CLEAR_BurnSubtitles", "file", "gone.srt", "There is no file"),
        ("CLEAR_BurnSubtitles", "file", __file__, "not a subtitle file"),
        ("CLEAR_LoadPairs", "clean", str(tmp_path / "gone"), "clean: there is no"),
    ):
        ((where, text),) = refused(node_id, **{name: value})
        assert where == name and says in text
    assert (
        refused("CLEAR_BurnSubtitles")
        == refused("CLEAR_BurnSubtitles", file=["3", 1])
        == refused("CLEAR_LoadPairs")
        == []
    )
    assert refused("CLEAR_BurnSubtitles", colour="white") == [], "the node itself says so, and once"


def test_a_cancelled_burn_stops(burn, cancelled):
    with cancelled(at=3) as looks:
        burn(frames())
    assert len(looks) == 3


def test_fingerprints_follow_the_files(pack, inputs, folder):
    pytest.importorskip("pysubs2")
    burn, load = (pack.listed[name].fingerprint_inputs for name in ("CLEAR_BurnSubtitles", "CLEAR_LoadPairs"))
    (inputs / "film.srt").write_text(LINE)
    write_pair(folder, "a")
    seen = lambda: (
        burn(file="film.srt", font="", seed=0, images=None),
        load(subtitled=str(folder), clean="", frames=81, style=None),
    )
    first = seen()
    assert first == seen()
    (inputs / "film.srt").write_text(LINE + "\n")
    os.utime(folder / "a.mp4", ns=(1, 1))
    second = seen()
    assert first[0] != second[0] and first[1] != second[1]
    write_pair(folder, "b")
    assert seen()[1] != second[1] and burn(file=None, font=None, seed=0) and load(subtitled=None, clean=None)


def test_pairs_of_one_folder_and_of_two(load, folder):
    write_pair(folder, "a", frames=12)
    (folder / "sub").mkdir(), (folder / "clean").mkdir()
    clean, subtitled = clip(frames=12)
    write(folder / "sub" / "x.mp4", subtitled), write(folder / "clean" / "y.mp4", clean)
    clips, report = load(subtitled=str(folder), frames=9, per_video=2)
    assert report == str(clips) and report.startswith("1 clip of 9 frames (96x64) from 1 video.")
    ((_, one),) = clips.read([0])
    assert one.subtitled.shape == one.clean.shape == (9, 64, 96, 3)
    clips, _ = load(subtitled=str(folder / "sub"), clean=str(folder / "clean"), match="by order", frames=5, per_video=1)
    assert len(clips.identities) == 1


def test_clean_videos_and_a_style(load, burn, inputs, folder):
    style = burn(frames(1), look="random")[2]
    write(inputs / "film.mp4", clip(frames=12, height=96, width=160)[0])
    clips, report = load(clean="film.mp4", style=style, frames=5, per_video=2)
    (_, first), (_, second) = clips.read([0, 1])
    assert report.startswith("2 clips of 5 frames (160x96)") and not first.subtitled.equal(first.clean)
    assert not torch.equal((first.subtitled - first.clean).abs() > 0.1, (second.subtitled - second.clean).abs() > 0.1)
    assert load(clean="film.mp4", style=style, frames=5, seed=1)[0].identities != clips.identities


def test_what_cannot_be_paired_is_refused(load, burn, error, folder):
    style = burn(frames(1))[2]
    write(folder / "a.mp4", clip()[0])
    for changes, says in (
        (dict(), "Name the folder with the pairs"),
        (dict(subtitled=str(folder)), "No pairs in"),
        (dict(style=style), "name the clean videos"),
        (dict(style=style, subtitled=str(folder), clean=str(folder)), "leave subtitled empty"),
        (dict(subtitled=str(folder), frames=4), "Clips need 5 frames"),
        (dict(subtitled=str(folder / "gone")), "^subtitled: there is no"),
        (dict(clean=str(folder / "gone"), style=style), "^clean: there is no"),
    ):
        with pytest.raises(error, match=says):
            load(**changes)


@pytest.mark.parametrize("burned", [False, True])
def test_looking_through_can_be_cancelled_inside_a_video(load, burn, folder, cancelled, burned):
    style = burn(frames(1))[2] if burned else None
    write_pair(folder, "long", frames=60)
    with cancelled(at=2) as looks:
        load(clean=str(folder / "long.mp4"), style=style) if burned else load(subtitled=str(folder))
    assert len(looks) == 2


def test_one_subtitled_film_alone_is_enough(load, tmp_path, monkeypatch):
    import folder_paths
    from clear_pack.clear_runtime.film import own_look

    measure_once(monkeypatch, own_look)
    monkeypatch.setattr(folder_paths, "get_temp_directory", lambda: str(tmp_path / "temp"))
    film = write_film(tmp_path / "film.mp4", *BRIEF)
    clips, report = load(subtitled=str(film), frames=5, per_video=8, long_side=320, own_film=True)
    assert "Of areas of 320x80 pixels that stay free of text, in frames with some: 8." in report
    assert clips.sizes == [(5, 80, 320)] and len(clips.identities) == 8
    assert "1 line of the film's own was measured" in report and "at the bottom" in report
    assert len(list((tmp_path / "temp").glob("clear_film_*/film_pairs.json"))) == 1


def test_own_film_takes_one_film_and_no_clean_half(load, tmp_path, folder, pack):
    from clear_pack.clear_runtime.errors import ClearError

    film = write(tmp_path / "film.mp4", clip(frames=5)[0])
    for wrong in ({}, {"subtitled": str(folder)}, {"subtitled": str(film), "clean": str(film)}):
        with pytest.raises(ClearError, match="one subtitled film"):
            load(own_film=True, **wrong)
