"""How many latent frames a video has."""

import pytest

from clear_runtime.wan import latent_frames, whole_groups


@pytest.mark.parametrize(
    "frames,latents,whole", [(1, 1, 1), (4, 1, 1), (5, 2, 5), (8, 2, 5), (9, 3, 9), (81, 21, 81), (84, 21, 81)]
)
def test_the_first_frame_has_a_latent_frame_to_itself_and_four_share_each_other(frames, latents, whole):
    assert latent_frames(frames) == latents == latent_frames(whole) and whole_groups(frames) == whole
