"""Reading and writing video files: facts, counts and sizes, colour, sound, times, and what is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from clear_runtime.errors import ClearError
from clear_runtime.media import colour, video
from clear_runtime.media.colour import BT709, UNTAGGED, Colour
from clear_runtime.media.writer import VideoWriter

av = pytest.importorskip("av")


def moving_blocks(count=9, height=48, width=64):
    """Flat colours in large blocks that change each frame: chroma subsampling leaves their insides alone."""
    generator = torch.Generator().manual_seed(5)
    blocks = torch.rand(count, height // 16 + 1, width // 16 + 1, 3, generator=generator)
    return blocks.repeat_interleave(16, 1).repeat_interleave(16, 2)[:, :height, :width]


def tone(seconds=0.5, rate=44100, channels=2):
    return (torch.sin(torch.arange(int(seconds * rate)) * 0.05) * 0.3).repeat(channels, 1), rate


def save(path, frames, **options):
    with VideoWriter(path, frames.shape[2], frames.shape[1], options.pop("fps", 25), **options) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def load(path):
    return torch.stack(list(video.read_frames(path)))


def audio_packets(path):
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


@pytest.mark.parametrize("height, width", [(48, 64), (47, 64), (48, 63), (31, 49), (80, 46)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_frame_comes_back_in_its_size_and_order(tmp_path, height, width, suffix):
    frames = moving_blocks(13, height, width)
    back = load(save(tmp_path / f"a{suffix}", frames, crf=1))
    assert back.shape == frames.shape
    nearest = [(back[i] - frames).abs().mean((1, 2, 3)).argmin().item() for i in range(len(frames))]
    assert nearest == list(range(len(frames)))


def test_a_video_s_frames_share_a_converter(tmp_path, monkeypatch):
    """It is set up for each of them otherwise, which takes longer than a small frame itself."""
    path, made = save(tmp_path / "a.mp4", moving_blocks(9)), []
    monkeypatch.setattr(video, "converter", lambda: made.append(colour.converter()) or made[-1])
    first, second = load(path), [frame for _, frame in video.read_spans(path, [range(9)])]
    assert len(made) == 2 and torch.equal(first, torch.stack(second))


def test_odd_sizes_keep_full_chroma(tmp_path):
    assert video.read_facts(save(tmp_path / "odd.mp4", moving_blocks(2, 31, 49))).pixel_format == "yuv444p"
    assert video.read_facts(save(tmp_path / "even.mp4", moving_blocks(2, 32, 48))).pixel_format == "yuv420p"


@pytest.mark.parametrize("colour", [BT709, UNTAGGED, Colour(6, 6, 6), Colour(1, 1, 1, True)])
def test_colours_survive_under_every_tag(tmp_path, colour):
    frames = moving_blocks()
    path = save(tmp_path / "colour.mp4", frames, crf=1, colour=colour)
    assert video.read_facts(path).colour == colour
    inside = (slice(None), slice(4, 12), slice(4, 12))  # away from block edges, where chroma is shared
    assert (load(path)[inside] - frames[inside]).abs().max() < 0.02


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix, written", [(m, m) for m in (1, 2, 4, 5, 6, 7, 9)] + [(m, 1) for m in (0, 8, 10, 14)])
def test_the_matrix_of_the_tag_is_the_one_that_was_used(tmp_path, matrix, written, full_range):
    """Strong colours, in which the matrices differ by up to 40 of 255. Tags whose matrix is not at hand make place for
    BT.709."""
    colours = (
        torch.tensor([[229, 0, 0], [0, 229, 0], [0, 0, 229], [200, 150, 20], [20, 180, 200], [128, 128, 128]]) / 255
    )
    frames = colours.repeat_interleave(16, 0).expand(1, 32, -1, 3)
    path = save(tmp_path / "colour.mp4", frames, crf=0, colour=Colour(matrix, 9, 14, full_range))
    assert video.read_facts(path).colour == Colour(written, 9, 14, full_range)
    assert (load(path)[0, 16, 8::16] - colours).abs().max() < 3.5 / 255


def test_facts(tmp_path):
    facts = video.read_facts(save(tmp_path / "f.mp4", moving_blocks(7), fps=Fraction(30000, 1001), audio=tone()))
    assert (facts.width, facts.height, facts.frames, facts.fps) == (64, 48, 7, Fraction(30000, 1001))
    assert (facts.audio, facts.codec, facts.rotation, facts.start) == ("aac", "h264", 0, 0)


def test_a_container_that_does_not_count_says_none(tmp_path):
    path = save(tmp_path / "f.mkv", moving_blocks(7))
    assert video.read_facts(path).frames is None
    assert len(load(path)) == 7


def test_a_turned_phone_video_comes_upright(tmp_path):
    upright = moving_blocks(3, 64, 48)
    path = save(tmp_path / "phone.mp4", upright.rot90(1, (1, 2)), crf=1)
    data = bytearray(path.read_bytes())
    # The track header's 3x3 matrix (ISO/IEC 14496-12, 8.3.2) follows 40 bytes of a version 0 box: turn it by 90
    # degrees.
    at = data.index(b"tkhd") + 4 + 40
    one, none = (65536).to_bytes(4, "big", signed=True), bytes(4)
    data[at : at + 36] = b"".join(
        [
            none,
            one,
            none,
            (-65536).to_bytes(4, "big", signed=True),
            none,
            none,
            none,
            none,
            (1 << 30).to_bytes(4, "big"),
        ]
    )
    path.write_bytes(data)
    facts = video.read_facts(path)
    assert facts.rotation in (90, 270) and (facts.width, facts.height) == (48, 64)
    assert (load(path) - upright).abs().mean() < 0.05


@pytest.mark.parametrize(
    "fps", ["24000/1001", "30000/1001", "60000/1001", "25", "12.5", "23.976", "15", "1000", "999983/1000"]
)
def test_the_frame_rate_is_exact(tmp_path, fps):
    assert video.read_facts(save(tmp_path / "f.mp4", moving_blocks(6), fps=Fraction(fps))).fps == Fraction(fps)


def test_times_are_kept(tmp_path):
    times = [Fraction(n, 1000) for n in (0, 40, 120, 130, 400)]
    with VideoWriter(tmp_path / "vfr.mp4", 64, 48, 25) as writer:
        for when, frame in zip(times, moving_blocks(5)):
            writer.write(frame, when)
    assert [when for when, _ in video.read_timed_frames(tmp_path / "vfr.mp4")] == times


def test_sound_is_copied_packet_by_packet(tmp_path):
    source = save(tmp_path / "source.mp4", moving_blocks(12), audio=tone())
    for suffix in (".mp4", ".mkv"):
        copy = save(tmp_path / f"copy{suffix}", moving_blocks(12), beside=source)
        assert audio_packets(copy) == audio_packets(source)


def test_sound_that_the_container_cannot_hold_is_encoded_again(tmp_path):
    source = tmp_path / "pcm.avi"
    samples, rate = tone(channels=1)
    with av.open(str(source), "w") as container:
        stream = container.add_stream("wmav2", rate=rate)
        stream.codec_context.layout = "mono"
        stream.codec_context.bit_rate = 48_000
        frame = av.AudioFrame.from_ndarray(samples.numpy(), format="fltp", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    copy = save(tmp_path / "copy.mp4", moving_blocks(12), beside=source)
    with av.open(str(copy)) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0))
        assert container.streams.audio[0].codec_context.name == "aac"
    assert heard == pytest.approx(samples.shape[1], abs=4096)


@pytest.mark.parametrize("rate, channels", [(44100, 1), (48000, 2), (22050, 2), (11000, 1), (48000, 6)])
def test_a_waveform_keeps_its_length_and_pitch(tmp_path, rate, channels):
    samples, _ = tone(1.0, rate, channels)
    path = save(tmp_path / "w.mp4", moving_blocks(25), audio=(samples, rate))
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        heard = torch.cat([torch.from_numpy(f.to_ndarray()[0]) for f in container.decode(track)])
        assert track.codec_context.channels == channels
        loudest = torch.fft.rfft(heard).abs().argmax().item() / (len(heard) / track.sample_rate)
    assert len(heard) / track.sample_rate == pytest.approx(1.0, abs=0.1)
    assert loudest == pytest.approx(0.05 * rate / (2 * math.pi), rel=0.02)


def test_a_file_without_sound_stays_silent(tmp_path):
    source = save(tmp_path / "a.mp4", moving_blocks(3))
    assert video.read_facts(save(tmp_path / "b.mp4", moving_blocks(3), beside=source)).audio is None


def test_half_a_file_never_gets_the_name(tmp_path):
    target = tmp_path / "out.mp4"
    target.write_bytes(b"older")
    with pytest.raises(RuntimeError, match="stopped"), VideoWriter(target, 64, 48, 25) as writer:
        writer.write(moving_blocks(1)[0])
        raise RuntimeError("stopped")
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"] and target.read_bytes() == b"older"


def test_no_frames_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(ClearError, match="no frames"):
        VideoWriter(tmp_path / "out.mp4", 64, 48, 25).close()
    assert not list(tmp_path.iterdir())


def test_a_frame_of_another_size_is_refused(tmp_path):
    with pytest.raises(ClearError, match="same size"):
        with VideoWriter(tmp_path / "out.mp4", 64, 48, 25) as writer:
            writer.write(torch.zeros(48, 62, 3))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ClearError, match="Check that the folder exists"):
        VideoWriter(tmp_path / "nowhere" / "out.mp4", 64, 48, 25)


@pytest.fixture
def small_files():
    """No file of this process grows beyond 20 kB."""
    resource = pytest.importorskip("resource", reason="a size limit per process exists on POSIX only")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("frames", [1, 60], ids=["noticed when closing", "noticed while writing"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, small_files, frames):
    with pytest.raises(ClearError, match="no room left"), VideoWriter(tmp_path / "out.mp4", 256, 256, 25, 0) as writer:
        for _ in range(frames):
            writer.write(torch.rand(256, 256, 3))
    assert not list(tmp_path.iterdir())


def test_what_is_no_video_is_refused(tmp_path):
    good = save(tmp_path / "good.mp4", moving_blocks(30), audio=tone())
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a film")
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:600])
    with av.open(str(tmp_path / "sound.m4a"), "w") as container, av.open(str(good)) as source:
        track = container.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = track
                container.mux(packet)
    for name, why in {
        "missing.mp4": "no such file",
        "": "folder",
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "cut.mp4": "not a video|no frame|damaged",
        "sound.m4a": "no video stream",
    }.items():
        with pytest.raises(ClearError, match=why):
            video.read_facts(tmp_path / name)


def test_reading_holds_one_frame_at_a_time(tmp_path):
    path = save(tmp_path / "a.mp4", moving_blocks(30))
    frames = video.read_frames(path)
    assert next(frames).shape == (48, 64, 3)
    frames.close()  # the file is let go: it can be replaced now, on Windows too
    path.unlink()


@pytest.mark.parametrize("matrix", [8, 10, 11])
def test_a_file_whose_matrix_nobody_converts_is_read_as_one_that_names_none(tmp_path, matrix):
    import av

    for tag in (matrix, 2):
        with av.open(str(tmp_path / f"{tag}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.colorspace = tag
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), (200, 40, 90), np.uint8), "rgb24"))
            )
            container.mux(stream.encode())
    assert video.read_facts(tmp_path / f"{matrix}.mp4").colour.matrix == matrix
    odd, plain = (next(iter(video.read_frames(tmp_path / f"{tag}.mp4"))) for tag in (matrix, 2))
    assert torch.equal(odd, plain)
