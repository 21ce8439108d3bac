"""The memory estimate against what autograd really keeps, and the advice when it does not fit."""

import re
from dataclasses import replace

import pytest
import tiny_wan
import torch

from clear_runtime.engines.base_model import describe_base
from clear_runtime.engines.lora import write_lora
from clear_runtime.errors import ClearError
from clear_runtime.train.lora.cache import largest_example
from clear_runtime.train.lora.memory import MARGIN, SAVED, SPARE, estimate, free_memory, require_room
from clear_runtime.train.lora.model import Adapted
from clear_runtime.train.lora.occlusion_head import OcclusionHead
from clear_runtime.train.lora.options import DTYPES, LoraOptions
from clear_runtime.wan import VISION_TOKENS


def kept_bytes(width, ffn, blocks, rank, grid, context, precision, checkpointing):
    """Bytes of the tensors that autograd holds after a forward pass, weights left out."""
    model = Adapted(
        tiny_wan.wan_state(width, ffn, blocks), rank, dtype=DTYPES[precision], checkpointing=checkpointing, middle=0
    )
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    held, sizes = [], {}

    def keep(tensor):
        held.append(tensor)
        if tensor.untyped_storage().data_ptr() not in weights:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.randn(1, 16, *grid), torch.randn(1, 16, *grid), torch.tensor([0.5]), torch.randn(1, context, 4096))
    return sum(sizes.values())


@pytest.mark.slow
@pytest.mark.parametrize("precision", list(SAVED))
def test_a_block_keeps_about_what_the_estimate_says(precision):
    grid, tokens, context = (2, 16, 24), 2 * 8 * 12, 30
    for width, ffn, rank in ((256, 512, 4), (256, 1024, 32), (384, 512, 4)):
        one, two = (kept_bytes(width, ffn, blocks, rank, grid, context, precision, False) for blocks in (1, 2))
        by_width, by_ffn, by_rank, of_context = SAVED[precision]
        said = (
            tokens * (by_width * width + by_ffn * ffn + by_rank * rank) + (context + VISION_TOKENS) * of_context * width
        )
        assert two - one == pytest.approx(said, rel=0.12)


def test_with_checkpointing_only_a_blocks_input_is_kept():
    grid, tokens = (2, 16, 24), 2 * 8 * 12
    one, two = (kept_bytes(256, 512, blocks, 4, grid, 4, "bfloat16", True) for blocks in (1, 2))
    assert two - one == tokens * 256 * 2


@pytest.fixture(scope="module")
def shapes():
    return {name: tuple(value.shape) for name, value in tiny_wan.wan_state().items()}


def test_parameters_are_counted_as_the_network_counts_them(shapes):
    model = Adapted(tiny_wan.wan_state(), 8)
    counted = estimate(shapes, LoraOptions(rank=8), (3, 8, 12))
    assert counted.trainable == sum(p.numel() for p in model.lora().values()) and counted.share == pytest.approx(
        model.share
    )
    assert counted.tokens == 3 * 4 * 6
    head = OcclusionHead(describe_base(shapes).width)
    assert counted.head == sum(p.numel() for p in head.parameters())


def test_of_a_lora_to_start_from_its_own_parameters_count(shapes, tmp_path):
    model = Adapted(tiny_wan.wan_state(), 3, ("q", "v"))
    write_lora(tmp_path / "start.safetensors", {name: value.detach() for name, value in model.lora().items()})
    counted = estimate(shapes, LoraOptions(rank=8, start=str(tmp_path / "start.safetensors")), (3, 8, 12))
    assert counted.trainable == sum(p.numel() for p in model.lora().values()) and counted.share == pytest.approx(
        model.share
    )


def test_each_saving_saves(shapes):
    sizes = [
        estimate(shapes, LoraOptions(**options), (21, 60, 104)).total
        for options in ({"checkpointing": False}, {}, {"optimiser": "adamw8bit"}, {"optimiser": "adamw8bit", "rank": 8})
    ]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 4


def room_for(shapes, options, size):
    """Bytes with which these options just fit."""
    return int(estimate(shapes, options, size).total * (1 + MARGIN)) + SPARE


def test_what_does_not_fit_is_told_with_settings_that_do(shapes):
    options, size = LoraOptions(checkpointing=False, batch=4, precision="float32"), (21, 60, 104)
    lean = replace(options, checkpointing=True, batch=1)
    room = room_for(shapes, lean, size)
    with pytest.raises(
        ClearError,
        match=r"8% and 0\.5 GiB must be left.*These would fit, with about .*: gradient checkpointing, batch 1 and "
        r"accumulate 4\.",
    ):
        require_room(shapes, options, size, 512, "cuda", room)
    with pytest.raises(ClearError, match=r"bfloat16, a crop of \d+ frames of \d+x\d+"):
        require_room(shapes, options, size, 512, "cuda", SPARE + (room - SPARE) // 3)
    with pytest.raises(ClearError, match="Nothing smaller would fit"):
        require_room(shapes, options, size, 512, "cuda", 1000)
    assert require_room(shapes, lean, size, 512, "cuda", room).total == estimate(shapes, lean, size).total
    with pytest.raises(ClearError):
        require_room(shapes, lean, size, 512, "cuda", room - 2)


def test_the_optimiser_and_the_rank_are_offered_before_the_picture_is_cut(shapes):
    options, size = LoraOptions(rank=64), (3, 12, 20)
    small = replace(options, optimiser="adamw8bit")
    with pytest.raises(ClearError, match=r": 8-bit Adam \(adamw8bit\)\."):
        require_room(shapes, options, size, 512, "cuda", room_for(shapes, small, size))
    with pytest.raises(ClearError, match=r": 8-bit Adam \(adamw8bit\), rank 32\."):
        require_room(shapes, options, size, 512, "cuda", room_for(shapes, replace(small, rank=32), size))
    with pytest.raises(ClearError, match=": rank 32\\."):
        require_room(shapes, options, size, 512, "cpu", room_for(shapes, replace(options, rank=32), size))


@pytest.mark.parametrize("spatial", [4, 8])
def test_what_is_advised_is_taken(shapes, spatial):
    """Whatever room there is: with the crop that is named, in the codec's own cells, the same check passes, and it is
    no larger than the clip."""
    options, clip = LoraOptions(crop=(81, 480, 832)), (45, 352, 640)
    size = largest_example(options.crop, [clip], spatial)
    rooms = [SPARE + int(share * (room_for(shapes, options, size) - SPARE)) for share in (0.9, 0.6, 0.4, 0.2, 0.1)]
    seen = set()
    for room in rooms:
        with pytest.raises(ClearError) as said:
            require_room(shapes, options, size, 512, "cpu", room, spatial)
        advice = str(said.value)
        cropped, ranked = re.search(r"a crop of (\d+) frames of (\d+)x(\d+)", advice), re.search(r"rank (\d+)", advice)
        crop = (int(cropped[1]), int(cropped[3]), int(cropped[2])) if cropped else options.crop
        seen.add(crop)
        assert not cropped or all(map(int.__le__, crop, clip))
        tried = replace(options, crop=crop, rank=int(ranked[1]) if ranked else options.rank)
        require_room(shapes, tried, largest_example(crop, [clip], spatial), 512, "cpu", room, spatial)
    assert len(seen) > 2


def test_what_the_codec_left_cached_on_a_gpu_counts_as_free(monkeypatch):
    free = [1]
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: free.append(9))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free[-1], 10))
    assert free_memory(torch.device("cuda")) == 9


def test_the_machine_s_memory_is_what_a_cpu_may_use_and_of_other_devices_nobody_knows():
    assert free_memory(torch.device("cpu")) > 2**20 and free_memory(torch.device("meta")) is None
