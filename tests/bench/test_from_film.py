"""What a LoRA made from a film is worth for it: on a small film with text in every frame."""

from dataclasses import replace

import pytest
import torch
from own_film import measure_once, write_film
from tiny_film import Grey

from clear_runtime.bench import from_film as bench
from clear_runtime.cli.main import main
from clear_runtime.errors import ClearError
from clear_runtime.film import own_look
from clear_runtime.media.video import count_frames


def test_what_is_held_back_is_not_trained_on_and_too_short_a_film_is_refused():
    assert bench.parts_of(37) == (range(21), range(24, 37))
    assert bench.parts_of(25) == (range(12), range(12, 25))
    assert bench.parts_of(300) == (range(197), range(200, 300))
    with pytest.raises(ClearError, match="24 frames are too few: 13 are held back, and 12 more"):
        bench.parts_of(24)


def test_films_of_one_name_are_refused_before_any_work(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    films = [write_film(tmp_path / name / "film.mp4", text=(), frames=1 + n) for n, name in enumerate("ab")]
    with pytest.raises(SystemExit, match="several films with the name film"):
        main(["bench", "from-film", *map(str, films), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_what_was_made_of_another_film_of_that_name_is_not_taken_up(tmp_path):
    one, other = (write_film(tmp_path / f"{n}.mp4", text=(), frames=1 + n) for n in range(2))
    for _ in range(2):
        bench._require_same(one, tmp_path)
    with pytest.raises(ClearError, match="1.mp4 is another film than the one that .* Give another --out"):
        bench._require_same(other, tmp_path)


@pytest.mark.slow
def test_a_film_is_trained_on_scored_and_cleaned_with_its_lora_and_without(tmp_path, monkeypatch, caplog):
    measure_once(monkeypatch, own_look)
    film = write_film(tmp_path / "film.mp4", text=((0, 25),), frames=25)
    options, painted = bench.options_of, []
    monkeypatch.setattr(bench, "options_of", lambda steps: replace(options(steps), batch=1, crop=(5, 32, 64)))
    monkeypatch.setattr(bench, "HEIGHT", 64)
    monkeypatch.setattr(bench, "TRAINED", 2)
    monkeypatch.setattr(bench, "measure", lambda lora, triples, device, steps: scored(lora, triples))
    monkeypatch.setattr(bench, "bundled_denoiser", lambda device, lora: painted.append(lora))
    monkeypatch.setattr(bench, "nano_engine", lambda *_: Grey())
    monkeypatch.setattr(bench, "load_reader", lambda: lambda frame: [])
    page, out = tmp_path / "page.md", tmp_path / "out"
    page.write_text("Before\n{}\nold\n{}\nafter\n".format(*bench.MARKS))

    def scored(lora, triples):
        for clean, subtitled, filled, mask in triples:
            assert clean.shape == subtitled.shape == filled.shape == (1, 13, 64, 256, 3)
            changed = (clean.int() - subtitled.int()).abs().amax(-1)
            assert (changed[mask == 0] <= 1).all() and (changed[mask > 0] > 60).any()
            assert (clean.int() - filled.int()).abs()[mask > 0].float().mean() < 60, "the line is gone"
        return {"fill": 20.0, "prefilled 1": 21.0, "as is 1": float(lora["blocks.0.ffn.0.lora_B.weight"].abs().sum())}

    command = ["bench", "from-film", str(film), "--out", str(out), "--steps", "2", "--ocr", "--into", str(page)]
    main(command)
    written = page.read_text()
    assert "2 steps a film." in written and "old" not in written and written.endswith("\nafter\n")
    (row,) = (line for line in written.splitlines() if line.startswith("| film |") and "20.00" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:4] == ["20.00", "21.00", "21.00"] and cells[6:] == ["0", "0", "0"]
    assert cells[4] != cells[5], "with the film's own LoRA another"
    folder = out / "film"
    parts = [count_frames(folder / f"{name}.mp4") for name in ("trained", "held", "without", "with")]
    assert parts == [12, 13, 25, 25] and (folder / "sheet.png").exists()
    assert len(painted) == 2 and any(not torch.equal(painted[0][name], painted[1][name]) for name in painted[0])

    before = (folder / "lora.safetensors").stat().st_mtime_ns
    bench._train(folder, bench.options_of(2), None, 0, None, None)
    assert (folder / "lora.safetensors").stat().st_mtime_ns == before, "not trained again"
    page.write_text("no marks")
    with pytest.raises(SystemExit, match="from-film:begin"):
        main(command)
