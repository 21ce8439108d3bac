"""Subtitle files: times, text, and the look and place that a file asks for."""

import pytest
import torch

from clear_runtime.data.synthetic.burn_style import BurnStyle
from clear_runtime.data.synthetic.burner import Burner, burn_clip
from clear_runtime.data.synthetic.subtitle_file import read_lines
from clear_runtime.errors import ClearError

pytest.importorskip("pysubs2")
WIDTH, HEIGHT = 256, 144
pytestmark = pytest.mark.usefixtures("no_installed_fonts")

SRT = """1
00:00:01,000 --> 00:00:02,000
<i>It rained</i> all day.
Nobody came.

2
00:00:03,500 --> 00:00:04,000
{\\an8}Top <font color="#ff0000">line</font>

3
00:00:05,000 --> 00:00:05,000
No time
"""
HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
{info}
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
Style: Default,Aileron,{size},&H0000FFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,\
{border},{outline},{shadow},2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def srt(folder, text=SRT, name="film.srt", encoding="utf-8"):
    (folder / name).write_text(text, encoding=encoding)
    return str(folder / name)


def ass(folder, *texts, width=WIDTH, height=HEIGHT, size=20, border=1, outline=1, shadow=0, info=""):
    events = "".join(f"Dialogue: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,{text}\n" for text in texts)
    return srt(
        folder,
        HEAD.format(width=width, height=height, size=size, border=border, outline=outline, shadow=shadow, info=info)
        + events,
        "film.ass",
    )


def grey(count=1, height=HEIGHT, width=WIDTH):
    return torch.full((count, height, width, 3), 0.4)


def burned(path, height=HEIGHT, width=WIDTH, **changes):
    out, mask = burn_clip(grey(1, height, width), BurnStyle(file=path, size=12, **changes), 25)
    return out[0], mask[0]


def extent(mask):
    rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


def middle(mask):
    top, bottom, left, right = extent(mask)
    return (top + bottom) / 2, (left + right) / 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_srt_gives_times_text_and_italics(tmp_path, encoding):
    first, second = read_lines(srt(tmp_path, encoding=encoding))
    assert (first.start, first.stop, first.text, first.italic, first.alignment) == (
        1.0,
        2.0,
        ("It rained all day.", "Nobody came."),
        True,
        None,
    )
    assert (second.text, second.alignment, second.look) == (("Top line",), 8, None)


@pytest.mark.parametrize("fps", [10, 24, 25, 30000 / 1001])
def test_lines_show_in_the_frames_of_their_times(tmp_path, fps):
    burner = Burner(BurnStyle(file=srt(tmp_path), size=12), WIDTH, HEIGHT, fps)
    shown = [t for t in range(int(6 * fps)) if burner.burn(grey()[0], t)[1].any()]
    # a frame is shown from number / fps on
    assert shown == [t for t in range(int(6 * fps)) if 1 <= round(t / fps, 6) < 2 or 3.5 <= round(t / fps, 6) < 4]
    assert burner.kept(int(6 * fps)) == set(shown)


def test_a_tag_of_the_srt_moves_its_line_to_the_top(tmp_path):
    out, mask = burn_clip(grey(100), BurnStyle(file=srt(tmp_path), size=12), 25)
    assert middle(mask[30])[0] > HEIGHT * 0.7 and middle(mask[90])[0] < HEIGHT * 0.2


def test_an_ass_has_its_own_colour_size_and_place(tmp_path):
    out, mask = burned(ass(tmp_path, "Rain", outline=0), colour="#00ff00", position="top")
    assert out[mask].amax(0).tolist() == pytest.approx([1, 1, 0.4], abs=0.01) and middle(mask)[0] > HEIGHT * 0.7
    # from ascender to descender a line has the size, letters less; whatever the grid, and whatever the frame
    small, _, large = (extent(burned(ass(tmp_path, "Rgl", size=size, outline=0))[1]) for size in (20, 30, 40))
    assert 11 <= small[1] - small[0] + 1 <= 20 and large[1] - large[0] == pytest.approx(
        2 * (small[1] - small[0]), abs=3
    )
    other_grid = extent(burned(ass(tmp_path, "Rgl", size=200, width=2560, height=1440, outline=0))[1])
    assert (
        other_grid[:2] == pytest.approx(small[:2], abs=9 + 1) and other_grid[1] - other_grid[0] == small[1] - small[0]
    )
    doubled = extent(burned(ass(tmp_path, "Rgl", size=20, outline=0), 2 * HEIGHT, 2 * WIDTH)[1])
    assert doubled[1] - doubled[0] == pytest.approx(2 * (small[1] - small[0]), abs=2)


@pytest.mark.parametrize(
    "tag,row,column",
    [
        ("an7", "top", "left"),
        ("an8", "top", "middle"),
        ("an9", "top", "right"),
        ("an4", "middle", "left"),
        ("an6", "middle", "right"),
        ("an1", "bottom", "left"),
        ("an3", "bottom", "right"),
        ("a6", "top", "middle"),
        ("a10", "middle", "middle"),
    ],
)
def test_alignment(tmp_path, tag, row, column):
    top, bottom, left, right = extent(burned(ass(tmp_path, f"{{\\{tag}}}Rain"))[1])
    assert row == ("top" if top < 20 else "bottom" if bottom > HEIGHT - 20 else "middle")
    at = {
        "left": left == pytest.approx(10, abs=2),
        "right": right == pytest.approx(WIDTH - 11, abs=2),
        "middle": left + right == pytest.approx(WIDTH, abs=4),
    }
    assert [name for name, true in at.items() if true] == [column]


def test_spaces_and_another_order_of_columns_change_nothing_of_a_style(tmp_path):
    (usual,) = read_lines(ass(tmp_path, "Rain"))
    text = (tmp_path / "film.ass").read_text(encoding="utf-8")
    heads = [line for line in text.splitlines() if line.startswith(("Format: Name", "Style:"))]
    for head in heads:
        kind, fields = head.split(":")
        first, *others = [field.strip() for field in fields.split(",")]
        text = text.replace(head, f"{kind}: {', '.join([first, *reversed(others)])}")
    assert read_lines(srt(tmp_path, text, "other.ass")) == [usual] and not usual.bold and not usual.italic


def test_a_last_line_of_digits_is_a_line(tmp_path):
    lines = read_lines(srt(tmp_path, SRT + "\n4\n00:00:06,000 --> 00:00:07,000\n1984\n"))
    assert lines[-1].text == ("1984",)


def test_pos_is_where_the_alignment_points(tmp_path):
    assert middle(burned(ass(tmp_path, "{\\an5\\pos(64,72)}oo"))[1]) == pytest.approx((72, 64), abs=3)
    top, bottom, left, right = extent(burned(ass(tmp_path, "{\\pos(128,40)\\an7}H"))[1])
    assert 40 <= top < 52 and left == pytest.approx(128, abs=3)


def test_tags_before_the_first_letter_hold_for_the_line_and_later_ones_do_not(tmp_path):
    out, mask = burned(ass(tmp_path, "{\\c&H0000FF&\\bord0\\fs30}Red {\\c&HFF0000&\\fs10}all", outline=3))
    assert (
        out[mask].amax(0).tolist() == pytest.approx([1, 0.4, 0.4], abs=0.01)
        and out[mask].min() >= -1e-6
        and out[mask][:, 0].min() >= 0.4
    )
    (line,) = read_lines(ass(tmp_path, "{\\i1\\b1\\fad(200,400)\\fnOther Sans}Rain"))
    assert (line.italic, line.bold, line.fade, line.look.font) == (True, True, (0.2, 0.4), "Other Sans")


def test_what_a_tag_of_time_holds_is_not_there_from_the_beginning(tmp_path):
    (still,) = read_lines(ass(tmp_path, "{\\fs20}Rain"))
    (moving,) = read_lines(ass(tmp_path, "{\\fs20\\t(0,500,\\fs80\\clip(0,0,9,9)\\c&H0000FF&\\b1)}Rain"))
    assert moving == still
    assert read_lines(ass(tmp_path, "{\\t(\\fs80\\fscx(\\fs20}Rain"))[0].look.size == still.look.size


def test_a_vtt_shows_its_words_as_they_are_meant(tmp_path):
    """As video sites write them: words that light up one by one, and signs that the format has to escape."""
    path = srt(
        tmp_path,
        "WEBVTT\n\n00:00.000 --> 00:01.500 align:start\nTom &amp; Jerry &lt;3\nso<00:00:00.480><c> "
        "they</c><00:00:00.900><c> say</c>\n",
        "film.vtt",
    )
    (line,) = read_lines(path)
    assert (line.start, line.stop, line.text) == (0.0, 1.5, ("Tom & Jerry <3", "so they say"))


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_lines_may_end_as_on_any_system(tmp_path, end):
    (tmp_path / "film.srt").write_bytes(SRT.encode().replace(b"\n", end))
    assert [line.text for line in read_lines(tmp_path / "film.srt")] == [
        ("It rained all day.", "Nobody came."),
        ("Top line",),
    ]


def test_outlines_shadows_and_boxes_of_an_ass(tmp_path):
    plain, thick, scaled = (
        burned(ass(tmp_path, "Rain", outline=o, info=i), 2 * HEIGHT, 2 * WIDTH)[1].sum()
        for o, i in ((0, ""), (4, "ScaledBorderAndShadow: no"), (4, "ScaledBorderAndShadow: yes"))
    )
    assert plain < thick < scaled
    shadowed = extent(burned(ass(tmp_path, "Rain", outline=0, shadow=5))[1])
    unshadowed = extent(burned(ass(tmp_path, "Rain", outline=0))[1])
    assert [a - b for a, b in zip(shadowed, unshadowed)] == [0, 5, 0, 5]
    out, mask = burned(ass(tmp_path, "Rain", border=3))
    top, bottom, left, right = extent(mask)
    assert mask[top : bottom + 1, left : right + 1].all() and out[top, left].max() == 0


def test_lines_at_the_same_time_do_not_cover_each_other(tmp_path):
    path = ass(tmp_path, "First", "Second", "{\\an8}Third", "{\\an8}Fourth")
    burner = Burner(BurnStyle(file=path), WIDTH, HEIGHT, 25)
    rows = [placed.rows for placed in burner._placed]
    assert rows[1][1] <= rows[0][0] and rows[3][0] >= rows[2][1] and rows[0][0] > rows[2][1]


def test_comments_drawings_and_empty_lines_are_no_text(tmp_path):
    path = ass(tmp_path, "{\\p1}m 0 0 l 9 9", "{note}", "Rain")
    text = (tmp_path / "film.ass").read_text() + "Comment: 0,0:00:00.00,0:00:05.00,Default,,0,0,0,,hidden\n"
    (tmp_path / "film.ass").write_text(text)
    assert [line.text for line in read_lines(path)] == [("Rain",)]


def test_a_font_of_the_file_that_is_not_installed_is_named_in_the_report(tmp_path):
    burner = Burner(BurnStyle(file=ass(tmp_path, "{\\fnNowhere Sans}Rain", "Snow")), WIDTH, HEIGHT, 25)
    burner.burn(grey()[0], 0)
    assert (
        "Nowhere Sans is not installed; Aileron stands in for it." in burner.report()
        and "2 lines, font Aileron" in burner.report()
    )


def test_a_font_that_the_file_names_as_a_file_is_one_that_is_not_installed(tmp_path):
    burner = Burner(BurnStyle(file=ass(tmp_path, "{\\fnNowhere.ttf}Rain")), WIDTH, HEIGHT, 25)
    assert "Nowhere.ttf is not installed; Aileron stands in for it." in burner.report()


def test_a_fade_that_ends_before_it_begins_is_none(tmp_path):
    still, fading = (burned(ass(tmp_path, text)) for text in ("Rain", "{\\fad(-40,-40)}Rain"))
    assert all(map(torch.equal, still, fading))


def test_a_random_look_takes_text_and_times_alone(tmp_path):
    out, mask = burned(ass(tmp_path, "Rain"), look="random", seed=1)
    other, _ = burned(ass(tmp_path, "Rain"), look="random", seed=2)
    assert mask.any() and not torch.equal(out, other)


def test_letters_that_no_font_has_are_refused_before_the_first_frame(tmp_path):
    path = srt(tmp_path, SRT.replace("Nobody came", "Ne \u4f60\u597d"))
    with pytest.raises(
        ClearError, match=r"No installed font has all letters.*lacks 你 \(U\+4F60\), 好 \(U\+597D\)\. Install"
    ):
        Burner(BurnStyle(file=path), WIDTH, HEIGHT, 25)


def test_a_file_without_a_line_in_the_video_is_refused(tmp_path):
    with pytest.raises(
        ClearError,
        match=r"No line of the subtitle file falls into these 0.8 s of video \(20 frames at 25 a second\): the first "
        r"begins at 00:01.00. Choose the subtitles of this video",
    ):
        Burner(BurnStyle(file=srt(tmp_path)), WIDTH, HEIGHT, 25, frames=20)
    Burner(BurnStyle(file=srt(tmp_path)), WIDTH, HEIGHT, 25, frames=26)


@pytest.mark.parametrize(
    "name,content,says",
    [
        ("film.txt", b"x", "not a subtitle file"),
        ("film.srt", b"", "no lines of text"),
        ("film.srt", "café".encode("latin-1") * 3, "not in UTF-8"),
        ("film.ass", b"nothing of the kind", "no lines of text"),
        ("film.srt", b"1\n00:00:01,000 --> 00:00:00,500\nBack\n", "no lines of text"),
    ],
)
def test_what_is_no_subtitle_file_is_refused(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ClearError, match=f"^{name} (is|has) .*{says.removeprefix('not ')}") as refused:
        read_lines(tmp_path / name)
    assert str(refused.value).count(name) == 1, "one reason, not one inside another"


def test_lines_too_small_to_be_read_are_left_out_and_named(tmp_path):
    """As .ass files have them, of signs; the others are burned all the same."""
    path = ass(tmp_path, r"{\fs4}A sign", "Rain falls")
    burner = Burner(BurnStyle(file=path), WIDTH, HEIGHT, 25)
    _, mask = burner.burn(grey()[0], 0)
    assert mask.any() and "Left out: 'A sign'. Letters of" in burner.report() and "Rain falls" in burner.report()
    with pytest.raises(ClearError, match="cannot be read"):
        Burner(BurnStyle(file=ass(tmp_path, r"{\fs4}A sign")), WIDTH, HEIGHT, 25)


def test_letters_larger_than_the_frame_are_left_out_and_named(tmp_path):
    burner = Burner(BurnStyle(file=ass(tmp_path, r"{\fs2000}A sign", "Rain falls")), WIDTH, HEIGHT, 25)
    assert burner.burn(grey()[0], 0)[1].any()
    assert (
        "Left out: 'A sign'. Letters of" in burner.report() and "do not fit into frames of 256x144" in burner.report()
    )


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ClearError, match="There is no file .*gone.srt"):
        Burner(BurnStyle(file=str(tmp_path / "gone.srt")), WIDTH, HEIGHT, 25)
