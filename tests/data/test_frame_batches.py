"""Batches of frame pairs: what they hold, and that batch n depends on n alone."""

from dataclasses import replace

import pytest
import torch
from tiny_pairs import HEIGHT, WIDTH, write_pair

from clear_runtime.data.frame_batches import FRAMES_PER_PAIR, DiskFrames
from clear_runtime.data.pairs_on_disk import PairsReport, check_pairs, find_pairs


@pytest.fixture(scope="module")
def three_pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    for i in range(3):
        write_pair(folder, f"v{i}", frames=6, seed=i, text=("Rain", "Sun 12", "Wind")[i])
    return check_pairs(find_pairs(folder))


def test_batch_n_depends_on_n_alone(three_pairs):
    one, other = (DiskFrames(three_pairs, 4, (32, 64), 640, seed=5) for _ in range(2))
    assert len(one) == 4
    in_order = [one[n] for n in range(6)]
    for n in (5, 0, 3):
        assert all(torch.equal(a, b) for a, b in zip(in_order[n], other[n]))
    assert not torch.equal(in_order[0].subtitled, in_order[4].subtitled), "another epoch, another order"
    assert not torch.equal(DiskFrames(three_pairs, 4, (32, 64), 640, seed=6)[0].subtitled, in_order[0].subtitled)


def test_crops_keep_the_three_together(three_pairs):
    batch = DiskFrames(three_pairs, 8, (32, 64), 640)[0]
    assert batch.subtitled.shape == batch.clean.shape == (8, 3, 32, 64) and batch.labels.shape == (8, 1, 32, 64)
    change = (batch.subtitled - batch.clean).norm(dim=1, keepdim=True)
    assert change[batch.labels > 0].min() > 0.08 and change[batch.labels == 0].mean() < 0.05
    assert (batch.labels.flatten(1).sum(1) > 0).sum() >= 5


def test_small_frames_go_on_with_their_border_and_large_ones_are_scaled(three_pairs):
    batch = DiskFrames(three_pairs, 2, (96, 128), 640)[0]
    assert batch.subtitled.shape == (2, 3, 96, 128)
    assert torch.equal(batch.clean[..., WIDTH:], batch.clean[..., WIDTH - 1 : WIDTH].expand(-1, -1, -1, 128 - WIDTH))
    assert torch.equal(
        batch.clean[:, :, HEIGHT:], batch.clean[:, :, HEIGHT - 1 : HEIGHT].expand(-1, -1, 96 - HEIGHT, -1)
    )
    half = DiskFrames(three_pairs, 2, (32, 64), WIDTH // 2)[0].clean
    assert torch.equal(
        half[..., WIDTH // 2 :], half[..., WIDTH // 2 - 1 : WIDTH // 2].expand(-1, -1, -1, 64 - WIDTH // 2)
    )


def test_processes_share_the_pairs(three_pairs, monkeypatch):
    from clear_runtime.data import frame_batches

    read = []
    original = frame_batches.frame_pairs
    monkeypatch.setattr(frame_batches, "frame_pairs", lambda pair: read.append(pair.name) or original(pair))
    parts = [DiskFrames(three_pairs, 2, (32, 64), 640, rank=r, processes=2) for r in range(2)]
    assert len(parts[0]) == len(parts[1]) == 4
    shares = []
    for part in parts:
        read.clear()
        for n in range(4):
            part[n]
        shares.append(set(read))
    assert sorted(map(len, shares)) == [1, 2] and shares[0] | shares[1] == {"v0", "v1", "v2"}


@pytest.mark.parametrize("processes", [4, 5, 7])
def test_processes_that_share_a_pair_take_turns_at_its_frames(three_pairs, processes):
    """With three pairs of six frames: nobody reads what another does, and together they read all of it."""
    taken = {}
    for rank in range(processes):
        part = DiskFrames(three_pairs, 1, (HEIGHT, WIDTH), 640, rank=rank, processes=processes)
        frames = [part._frame(0, n)[0].numpy().tobytes() for n in range(6 // part.sharers)]
        taken[rank] = set(frames)
        assert len(taken[rank]) == len(frames)
    assert len(set.union(*taken.values())) == sum(map(len, taken.values())) == 18


def test_one_pair_gives_two_processes_other_batches(three_pairs):
    whole = three_pairs.pairs[0]
    for one in (whole, replace(whole, kept=whole.kept[:1])):  # of a single frame they cut other places
        batches = [DiskFrames(PairsReport((one,)), 2, (32, 64), 640, rank=rank, processes=2) for rank in range(2)]
        assert len(batches[0]) == len(batches[1]) == 1
        for n in range(4):
            assert not torch.equal(batches[0][n].subtitled, batches[1][n].subtitled)


def test_frames_of_a_group_are_mixed(three_pairs):
    """Neighbours of a video teach the same: a batch holds frames of several videos, out of their order."""
    from clear_runtime.data.pairs_on_disk import frame_pairs

    shown = [both[0] for report in three_pairs.pairs for both in frame_pairs(report.pair)]
    batch = DiskFrames(three_pairs, 18, (HEIGHT, WIDTH), 640, seed=5)[0].subtitled.permute(0, 2, 3, 1)
    order = [min(range(18), key=lambda n: (shown[n] - frame).abs().mean().item()) for frame in batch]
    assert sorted(order) == list(range(18))
    assert sum(b == a + 1 for a, b in zip(order, order[1:])) < 5 and len({n // 6 for n in order[:6]}) > 1


def test_long_videos_give_evenly_spread_frames():
    from clear_runtime.data.frame_batches import _spread

    assert _spread(tuple(range(100))) == list(range(0, 100, 100 // FRAMES_PER_PAIR)) and _spread((3, 9)) == [3, 9]
