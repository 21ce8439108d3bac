"""Before, after and mask in one video, for a player that shows one through another; and notes in files."""

import json
from fractions import Fraction

import av
import pytest
import torch
from PIL import Image

from clear_runtime.media import layers
from clear_runtime.media.before_after import Also, save, save_layers
from clear_runtime.media.video import read_facts, read_frames

FPS = Fraction(25)


@pytest.fixture
def pictures():
    """before, after [5, 34, 50, 3] of two greys, and a mask [5, 34, 50] that is white on the left."""
    mask = torch.zeros(5, 34, 50)
    mask[:, :, :25] = 1
    return torch.full((5, 34, 50, 3), 0.2), torch.full((5, 34, 50, 3), 0.7), mask


def test_layers_stand_below_one_another_in_every_frame(tmp_path, pictures):
    seen = []
    save_layers(tmp_path / "layers.mp4", *pictures, FPS, on_frame=seen.append)
    frames = list(read_frames(tmp_path / "layers.mp4"))
    assert len(frames) == 5 == len(seen) and frames[0].shape == (3 * 34, 50, 3)
    before, after, mask = frames[2].split(34)
    assert before[8:-8].mean() == pytest.approx(0.2, abs=0.02) and after[8:-8].mean() == pytest.approx(0.7, abs=0.02)
    assert mask[8:-8, :15].mean() > 0.95 and mask[8:-8, 35:].mean() < 0.05


def test_a_player_can_begin_every_few_frames(tmp_path):
    grey = torch.full((40, 32, 32, 3), 0.5)
    save_layers(tmp_path / "layers.mp4", grey, grey, torch.zeros(1, 32, 32), FPS)
    with av.open(str(tmp_path / "layers.mp4")) as film:
        keys = [packet.pts for packet in film.demux(video=0) if packet.is_keyframe]
    assert len(keys) >= 40 // layers.SEEKABLE


def test_what_no_player_takes_is_scaled_down(tmp_path, monkeypatch, pictures):
    monkeypatch.setattr(layers, "SIDE", 60)
    save_layers(tmp_path / "layers.mp4", *pictures, FPS)
    facts = read_facts(tmp_path / "layers.mp4")
    assert facts.height <= 60 and facts.height % 3 == 0
    assert facts.width / (facts.height / 3) == pytest.approx(50 / 34, rel=0.15)


def test_without_a_mask_the_third_layer_is_what_changed(tmp_path, pictures):
    before, after, _ = pictures
    after = before.clone()
    after[:, :, 25:] += 0.2
    save_layers(tmp_path / "layers.mp4", before, after, None, FPS)
    _, _, changed = next(read_frames(tmp_path / "layers.mp4")).split(34)
    assert changed[8:-8, :15].mean() < 0.05 and changed[8:-8, 35:].mean() > 0.95


def test_every_file_carries_the_notes(tmp_path, pictures):
    notes = {"workflow": json.dumps({"nodes": [], "words": "字幕"}), "prompt": "{}"}
    picture, *videos = save(tmp_path, "x", *pictures, FPS, also=Also(notes, [0, 3]))
    with Image.open(picture) as shown:
        assert shown.text == notes and shown.height == 2 * 34, "a row for each frame that is shown"
    for video in videos:
        with av.open(str(video)) as film:
            assert {name: film.metadata[name] for name in notes} == notes
