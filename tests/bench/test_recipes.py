"""The comparison of Stage II's recipes, on a case that takes seconds."""

from dataclasses import replace

import pytest
import tiny_wan
import torch
from tiny_clips import latent_clips

from clear_runtime.bench import recipes as bench
from clear_runtime.engines.nano import load
from clear_runtime.errors import ClearError
from clear_runtime.train.lora.losses import RECIPES


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A base of two blocks, latents of random clips, and scores that are the seed's; the held-back clips are not
    read."""
    state = tiny_wan.wan_state(blocks=2)
    monkeypatch.setattr(load, "transformer_state_dict", lambda: state)
    monkeypatch.setattr(load, "prompt_embedding", lambda: torch.zeros(1, 1, 4096))
    options = bench.options_of
    monkeypatch.setattr(bench, "options_of", lambda *asked: replace(options(*asked), crop=(5, 32, 64), rank=2, batch=1))
    paths = latent_clips(tmp_path / "latents").paths
    monkeypatch.setattr(bench, "_encoded", lambda *_: paths)
    monkeypatch.setattr(bench, "held_back", lambda *_: [])
    measured = []

    def measure(lora, held, device, head=None, steps=None):
        measured.append(head)
        return {"as is 1": (11.0, 12.0, 13.0, 10.0)[(len(measured) - 1) % 10 % 4]} | (
            {"M_pred inside": 0.5} if head else {}
        )

    monkeypatch.setattr(bench, "measure", measure)
    return tmp_path / "out", measured


def test_every_recipe_is_trained_and_the_best_three_with_two_more_seeds(small, tmp_path, monkeypatch):
    out, measured = small
    names = ["prior", "paper", "feedback", "paper, ramped"]
    rows = bench.run(tmp_path, out, names, steps=2, clips=4, held=1)
    assert [(row.recipe, row.seed) for row in rows[:4]] == [(name, 0) for name in names]
    assert [row.recipe for row in rows[4:]] == ["feedback"] * 2 + ["paper"] * 2 + ["prior"] * 2
    assert [bool(head) for head in measured[:4]] == [RECIPES[name].has_head for name in names]
    written = (out / "recipes.md").read_text(encoding="utf-8")
    assert written == bench.table(rows) and written.count("\n") == 2 + 10 + 3
    assert "| **prior** | mean of 3 |" in written and "| 0.50 |" in written and " ± 0.00 |" in written
    page = tmp_path / "page.md"
    page.write_text(f"Before\n{bench.MARKS[0]}\nold\n{bench.MARKS[1]}\nafter\n")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("lora.safetensors")}
    assert len(before) == 10
    bench.run(tmp_path, out, names, steps=2, clips=4, held=1, into=page)
    assert len(measured) == 10, "nothing is scored twice"
    assert "| **prior** | mean of 3 |" in page.read_text() and "old" not in page.read_text()
    assert page.read_text().startswith("Before\n") and page.read_text().endswith("\nafter\n")
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("lora.safetensors")}, "none trained twice"
    assert [row.seed for row in bench.run(tmp_path, out, names, steps=2, held=1, seeds=1)] == [0] * 4
    assert len(measured) == 10
    bench.run(tmp_path, out, names[:1], steps=2, held=1, seeds=1, scored=(1, 2))
    assert len(measured) == 11, "other scores are others"
    monkeypatch.setattr(bench, "held_back", lambda *_: [(torch.zeros(3), torch.ones(2))])
    bench.run(tmp_path, out, names[:1], steps=2, held=1, seeds=1, scored=(1, 2))
    assert len(measured) == 12, "and on other clips, of the same number"
    page.write_text("no marks")
    with pytest.raises(ClearError, match="recipes:begin"):
        bench.run(tmp_path, out, names, steps=2, clips=4, held=1, into=page)
    with pytest.raises(ClearError, match="no recipe 'magic'"):
        bench.run(tmp_path, out, ["magic"])
    with pytest.raises(ClearError, match="one sampler step"):
        bench.run(tmp_path, out, names, scored=(5,))
