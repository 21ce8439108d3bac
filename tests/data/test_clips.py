"""Clips cut from files: which spans, read in one pass, and identities that change with what would be read."""

import os
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_pairs import clip, write, write_pair

from clear_runtime.data import clips as clips_module
from clear_runtime.data.clips import BurnedClips, PairClips, fitted, spread, target_size
from clear_runtime.data.pairs_on_disk import check_pairs, find_pairs
from clear_runtime.data.synthetic.burn_style import BurnStyle
from clear_runtime.errors import ClearError
from clear_runtime.media import video
from clear_runtime.media.video import count_frames, read_frames, read_spans


def pair_clips(folder, **options):
    return PairClips(check_pairs(find_pairs(folder)), **options)


def frames_of(path):
    return torch.stack(list(read_frames(path)))


@given(
    total=st.integers(1, 400),
    frames=st.integers(5, 100),
    count=st.integers(1, 9),
    kept=st.one_of(st.none(), st.sets(st.integers(0, 399))),
)
def test_spans_have_a_length_the_vae_takes_and_lie_in_the_video(total, frames, count, kept):
    kept = None if kept is None else {t for t in kept if t < total}
    spans, empty = spread(total, frames, count, kept)
    assert len(spans) + empty <= count and len({len(s) for s in spans}) <= 1
    for span in spans:
        assert len(span) % 4 == 1 and 5 <= len(span) <= frames and span.start >= 0 and span.stop <= total
        assert kept is None or kept & set(span)
    assert all(b.start - a.start >= len(a) // 2 for a, b in zip(spans, spans[1:]))
    if total >= 5 and (kept is None or kept):
        assert spans
    if spans and total < frames:
        assert len(spans) == 1 and len(spans[0]) > total - 4


def test_spans_are_spread_over_the_whole_video_and_go_where_the_subtitle_is():
    assert spread(100, 9, 3).spans == [range(0, 9), range(46, 55), range(91, 100)]
    assert spread(100, 9, 1).spans == [range(45, 54)]
    assert spread(100, 10, 3, {40}).spans[0] in [range(a, a + 9) for a in range(32, 41)]
    assert spread(100, 9, 3, {40, 95}).empty == 1 and 40 in spread(100, 9, 3, {40, 95}).spans[0]


def test_spans_of_a_file_are_its_frames_and_reading_stops_after_the_last(tmp_path, monkeypatch):
    path = write(tmp_path / "v.mp4", clip(frames=30)[0])
    whole, seen = frames_of(path), []
    decode = video._decode
    monkeypatch.setattr(video, "_decode", lambda *a: (seen.append(1) or f for f in decode(*a)))
    got = dict(read_spans(path, [range(3, 6), range(5, 8), range(12, 14)]))
    assert list(got) == [3, 4, 5, 6, 7, 12, 13] and all(torch.equal(frame, whole[n]) for n, frame in got.items())
    assert len(seen) == 14 and list(read_spans(path, [])) == []
    assert count_frames(path) == 30


@given(lengths=st.lists(st.integers(9, 200), min_size=1, max_size=3), count=st.integers(1, 9))
def test_none_of_the_others_shares_a_frame_with_the_last_clip_and_those_held_back(lengths, count):
    sources = [
        clips_module.ClipSource(f"v{i}", (__file__,), tuple(spread(total, 9, count).spans), 96, (64, 96))
        for i, total in enumerate(lengths)
    ]
    clips = clips_module.FileClips(sources, [], 0)
    frames = [{(source.name, t) for t in source.spans[i]} for source, i in clips.index]
    assert 1 <= clips.held_back <= 3
    assert [bool(one & frames[-1]) for one in frames] == [False] * (len(frames) - clips.held_back) + [
        True
    ] * clips.held_back


def test_clips_of_a_pair_are_its_frames_read_in_one_pass(tmp_path, monkeypatch):
    write_pair(tmp_path, "film", frames=33, spans=[(0, 33)])
    clips, opened = pair_clips(tmp_path, frames=9, per_video=5), []
    clean, subtitled = frames_of(tmp_path / "film.mp4"), frames_of(tmp_path / "film_with_subtitle.mp4")
    real = clips_module.read_spans
    monkeypatch.setattr(clips_module, "read_spans", lambda path, spans: opened.append(path) or real(path, spans))
    for wanted in ([0, 1, 2, 3, 4], [1, 4]):
        read = dict(clips.read(wanted))
        assert list(read) == wanted
        for n, got in read.items():
            first = 6 * n
            assert torch.equal(got.clean, clean[first : first + 9]) and torch.equal(
                got.subtitled, subtitled[first : first + 9]
            )
    assert len(opened) == 4 and len(set(clips.identities)) == 5


def test_clips_of_several_pairs_keep_their_numbers(tmp_path):
    write_pair(tmp_path, "a", frames=20, seed=1)
    write_pair(tmp_path, "b", frames=20, seed=2)
    clips = pair_clips(tmp_path, frames=5, per_video=2)
    read = dict(clips.read([1, 2]))
    assert torch.equal(read[1].clean, frames_of(tmp_path / "a.mp4")[15:20]) and torch.equal(
        read[2].clean, frames_of(tmp_path / "b.mp4")[:5]
    )
    assert str(clips) == "4 clips of 5 frames (96x64) from 2 videos."


def test_spans_without_a_subtitle_are_left_out_and_counted(tmp_path):
    write_pair(tmp_path, "film", frames=60, spans=[(20, 24)])
    clips = pair_clips(tmp_path, frames=9, per_video=3)
    assert len(clips.identities) == 1 and "Left out: 2 spans without a subtitle" in str(clips)
    ((_, got),) = clips.read([0])
    assert (got.subtitled - got.clean).abs().amax((1, 2, 3)).gt(0.3).sum() == 4


def test_frames_are_scaled_to_the_long_side_and_cut_to_multiples_of_16(tmp_path):
    write_pair(tmp_path, "film", frames=6, height=90, width=200)
    ((_, got),) = pair_clips(tmp_path, frames=5, long_side=100).read([0])
    assert got.clean.shape == got.subtitled.shape == (5, 32, 96, 3) and got.clean.min() >= 0 and got.clean.max() <= 1
    ((_, whole),) = pair_clips(tmp_path, frames=5).read([0])
    assert whole.clean.shape == (5, 80, 192, 3)  # never scaled up, and not scaled where cutting is enough
    assert torch.equal(whole.clean[0], next(read_frames(tmp_path / "film.mp4"))[5:85, 4:196])


@given(height=st.integers(16, 300), width=st.integers(16, 300), long_side=st.integers(32, 320))
def test_every_frame_gets_the_size_that_was_promised(height, width, long_side):
    size = target_size(height, width, long_side)
    assert fitted(torch.full((height, width, 3), 0.5), long_side).shape == (*size, 3)
    assert max(size) <= long_side and all(side % 16 == 0 for side in size)


def test_an_identity_changes_with_file_span_and_scaling(tmp_path):
    write_pair(tmp_path, "film", frames=20)
    first = pair_clips(tmp_path, frames=9).identities
    assert first == pair_clips(tmp_path, frames=9).identities
    assert not set(first) & set(pair_clips(tmp_path, frames=9, long_side=80).identities)
    assert not set(first) & set(pair_clips(tmp_path, frames=5, per_video=1).identities)
    os.utime(tmp_path / "film.mp4", ns=(1, 1))
    assert not set(first) & set(pair_clips(tmp_path, frames=9).identities)


def test_what_cannot_be_cut_is_named(tmp_path):
    write_pair(tmp_path, "good", frames=6)
    write_pair(tmp_path, "short", frames=4)
    write_pair(tmp_path, "small", frames=6, height=24, width=96)
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    (tmp_path / "bad_with_subtitle.mp4").write_bytes(b"no video")
    report = str(pair_clips(tmp_path, frames=9, long_side=48))
    assert report.startswith("1 clip of 5 frames (48x32) from 1 video.") and "bad: bad" in report
    assert "short: 4 frames are too few; a clip needs 5." in report and "small: 96x24 pixels are too few" in report
    (tmp_path / "good.mp4").unlink()
    with pytest.raises(ClearError, match="No clip can be cut.*\n.*"):
        pair_clips(tmp_path, frames=9, long_side=48)


def test_a_video_that_became_shorter_is_said(tmp_path):
    write_pair(tmp_path, "film", frames=20)
    clips = pair_clips(tmp_path, frames=9)
    write(tmp_path / "film.mp4", clip(frames=12)[0])
    with pytest.raises(ClearError, match="fewer frames than when it was looked through"):
        list(clips.read(range(len(clips.identities))))


@pytest.mark.parametrize("options", [dict(frames=4), dict(per_video=0), dict(long_side=16)])
def test_settings_without_a_clip_are_refused(tmp_path, options):
    write_pair(tmp_path, "film")
    with pytest.raises(ClearError, match="Clips need"):
        pair_clips(tmp_path, **options)


STYLE = BurnStyle(size=25)


def clean_folder(folder, count=2, frames=20, **options):
    for i in range(count):
        write(folder / f"v{i}.mp4", clip(frames=frames, seed=i, **options)[0])
    return folder


def test_burned_clips_have_text_of_their_own_over_clean_frames(tmp_path):
    clips = BurnedClips(clean_folder(tmp_path), STYLE, frames=9, per_video=2)
    assert str(clips) == "4 clips of 9 frames (96x64) from 2 videos."
    read = dict(clips.read([0, 1, 3]))
    assert torch.equal(read[0].clean, frames_of(tmp_path / "v0.mp4")[:9]) and torch.equal(
        read[3].clean, frames_of(tmp_path / "v1.mp4")[11:20]
    )
    changed = [(one.subtitled - one.clean).abs().amax((0, 3)) > 0.1 for one in read.values()]
    assert all(one.any() for one in changed) and not torch.equal(changed[0], changed[1])
    again = dict(BurnedClips(tmp_path, STYLE, frames=9, per_video=2).read([3]))
    assert torch.equal(again[3].subtitled, read[3].subtitled)


def test_burned_clips_change_their_identity_with_style_seed_and_file(tmp_path):
    make = lambda style=STYLE, seed=0: (
        BurnedClips(
            clean_folder(tmp_path, 1) if not list(tmp_path.iterdir()) else tmp_path, style, 9, 2, 832, seed
        ).identities
    )
    first = make()
    assert first == make() and len(set(first)) == 2
    assert not set(first) & set(make(seed=1)) and not set(first) & set(make(replace(STYLE, colour="#ff0000")))
    os.utime(tmp_path / "v0.mp4", ns=(1, 1))
    assert not set(first) & set(make())


def test_one_video_is_enough_and_bad_ones_are_named(tmp_path):
    clean_folder(tmp_path)
    assert len(BurnedClips(tmp_path / "v0.mp4", STYLE, 9, 1).identities) == 1
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    write(tmp_path / "short.mp4", clip(frames=3)[0])
    report = str(BurnedClips(tmp_path, STYLE, 9, 1))
    assert (
        report.startswith("2 clips of 9 frames (96x64) from 2 videos.")
        and "bad.mp4: this is not a video" in report
        and "short.mp4: 3 frames are too few" in report
    )
    with pytest.raises(ClearError, match="not a video"):
        BurnedClips(tmp_path / "bad.mp4", STYLE, 9, 1)
    with pytest.raises(ClearError, match="^short.mp4: 3 frames are too few"):
        BurnedClips(tmp_path / "short.mp4", STYLE, 9, 1)
    with pytest.raises(ClearError, match="^small.mp4: .* pixels are too few"):
        BurnedClips(write(tmp_path / "small.mp4", clip(frames=6, height=24, width=96)[0]), STYLE, 9, 1, long_side=48)
    with pytest.raises(ClearError, match="There is no folder or video"):
        BurnedClips(tmp_path / "gone", STYLE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClearError, match="No videos in"):
        BurnedClips(tmp_path / "empty", STYLE)


def test_a_bad_style_is_refused_before_a_video_is_read_to_its_end(tmp_path, monkeypatch):
    clean_folder(tmp_path, 1)
    monkeypatch.setattr(clips_module, "count_frames", lambda *a: pytest.fail("the video was read"))
    with pytest.raises(ClearError, match="No font of the family 'Nowhere'"):
        BurnedClips(tmp_path, replace(STYLE, font="Nowhere"), 9)


def test_looking_through_can_be_stopped(tmp_path):
    def stop(done, count):
        seen.append((done, count))
        if done == 1:
            raise KeyboardInterrupt

    seen = []
    with pytest.raises(KeyboardInterrupt):
        BurnedClips(clean_folder(tmp_path), STYLE, 9, on_look=stop)
    assert seen == [(0, 2), (1, 2)]


def test_a_subtitle_file_gives_each_video_its_own_lines_at_their_times(tmp_path):
    pytest.importorskip("pysubs2")
    line = "1\n00:00:00,{first}00 --> 00:00:00,{stop}00\n{text}\n"
    clean_folder(tmp_path, 3, frames=20)  # 0.8 s
    for name, text in (
        ("v0", line.format(first=4, stop=6, text="Rain")),
        ("v1", line.format(first=0, stop=2, text="Snow")),
    ):
        (tmp_path / f"{name}.srt").write_text(text)
    style = replace(STYLE, file=str(tmp_path / "v0.srt"))
    clips = BurnedClips(tmp_path, style, frames=5, per_video=1)
    assert "v2.mp4: there is no v2.srt beside it" in str(clips)
    shown = {
        n: [bool((a - b).abs().max() > 0.1) for a, b in zip(one.subtitled, one.clean)] for n, one in clips.read([0, 1])
    }
    assert (
        all(any(flags) for flags in shown.values())
        and clips.sources[0].spans[0].start in range(6, 15)
        and clips.sources[1].spans[0].start < 5
    )
    first = clips.sources[0].spans[0].start
    assert shown[0] == [10 <= first + i < 15 for i in range(5)]
    identities = BurnedClips(tmp_path / "v1.mp4", style, frames=5, per_video=1).identities
    os.utime(tmp_path / "v0.srt", ns=(1, 1))
    assert BurnedClips(tmp_path / "v1.mp4", style, frames=5, per_video=1).identities != identities
    (tmp_path / "v0.srt").write_text(line.format(first=9, stop=9, text="Late").replace(",900\n", ",950\n"))
    with pytest.raises(ClearError, match="^v1.mp4: no line of v0.srt falls into its 0.8 s"):
        BurnedClips(tmp_path / "v1.mp4", style, frames=5)


def test_clean_videos_come_in_the_order_of_their_numbers_without_the_system_s_own(tmp_path):
    for name in ("10.mp4", "9.mp4", "._9.mp4", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in clips_module.clean_videos(tmp_path)] == ["9.mp4", "10.mp4"]
