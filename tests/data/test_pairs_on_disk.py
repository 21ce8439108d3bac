"""Which files make a pair, what is wrong with them, and the batches cut from them."""

import numpy as np
import pytest
import torch
from paths import DEMO
from tiny_pairs import HEIGHT, WIDTH, clip, write, write_pair

from clear_runtime.data import pseudo_labels
from clear_runtime.data.clips import PairClips
from clear_runtime.data.pairs_on_disk import (
    Pair,
    PairReport,
    PairsReport,
    check_pair,
    check_pairs,
    find_pairs,
    frame_pairs,
)
from clear_runtime.data.synthetic.burn import Style
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.look_through import look_through
from clear_runtime.train.processes import Processes


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def names(pairs):
    return [(p.name, p.subtitled.rsplit("/", 1)[1], p.clean.rsplit("/", 1)[1]) for p in pairs]


def test_one_folder_pairs_by_ending(tmp_path):
    touch(
        tmp_path,
        "a.mp4",
        "a_with_subtitle.mkv",
        "b_clean.mp4",
        "b_sub.mp4",
        "alone.mp4",
        "lost_subtitled.mp4",
        "notes.txt",
    )
    found = find_pairs(tmp_path)
    assert names(found) == [("a", "a_with_subtitle.mkv", "a.mp4"), ("b", "b_sub.mp4", "b_clean.mp4")]
    assert found.left_out == (
        "alone.mp4: left out, it has no partner.",
        "lost_subtitled.mp4: left out, it has no partner.",
    )


def test_of_two_videos_with_one_name_the_first_is_taken_and_the_other_named(tmp_path):
    touch(tmp_path, "a.mp4", "a_clean.mp4", "a_sub.mp4", "a_with_subtitle.mp4")
    found = find_pairs(tmp_path)
    assert names(found) == [("a", "a_sub.mp4", "a.mp4")]
    assert [sentence.split(". ")[0] for sentence in found.left_out] == [
        "a_with_subtitle.mp4: left out, a_sub.mp4 has the same name but for its ending",
        "a_clean.mp4: left out, a.mp4 has the same name but for its ending",
    ]
    sub, clean = touch(tmp_path / "sub", "b.mkv", "b.mp4", "c.mp4"), touch(tmp_path / "clean", "b.mp4", "d.mp4")
    assert [sentence.split(":")[0] for sentence in find_pairs(sub, clean).left_out] == ["b.mp4", "c.mp4", "d.mp4"]


def test_the_report_names_the_videos_that_are_in_no_pair(tmp_path):
    write_pair(tmp_path, "film")
    touch(tmp_path, "film_with_subtitles.mp4", "alone.mp4")
    report = check_pairs(find_pairs(tmp_path))
    left_out = [
        "  film_with_subtitles.mp4: left out, film_with_subtitle.mp4 has the same name but for its ending. Rename one "
        "of them.",
        "  alone.mp4: left out, it has no partner.",
    ]
    assert str(report).splitlines()[1:] == left_out and str(PairClips(report, frames=5)).splitlines()[1:] == left_out
    report.save(tmp_path / "pairs.json")
    assert PairsReport.load(tmp_path / "pairs.json") == report


def test_two_folders_pair_by_name_or_by_order(tmp_path):
    sub, clean = touch(tmp_path / "sub", "1.mp4", "2_with_subtitle.mp4"), touch(tmp_path / "clean", "1.mov", "2.mp4")
    assert names(find_pairs(sub, clean)) == [("1", "1.mp4", "1.mov"), ("2", "2_with_subtitle.mp4", "2.mp4")]
    other = touch(tmp_path / "other", "x.mp4", "y.mp4")
    assert names(find_pairs(sub, other, by_order=True)) == [
        ("1", "1.mp4", "x.mp4"),
        ("2_with_subtitle", "2_with_subtitle.mp4", "y.mp4"),
    ]
    numbered, lettered = (
        touch(tmp_path / "numbered", "1.mp4", "2.mp4", "10.mp4", "._1.mp4"),
        touch(tmp_path / "lettered", "a.mp4", "B.mp4", "c.mp4"),
    )
    assert names(find_pairs(numbered, lettered, by_order=True)) == [
        ("1", "1.mp4", "a.mp4"),
        ("2", "2.mp4", "B.mp4"),
        ("10", "10.mp4", "c.mp4"),
    ]
    touch(other, "z.mp4")
    with pytest.raises(ClearError, match="sub has 2 and other 3"):
        find_pairs(sub, other, by_order=True)


def test_names_that_end_like_a_pair_s_by_their_title_alone(tmp_path):
    titles = ("film_original.mp4", "nautilus_sub.mp4", "room_clean.mp4", "other.mp4")
    sub, clean = touch(tmp_path / "sub", *titles), touch(tmp_path / "clean", *titles)
    found = find_pairs(sub, clean)
    assert sorted(names(found)) == sorted((title[:-4], title, title) for title in titles) and not found.left_out
    one = touch(tmp_path / "one", "nautilus_sub.mp4", "nautilus_sub_with_subtitle.mp4", "film.mp4", "film_sub.mp4")
    assert names(find_pairs(one)) == [
        ("film", "film_sub.mp4", "film.mp4"),
        ("nautilus_sub", "nautilus_sub_with_subtitle.mp4", "nautilus_sub.mp4"),
    ]


def test_no_pairs_and_no_folder_are_said(tmp_path):
    touch(tmp_path, "a.mp4", "b.mp4")
    with pytest.raises(ClearError, match="No pairs in .*2 videos.*NAME_with_subtitle"):
        find_pairs(tmp_path)
    with pytest.raises(ClearError, match="no folder"):
        find_pairs(tmp_path / "nowhere")


def test_two_files_are_one_pair(tmp_path):
    touch(tmp_path, "a_sub.mp4", "other.mp4")
    assert names(find_pairs(tmp_path / "a_sub.mp4", tmp_path / "other.mp4")) == [("a", "a_sub.mp4", "other.mp4")]
    with pytest.raises(ClearError, match="a_sub.mp4 is one video. Name the clean one too"):
        find_pairs(tmp_path / "a_sub.mp4")
    for pair in ((tmp_path, tmp_path / "other.mp4"), (tmp_path / "a_sub.mp4", tmp_path)):
        with pytest.raises(
            ClearError, match="is a folder, and the other one is a video. Name two videos or two folders"
        ):
            find_pairs(*pair)
    with pytest.raises(ClearError, match="gone.mp4 is not there"):
        find_pairs(tmp_path / "gone.mp4", tmp_path / "other.mp4")


def test_a_good_pair_keeps_the_frames_that_carry_text(tmp_path):
    write_pair(tmp_path, "film", frames=8, spans=[(2, 5)])
    report = check_pair(find_pairs(tmp_path)[0])
    assert report.problem is None and report.frames == 8 and report.kept == (2, 3, 4)


@pytest.mark.parametrize(
    "change,says",
    [
        (dict(frames=5), "6 frames and the clean one 5"),
        (dict(width=128), "96x64 and the clean one 128x64"),
        (dict(fps=30), "25 frames per second and the clean one 30"),
    ],
)
def test_what_does_not_match_is_named(tmp_path, change, says):
    fps = change.pop("fps", 25)
    pair = Pair("p", str(write(tmp_path / "s.mp4", clip()[1])), str(write(tmp_path / "c.mp4", clip(**change)[0], fps)))
    assert says in check_pair(pair).problem


@pytest.mark.parametrize("changes", [("subtitled",), ("clean",), ("subtitled", "clean")])
def test_a_video_that_changes_its_size_is_named_and_the_others_go_on(tmp_path, monkeypatch, changes):
    from clear_runtime.data import pairs_on_disk

    write_pair(tmp_path, "bad")
    write_pair(tmp_path, "good")
    reading = pairs_on_disk.frame_pairs

    def changing(pair):
        for number, both in enumerate(reading(pair)):
            cut = number >= 3 and pair.name == "bad"
            yield tuple(
                frame[:, :64] if cut and which in changes else frame
                for which, frame in zip(("subtitled", "clean"), both)
            )

    monkeypatch.setattr(pairs_on_disk, "frame_pairs", changing)
    bad, good = check_pairs(find_pairs(tmp_path)).pairs
    name = "bad_with_subtitle.mp4" if "subtitled" in changes else "bad.mp4"
    assert (
        bad.problem == f"from frame 3 on {name} is 64x64 pixels instead of 96x64. Convert it to one size."
        and good.problem is None
    )


def test_a_pair_without_a_subtitle_is_named(tmp_path):
    same = write(tmp_path / "c.mp4", clip()[0])
    assert "are the same" in check_pair(Pair("p", str(same), str(same))).problem
    noisy = (
        (clip()[0].astype(int) + np.random.default_rng(0).integers(-2, 3, clip()[0].shape))
        .clip(0, 255)
        .astype(np.uint8)
    )
    assert (
        "no frame has enough subtitle"
        in check_pair(Pair("p", str(write(tmp_path / "n.mp4", noisy)), str(same))).problem
    )


def test_videos_of_different_scenes_are_named(tmp_path):
    pair = Pair("p", str(write(tmp_path / "s.mp4", clip()[1])), str(write(tmp_path / "c.mp4", 255 - clip(seed=2)[0])))
    assert "differ over most of the picture" in check_pair(pair).problem
    half = clip(height=64)[0]
    half[:, :30] = 0  # a box over nearly half of the picture is a subtitle still
    assert (
        check_pair(Pair("p", str(write(tmp_path / "h.mp4", half)), str(write(tmp_path / "w.mp4", clip()[0])))).problem
        is None
    )


@pytest.fixture(scope="module")
def prior():
    return load_prior()


def exchanged(pair):
    return Pair(pair.name, pair.clean, pair.subtitled)


@pytest.mark.parametrize(
    "text, seed, style",
    [
        ("Rain falls here", 0, Style(size=22, stroke=2)),
        ("Wind and sun", 3, Style(size=18, stroke=1, fill=(255, 220, 0))),
        ("SUN 12", 5, Style(size=26, stroke=2)),
    ],
)
def test_swapped_videos_are_named_and_the_right_order_is_not(tmp_path, prior, text, seed, style):
    write_pair(tmp_path, "film", frames=7, text=text, seed=seed, style=style, height=96, width=192, spans=[(1, 7)])
    pair = find_pairs(tmp_path)[0]
    assert check_pair(pair, find_mask=prior).problem is None
    swapped = check_pair(exchanged(pair), find_mask=prior)
    assert (
        "seem swapped: what looks like a subtitle is in film_with_subtitle.mp4, which was given as the clean video"
        in swapped.problem
    )
    assert check_pair(exchanged(pair)).problem is None, "without a prior nobody can tell"
    with pytest.raises(ClearError, match="(?s)None of these pairs.*Exchange the two files"):
        check_pairs([exchanged(pair)], find_mask=prior)


def test_the_bundled_clips_are_told_apart_too(prior):
    pair = Pair("bunny", *(str(DEMO / f"bunny_{kind}.mp4") for kind in ("subtitled", "clean")))
    assert (
        check_pair(pair, find_mask=prior).problem is None
        and "seem swapped" in check_pair(exchanged(pair), find_mask=prior).problem
    )


def test_a_prior_that_sees_nothing_or_everything_accuses_nobody(tmp_path):
    write_pair(tmp_path, "film")
    pair = find_pairs(tmp_path)[0]
    for everywhere in (torch.zeros, torch.ones):
        find_mask = lambda frames, everywhere=everywhere: everywhere(frames.shape[:3])
        assert check_pair(exchanged(pair), find_mask=find_mask).problem is None


def test_a_prior_looks_at_a_few_frames_of_a_long_video(tmp_path):
    write_pair(tmp_path, "film", frames=40)
    seen = []
    check_pair(find_pairs(tmp_path)[0], find_mask=lambda frames: seen.append(frames) or torch.zeros(frames.shape[:3]))
    assert 2 <= len(seen) <= 4 and all(
        frames.shape == (2, HEIGHT, WIDTH, 3) and 0 <= frames.min() < frames.max() <= 1 for frames in seen
    )


def test_the_frames_that_are_kept_are_those_whose_pseudo_label_is_large_enough(tmp_path):
    noise = np.random.default_rng(0)
    for text, at in (("I", 0.75), ("Rain", 0.5)):
        clean, subtitled = clip(frames=8, text=text, at=at, spans=[(1, 6)])
        noisy = (subtitled.astype(int) + noise.integers(-9, 10, subtitled.shape)).clip(0, 255).astype(np.uint8)
        pair = Pair("p", str(write(tmp_path / "s.mp4", noisy)), str(write(tmp_path / "c.mp4", clean)))
        masks = torch.stack([pseudo_labels.labels(a[None], b[None])[0] for a, b in frame_pairs(pair)])
        assert check_pair(pair).kept == tuple(pseudo_labels.worth_training(masks).nonzero().flatten().tolist())


def test_pairs_that_are_the_same_since_the_last_look_are_not_read_again(tmp_path, monkeypatch):
    from clear_runtime.data import pairs_on_disk

    for name in ("a", "b"):
        write_pair(tmp_path, name, frames=5, seed=len(name))
    read, original = [], pairs_on_disk.frame_pairs
    monkeypatch.setattr(pairs_on_disk, "frame_pairs", lambda pair: read.append(pair.name) or original(pair))
    look = lambda prior=None: look_through(tmp_path, None, False, tmp_path / "run", Processes(alone=True), prior)
    first = look()
    assert look() == first and read == ["a", "b"]
    write_pair(tmp_path, "b", frames=9)
    assert [p.frames for p in look().pairs] == [5, 9] and read == ["a", "b", "b"]
    look(lambda frames: torch.zeros(frames.shape[:3]))
    assert read[3:] == ["a", "b"], "a prior may find what was not looked for before"
    (tmp_path / "run" / "pairs.json").write_text("{")
    look()
    assert read[5:] == ["a", "b"]


def test_a_look_that_was_stopped_goes_on_with_the_next_pair(tmp_path, monkeypatch):
    from clear_runtime.data import pairs_on_disk

    for name in ("a", "b"):
        write_pair(tmp_path, name)
    read, original = [], pairs_on_disk.frame_pairs

    def reading(pair):
        read.append(pair.name)
        if read == ["a", "b"]:
            raise KeyboardInterrupt
        return original(pair)

    monkeypatch.setattr(pairs_on_disk, "frame_pairs", reading)
    look = lambda: look_through(tmp_path, None, False, tmp_path / "run", Processes(alone=True))
    with pytest.raises(KeyboardInterrupt):
        look()
    assert len(look().pairs) == 2 and read == ["a", "b", "b"]


def test_only_files_are_videos(tmp_path):
    touch(tmp_path, "a.mp4", "a_with_subtitle.mp4", "._b.mp4", "._b_with_subtitle.mp4")
    (tmp_path / "c.mp4").mkdir()
    (tmp_path / "c_with_subtitle.mp4").mkdir()
    assert names(find_pairs(tmp_path)) == [("a", "a_with_subtitle.mp4", "a.mp4")]


def test_a_damaged_file_is_named_and_the_others_go_on(tmp_path):
    write_pair(tmp_path, "good")
    write_pair(tmp_path, "bad")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    seen = []
    report = check_pairs(find_pairs(tmp_path), seen.append)
    assert [p.pair.name for p in seen] == ["bad", "good"] and [p.pair.name for p in report.usable] == ["good"]
    assert str(report).startswith(
        "1 of 2 pairs can be used: 6 of their 6 frames; 0 have less subtitle than 0.12%"
    ) and "bad: bad.mp4" in str(report)
    with pytest.raises(ClearError, match="^None of these pairs can be trained on.\n  bad: bad.mp4"):
        check_pairs(find_pairs(tmp_path)[:1])


def test_a_report_survives_the_disk(tmp_path):
    report = PairsReport((PairReport(Pair("a", "s", "c"), 9, (1, 4)), PairReport(Pair("b", "s", "c"), 0, (), "broken")))
    report.save(tmp_path / "pairs.json")
    assert PairsReport.load(tmp_path / "pairs.json") == report
