"""Latents on disk: encoded once, anew when something changed, cut the same way every time."""
import pytest
import torch
from safetensors.torch import load_file
from tiny_clips import MemoryClips, encoded, latent_clips

from clear_runtime.adapt.cache import LatentClips, encode_clips
from clear_runtime.errors import ClearError
from clear_runtime.nano.load import load_bundled_codec
from clear_runtime.prior.checkpoints import load_prior


@pytest.fixture(scope="module")
def parts():
    return load_bundled_codec(), load_prior()


def test_a_clip_becomes_the_latents_of_its_three_versions_and_the_priors_mask(tmp_path, parts):
    path, = encode_clips(tmp_path, MemoryClips(), *parts, "x")
    stored = load_file(path)
    assert {name: (tuple(t.shape), t.dtype) for name, t in stored.items()} == {
        **{name: ((16, 2, 24, 48), torch.float16) for name in ("clean", "subtitled", "filled")}, "m_prior": ((2, 24, 48), torch.float16)}
    (_, clip), = MemoryClips().read([0])
    assert torch.allclose(stored["clean"].float(), parts[0].encode(clip.clean)[0], atol=5e-3)
    inside = stored["m_prior"][:, None].float().transpose(0, 1) > 0.5
    error = lambda name: (stored[name].float() - stored["clean"].float()).abs()[inside.expand(16, -1, -1, -1)].mean()
    assert inside.any() and error("filled") < 0.6 * error("subtitled")


def test_only_what_changed_is_encoded_again_and_what_nobody_needs_goes(tmp_path, parts):
    clips = MemoryClips(3)
    first = encode_clips(tmp_path, clips, *parts, "codec a")
    assert encode_clips(tmp_path, clips, *parts, "codec a") == first and clips.reads == [0, 1, 2]
    clips.identities[1] = "another cut"
    second = encode_clips(tmp_path, clips, *parts, "codec a")
    assert clips.reads == [0, 1, 2, 1] and second[::2] == first[::2] and not first[1].exists()
    encode_clips(tmp_path, clips, *parts, "codec b")
    assert clips.reads[4:] == [0, 1, 2] and len(list(tmp_path.iterdir())) == 3


def test_what_was_encoded_before_a_stop_stays(tmp_path, parts):
    def stop(done, count):
        raise KeyboardInterrupt
    clips = MemoryClips(3)
    with pytest.raises(KeyboardInterrupt):
        encode_clips(tmp_path, clips, *parts, "x", stop)
    encode_clips(tmp_path, clips, *parts, "x")
    assert clips.reads == [0, 1, 2]


def test_an_example_is_a_function_of_seed_and_number(tmp_path):
    clips = latent_clips(tmp_path, 2, crop=(1, 32, 32))
    again = latent_clips(tmp_path, 2, crop=(1, 32, 32))
    for k in (0, 1, 17):
        assert all(torch.equal(a, b) for a, b in zip(clips[k], again[k]))
    other = latent_clips(tmp_path, 2, crop=(1, 32, 32), seed=1)
    assert not torch.equal(clips[0].noise, other[0].noise) and not torch.equal(clips[0].noise, clips[1].noise)


def test_crops_lie_on_the_tokens_and_mostly_on_the_subtitle(tmp_path):
    clips = latent_clips(tmp_path, crop=(1, 16, 32))
    assert clips.size == (1, 4, 8)
    whole = load_file(clips.paths[0])
    hits = 0
    for k in range(20):
        sample = clips[k]
        assert sample.clean.shape == sample.control.shape == sample.noise.shape == (16, 1, 4, 8) and sample.m_prior.shape == (1, 4, 8)
        places = [(t, y, x) for t in range(2) for y in range(0, 21, 2) for x in range(0, 41, 2)
                  if torch.equal(sample.clean, whole["clean"][:, t:t + 1, y:y + 4, x:x + 8].float())]
        assert places
        hits += bool((sample.m_prior > 0.5).any())
    assert hits >= 14


def test_a_crop_larger_than_the_clip_is_the_whole_clip(tmp_path):
    clips = latent_clips(tmp_path, crop=(81, 480, 832))
    assert clips.size == (2, 24, 48) and clips[0].clean.shape == (16, 2, 24, 48)


def test_the_control_is_the_one_asked_for(tmp_path):
    stored = load_file(encoded(tmp_path)[0])
    named = {"as is": "subtitled", "prefilled": "filled"}
    for control, name in named.items():
        assert torch.equal(latent_clips(tmp_path, control=control)[3].control, stored[name].float())
    both = latent_clips(tmp_path, control="both")
    seen = {name for name in named.values() for k in range(20) if torch.equal(both[k].control, stored[name].float())}
    assert seen == set(named.values())


def test_noise_levels_are_the_samplers_as_often_as_asked(tmp_path):
    paths = encoded(tmp_path)
    levels = [LatentClips(paths, 4, (5, 96, 192), "as is", sampler_steps=5, at_steps=share)[k].sigma.item() for share in (1.0, 0.0) for k in range(40)]
    from clear_runtime.schedule import sigmas
    own = sigmas(5)[:-1]
    assert all((own - level).abs().min() < 1e-6 for level in levels[:40]) and len(set(levels[:40])) == 5
    assert all(0 < level <= 1 for level in levels[40:]) and len(set(levels[40:])) == 40


def test_with_enough_clips_the_last_is_kept_to_look_at(tmp_path):
    clips = latent_clips(tmp_path, 5)
    assert clips.paths[-1] not in clips.trained and len(clips.trained) == 4
    assert torch.equal(clips.example().clean, load_file(clips.paths[-1])["clean"].float())


def test_what_is_looked_at_has_a_subtitle_in_it(tmp_path):
    for seed in range(12):
        assert latent_clips(tmp_path, crop=(5, 16, 16), seed=seed).example().m_prior.max() > 0.5, seed


@pytest.mark.parametrize("options, words", [({"control": "mirror"}, "as is, prefilled or both"), ({"count": 0}, "no clips")])
def test_nonsense_is_refused(tmp_path, options, words):
    with pytest.raises(ClearError, match=words):
        latent_clips(tmp_path, **options)


def test_a_clip_that_does_not_fit_the_codec_is_refused(tmp_path, parts):
    class Odd(MemoryClips):
        def read(self, wanted):
            for n, clip in super().read(wanted):
                yield n, type(clip)(clip.subtitled[:4], clip.clean[:4])
    with pytest.raises(ClearError, match="4 frames of 192x96"):
        encode_clips(tmp_path, Odd(), *parts, "x")
