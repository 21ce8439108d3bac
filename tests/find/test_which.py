"""Which rows are the subtitle: decided from what they do, and said."""

import numpy as np
import pytest

from clear_runtime.find.case import WhichRules
from clear_runtime.find.movement import Movement
from clear_runtime.find.rows import Row
from clear_runtime.find.steady import Standing
from clear_runtime.find.track import Look, Track
from clear_runtime.find.which import Case, which
from clear_runtime.frames.region import Region

SIZE, TOTAL = (720, 1280), 250
STILL = Movement(0, 0, 1.0, 0.0)
LOW, HIGH, CORNER, CENTRE = 620, 40, 20, 640
WHITE, YELLOW = (240.0, 240.0, 240.0), (240.0, 220.0, 40.0)


def case(first, stop, top=LOW, middle=CENTRE, width=400, letter=40, colour=WHITE, sure=0.98, words=None, **more):
    """A track of a row of letters: other ones for each, or those of `words`."""
    drawn = np.random.default_rng(first if words is None else words).random((4, max(1, width // 10))) > 0.5
    soft = np.kron(drawn, np.full((letter // 4, 10), 255)).astype(np.uint8)
    soft = np.pad(soft, ((0, letter - soft.shape[0]), (0, width - soft.shape[1])))
    region = Region(top, middle - width // 2, letter, width)
    looks = [Look(t, Row(region, soft, sure, letter)) for t in range(first, stop, 3)]
    track = Track(looks, first, stop, colour)
    return Case(**{"track": track, "movement": STILL, "size": SIZE, "total": TOTAL, "cuts": [0], **more})


def goes(*cases):
    return [verdict.goes for verdict in which(cases)]


def test_a_line_that_comes_and_goes_is_the_subtitle():
    (verdict,) = which([case(50, 120)])
    assert verdict.goes and verdict.certain and verdict.why == "subtitle"


def test_lines_that_follow_one_another_from_cut_to_cut_are_the_subtitle_however_short():
    assert goes(*[case(50 * n, 50 * n + 50, width=90, cuts=[0, 50, 100, 150, 200]) for n in range(5)]) == [True] * 5


@pytest.mark.parametrize("first, stop, gone", [(0, 4, True), (TOTAL - 4, TOTAL, True), (88, 92, False)])
def test_what_is_left_of_a_line_where_the_video_begins_or_ends_goes(first, stop, gone):
    rest = case(first, stop, width=120, middle=560)
    assert goes(case(20, 80), case(100, 170), rest) == [True, True, gone]


def test_of_two_lines_in_a_short_video_the_rest_of_one_goes_with_the_other():
    """Neither tells anything: the other stands from a cut to the end."""
    shot = dict(total=30, cuts=[0, 4])
    rest = dict(width=120, middle=370, colour=(180.0,) * 3)
    assert goes(case(4, 30, **shot), case(0, 4, **rest, **shot)) == [True, True]
    assert goes(case(4, 30, **shot), case(0, 4, top=300, **rest, **shot)) == [True, False]


def test_headings_of_one_look_in_shots_far_apart_are_no_lines():
    cuts, lines = dict(total=1000, cuts=[0, 100, 200, 700, 800]), [case(20, 80, total=1000), case(300, 400, total=1000)]
    heading = dict(top=200, middle=300, **cuts)
    assert goes(*lines, case(100, 200, **heading), case(700, 800, **heading)) == [True, True, False, False]
    assert goes(*lines, case(100, 200, **heading), case(200, 300, **heading)) == [True] * 4


@pytest.mark.parametrize("top, gone", [(LOW, True), (LOW - 9, False)])
def test_thin_letters_that_a_scene_shines_through_are_known_by_their_line_of_writing(top, gone):
    lines = [case(100, 170, cuts=[0, 100]), case(171, TOTAL, cuts=[0, 100])]
    grey = case(0, 100, top=top, width=90, colour=(180.0, 180.0, 180.0), cuts=[0, 100])
    assert goes(*lines, grey) == [True, True, gone]


@pytest.mark.parametrize("other", [dict(top=HIGH, middle=300), dict(top=500, middle=900, letter=90)])
def test_what_stands_all_the_time_beside_them_stays(other):
    lines = [case(10, 80), case(90, 160), case(170, 240)]
    *subtitle, name = which([*lines, case(0, TOTAL, **other)])
    assert all(one.goes for one in subtitle) and not name.goes and name.certain
    assert name.why == "stands all the time, and other rows are the subtitle"


@pytest.mark.parametrize("passed, gone", [(3, False), (2, True)])
def test_a_card_that_came_stays_once_several_lines_have_come_and_gone_beside_it(passed, gone):
    lines = [case(40 + 60 * n, 80 + 60 * n) for n in range(passed)]
    card = case(10, TOTAL, top=300, letter=24)
    assert goes(*lines, card) == [True] * passed + [gone]
    *_, verdict = which([*lines, card], WhichRules(passed=0))
    assert verdict.goes
    assert goes(*lines, case(10, TOTAL, top=LOW - 45)) == [True] * (passed + 1), "it may be the upper row of them all"
    again = case(TOTAL, TOTAL + 60, top=300, letter=24, total=TOTAL + 60)
    assert goes(*lines, card, again) == [True] * (passed + 2), "other words take its place"
    words = [case(40 + 5 * n, 45 + 5 * n, width=120) for n in range(9)]
    assert goes(*words, card) == [True] * 10, "words in turn may be those of the sentence above"


def test_a_second_row_that_stays_while_the_first_one_changes_goes():
    assert goes(case(10, 80), case(81, 160), case(0, TOTAL, top=LOW + 50)) == [True] * 3


def test_a_row_of_another_colour_and_place_is_no_kin():
    assert goes(case(10, 80), case(81, 160), case(0, TOTAL, top=300, colour=YELLOW, letter=80)) == [True, True, False]


def unmoved(one, came=False, went=False):
    """A case of which the picture says that it did not come, or go."""
    one.track.came, one.track.went = came, went
    return one


def test_what_the_prior_sees_now_and_then_tells_nothing():
    line = case(0, 80)
    seen = [unmoved(case(20 * n, 20 * n + 15, top=300, middle=500, words=7)) for n in range(5)]
    others = [unmoved(case(90 + 30 * n, 110 + 30 * n, top=400, middle=300)) for n in range(3)]
    assert goes(line, *seen, *others) == [True] + [False] * 8


def test_words_that_flicker_at_one_place_are_no_words_in_turn():
    words = [case(6 * n, 6 * n + 6, top=300) for n in range(8)]
    assert goes(*words) == [True] * 8
    assert goes(*map(unmoved, words)) == [False] * 8


def test_what_looks_like_letters_now_and_then_does_not_tell_by_going():
    row = case(100, 140, top=100, width=700, letter=90, sure=0.7)
    row.track.looks[3].row.sure = row.track.looks[4].row.sure = row.track.looks[5].row.sure = 1.0
    assert goes(case(0, 14, width=48), row) == [True, False]


def test_what_is_one_shape_in_two_looks_does_not_tell():
    """Lettering on a board that drives past beside a score."""
    board = case(100, 107, top=60, middle=500, width=800, letter=90)
    board.track.looks = board.track.looks[:2]
    assert goes(case(50, 80), board) == [True, False]


SHAKEN = Movement(0, 2, 0.5, 9.0)


@pytest.mark.parametrize("seen, gone", [(dict(movement=SHAKEN), False), (dict(top=0), False), ({}, True)])
def test_what_shows_for_less_than_a_moment_tells_where_it_kept_its_place_and_was_seen_whole(seen, gone):
    """Of a sign in a hand's picture, a corner comes and goes, and moves."""
    sign = case(100, 111, **{"top": 120, "middle": 800, "letter": 90, **seen})
    assert goes(case(20, 80), case(120, 180), sign) == [True, True, gone]
    *_, verdict = which([case(20, 80), case(120, 180), sign], WhichRules(moment=False))
    assert verdict.goes


@pytest.mark.parametrize("way", [dict(grows=True), dict(shakes=True)])
def test_what_grows_or_shakes_about_its_place_stands(way):
    """No pixel of it does, from one moment to the next."""
    lines = [case(n, n + 60, movement=Movement(0, 6, 0.2, 12.0, **way)) for n in (10, 90)]
    for line in lines:
        line.track.standings = [Standing(0.1, None)]
    assert goes(*lines) == [True] * 2
    assert not any(verdict.goes for verdict in which(lines, WhichRules(about=False)))


def test_dots_go_where_they_take_the_place_of_words():
    lines, dots = [case(10, 60), case(100, 160)], dict(top=LOW + 20, width=40, letter=16, sure=0.85)
    assert goes(*lines, case(62, 98, **dots)) == [True] * 3
    beside = case(62, 98, **{**dots, "middle": 300}), case(62, 98, **{**dots, "top": 560})
    assert goes(*lines, *beside) == [True, True, False, False]
    *_, alone = which([*lines, case(62, 98, **dots)], WhichRules(dots=False))
    assert not alone.goes


def test_a_word_of_a_spaced_out_row_goes_although_it_stands_in_a_corner():
    row, word = case(50, 120, width=560), dict(middle=300, width=90)
    assert goes(row, case(50, 120, **word)) == [True, True]
    assert [one.goes for one in which([row, case(50, 120, **word)], WhichRules(gap=0.0))] == [True, False]
    name, higher = case(0, TOTAL, **word), case(50, 120, top=LOW - 60, **word)
    assert goes(row, name) == [True, False] and goes(row, higher)[0]


@pytest.mark.parametrize("last, gone", [(dict(), True), (dict(top=LOW - 40), False), (dict(middle=380), False)])
def test_words_set_apart_go_as_one_row_however_far_from_the_one_that_tells(last, gone):
    shot = dict(letter=20, width=90, cuts=[0, 100])
    line, word = case(0, 100, **shot), case(100, TOTAL, **shot)
    next_, last = (
        case(100, TOTAL, sure=0.75, **{**shot, **more}) for more in (dict(middle=530), {"middle": 420, **last})
    )
    assert goes(line, word, next_, last) == [True, True, True, gone]


@pytest.mark.parametrize("other", [dict(middle=300, width=160), dict(top=400), dict(top=HIGH)])
def test_where_nothing_tells_the_middle_of_the_bottom_is_a_subtitles_place(other):
    assert goes(case(0, TOTAL, width=300), case(0, TOTAL, **other)) == [True, False]
    assert goes(case(0, TOTAL, **other)) == [True]


def poem(*middles, first=90, **more):
    rows = (first + 90 * n for n in range(7))
    return [case(0, TOTAL, top=top, middle=middles[n % len(middles)], **more) for n, top in enumerate(rows)]


def test_a_paragraph_goes_or_stays_whole_wherever_its_rows_stand():
    assert goes(*poem(CENTRE)) == [True] * 7
    assert goes(*poem(300, first=20, width=200)) == [False] * 7
    parted = [verdict.goes for verdict in which(poem(CENTRE), WhichRules(paragraph=0))]
    assert 0 < parted.count(True) < 7


def test_what_a_prior_sees_for_a_moment_within_a_paragraph_goes_with_it():
    part = case(60, 63, top=330, width=60, letter=30)
    assert goes(*poem(CENTRE), part) == [True] * 8


def test_rows_at_no_one_pitch_or_of_other_times_are_no_paragraph():
    apart = [case(0, TOTAL, top=top) for top in (200, 260, 345, 390, 480, 570, 620)]
    assert goes(*apart) == [False] * 4 + [True] * 3
    later = [case(30 * n, TOTAL, top=200 + 60 * n, cuts=[30 * n]) for n in range(7)]
    assert [verdict.goes for verdict in which(later)].count(True) < 7


def test_at_the_rim_of_the_frame_nothing_stands_for_a_subtitle():
    assert goes(case(0, TOTAL, top=450, middle=100, width=90)) == [False]


def test_a_column_at_the_rim_may_be_one():
    column = case(0, TOTAL, top=400, middle=1200, width=40, letter=240)
    column.track.fullest.row.upright = True
    assert goes(column) == [True]


def test_a_line_at_a_subtitles_place_is_not_lettering_because_titles_change():
    titles = [case(10, 80, top=520, middle=260), case(90, 160, top=520, middle=260)]
    assert goes(*titles, case(0, TOTAL)) == [True] * 3


@pytest.mark.parametrize(
    "movement, why", [(Movement(6, 0, 0.1, 80.0), "moves with the scene"), (Movement(0, 0, 0.2, 60.0), "moves")]
)
def test_what_moves_stays(movement, why):
    (verdict,) = which([case(50, 120, movement=movement)])
    assert not verdict.goes and verdict.moves and verdict.why == why


def test_a_line_that_slides_in_and_stands_goes():
    assert goes(case(50, 150, movement=Movement(0, 0, 0.8, 60.0))) == [True]


def test_corners_stay_whether_a_line_shows_beside_them_or_not():
    score = case(0, TOTAL, top=CORNER, middle=150, width=200)
    clock = case(30, 90, top=640, middle=1150, width=100)
    assert goes(score, clock, case(50, 120)) == [False, False, True]


def test_a_flash_stays_but_words_shown_one_by_one_go():
    assert goes(case(50, 55)) == [False]
    assert goes(*[case(50 + 6 * n, 56 + 6 * n, width=120) for n in range(6)]) == [True] * 6


def test_a_word_that_lights_up_for_a_moment_goes_with_its_row():
    assert goes(case(50, 120), case(80, 84, width=90)) == [True, True]


def test_lettering_that_pauses_with_the_camera_is_no_line_but_a_line_over_it_is():
    pan = dict(movement=Movement(6, 0, 0.1, 80.0), top=300, width=900, letter=120)
    paused = case(62, 80, top=320, width=500, letter=80)
    *_, verdict = which([case(0, 60, **pan), case(84, 150, **pan), paused])
    assert not verdict.goes and verdict.why == "stands while the camera pauses"
    assert goes(case(0, 60, **pan), case(30, 45))[1] and goes(case(0, 60, **pan), case(30, 90, top=320))[1]
    over = dict(top=320, width=500)
    assert goes(case(0, 60, **pan), case(62, 80, **over, letter=80, movement=Movement(0, 3, 1.0, 0.0)))[1]
    assert goes(case(0, 60, **pan), case(62, 80, **over, letter=30))[1], "other letters than those that moved"


def test_short_marks_of_many_sizes_here_and_there_are_no_words_shown_one_by_one():
    here_and_there = [case(10 * n, 10 * n + 5, top=200 + 60 * n, letter=20 + 15 * n) for n in range(5)]
    assert not any(goes(*here_and_there))


def test_where_nothing_tells_place_decides_and_it_is_said():
    low, title = which([case(0, TOTAL), case(0, TOTAL, top=HIGH)])
    assert low.goes and not title.goes and not low.certain and not title.certain
    (alone,) = which([case(0, TOTAL, top=200)])
    assert alone.goes and not alone.certain, "a title in the middle is all there is"
    (aside,) = which([case(0, TOTAL, top=200, middle=300)])
    (doubtful,) = which([case(0, TOTAL, sure=0.6)])
    assert not aside.goes and not doubtful.goes


def test_all_rows_of_a_line_go_with_the_one_that_does():
    rows = [case(0, TOTAL, top=300 + 60 * n) for n in range(6)]
    assert goes(*rows) == [True] * 6
    assert goes(case(0, TOTAL, top=500, letter=70), case(0, TOTAL, top=575, letter=36, colour=YELLOW)) == [True] * 2


def test_what_the_user_pointed_at_goes():
    assert goes(case(0, TOTAL, top=CORNER, middle=150, width=200, asked=True)) == [True]


def test_a_name_that_was_lost_for_a_moment_has_not_come_and_gone():
    name = dict(top=HIGH, middle=500, letter=60, words=7)
    pieces = [case(0, 90, **name), case(96, 170, **name), case(176, TOTAL, **name)]
    *lines, a, b, c = goes(case(10, 80), case(90, 160), case(170, 240), *pieces)
    assert lines == [True] * 3 and [a, b, c] == [False] * 3


def test_a_name_that_comes_back_with_its_shot_has_not_changed_its_words():
    name = dict(top=300, middle=500, letter=60, words=7, cuts=[0, 100, 150])
    lines = [case(10, 80, cuts=[0, 100, 150]), case(160, 240, cuts=[0, 100, 150])]
    assert goes(*lines, case(0, 100, **name), case(150, TOTAL, **name)) == [True, True, False, False]


def test_a_smaller_name_below_the_lines_stays():
    lines = [case(10, 80), case(90, 160), case(170, 240)]
    assert goes(*lines, case(0, TOTAL, top=LOW + 46, letter=30, width=200)) == [True, True, True, False]


def word(n, looks=2, **more):
    """The nth of words that are shown for five frames each, seen in so many looks."""
    one = case(5 * n, 5 * n + 3 * looks - 1, width=90 + 20 * n, words=n, **more)
    one.track.stop = 5 * n + 5
    return one


def test_a_word_that_one_look_has_seen_goes_among_words_that_are_shown_one_by_one():
    assert goes(*(word(n, looks=1 if n in (2, 5) else 2) for n in range(7))) == [True] * 7


def test_what_one_look_has_seen_stays_where_nothing_is_shown_beside_it():
    assert goes(word(2, looks=1), case(60, 120)) == [False, True]


LEFT = dict(words=1, middle=240, top=640)


@pytest.mark.parametrize(
    "short, gone",
    [
        (dict(middle=100, top=640), True),  # set flush left with the line before
        (dict(middle=240, top=660), False),  # begins elsewhere
        (dict(middle=100, top=600), False),  # on another line of writing
    ],
)
def test_a_short_line_that_is_set_flush_with_others_goes_although_it_stands_in_a_corner(short, gone):
    assert goes(case(10, 80, **LEFT), case(85, 150, width=120, **short)) == [True, gone]


def test_a_name_in_the_corner_beside_lines_stays_however_it_is_set():
    assert goes(case(10, 80, **LEFT), case(60, 150, width=120, middle=100, top=640)) == [True, False]


@pytest.mark.parametrize(
    ("change", "moved", "gone"),
    [(None, dict(against_scene=5), True), (0.5, {}, True), (1.3, {}, False), (0.5, dict(standing=0.5), False)],
)
def test_thin_and_faint_letters_stand_that_keep_their_place_before_a_scene_that_changes(change, moved, gone):
    one = case(
        50, 80, movement=Movement(**{**dict(with_scene=0, against_scene=0, standing=1.0, travelled=0.3), **moved})
    )
    one.track.standings.append(Standing(0.3, change))
    assert [verdict.goes for verdict in which([one])] == [gone]
    assert not which([one], WhichRules(keeps=0.0))[0].goes


def test_what_one_look_has_seen_otherwise_does_not_make_a_clock_a_line():
    lines = [case(20, 80), case(90, 160), case(170, 240)]
    first, clock = case(0, 3, top=HIGH, width=120, letter=28), case(2, TOTAL, top=HIGH, width=120, letter=28)
    assert goes(*lines, first, clock) == [True] * 3 + [False] * 2


def test_a_row_on_its_way_along_the_frame_goes_with_the_line_that_it_becomes():
    line, before, cut_off = case(50, 120, colour=WHITE), case(47, 50, middle=300), case(44, 47, middle=60, width=90)
    assert goes(line, before, cut_off) == [True] * 3
    assert [v.goes for v in which([line, before, cut_off], WhichRules(slides=0))] == [True, False, False]


@pytest.mark.parametrize("other", [dict(top=LOW - 60), dict(letter=60), dict(colour=(20.0, 20.0, 200.0))])
def test_what_shows_for_a_moment_at_another_height_or_in_another_look_is_not_on_its_way(other):
    assert goes(case(50, 120), case(47, 50, middle=300, **other)) == [True, False]


def test_a_name_that_stays_is_no_line_on_its_way_in_its_first_frames():
    name, first = case(50, TOTAL, middle=150, width=200, top=640), case(47, 50, middle=150, width=200, top=640)
    assert goes(case(50, 120, top=640), name, first) == [True, False, False]


def test_a_line_that_slid_in_before_a_scene_that_stands_does_not_pause_with_the_camera():
    slid = case(40, 58, top=LOW + 20, movement=Movement(0, 0, 0.25, 78.0))
    assert goes(slid, case(60, 80)) == [False, True]
    panned = case(40, 58, top=LOW + 20, movement=Movement(4, 0, 0.25, 78.0))
    assert goes(panned, case(60, 80)) == [False, False]
