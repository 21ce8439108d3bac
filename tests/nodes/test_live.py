"""What a long node tells the page, with a server of our own in place of ComfyUI's."""

import json
import re
import sys
from types import SimpleNamespace

import pytest
from paths import ROOT
from PIL import Image


@pytest.fixture
def live(pack):
    return sys.modules["clear_pack.nodes.comfy.live"]


@pytest.fixture
def told(live, monkeypatch):
    """Messages to the page, of a node with the id 7 in the graph "g"."""
    sent = []
    server = SimpleNamespace(send_sync=lambda event, data: sent.append((event, data)))
    monkeypatch.setattr(live, "server", lambda: server)
    monkeypatch.setattr(live, "BOARD", live.Board())
    monkeypatch.setattr(live, "OFTEN", -1.0)
    return sent


NODE = SimpleNamespace(hidden=SimpleNamespace(unique_id="7", extra_pnginfo={"workflow": {"id": "g"}}))


def step(number, of=10, draw=None):
    return SimpleNamespace(
        stage="training",
        done=number,
        total=of,
        run_done=5 + number,
        run_total=5 + of,
        left=3.0,
        step=object(),
        picture=draw,
    )


def test_the_page_is_told_the_stage_and_how_far_it_is(live, told):
    with live.Teller(NODE, "Burning lines") as tell:
        advance = tell.frames(4)
        advance(1)
        advance(4)
        tell.say("All burned.")
    assert {event for event, _ in told} == {"clear.live"}
    states = [data for _, data in told]
    assert all((state["node"], state["workflow"]) == ("7", "g") for state in states)
    assert [(state["stage"], state["done"], state["total"]) for state in states[:3]] == [
        ("Burning lines", 0, 0),
        ("Burning lines", 1, 4),
        ("Burning lines", 4, 4),
    ]
    assert (states[-1]["ended"], states[-1]["text"]) == ("done", "All burned.")


def test_a_reloaded_page_asks_for_what_was_told_last(live, told):
    with live.Teller(NODE, "Burning lines") as tell:
        tell.tell(2, 4)
    assert live.BOARD.all("g") == [told[-1][1]] and live.BOARD.all("another graph") == []


@pytest.mark.parametrize(
    "before, film",
    [
        ({"3": {"inputs": {"file": "a/b.mp4"}}, "5": {"inputs": {"video": ["3", 0]}}}, "a/b.mp4"),
        ({"3": {"inputs": {"video": "c.mp4", "seed": 1}}, "5": {"inputs": {"x": 1, "video": ["3", 0]}}}, "c.mp4"),
        (
            {
                "3": {"inputs": {"file": "d.mp4"}},
                "5": {"class_type": "CLEAR_BurnSubtitles", "inputs": {"file": "lines.srt", "images": ["3", 0]}},
            },
            "d.mp4",
        ),
        ({"3": {"inputs": {"file": ["5", 0]}}, "5": {"inputs": {"video": ["3", 0]}}}, ""),
        ({}, ""),
    ],
    ids=["file", "another loader", "burned", "a ring", "nothing"],
)
def test_what_was_found_knows_its_film(live, told, before, film):
    other = {"inputs": {"file": "mask.mp4"}}
    node = {"class_type": "CLEAR_SubtitleRemove", "inputs": {"limit": ["9", 0], "images": ["5", 0]}}
    hidden = SimpleNamespace(**vars(NODE.hidden), prompt={"9": other, "7": node, **before} if film else before)
    with live.Teller(SimpleNamespace(hidden=hidden), "x") as tell:
        tell.say("Nothing.", {"lines": []})
    assert (told[-1][1]["film"], told[-1][1]["found"]) == (film, {"lines": [], "film": film})


def test_pictures_go_to_the_page_that_asked_and_else_to_comfyui(live, told, monkeypatch):
    import comfy.utils

    native = []
    monkeypatch.setattr(
        comfy.utils,
        "ProgressBar",
        lambda total: SimpleNamespace(update_absolute=lambda *given: native.append(given[2])),
    )
    grey = Image.new("RGB", (40, 30), "grey")
    live.Teller(NODE, "x").tell(1, 4, picture=grey)
    assert native[-1][:2] == ("JPEG", grey) and told[-1][1]["picture"] == 0
    live.BOARD.watched = True
    live.Teller(NODE, "x").tell(2, 4, picture=grey)
    number = told[-1][1]["picture"]
    assert native[-1] is None and live.BOARD.jpeg(number).startswith(b"\xff\xd8")


def test_cancel_says_what_was_kept(live, told):
    import comfy.model_management as management

    def cancelled(keeps, before):
        with pytest.raises(management.InterruptProcessingException), live.Teller(NODE, "Training", keeps) as tell:
            before(tell)
            management.interrupt_current_processing()
            tell.tell(9, 10)
        return told[-1][1]["ended"], told[-1][1]["text"]

    assert cancelled(True, lambda tell: tell.event(step(3))) == ("stopped", "Stopped at step 3, kept; Run goes on.")
    assert cancelled(True, lambda tell: None) == ("stopped", "Stopped.")
    assert cancelled(False, lambda tell: tell.tell(1, 10)) == ("stopped", "Stopped.")


def test_one_bar_runs_over_all_of_a_training(live, told):
    with live.Teller(NODE, "Getting ready", keeps=True) as tell:
        tell.event(step(2))
    state = told[-2][1]
    assert (state["stage"], state["done"], state["total"], state["detail"]) == ("Training", 7, 15, "step 2 of 10")


def test_a_refusal_is_told_in_its_own_words_and_a_bug_in_none(live, told, error):
    with pytest.raises(error), live.Teller(NODE, "x"):
        raise error("Give at least one.")
    assert (told[-1][1]["ended"], told[-1][1]["text"]) == ("failed", "Give at least one.")
    with pytest.raises(ZeroDivisionError), live.Teller(NODE, "x"):
        1 / 0  # noqa: B018
    assert (told[-1][1]["ended"], told[-1][1]["text"]) == ("failed", "")


def test_nothing_is_told_without_a_server_or_a_node(live, told, monkeypatch):
    with live.Teller(SimpleNamespace(hidden=None), "x") as tell:
        tell.tell(1, 2)
    assert told == []


def test_every_stage_has_a_chinese_word(pack):
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "nodes").rglob("*.py"))
    stages = {
        *re.findall(r'Teller\(cls, "(.+?)"', sources),
        *sys.modules["clear_pack.nodes.comfy.removal"].STAGES.values(),
    }
    words = json.loads((ROOT / "web" / "chinese.json").read_text(encoding="utf-8"))
    said = {*words["page"], *words["told"], *map(str.capitalize, words["told"])}
    assert len(stages) > 8 and stages <= said, stages - said
