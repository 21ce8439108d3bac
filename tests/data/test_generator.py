"""Random pairs: pure functions of their seed, of all styles and layouts, with exact masks of all overlaid text."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tiny_maker import tiny_maker

from clear_runtime.data.synthetic import degrade, layouts, negatives
from clear_runtime.data.synthetic.layouts import KINDS, corner_text, random_text
from clear_runtime.data.synthetic.letters import Glyphs, draw_block, font_of, marked, scale_of
from clear_runtime.data.synthetic.looks import TextLook, random_look
from clear_runtime.data.synthetic.pictographs import SIDE, random_pictograph

HEIGHT, WIDTH = 96, 240
FONTS = {script: [(None, 0)] for script in ("latin", "chinese", "cyrillic")}
PLAIN = TextLook(None, 0, 24.0)


@pytest.fixture
def maker(tmp_path, monkeypatch):
    return tiny_maker(tmp_path, monkeypatch)


def drawn(look, text="It rained.", ground=90):
    """(before, after [H, W, 3] int, mask) of one row in the middle of a grey frame."""
    frame, label = Image.new("RGB", (WIDTH, HEIGHT), (ground,) * 3), Image.new("L", (WIDTH, HEIGHT))
    before = np.asarray(frame).astype(int)
    block = draw_block(
        [[Glyphs(text, 0.0, 0.0, hot=bool(look.hot_fill or look.hot_box))]], look, (WIDTH / 2, HEIGHT / 2)
    )
    block.over(frame)
    block.mark(label)
    return before, np.asarray(frame).astype(int), marked(label)


@pytest.mark.parametrize(
    "look",
    [
        PLAIN,
        replace(PLAIN, stroke=2.0),
        replace(PLAIN, size=60.0, stroke=4.0),
        replace(PLAIN, second=(255, 0, 0)),
        replace(PLAIN, italic=True),
        replace(PLAIN, stroke=1.0, softness=0.8),
        replace(PLAIN, opacity=0.5),
        replace(PLAIN, turn=8.0),
    ],
    ids=["plain", "outline", "large", "gradient", "italic", "soft", "translucent", "turned"],
)
def test_the_mask_is_what_was_drawn(look):
    before, after, mask = drawn(look)
    change = np.abs(after - before).max(-1)
    assert change[~mask].max() <= 255 * 0.05 + 4
    assert change[mask].mean() > 30 and 0.02 < mask.mean() < 0.5


def test_faint_shade_is_not_the_text_s():
    _, after, mask = drawn(replace(PLAIN, glow=(0, 0, 0, 3.0)), ground=200)
    _, _, letters = drawn(PLAIN)
    assert mask.sum() > 1.3 * letters.sum()
    assert (200 - after.min(-1))[~mask].max() <= 200 * 0.13 + 3


@pytest.mark.parametrize(
    "look",
    [
        replace(PLAIN, box="row", box_fill=(0, 0, 0, 1.0)),
        replace(PLAIN, box="block", box_fill=(0, 0, 200, 0.5)),
        replace(PLAIN, hot_box=(255, 0, 80), hot_fill=(255, 255, 255)),
    ],
    ids=["opaque", "translucent", "behind a word"],
)
def test_boxes_are_drawn_and_not_labelled(look):
    before, after, mask = drawn(look)
    changed = np.abs(after - before).max(-1) > 20
    assert changed.sum() > 1.5 * mask.sum(), "the box is there"
    _, _, letters = drawn(PLAIN)
    assert (mask & letters).sum() / (mask | letters).sum() > 0.95


def test_boxes_are_in_the_mask_of_what_changed(maker):
    look = lambda given: replace(PLAIN, size=given.size, box="row", box_fill=(255, 0, 0, 1.0))
    letters, all_of_it = (
        maker.frame(5, HEIGHT, WIDTH, empty=0, corners=0, kind="short", size=20, look=look, boxes=boxes).mask
        for boxes in (False, True)
    )
    assert (all_of_it & letters).sum() == letters.sum() and all_of_it.sum() > 1.3 * letters.sum()


def test_pairs_are_functions_of_their_seed(maker, tmp_path):
    for frames in (1, 5):
        first, again, other = (
            maker.make(seed, frames, HEIGHT, WIDTH, empty=0, frame_height=352) for seed in ("a", "a", "b")
        )
        assert all(np.array_equal(a, b) for a, b in zip(first, again))
        assert not np.array_equal(first[1], other[1])
        assert (
            first[0].shape == first[1].shape == (frames, HEIGHT, WIDTH, 3)
            and first[2].shape == (frames, HEIGHT, WIDTH)
            and first[2].dtype == bool
        )


def test_what_was_drawn_before_does_not_matter(maker):
    late = maker.frame(7, HEIGHT, WIDTH).subtitled
    for seed in range(5):
        maker.frame(seed, HEIGHT, WIDTH)
    assert np.array_equal(late, maker.frame(7, HEIGHT, WIDTH).subtitled)


def test_empty_pairs_have_no_label_and_no_text(maker):
    for seed in range(12):
        pair = maker.frame(seed, HEIGHT, WIDTH, empty=1, busy=0)
        assert not pair.mask.any() and not pair.overlays


def test_every_style_and_layout_occurs():
    rng = random.Random(0)
    tags = set().union(*(random_look(rng, FONTS["latin"], 24.0).tags for _ in range(600)))
    assert tags == {
        "plain",
        "outline",
        "thick outline",
        "shadow",
        "glow",
        "dark",
        "coloured",
        "gradient",
        "opaque box",
        "translucent box",
        "letterspaced",
        "translucent",
        "italic",
        "turned",
    }
    blocks = [
        random_text(random.Random(seed), FONTS, tuple(FONTS), 320, 192, pictograph=random_pictograph)
        for seed in range(300)
    ]
    assert {block.kind for drawn_ in blocks for block in drawn_} == set(KINDS)
    assert any("highlight" in block.tags for drawn_ in blocks for block in drawn_)
    assert {len(block.rows) for drawn_ in blocks for block in drawn_} == {1, 2, 3, 4, 5, 6}
    sizes = [block.size for drawn_ in blocks for block in drawn_]
    assert min(sizes) < 10 and max(sizes) > 90 and np.mean([10 <= size <= 60 for size in sizes]) > 0.8
    widths = [row[2] - row[0] for drawn_ in blocks for block in drawn_ for row in block.rows]
    assert min(widths) < 20 and max(widths) > 300


def test_rows_are_as_wide_as_asked_for_and_whole_frames_cut_nothing():
    for room in (24, 96, 400):
        for seed in range(6):
            (block,) = random_text(
                random.Random(seed),
                FONTS,
                ("latin",),
                640,
                352,
                cut=False,
                kind="line",
                size=12,
                room=room,
                look=lambda given: replace(PLAIN, size=given.size),
            )
            assert all(0.4 * room <= row[2] - row[0] <= room * 1.1 for row in block.rows)
            assert all(row[0] >= 0 and row[2] <= 640 and row[1] >= 0 and row[3] <= 352 for row in block.rows)


def test_letters_stand_one_below_the_other_in_columns():
    (block,) = random_text(
        random.Random(1),
        FONTS,
        ("chinese",),
        320,
        192,
        kind="column",
        size=20,
        look=lambda given: replace(PLAIN, size=given.size),
    )
    for left, top, right, bottom in block.rows:
        assert bottom - top > 1.5 * (right - left)


def test_text_in_a_corner_is_labelled(maker):
    kinds = set()
    for seed in range(8):
        pair = maker.frame(seed, 176, 320, empty=0, cut=False, corners=1.0)
        for overlay in pair.overlays:
            kinds.add(overlay.kind)
            if overlay.kind == "corner" and overlay.tags.isdisjoint({"translucent"}):
                left, top, right, bottom = (round(edge) for edge in overlay.rows[0])
                assert pair.mask[max(0, top) : bottom + 1, max(0, left) : right + 1].any()
    assert "corner" in kinds
    assert (
        corner_text(random.Random(3), FONTS, ("latin",), 320, 176, False).rows
        == corner_text(random.Random(3), FONTS, ("latin",), 320, 176, False).rows
    )


def test_text_that_cannot_be_seen_is_left_out(maker):
    def hidden(given):
        return replace(PLAIN, size=given.size, opacity=0.03)

    for seed in range(4):
        pair = maker.frame(seed, HEIGHT, WIDTH, empty=0, corners=0, kind="short", size=20.0, look=hidden)
        assert all(overlay.size != 20.0 for overlay in pair.overlays)


def test_lines_of_a_clip_keep_their_look_and_change_their_words(maker):
    for seed in range(40):
        track = maker._track(random.Random(seed), 13, 192, 320, (11, 34), True)
        if len(track) > 1:
            first, second = (blocks[0] for _, _, blocks in track[:2])
            assert first.size == second.size and first.kind == second.kind and first.tags == second.tags
            return
    raise AssertionError("no clip with two lines")


@pytest.mark.parametrize(
    "painter", sorted({p.__name__: p for p in negatives.PAINTERS}.items()), ids=lambda p: p[0].strip("_")
)
def test_every_negative_can_be_drawn_at_every_size(painter, monkeypatch):
    monkeypatch.setattr(negatives, "PAINTERS", (painter[1],))
    for seed in range(25):
        rng = random.Random(seed)
        frame = Image.new("RGB", rng.choice(((32, 32), (320, 192), (96, 200))), (90, 90, 90))
        negatives.draw_negatives(rng, frame)


def test_degraded_frames_keep_their_size():
    source = Image.fromarray(np.random.default_rng(0).integers(0, 256, (66, 91, 3), dtype=np.uint8))
    for seed in range(60):
        out = degrade.degraded(source, random.Random(seed), 12.0)
        assert out.size == source.size and out.mode == "RGB"


def test_frames_are_encoded_where_there_is_an_encoder():
    if degrade.av is None:
        pytest.skip("no PyAV")
    flat = Image.new("RGB", (65, 48), (120, 60, 200))
    assert np.abs(np.asarray(degrade.encoded(flat, 30)).astype(int) - np.asarray(flat)).max() < 16


def test_pictographs_fill_their_square():
    for seed in range(30):
        picture = random_pictograph(random.Random(seed))
        assert picture.size == (SIDE, SIDE) and 0.1 < (np.asarray(picture)[..., 3] > 0).mean() < 1


def test_words_fit():
    look = replace(PLAIN, size=12.0)
    font, s = font_of(look), scale_of(look)
    assert layouts._cut_to("a very long line of words", font, 0.0, 50 * s).startswith("a ")
    assert font.getlength(layouts._cut_to("a very long line of words", font, 0.0, 50 * s)) <= 50 * s
    assert len(layouts._cut_to("wide", font, 0.0, 1)) == 2


def test_an_outline_that_cannot_be_seen_is_not_labelled():
    look, masks = replace(PLAIN, stroke=2.0), {}
    for ground in (0, 120):
        before = Image.new("RGB", (WIDTH, HEIGHT), (ground,) * 3)
        after, label = before.copy(), Image.new("L", before.size)
        block = draw_block([[Glyphs("It rained.", 0.0, 0.0)]], look, (WIDTH / 2, HEIGHT / 2))
        block.over(after)
        block.seen(before, after).mark(label)
        masks[ground] = marked(label)
    _, _, letters = drawn(PLAIN)
    assert masks[0].sum() < 1.1 * letters.sum() and masks[120].sum() > 1.4 * letters.sum()
    assert not (masks[0] & ~masks[120]).any()
