"""What HDR was mastered on, from a film to its result."""

import pytest
from films import Film, cleaned, make

from clear_runtime.film.store import Store
from clear_runtime.media import video

SHOWN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def film(path, parameters, form="yuv420p10le"):
    said = ":".join(filter(None, ("bframes=0", parameters)))  # of two frames x265 may say no order with them
    return make(path, Film((0, 40), (96, 64), "libx265", form, tags=(9, 9, 16), tracks=0, parameters=said))


@pytest.mark.parametrize("codec, ending", [("hevc", ".mp4"), ("hevc", ".mkv"), ("h264", ".mp4"), ("av1", ".mp4")])
def test_it_goes_over(tmp_path, codec, ending):
    source = film(tmp_path / "a.mp4", f"master-display={SHOWN}:max-cll=1000,400")
    told = video.read_facts(source).mastering
    assert (told.luminance, told.brightest) == ((1000, 0.0001), (1000, 400))
    done = cleaned(source, tmp_path / f"b{ending}", Store(codec=codec, container=ending))
    again = video.read_facts(done.output).mastering
    assert again.brightest == (1000, 400) and again.luminance == pytest.approx((1000, 0.0001), abs=1e-4)
    for name in ("red", "green", "blue", "white"):
        assert getattr(again, name) == pytest.approx(getattr(told, name), abs=2e-5)
    assert done.notes == []


def test_where_it_cannot_that_is_said(tmp_path):
    source = film(tmp_path / "a.mov", "max-cll=1000,400", "yuv422p10le")
    told = video.read_facts(source).mastering
    assert told.luminance is None and told.brightest == (1000, 400)
    done = cleaned(source, tmp_path / "b.mov", Store(codec="prores", container=".mov"))
    assert any("says what its HDR was mastered on; the result cannot" in note for note in done.notes)
    assert video.read_facts(film(tmp_path / "c.mp4", "")).mastering is None
