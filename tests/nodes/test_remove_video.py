"""Remove Subtitles (Video) in process: a file in, a file out, Cancel and after."""

import json
from pathlib import Path

import films
import pytest
import tiny_film
import torch
from tiny_film import LINES, letters, read, write_film

PREVIEW = dict(output="preview", window=17, overlap=4, grow=0, second_look=False, boxes="keep", mask_from="prior")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "my film.mp4", 130)


@pytest.fixture(autouse=True)
def white(pack, monkeypatch):
    """The prior replaced by one that knows the film's letters, and what a preview paints by one grey: what is painted
    is asked in tests/nodes/test_remove.py."""
    from clear_pack.clear_runtime.engines import plain_fill
    from clear_pack.clear_runtime.film import segments
    from clear_pack.clear_runtime.find.priors import checkpoints

    class White:
        model, device, batch, long_side = torch.nn.Conv2d(1, 1, 1), "cpu", 8, None

        def memory(self, height, width):
            return 4 * height * width

        def sees(self, frames):
            return tiny_film.white(frames)

    monkeypatch.setattr(checkpoints, "load_prior", White)
    monkeypatch.setattr(plain_fill, "fill", lambda frames, *_, **__: torch.full_like(frames, 0.5))
    monkeypatch.setattr(segments, "SECONDS", 1)


@pytest.fixture
def output(tmp_path, monkeypatch):
    import folder_paths

    monkeypatch.setattr(folder_paths, "get_output_directory", lambda: str(tmp_path))
    return tmp_path / "CLEAR"


@pytest.fixture
def video(pack, film):
    from comfy_api.latest import InputImpl

    return InputImpl.VideoFromFile(str(film))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("whole", [True, False])
def test_a_file_that_is_no_video_is_refused_in_words(run, tmp_path, whole, monkeypatch):
    from comfy_api.latest import InputImpl

    if not whole:  # newer versions of ComfyUI can show a part of a file, which is asked of the file
        monkeypatch.setattr(InputImpl.VideoFromFile, "as_trimmed", lambda self: self, raising=False)
    (tmp_path / "words.mp4").write_text("This is no video.")
    with pytest.raises(Exception, match="this is not a video that FFmpeg can read") as refused:
        run("CLEAR_SubtitleRemoveVideo", video=InputImpl.VideoFromFile(str(tmp_path / "words.mp4")), **PREVIEW)
    assert type(refused.value).__name__ == "ClearError" and str(tmp_path) not in str(refused.value)


def test_a_video_comes_back_as_a_file_without_its_line(run, video, film, output):
    (result,), report, as_json, mask = run("CLEAR_SubtitleRemoveVideo", video=video, **PREVIEW)
    path = Path(result.get_stream_source())
    assert path == output / "film_00001_.mp4"
    assert names(output) == ["film_00001_.mp4", "film_00001__plan.json", "film_00001__plan.marks"]
    (times, before), (then, after) = read(film), read(path)
    assert times == then and after.shape == before.shape
    first, stop = LINES[0]
    assert (before[first:stop][:, letters(0)] > 0.9).all() and after[first:stop][:, letters(0)].mean() < 0.6
    assert type(mask).__name__ == "ExecutionBlocker", "nothing that waits for it runs"
    assert "Subtitles in 50 of 130 frames" in report and "Saved: " in report and '"plan": ' in as_json


def test_a_video_of_what_was_replaced_where_it_is_asked_for(run, video, film, output):
    *_, (mask,) = run("CLEAR_SubtitleRemoveVideo", video=video, save_mask=True, **PREVIEW)
    path = Path(mask.get_stream_source())
    assert path == output / "film_00001__mask.mp4"
    times, masks = read(path)
    assert times == read(film)[0] and masks[60, letters(0)].mean() > 0.9 and masks[10].max() < 0.05


def test_after_cancel_the_next_run_goes_on_and_gives_the_same(run, video, output, cancelled):
    (whole,), *_ = run("CLEAR_SubtitleRemoveVideo", video=video, filename_prefix="CLEAR/whole", **PREVIEW)
    with cancelled(at=120):
        run("CLEAR_SubtitleRemoveVideo", video=video, **PREVIEW)
    assert len([name for name in names(output) if name.startswith("unfinished_film_")]) == 1
    (result,), report, *_ = run("CLEAR_SubtitleRemoveVideo", video=video, **PREVIEW)
    assert "Goes on from frame" in report
    assert torch.equal(read(result.get_stream_source())[1], read(whole.get_stream_source())[1])
    assert not [name for name in names(output) if name.startswith("unfinished")]


def test_a_plan_is_given_back_and_a_file_in_memory_will_do(run, film, output, pack):
    import io

    from comfy_api.latest import InputImpl

    in_memory = InputImpl.VideoFromFile(io.BytesIO(film.read_bytes()))
    _, _, as_json, _ = run("CLEAR_SubtitleRemoveVideo", video=in_memory, **PREVIEW)
    plan = Path(json.loads(as_json)["plan"])
    content = json.loads(plan.read_text(encoding="utf-8"))
    content["lines"][0]["remove"] = False
    edited = plan.with_name("edited.json")
    edited.write_text(json.dumps(content), encoding="utf-8")
    plan.with_suffix(".marks").rename(edited.with_suffix(".marks"))
    (result,), report, *_ = run("CLEAR_SubtitleRemoveVideo", video=in_memory, plan=str(edited), **PREVIEW)
    assert "No subtitle was found" in report
    assert (read(result.get_stream_source())[1][60, letters(0)] > 0.9).all()


def test_one_bar_that_never_goes_back(run, video, output, monkeypatch):
    import comfy.utils

    calls = []

    class Bar:
        def __init__(self, total):
            pass

        def update_absolute(self, value, total=None, preview=None):
            calls.append((value, total))

    monkeypatch.setattr(comfy.utils, "ProgressBar", Bar)
    run("CLEAR_SubtitleRemoveVideo", video=video, **PREVIEW)
    values = [value for value, _ in calls]
    assert values == sorted(values) and values[-1] == 1000 and {total for _, total in calls} == {1000}


def test_what_is_missing_is_said_before_the_film_is_looked_at(run, video, output, error):
    with pytest.raises(error, match="MODEL and VAE and CONDITIONING not connected"):
        run("CLEAR_SubtitleRemoveVideo", video=video, **{**PREVIEW, "output": "composite"})
    with pytest.raises(error, match="start is 'soon', which is no time"):
        run("CLEAR_SubtitleRemoveVideo", video=video, start="soon", **PREVIEW)
    assert not output.exists()


def test_other_weights_are_another_run(pack, weights, load_model):
    from clear_pack.nodes.comfy.apply_lora import with_lora
    from clear_pack.nodes.comfy.identity import conditioning_identity, model_identity

    model = load_model(weights[0])
    lora, weaker = with_lora(model, weights[1], 1.0), with_lora(model, weights[1], 0.5)
    changed = {name: value + 0.01 if name.startswith("blocks.0") else value for name, value in weights[0].items()}
    identities = [model_identity(one) for one in (model, lora, weaker, load_model(changed))]
    assert len(set(identities)) == 4
    assert model_identity(load_model(weights[0])) == identities[0]
    assert model_identity(with_lora(load_model(weights[0]), weights[1], 1.0)) == identities[1]
    text = [[torch.ones(1, 4, 8), {}]]
    assert conditioning_identity(text, None) != conditioning_identity([[torch.zeros(1, 4, 8), {}]], None)


def test_all_films_of_a_folder_and_one_that_cannot_be_read_stops_none(run, film, output, tmp_path, error, cancelled):
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("a.mp4", "c.mp4"):
        (folder / name).write_bytes(film.read_bytes())
    (folder / "b.mp4").write_bytes(b"no film")
    asked = dict(folder=str(folder), **PREVIEW)
    with cancelled(when=lambda: any(output.glob("unfinished_film_c*/segment*"))):
        run("CLEAR_SubtitleRemoveVideo", **asked)
    before = (output / "film_a_00001_.mp4").stat().st_mtime_ns
    videos, report, as_json, _ = run("CLEAR_SubtitleRemoveVideo", **asked)
    made = [Path(one.get_stream_source()).name for one in videos]
    assert made == ["film_a_00001_.mp4", "film_c_00001_.mp4"]
    assert (output / made[0]).stat().st_mtime_ns == before, "what was made before the stop is not made again"
    assert "2 of 3 films were cleaned" in report and "b.mp4\nIt could not be cleaned: " in report
    assert [one["film"] for one in json.loads(as_json)["films"]] == ["a.mp4", "c.mp4", "b.mp4"]
    (folder / "a.mp4").unlink(), (folder / "c.mp4").unlink()
    with pytest.raises(error, match="None of the films could be cleaned. b.mp4: "):
        run("CLEAR_SubtitleRemoveVideo", **asked)
    for missing in (dict(folder=str(tmp_path / "gone")), dict()):
        with pytest.raises(error, match="There is no folder|There is nothing to clean"):
            run("CLEAR_SubtitleRemoveVideo", **missing, **PREVIEW)


VP9, H264, FINE = ("libvpx-vp9", "yuv420p"), ("libx264", "yuv420p"), ("libx264", "yuv422p10le")


@pytest.mark.parametrize(
    "ending, kind, codec, result",
    [
        (".webm", VP9, "as the source", ".webm"),
        (".webm", VP9, "h264", ".mp4"),
        (".mkv", H264, "as the source", ".mkv"),
        (".mp4", FINE, "prores", ".mov"),
        (".mp4", H264, "prores", ".mp4"),  # it takes no 4:2:0: the run says so
        (".avi", H264, "as the source", ".mp4"),
    ],
)
def test_the_result_has_the_source_s_ending_where_that_holds_what_is_written(
    pack, tmp_path, ending, kind, codec, result
):
    from clear_pack.nodes.comfy.film_results import Results

    source = films.make(tmp_path / f"a{ending}", films.Film(codec=kind[0], pixel_format=kind[1], tracks=0))
    assert Results("CLEAR/film", source, "1", codec).ending == result
