"""Burning with a style: the mask is exact, a seed is a picture, letters that a font lacks are refused."""

import random
import re
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clear_runtime.data.synthetic import system_fonts
from clear_runtime.data.synthetic.burn import Style, load_font
from clear_runtime.data.synthetic.burn_layout import wrapped
from clear_runtime.data.synthetic.burn_style import BurnStyle, rgb
from clear_runtime.data.synthetic.burner import Burner, burn_clip
from clear_runtime.data.synthetic.scripts import SCRIPTS
from clear_runtime.data.synthetic.text import LATIN, random_line
from clear_runtime.errors import ClearError

HEIGHT, WIDTH, FPS = 120, 260, 24
pytestmark = pytest.mark.usefixtures("no_installed_fonts")


@pytest.fixture
def installed():
    return system_fonts.faces()


def style(**changes):
    return BurnStyle(**{"size": 15.0, **changes})


def frames(count=6, seed=0):
    return torch.rand(count, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(seed))


def grey(count=6):
    return torch.full((count, HEIGHT, WIDTH, 3), 0.4)


LOOKS = {
    "outline": {},
    "box": dict(box_opacity=0.6, box_colour="#400000"),
    "shadow": dict(shadow=12, outline=0),
    "translucent": dict(opacity=0.5),
    "fading": dict(fade=0.5),
    "random": dict(look="random"),
}


@pytest.mark.parametrize("changes", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_mask_is_exact(changes, seed):
    clean = frames(100)
    out, mask = burn_clip(clean, style(**changes, seed=seed), FPS, first_frame=70)
    assert mask.any() and mask.dtype == torch.bool and out.dtype == torch.float32
    assert torch.equal(out[~mask], clean[~mask])
    changed = (out != clean).any(-1)
    assert changed[mask].float().mean() > 0.98  # a pixel may have had the subtitle's colour already
    assert out.min() >= 0 and out.max() <= 1


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    first=st.integers(0, 200),
    cut=st.integers(1, 7),
    look=st.sampled_from(["as set", "random"]),
)
def test_a_frame_does_not_depend_on_where_the_clip_was_cut(seed, first, cut, look):
    one = style(look=look, fade=0.2)
    whole, mask = burn_clip(grey(8), one, FPS, first, seed)
    parts = [burn_clip(grey(8)[a:b], one, FPS, first + a, seed) for a, b in ((0, cut), (cut, 8))]
    assert torch.equal(whole, torch.cat([part[0] for part in parts])) and torch.equal(
        mask, torch.cat([part[1] for part in parts])
    )


def test_frames_can_be_asked_for_in_any_order():
    burner = Burner(style(), WIDTH, HEIGHT, FPS)
    late, early = burner.burn(grey()[0], 150)[0], burner.burn(grey()[0], 3)[0]
    again = Burner(style(), WIDTH, HEIGHT, FPS)
    assert torch.equal(again.burn(grey()[0], 3)[0], early) and torch.equal(again.burn(grey()[0], 150)[0], late)


@pytest.mark.parametrize("look", ["as set", "random"])
def test_another_seed_is_another_picture(look):
    pictures = [burn_clip(grey(1), style(look=look, seed=seed), FPS)[0] for seed in range(6)]
    assert not any(torch.equal(a, b) for i, a in enumerate(pictures) for b in pictures[:i])
    assert torch.equal(pictures[2], burn_clip(grey(1), style(look=look), FPS, seed=2)[0])


def test_text_stands_at_once_in_a_single_frame_whatever_the_fade():
    with_fade, without = (burn_clip(grey(1), style(fade=fade), FPS)[0] for fade in (0.5, 0.0))
    assert torch.equal(with_fade, without) and (without - 0.4).abs().max() > 0.5


def test_a_fade_goes_out_within_its_seconds():
    burner = Burner(style(fade=0.25), WIDTH, HEIGHT, FPS)
    stop = burner._placed[0].stop
    change = [(burner.burn(grey()[0], t)[0] - 0.4).abs().max().item() for t in range(stop - 9, stop)]
    assert change[0] == change[1] == change[2] > change[3] > change[5] > change[8] > 0


def extent(mask):
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


@pytest.mark.parametrize("seed", range(4))
def test_positions_and_margins(seed):
    mask = {
        p: burn_clip(grey(1), style(position=p, margin=10, seed=seed), FPS)[1][0] for p in ("top", "middle", "bottom")
    }
    top, middle, bottom = (extent(mask[p]) for p in ("top", "middle", "bottom"))
    assert 12 <= top[0] <= 24 and 96 <= bottom[1] <= 108 and top[0] < middle[0] < bottom[0]
    assert top[1] - top[0] == middle[1] - middle[0] == bottom[1] - bottom[0]
    for left, right in ((e[2], e[3]) for e in (top, middle, bottom)):
        assert abs((left + right) / 2 - WIDTH / 2) < 4 and left > 0 and right < WIDTH - 1


def test_size_outline_and_opacity_do_what_they_say():
    area = lambda **changes: burn_clip(grey(1), style(**changes), FPS)[1].float().mean().item()
    assert area(outline=20) > 1.3 * area(outline=0)
    change = lambda opacity: (burn_clip(grey(1), style(opacity=opacity, outline=0), FPS)[0] - 0.4).max().item()
    assert change(0.5) == pytest.approx(change(1.0) / 2, abs=1e-3)
    red = burn_clip(grey(1), style(colour="#ff0000", outline=0), FPS)
    assert red[0][0][red[1][0]].amax(0).tolist() == pytest.approx([1, 0.4, 0.4], abs=0.01)


def test_what_leaves_the_frame_is_cut():
    out, mask = burn_clip(grey(1)[:, :30], style(size=40, margin=0, box_opacity=0.5), FPS)
    assert out.shape == (1, 30, WIDTH, 3) and mask.any()


@settings(deadline=None)
@given(text=st.text(alphabet="abcdefghij  ", min_size=1, max_size=80), width=st.integers(20, 400))
def test_wrapped_lines_fit_and_lose_no_letter(text, width):
    look = Style(size=16, stroke=1)
    rows, font = wrapped(text, look, width), load_font(None, 0, 16)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(font.getlength(row) + 2 <= width or len(row) == 1 for row in rows)


def test_an_accent_stays_with_its_letter():
    decomposed = "e\u0301" * 30
    assert all(not row.startswith("\u0301") for row in wrapped(decomposed, Style(size=16), 60))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_burned_in_an_installed_font_that_has_its_letters(script, installed):
    try:
        fonts = system_fonts.for_script(script)
    except ClearError as none:
        assert script in str(none) and "Install" in str(none)
        pytest.skip(f"this machine has no font for {script}")
    burner = Burner(style(scripts=script), WIDTH, HEIGHT, FPS)
    _, mask = burner.burn(grey()[0], 0)
    (line,) = burner.burned.values()
    assert mask.any() and line.face == fonts[0] and not system_fonts.missing(line.face, "".join(line.lines))
    random_one = Burner(style(scripts=script, look="random", seed=5), WIDTH, HEIGHT, FPS)
    random_one.burn(grey()[0], 0)
    (line,) = random_one.burned.values()
    assert line.face in fonts and not system_fonts.missing(line.face, "".join(line.lines))


@pytest.mark.parametrize("script", [s for s in SCRIPTS if s != "latin"])
def test_without_a_font_for_a_script_the_error_says_what_to_install(script):
    with pytest.raises(
        ClearError, match=f"No installed font has the letters of {script}. Install .*apt install fonts-noto"
    ):
        Burner(style(scripts=script), WIDTH, HEIGHT, FPS)


def test_a_font_is_found_once_it_is_installed_without_a_new_start(tmp_path, monkeypatch):
    monkeypatch.setattr(system_fonts, "folders", lambda: [tmp_path])
    new = system_fonts.Face(str(tmp_path / "new.ttf"), 0, "New Sans", "Regular")
    for look in (
        lambda: system_fonts.find("New Sans"),
        lambda: system_fonts.for_script("thai"),
        lambda: system_fonts.covering("\u4f60"),
    ):
        with pytest.raises(ClearError):
            look()
        (tmp_path / "new.ttf").write_bytes(b"")
        with monkeypatch.context() as patch:
            patch.setattr(system_fonts, "_faces_of", lambda file: [new])
            patch.setattr(system_fonts, "_has", lambda face, c: face == new)
            assert look() in (new, [new])
            system_fonts._faces.cache_clear()
        (tmp_path / "new.ttf").unlink()


def test_a_font_of_spaces_is_none():
    assert style(font="  ").font == ""


def test_letters_that_a_font_lacks_are_named():
    (own,) = system_fonts.faces()
    assert system_fonts.missing(own, "Rain\u200b é\u4f60é ") == "é\u4f60"
    with pytest.raises(ClearError, match=r"nearest lacks é \(U\+00E9\)"):
        system_fonts.covering("café")
    assert system_fonts.covering("Rain 12!") == own


def test_random_latin_lines_use_only_letters_that_the_font_has():
    burner = Burner(style(), WIDTH, HEIGHT, FPS)
    for second in range(40):
        burner.burn(grey()[0], second * FPS)
    text = "".join(line for placed in burner.burned.values() for line in placed.lines)
    assert len(burner.burned) > 10 and not system_fonts.missing(system_fonts.faces()[0], text)


def test_a_font_that_lacks_a_script_is_refused(installed):
    latin = next(
        (
            face
            for face in installed
            if face.path and system_fonts.has_all(face, LATIN) and not system_fonts.has_all(face, "你")
        ),
        None,
    )
    if latin is None:
        pytest.skip("this machine has no font file without Chinese letters")
    with pytest.raises(ClearError, match="has no .*U\\+.*which chinese needs"):
        Burner(style(font=latin.path, scripts="chinese"), WIDTH, HEIGHT, FPS)
    assert system_fonts.find(latin.path).path == latin.path
    assert system_fonts.find(latin.family.upper()).family == latin.family


def test_fonts_that_are_not_there_are_refused(tmp_path):
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    for name, says in (
        ("Nowhere Sans", "No font of the family 'Nowhere Sans'"),
        (str(tmp_path / "gone.ttf"), "is no file"),
        (str(tmp_path / "bad.ttf"), "not a font that can be read"),
    ):
        with pytest.raises(ClearError, match=says):
            Burner(style(font=name), WIDTH, HEIGHT, FPS)


def test_letters_that_must_be_joined_need_a_layout_engine(monkeypatch):
    monkeypatch.setattr(system_fonts.features, "check", lambda name: False)
    with pytest.raises(ClearError, match="Arabic letters cannot be joined.*FriBiDi"):
        system_fonts.require_shaping("abc مرحبا")
    system_fonts.require_shaping("abc 你好 Привет")


def test_the_script_of_a_line():
    for script in SCRIPTS:
        line = random_line(random.Random(1), script, 40)
        assert system_fonts.script_of(line) == script
    assert system_fonts.script_of("12!") == "latin"


@pytest.mark.parametrize(
    "changes,says",
    [
        (dict(colour="white"), "colour is 'white', which is no colour"),
        (dict(box_colour="#12345"), "box_colour"),
        (dict(size=0), "size is 0. Use a value of at least 1 and at most 40"),
        (dict(opacity=2), "opacity is 2"),
        (dict(scripts="latin, klingon"), "no letters for klingon"),
        (dict(scripts=()), "no script at all"),
        (dict(look="fancy"), 'look is "fancy"'),
        (dict(position="left"), "position"),
        (dict(file="film.txt"), "film.txt is not a subtitle file"),
    ],
)
def test_bad_settings_are_refused(changes, says):
    with pytest.raises(ClearError, match=says):
        BurnStyle(**changes)


def test_letters_too_small_and_a_rate_of_nothing_are_refused():
    with pytest.raises(ClearError, match="Letters of 2.4 pixels in frames of 260x120 cannot be read"):
        Burner(style(size=2), WIDTH, HEIGHT, FPS)
    with pytest.raises(ClearError, match="0 frames per second"):
        Burner(style(), WIDTH, HEIGHT, 0)


def test_colours_and_json():
    assert rgb("#ffe14d") == (255, 225, 77) and rgb("abc") == (170, 187, 204)
    one = style(scripts="Thai, latin,thai", colour="#abc")
    assert one.scripts == ("thai", "latin") and BurnStyle(
        **{**asdict(one), "scripts": list(one.scripts)}
    ) == one == replace(one)


def test_rows_outside_the_frame_are_counted_in_the_report(tmp_path):
    pytest.importorskip("pysubs2")
    (tmp_path / "long.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\n" + "rain and snow " * 40)
    (tmp_path / "large.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nRain\nand\nsnow")
    for name, changes in (("long", {}), ("large", dict(size=30)), ("large", dict(size=30, position="top"))):
        burner = Burner(style(file=str(tmp_path / f"{name}.srt"), **changes), WIDTH, HEIGHT, FPS)
        burner.burn(grey()[0], 0)
        (rows,) = (len(placed.lines) for placed in burner.burned.values())
        found = re.search(
            r"(\d+) of (\d+) rows? lies? outside the frame, wholly or in part: use a smaller size or shorter lines",
            burner.report(),
        )
        assert int(found[2]) == rows and 0 < int(found[1]) < rows
    for changes in (
        dict(),
        dict(margin=0),
        dict(margin=0, position="top"),
        dict(outline=40, margin=0),
        dict(look="random", seed=4),
    ):
        burner = Burner(style(**changes), WIDTH, HEIGHT, FPS)
        burner.burn(grey()[0], 0)
        assert "outside" not in burner.report()


def test_the_report_names_font_and_lines():
    burner = Burner(style(), WIDTH, HEIGHT, FPS)
    assert burner.report().startswith("0 lines, font none")
    burner.burn(grey()[0], 0)
    (line,) = burner.burned.values()
    assert burner.report() == f"1 line, font {line.face.name}\n00:00.00  {' / '.join(line.lines)}"
