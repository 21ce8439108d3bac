"""Latents on disk: encoded once, anew when something changed, cut the same way every time."""

from collections import Counter
from math import prod

import pytest
import torch
from safetensors.torch import load_file
from tiny_clips import MemoryClips, encoded, latent_clips

from clear_runtime.engines.nano.load import load_bundled_codec
from clear_runtime.errors import ClearError
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.lora.cache import LatentClips, encode_clips, largest_example
from clear_runtime.train.lora.painted import PAINTED, painted_over


@pytest.fixture(scope="module")
def parts():
    return load_bundled_codec(), load_prior()


def test_a_clip_becomes_the_latents_of_its_three_versions_and_the_priors_mask(tmp_path, parts):
    (path,) = encode_clips(tmp_path, MemoryClips(), *parts, "x")
    stored = load_file(path)
    assert {name: (tuple(t.shape), t.dtype) for name, t in stored.items()} == {
        **dict.fromkeys(("clean", "subtitled", "filled"), ((16, 2, 24, 48), torch.float16)),
        "m_prior": ((2, 24, 48), torch.float16),
    }
    ((_, clip),) = MemoryClips().read([0])
    assert torch.allclose(stored["clean"].float(), parts[0].encode(clip.clean)[0], atol=5e-3)
    inside = stored["m_prior"][:, None].float().transpose(0, 1) > 0.5
    error = lambda name: (stored[name].float() - stored["clean"].float()).abs()[inside.expand(16, -1, -1, -1)].mean()
    assert inside.any() and error("filled") < 0.6 * error("subtitled")


def test_controls_are_painted_over_in_six_of_ten_examples(tmp_path, parts):
    """As the released weights saw them: with the letters black, coloured, or ringed; and the mask is a hard one."""
    plain = encode_clips(tmp_path / "plain", MemoryClips(), *parts, "x")
    (path,) = encode_clips(tmp_path / "painted", MemoryClips(), *parts, "x", painted=True)
    stored = load_file(path)
    assert set(stored) == {"clean", "subtitled", "filled", "m_prior", "m_hard", *PAINTED}
    assert set(stored["m_hard"].unique().tolist()) == {0, 1} and path.name != plain[0].name
    assert ((stored["m_prior"] > 0.5) <= (stored["m_hard"] > 0)).all()
    clips = LatentClips([path], 4, (5, 96, 192), "as is", painted=True)
    whole = {name: stored[name].float() for name in ("subtitled", *PAINTED)}
    seen = Counter()
    for k in range(300):
        sample = clips[k]
        (name,) = [name for name, latents in whole.items() if torch.equal(latents, sample.control)]
        seen[name] += 1
        assert torch.equal(sample.m_prior, stored["m_hard"].float())
    shares = {name: seen[name] / 300 for name in whole}
    assert shares == pytest.approx({"subtitled": 0.4, **PAINTED}, abs=0.08)
    assert torch.equal(clips.example().control, whole["subtitled"])


def test_what_is_painted_lies_on_the_letters_or_around_them():
    frames, soft = torch.full((2, 40, 60, 3), 0.5), torch.zeros(2, 40, 60)
    soft[:, 18:22, 20:40] = 0.9
    ways, hard = painted_over(frames, soft, 7)
    assert hard.sum() == 2 * 6 * 22 and set(ways) == set(PAINTED)
    changed = {name: (way != frames).any(-1) for name, way in ways.items()}
    assert torch.equal(changed["black"], hard > 0) and (ways["black"][hard > 0] == 0).all()
    assert torch.equal(changed["coloured"], hard > 0) and len(ways["coloured"][hard > 0].unique(dim=0)) == 1
    assert not changed["ringed"][:, 18:22, 20:40].any() and changed["ringed"].sum() == 2 * (16 * 32 - 4 * 20)
    assert ways["ringed"][changed["ringed"]].max() <= 0.1


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


class Other:
    """The second of two machines. told: what the first one said."""

    rank, count, main = 1, 2, False

    def __init__(self, told):
        self.told = told

    def shared(self, value):
        return self.told

    def any(self, here):
        return here

    def part(self, items):
        return items[1:]

    def wait(self):
        pass


def test_another_machine_takes_the_first_ones_names_and_deletes_nothing(tmp_path, parts, monkeypatch):
    paths = encode_clips(tmp_path, MemoryClips(2), *parts, "x")
    paths[1].unlink()
    (tmp_path / "unknown.safetensors").touch()
    clips = MemoryClips(2)
    clips.identities = ["elsewhere 0", "elsewhere 1"]
    other = Other(([path.name for path in paths], [0, 1]))
    assert encode_clips(tmp_path, clips, *parts, "x", processes=other) == paths
    assert clips.reads == [1] and (tmp_path / "unknown.safetensors").exists()
    with pytest.raises(ClearError, match="the first has 2 clips and this one 3"):
        encode_clips(tmp_path, MemoryClips(3), *parts, "x", processes=other)


def test_a_drive_that_shows_a_file_late_is_waited_for(tmp_path, parts, monkeypatch):
    (path,) = encode_clips(tmp_path, MemoryClips(), *parts, "x")
    kept, naps = path.read_bytes(), []
    path.unlink()

    def nap(seconds):
        naps.append(seconds)
        path.write_bytes(kept)

    monkeypatch.setattr("time.sleep", nap)
    other = Other(([path.name], []))
    assert encode_clips(tmp_path, MemoryClips(), *parts, "x", processes=other) == [path] and len(naps) == 1
    path.unlink()
    monkeypatch.setattr("time.sleep", naps.append)
    monkeypatch.setattr("clear_runtime.train.lora.cache._PATIENCE", 0.0)
    with pytest.raises(ClearError, match="a folder that every machine sees"):
        encode_clips(tmp_path, MemoryClips(), *parts, "x", processes=other)


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
        assert sample.clean.shape == sample.control.shape == sample.noise.shape == (
            16,
            1,
            4,
            8,
        ) and sample.m_prior.shape == (1, 4, 8)
        places = [
            (t, y, x)
            for t in range(2)
            for y in range(0, 21, 2)
            for x in range(0, 41, 2)
            if torch.equal(sample.clean, whole["clean"][:, t : t + 1, y : y + 4, x : x + 8].float())
        ]
        assert places
        hits += bool((sample.m_prior > 0.5).any())
    assert hits >= 14


def test_a_crop_larger_than_the_clip_is_the_whole_clip(tmp_path):
    clips = latent_clips(tmp_path, crop=(81, 480, 832))
    assert clips.size == (2, 24, 48) and clips[0].clean.shape == (16, 2, 24, 48)


class Mixed(MemoryClips):
    """Of 9 frames of 192x96 pixels but for the first, a short one, and the second, an upright one."""

    def read(self, wanted):
        for n, c in super().read(wanted):
            length, upright = 5 if n == 0 else 9, n == 1
            frames = [torch.cat([part] * 2)[:length] for part in c]
            yield n, type(c)(*(part.transpose(1, 2).contiguous() if upright else part for part in frames))


@pytest.fixture(scope="module")
def mixed(parts, tmp_path_factory):
    return encode_clips(tmp_path_factory.mktemp("mixed"), Mixed(4), *parts, "x")


SHORT, UPRIGHT, USUAL = (2, 24, 48), (3, 48, 24), (3, 24, 48)


def test_a_short_clip_and_an_upright_one_leave_the_others_as_they_are(mixed):
    clips = LatentClips(mixed, 4, (81, 480, 832), "as is")
    drawn = [tuple(clips[k].m_prior.shape) for k in range(60)]
    assert (
        {SHORT, UPRIGHT, USUAL} == set(drawn) == set(clips.sizes)
        and clips.size in (USUAL, UPRIGHT)
        and drawn.count(USUAL) > 15
    )
    assert clips.sizes_in_words() == "9 frames of 96x192 pixels, 9 frames of 192x96 pixels, 5 frames of 192x96 pixels"
    cut = LatentClips(mixed, 4, (9, 64, 128), "as is")
    assert set(cut.sizes) == {(3, 16, 32), (3, 16, 24), (2, 16, 32)} and cut.size == (3, 16, 32)
    assert {tuple(cut[k].m_prior.shape) for k in range(60)} == set(cut.sizes)


def test_examples_of_a_batch_have_one_size_and_every_clip_comes(mixed):
    clips, seen = LatentClips(mixed, 4, (81, 480, 832), "as is", batch=3), {}
    stored = {path: load_file(path)["clean"].float() for path in mixed}
    for first in range(0, 240, 3):
        batch = [clips[k] for k in range(first, first + 3)]
        assert len({sample.clean.shape for sample in batch}) == 1
        for sample in batch:
            (whole,) = (
                path
                for path, clean in stored.items()
                if clean.shape == sample.clean.shape and torch.equal(clean, sample.clean)
            )
            seen[whole] = seen.get(whole, 0) + 1
    assert set(seen) == set(mixed) and max(seen.values()) < 3 * min(seen.values()) and len(clips.sizes) == 3


def test_two_processes_draw_what_twice_the_batches_would(mixed):
    """As train() numbers them: part `p` of a step of process r of n begins at ((step * accumulate + p) * n + r) *
    batch."""
    clips = LatentClips(mixed, 4, (81, 480, 832), "as is", batch=2)
    batches = lambda steps, accumulate, count: [
        [((step * accumulate + part) * count + rank) * 2 + i for i in range(2)]
        for step in range(steps)
        for part in range(accumulate)
        for rank in range(count)
    ]
    assert batches(3, 1, 2) == batches(3, 2, 1)
    again = LatentClips(mixed, 4, (81, 480, 832), "as is", batch=2)
    for batch in batches(3, 1, 2):
        assert len({clips[k].clean.shape for k in batch}) == 1
        assert all(torch.equal(a, b) for k in batch for a, b in zip(clips[k], again[k]))


def test_the_largest_example_of_some_clips_is_known_before_they_are_encoded(mixed):
    sizes = [(5, 96, 192), (9, 192, 96), (9, 96, 192)]
    for crop in ((81, 480, 832), (9, 64, 128), (5, 192, 32)):
        largest = largest_example(crop, sizes, 4)
        assert prod(largest) == prod(LatentClips(mixed, 4, crop, "as is").size)


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
    levels = [
        LatentClips(paths, 4, (5, 96, 192), "as is", sampler_steps=5, at_steps=share)[k].sigma.item()
        for share in (1.0, 0.0)
        for k in range(40)
    ]
    from clear_runtime.engines.schedule import sigmas

    own = sigmas(5)[:-1]
    assert all((own - level).abs().min() < 1e-6 for level in levels[:40]) and len(set(levels[:40])) == 5
    assert all(0 < level <= 1 for level in levels[40:]) and len(set(levels[40:])) == 40


def test_with_enough_clips_the_last_is_kept_to_look_at(tmp_path):
    clips = latent_clips(tmp_path, 5)
    assert clips.paths[-1] not in clips.trained and len(clips.trained) == 4
    assert torch.equal(clips.example().clean, load_file(clips.paths[-1])["clean"].float())


def test_what_shares_frames_with_the_clip_to_look_at_is_kept_out_too(tmp_path):
    paths = encoded(tmp_path, 6)
    kept = LatentClips(paths, 4, (5, 96, 192), "as is", held_back=2)
    assert kept.trained == paths[:4] and torch.equal(kept.example().clean, load_file(paths[-1])["clean"].float())
    assert LatentClips(paths, 4, (5, 96, 192), "as is", held_back=3).trained == paths, "four to train on are worth more"


def test_what_is_looked_at_has_a_subtitle_in_it(tmp_path):
    for seed in range(12):
        assert latent_clips(tmp_path, crop=(5, 16, 16), seed=seed).example().m_prior.max() > 0.5, seed


@pytest.mark.parametrize(
    "options, words", [({"control": "mirror"}, "as is, prefilled or both"), ({"count": 0}, "no clips")]
)
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
