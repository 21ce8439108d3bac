"""The comparison of clean_overlap, with a network that paints whatever comes to its mind in each window."""

import pytest
from toy_parts import PoolCodec

from clear_runtime.bench import overlap as bench
from clear_runtime.cli.main import main
from clear_runtime.engines.sampling import EULER, sample
from clear_runtime.errors import ClearError


def plain(noise, control, sigmas, on_step=None, known=None):
    """A picture that stands, which what is known settles where there is something."""
    own = noise.mean(2, keepdim=True) if known is None else known.latents.mean(2, keepdim=True)
    return sample(lambda x, sigma: (x - own) / sigma, noise, sigmas, EULER, known, on_step)


def test_borders_are_the_frames_that_two_windows_share():
    pairs = bench.at_borders(25)  # windows of frames 0 to 16 and 8 to 24
    assert pairs.nonzero().flatten().tolist() == list(range(7, 17))
    assert bench.at_borders(41).nonzero().flatten().tolist() == list(range(7, 33))
    with pytest.raises(ClearError, match="17 frames has no border"):
        bench.at_borders(17)


def test_what_has_nothing_to_compare_is_refused_before_it_is_painted(monkeypatch, capsys):
    monkeypatch.setattr(bench.load, "load_bundled_codec", lambda _: PoolCodec())
    monkeypatch.setattr(bench, "bundled_denoiser", lambda _: pytest.fail)
    with pytest.raises(SystemExit, match="no clip to compare on"):
        main(["bench", "overlap", "--kinds"])
    with pytest.raises(SystemExit, match="17 frames has no border"):
        main(["bench", "overlap", "--kinds", "still", "--size", "17", "96", "160"])
    with pytest.raises(SystemExit):
        main(["bench", "overlap", "--kinds", "still", "--size", "0", "96", "160"])
    assert "'0' is no whole number of 1 or more" in capsys.readouterr().err


def test_the_command_puts_a_row_for_each_clip_and_control_into_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(bench.load, "load_bundled_codec", lambda _: PoolCodec())
    monkeypatch.setattr(bench, "bundled_denoiser", lambda _: plain)
    page = tmp_path / "page.md"
    page.write_text("Before\n{}\nold\n{}\nafter\n".format(*bench.MARKS))
    main(["bench", "overlap", "--kinds", "still", "--size", "29", "96", "160", "--steps", "4", "--into", str(page)])
    written = page.read_text()
    assert "4 steps, windows of 17 frames that share 9." in written and "old" not in written
    rows = {line.split("|")[1].strip(): line for line in written.splitlines() if line.startswith("| ")}
    assert set(rows) == {"clip", "still, as is", "still, prefilled", "**mean, as is**", "**mean, prefilled**"}
    *_, before, after = (float(cell) for cell in rows["still, as is"].strip("|").split("|")[1:])
    assert after < 0.5 * before, "what two windows paint differs less where one goes on from the other"
    page.write_text("no marks")
    with pytest.raises(SystemExit, match="overlap:begin"):
        main(["bench", "overlap", "--into", str(page)])
