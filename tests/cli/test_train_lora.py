"""The command line of the Stage II trainer: it trains and continues, and says what is wrong before anything is
loaded."""

import json
import sys
from pathlib import Path

import pytest
import torch
from own_film import BRIEF, measure_once, write_film
from tiny_clips import HEIGHT, STYLE, WIDTH
from tiny_pairs import write_pair

from clear_runtime.engines.lora import read_lora
from clear_runtime.film import own_look
from clear_runtime.train.lora.options import LoraOptions


def test_a_dry_run_counts_the_real_model_without_its_files(capsys, caplog):
    from clear_runtime.cli.train_lora import main

    with caplog.at_level("INFO"):
        main(["--dry-run"])
    assert "1,564.6 million frozen parameters, 87.49 million in the LoRA (5.30 %), 884,865 in the" in caplog.text
    assert "occlusion head, 32,760 tokens an example" in caplog.text
    assert "75,600 tokens" in caplog.text and "GiB  in all, about" in caplog.text


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The arguments of a run of two steps that has ended, its options in a file; its folder is `out` beside that."""
    from clear_runtime.cli import train_lora as command

    folder = tmp_path_factory.mktemp("trained")
    write_pair(folder, "rain", text="Rain falls here", frames=5, height=HEIGHT, width=WIDTH, style=STYLE)
    config = folder / "config.json"
    options = {"steps": 2, "rank": 4, "crop": [5, 32, 64], "control": "both", "precision": "float32"}
    config.write_text(json.dumps({**options, "recipe": "adaptation"}))
    usual = ["--nano", "--pairs", str(folder), "--out", str(folder / "out"), "--config", str(config)]
    usual += ["--device", "cpu"]
    command.main(usual)
    return usual


def test_the_command_trains_the_bundled_model_from_a_config_and_continues(trained, caplog):
    from clear_runtime.cli.train_lora import main

    folder = Path(trained[trained.index("--out") + 1])
    steps = lambda: [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
    assert steps() == [1, 2]
    with caplog.at_level("INFO"):
        main([*trained, "--steps", "3"])
    assert "encoded" not in caplog.text and "continues after step 2" in caplog.text
    assert steps() == [1, 2, 3]
    assert all(json.loads(line)["loss"] > 0 for line in (folder / "history.jsonl").read_text().splitlines())
    assert read_lora(folder / "lora.safetensors") and (folder / "curves.png").stat().st_size > 1000


def test_the_command_trains_on_a_subtitled_film_alone(tmp_path, caplog, monkeypatch):
    from clear_runtime.cli.train_lora import main

    measure_once(monkeypatch, own_look)
    film, config = write_film(tmp_path / "film.mp4", *BRIEF), tmp_path / "config.json"
    config.write_text(json.dumps({"steps": 1, "rank": 4, "crop": [5, 32, 64], "precision": "float32"}))
    with caplog.at_level("INFO"):
        main(
            ["--nano", "--from-film", str(film), "--per-video", "2", "--long-side", "320", "--config", str(config)]
            + ["--out", str(tmp_path / "out"), "--device", "cpu"]
        )
    assert "1 line of the film's own was measured" in caplog.text
    assert read_lora(tmp_path / "out" / "lora.safetensors")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--prior", "{junk}"], "junk"),
        (["--start", "{junk}"], "junk"),
        (["--middle", "40"], "block"),
        (["--rank", "8"], "rank was 4 and is 8"),
    ],
)
def test_what_is_wrong_without_the_pairs_is_said_before_the_look_through_them(
    arguments, words, trained, tmp_path, monkeypatch
):
    from clear_runtime.cli import train_lora as command

    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    monkeypatch.setattr(command, "look_through", lambda *a: pytest.fail("looked through"))
    with pytest.raises(SystemExit, match=f"error: .*{words}"):
        command.main([*trained, *(part.format(junk=tmp_path / "junk.safetensors") for part in arguments)])


@pytest.mark.parametrize(
    "arguments, words", [(["--nano"], "Say where the pairs are"), (["--pairs", ".", "--out", "x"], "three files")]
)
def test_what_is_missing_is_said(arguments, words, tmp_path, monkeypatch):
    from clear_runtime.cli.train_lora import main

    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=words):
        main(arguments)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--pairs", ".", "--burn", "."], "these are 2: --pairs and --burn"),
        (["--pairs", ".", "--style", "x.json"], "--style would not be used"),
        (["--burn", ".", "--clean", ".", "--by-order"], "--clean and --by-order would not be used"),
    ],
)
def test_what_would_not_be_used_is_refused(arguments, words, tmp_path):
    from clear_runtime.cli.train_lora import main

    with pytest.raises(SystemExit, match=words):
        main(["--nano", "--out", str(tmp_path / "out"), "--device", "cpu", *arguments])


def test_what_cannot_work_is_said_before_anything_is_loaded_or_encoded(tmp_path, monkeypatch):
    from clear_runtime.cli import train_lora as command
    from clear_runtime.train.lora import session

    write_pair(tmp_path, "rain", text="Rain falls here", frames=9, height=HEIGHT, width=WIDTH, style=STYLE)
    monkeypatch.setattr(command, "load_parts", lambda *_: pytest.fail("nothing is loaded"))
    arguments = ["--nano", "--pairs", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu"]
    with pytest.raises(SystemExit, match="ends in gate"):
        command.main([*arguments, "--targets", "gate"])
    monkeypatch.undo()
    monkeypatch.setattr(session, "encode_clips", lambda *_: pytest.fail("nothing is encoded"))
    monkeypatch.setattr(command, "free_memory", lambda device: 2**20)
    with pytest.raises(SystemExit, match="needs about .* memory on cpu"):
        command.main(arguments)


def test_packages_that_are_missing_are_named_before_a_video_is_read(tmp_path, monkeypatch):
    from clear_runtime.cli import train_lora as command

    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setattr(command, "open_clips", lambda *_: pytest.fail("nothing is read"))
    for more, named in ([], '"peft>=0.21"'), (["--optimiser", "adamw8bit"], '"peft>=0.21" bitsandbytes'):
        with pytest.raises(SystemExit, match=f"error: Training needs packages.*python -m pip install {named}$"):
            command.main(["--nano", "--pairs", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu", *more])


def test_an_unknown_option_in_a_config_is_named(tmp_path):
    from clear_runtime.cli.train_lora import main

    (tmp_path / "c.json").write_text('{"ranks": 4}')
    with pytest.raises(SystemExit, match="ranks"):
        main(["--nano", "--config", str(tmp_path / "c.json"), "--dry-run"])


@pytest.mark.parametrize(
    "option, content, words",
    [
        ("--config", "{", "cannot be read as JSON"),
        ("--config", None, "cannot be read as JSON"),
        ("--config", "[1]", "one object"),
        ("--config", '{"steps": "many"}', "steps is 'many'; it should be like 1000"),
        ("--config", '{"crop": [5, 32, "x"]}', "crop is"),
        ("--config", '{"steps": true}', "steps is True"),
        ("--style", '{"sizes": 3}', "sizes. There are file, scripts"),
        ("--style", '{"size": "big"}', "size is 'big'"),
    ],
)
def test_a_file_of_settings_that_is_none_is_refused_in_words(tmp_path, option, content, words):
    from clear_runtime.cli import train_lora as command

    if content is not None:
        (tmp_path / "c.json").write_text(content)
    with pytest.raises(SystemExit, match=words):
        command.main(
            [
                "--nano",
                "--burn",
                str(tmp_path),
                "--out",
                str(tmp_path / "out"),
                "--device",
                "cpu",
                option,
                str(tmp_path / "c.json"),
            ]
        )


def test_a_device_that_is_none_is_refused_in_words(capsys):
    from clear_runtime.cli import train_lora as command

    with pytest.raises(SystemExit):
        command.main(["--nano", "--dry-run", "--device", "gpu"])
    assert "there is no device 'gpu'; name cpu or cuda" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_refused_in_words(tmp_path, capsys):
    from clear_runtime.cli import train_lora as command

    device = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(SystemExit):
        command.main(["--nano", "--burn", str(tmp_path), "--out", str(tmp_path / "out"), "--device", device])
    assert f"There is no device {device} here" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_refused_in_words(tmp_path):
    from clear_runtime.cli import train_lora as command

    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="error: .*cannot be written to .*Name a folder"):
        command.main(["--nano", "--burn", str(tmp_path), "--out", str(tmp_path / "file"), "--device", "cpu"])


def test_a_disk_that_is_full_from_the_beginning_is_said_in_words(tmp_path, monkeypatch):
    from clear_runtime.cli import train_lora as command
    from clear_runtime.data.pairs_on_disk import PairsReport

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PairsReport, "save", full)
    write_pair(tmp_path, "rain", text="Rain falls here", frames=5, height=HEIGHT, width=WIDTH, style=STYLE)
    with pytest.raises(
        SystemExit, match="error: .*pairs.json could not be written .No space left on device.. Free some space"
    ):
        command.main(["--nano", "--pairs", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu"])


@pytest.mark.parametrize(
    "option, words",
    [
        ("--rate=inf", "rate is inf. Use a finite value above 0"),
        ("--weight-decay=-1", "weight_decay is -1.0. Use a finite value of at least 0"),
        (f"--seed={10**20}", "seed is 1"),
        ("--log-every=0", "'0' is no whole number of 1 or more"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused_in_words(option, words, capsys):
    from clear_runtime.cli import train_lora as command

    with pytest.raises(SystemExit) as ended:
        command.main(["--nano", "--dry-run", option])
    assert words in f"{ended.value} {capsys.readouterr().err}"


def test_every_option_may_stand_in_a_config(tmp_path):
    from clear_runtime.cli.arguments import settings

    for options in (LoraOptions(), LoraOptions(middle=1, start="a.safetensors", rate=1)):
        (tmp_path / "c.json").write_text(json.dumps(vars(options)))
        assert LoraOptions(**settings(tmp_path / "c.json", LoraOptions)) == options
