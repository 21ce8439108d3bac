"""A frame and what of it is new."""

import torch

from clear_runtime.frames.patch import Patched, Rectangles, together
from clear_runtime.frames.region import Region


def test_rectangles_are_read_where_the_frames_lie():
    frames, region = torch.rand(4, 6, 8, 3), Region(1, 2, 3, 4)
    parts = Rectangles(list(frames), region)
    assert len(parts) == 4 and parts[2].data_ptr() == frames[2, 1:, 2:].data_ptr()
    copy = together(parts)
    assert torch.equal(copy, region.of(frames)) and copy.untyped_storage().nbytes() == copy.nbytes
    assert together(copy) is copy
    assert Rectangles(list(frames.half()), region)[0].dtype == torch.float32


def test_a_patch_alone_is_the_same_and_lets_go_of_the_window():
    pixels, mask = torch.rand(5, 3, 4, 3), torch.rand(5, 3, 4)
    patched = Patched(torch.rand(6, 8, 3), Region(1, 2, 3, 4), pixels[1], mask[1])
    alone = patched.alone()
    assert torch.equal(alone.picture(), patched.picture()) and torch.equal(alone.whole_mask(), patched.whole_mask())
    assert alone.pixels.untyped_storage().nbytes() == pixels[1].nbytes
    assert alone.mask.untyped_storage().nbytes() == mask[1].nbytes
    assert alone.alone().pixels is alone.pixels, "nothing is copied twice"
    assert torch.equal(Patched(patched.frame).alone().picture(), patched.frame)


def test_a_rectangle_of_the_picture_is_made_without_the_rest():
    patched = Patched(torch.rand(6, 8, 3), Region(1, 2, 3, 4), torch.rand(3, 4, 3), torch.rand(3, 4))
    for region in (Region(0, 0, 6, 8), Region(2, 0, 4, 5), Region(1, 2, 3, 4), Region(4, 0, 2, 8)):
        assert torch.equal(patched.part(region), region.of(patched.picture()[None])[0])
        assert torch.equal(Patched(patched.frame).part(region), region.of(patched.frame[None])[0])
    untouched = patched.frame.clone()
    patched.part(Region(0, 0, 6, 8)).zero_()
    assert torch.equal(patched.frame, untouched), "it is the caller's own"
