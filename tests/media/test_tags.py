"""A film's tags, those of its colour above all: read of every header, and the same in what is written."""

from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from films import Film, cleaned, make, picture

from clear_runtime.media import hevc_header, video
from clear_runtime.media.bits import Bits
from clear_runtime.media.chroma_location import chroma_location
from clear_runtime.media.colour import Colour
from clear_runtime.media.writer import VideoWriter

av = pytest.importorskip("av")

BRIEF = tuple(range(0, 240, 40))
"""Milliseconds: frames enough for a file where its header is the question."""


@pytest.mark.parametrize("said", ["", "center", "topleft", "top", "bottomleft", "bottom"])
@pytest.mark.parametrize("more", [
    {}, {"aspect": Fraction(4, 3)}, {"aspect": Fraction(16, 11)}, {"tags": (1, 1, 1)}, {"size": (98, 70)},
    {"interlaced": "tff"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_where_colour_samples_lie_is_read(tmp_path, said, name, more):
    source = make(tmp_path / name, Film((0, 40, 80), tracks=0, location=said, **more))
    assert video.read_facts(source).chroma_location == said


@pytest.mark.parametrize("parameters", [
    "cqm=jvt", "cqm4=" + ",".join(["17"] * 16), "profile=baseline", "profile=main", "overscan=crop",
    "videoformat=pal:fullrange=on", "bframes=0",
])  # fmt: skip
@pytest.mark.parametrize("said", [0, 1, 2])
def test_whatever_else_the_header_holds(tmp_path, parameters, said):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        profile = {"profile": parameters[8:]} if parameters.startswith("profile") else {}
        own = f"chromaloc={said}" if profile else f"chromaloc={said}:{parameters}"
        options = {"x264-params": own, **profile}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for t in range(3):
            frame = av.VideoFrame.from_ndarray(picture(t, (96, 64)), "rgb24").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert video.read_facts(tmp_path / "a.mp4").chroma_location == ("", "center", "topleft")[said]


def test_a_header_that_is_cut_says_nothing(tmp_path):
    with av.open(str(make(tmp_path / "a.mp4", Film((0, 40), tracks=0, location="center")))) as container:
        data = container.streams.video[0].codec_context.extradata
    assert chroma_location("h264", data) == "center"
    assert {chroma_location("h264", data[:n]) for n in range(len(data))} <= {"", "center"}
    assert chroma_location("h264", None) == chroma_location("vp9", data) == ""


@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_a_film_from_file_to_file_says_where_its_colour_samples_lie(tmp_path, name):
    source = make(tmp_path / name, Film(BRIEF, tracks=0, location="center"))
    assert video.read_facts(cleaned(source, tmp_path / "b.mp4").output).chroma_location == "center"


def test_of_a_turned_film_and_of_finer_colour_nothing_is_said(tmp_path):
    facts = video.read_facts(make(tmp_path / "a.mp4", Film((0, 40), tracks=0, location="center")))
    for other in (dict(rotation=90), dict(chroma="444")):
        with VideoWriter(tmp_path / "b.mp4", 96, 64, 25, like=replace(facts, **other)) as writer:
            writer.write(torch.zeros(64, 96, 3))
        assert video.read_facts(tmp_path / "b.mp4").chroma_location == ""


@pytest.mark.parametrize("said", ["left", "center", "topleft", "top"])
@pytest.mark.parametrize("name, parameters", [
    ("a.mp4", ""), ("a.mkv", "scaling-list=default"), ("a.ts", ""), ("a.mp4", "temporal-layers=2"),
    ("a.mp4", "overscan=crop"), ("a.mp4", "videoformat=pal"), ("a.mp4", "colorprim=bt709"),
])  # fmt: skip
def test_where_colour_samples_lie_is_read_of_hevc(tmp_path, name, parameters, said):
    more = {"parameters": parameters} if parameters else {}
    film = Film((0, 40, 80), (98, 70), "libx265", "yuv420p10le", tracks=0, location=said, **more)
    assert video.read_facts(make(tmp_path / name, film)).chroma_location == said


def test_hevc_headers_of_other_encoders_are_read_past():
    """Sets of reference pictures that follow from one another, lists of scaling, samples as they are, sub-layers."""
    written = "0000 001 1" + "0" * 96 + "11" + "00" * 7 + "0" * 96  # two layers, the second with profile and level
    written += "1 010 0001000 0001000 1 1 1 1 1 1 1 00101 0 1 1 1" + "1" * 6  # 4:2:0, cropped, counted in 8 bits
    written += "1 1" + "1" + "1" * 16 + "01" * 19 + "00" + "1 0111 0111 1 1 0"  # lists: one said, the others known
    # four sets: two before and one after; that moved two back; that moved one on, of which one falls away; once more
    written += "00101" + "011 010 11 11 11" + "1 1 010 1 01 1 1" + "1 0 1 11111" + "1 0 1 11111"
    written += "1 010 00000000 1" + "00" + "1 0 0 0 1 011 011"
    assert hevc_header.chroma_location(Bits(packed(written))) == 2


def packed(written: str) -> bytes:
    plain = written.replace(" ", "")
    plain += "0" * (-len(plain) % 8)
    return bytes(int(plain[at : at + 8], 2) for at in range(0, len(plain), 8))


@pytest.mark.parametrize("codec, form, ending, said", [
    ("libx265", "yuv420p", ".mp4", "center"), ("libx265", "yuv420p10le", ".mkv", "topleft"),
    ("libsvtav1", "yuv420p10le", ".mp4", "topleft"), ("libsvtav1", "yuv420p", ".mkv", "left"),
])  # fmt: skip
@pytest.mark.parametrize("full", [False, True])
def test_tags_of_all_kinds_go_over_in_every_codec(tmp_path, codec, form, ending, said, full):
    wide = Fraction(1) if ending == ".mkv" and "265" not in codec else Fraction(64, 45)
    tags = dict(location=said, tags=(9, 9, 16), full_range=full, aspect=wide)
    film = Film(BRIEF, codec=codec, pixel_format=form, tracks=0, **tags)
    source = make(tmp_path / f"a{ending}", film)
    before = video.read_facts(source)
    assert (before.chroma_location, before.colour, before.aspect) == (said, Colour(9, 9, 16, full), wide)
    after = video.read_facts(cleaned(source, tmp_path / f"b{ending}").output)
    assert (after.chroma_location, after.colour, after.codec) == (said, before.colour, before.codec)
    assert after.aspect == wide


@pytest.mark.parametrize("codec, form, ending", [
    ("libx264", "yuv420p", ".mp4"), ("libx265", "yuv420p", ".mp4"), ("libsvtav1", "yuv420p10le", ".mkv"),
    ("libvpx-vp9", "yuv420p", ".webm"), ("libvpx-vp9", "yuv420p", ".mp4"), ("prores_ks", "yuv422p10le", ".mov"),
])  # fmt: skip
@pytest.mark.parametrize("tags, full", [(None, False), ((1, 1, 1), False), ((5, 5, 6), False), ((1, 1, 1), True)])
def test_range_primaries_transfer_and_matrix_or_none_are_those_of_the_source(tmp_path, codec, form, ending, tags, full):
    film = Film(BRIEF, codec=codec, pixel_format=form, tracks=0, tags=tags, full_range=full)
    source = make(tmp_path / f"a{ending}", film)
    before = video.read_facts(source).colour
    assert before.matrix == (tags or (2,))[0]
    assert video.read_facts(cleaned(source, tmp_path / f"b{ending}").output).colour == before
