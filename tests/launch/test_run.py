"""run.py and its parts, without ComfyUI: graph formats, the WebSocket, set-up, the server's life, names of results."""

import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from paths import ROOT

from launch import demo, environment, graph, server
from launch.console import Problem
from launch.websocket import GUID, Listener

# The parts of /object_info that matter, as ComfyUI 0.3.75 and 0.33 give them for the same nodes.
CODEC = [
    "COMFY_DYNAMICCOMBO_V3",
    {
        "options": [
            {"key": "auto", "inputs": {"required": {}}},
            {"key": "h264", "inputs": {"required": {"crf": ["FLOAT", {}]}}},
        ]
    },
]
SAVE = {
    "old": {
        "required": {
            "video": ["VIDEO", {}],
            "filename_prefix": ["STRING", {}],
            "format": ["COMBO", {}],
            "codec": ["COMBO", {}],
        }
    },
    "new": {
        "required": {
            "video": ["VIDEO", {}],
            "filename_prefix": ["STRING", {}],
            "format": [
                "COMFY_DYNAMICCOMBO_V3",
                {"options": [{"key": "auto", "inputs": {"required": {"codec": CODEC}}}]},
            ],
        },
        "optional": {"codec": CODEC},
    },
}


def object_info(version):
    nodes = {
        "Load": {"required": {"file": ["COMBO", {"video_upload": True}]}},
        "Sample": {
            "required": {
                "video": ["VIDEO", {}],
                "seed": ["INT", {"control_after_generate": True}],
                "steps": ["INT", {}],
            },
            "optional": {"mask": ["MASK", {}], "mode": [["a", "b"], {}]},
        },
        "SaveVideo": SAVE[version],
    }
    return {
        name: {"input": inputs, "input_order": {k: list(v) for k, v in inputs.items()}}
        for name, inputs in nodes.items()
    }


def drawn():
    return {
        "links": [[1, 10, 0, 20, 0, "VIDEO"], [2, 20, 0, 30, 0, "VIDEO"]],
        "nodes": [
            {"id": 10, "type": "Load", "widgets_values": ["a.mp4", "image"]},
            {
                "id": 20,
                "type": "Sample",
                "inputs": [{"name": "video", "link": 1}, {"name": "mask", "link": None}],
                "widgets_values": [7, "fixed", 5, "b"],
            },
            {
                "id": 30,
                "type": "SaveVideo",
                "inputs": [{"name": "video", "link": 2}],
                "widgets_values": ["out", "auto", "auto"],
            },
            {"id": 40, "type": "MarkdownNote", "widgets_values": ["hello"]},
        ],
    }


@pytest.mark.parametrize(
    "version, nested",
    [("old", {"format": "auto", "codec": "auto"}), ("new", {"format": "auto", "format.codec": "auto"})],
)
def test_the_same_drawn_graph_fits_both_schemas(version, nested):
    assert graph.to_prompt(drawn(), object_info(version)) == {
        "10": {"class_type": "Load", "inputs": {"file": "a.mp4"}},
        "20": {"class_type": "Sample", "inputs": {"video": ["10", 0], "seed": 7, "steps": 5, "mode": "b"}},
        "30": {"class_type": "SaveVideo", "inputs": {"video": ["20", 0], "filename_prefix": "out", **nested}},
    }


def test_a_chosen_option_brings_its_own_values():
    drawing = drawn()
    drawing["nodes"][2]["widgets_values"] = ["out", "auto", "h264", 12.0]
    inputs = graph.to_prompt(drawing, object_info("new"))["30"]["inputs"]
    assert inputs["format.codec"] == "h264" and inputs["format.codec.crf"] == 12.0


def test_muted_nodes_are_left_out_and_unknown_ones_named():
    drawing = drawn()
    drawing["nodes"][2]["mode"] = graph.MUTED
    assert set(graph.to_prompt(drawing, object_info("old"))) == {"10", "20"}
    drawing["nodes"][1]["type"] = "CLEAR_Unheard"
    with pytest.raises(Problem, match="no node CLEAR_Unheard"):
        graph.to_prompt(drawing, object_info("old"))


def test_only_what_an_output_needs():
    prompt = graph.to_prompt(drawn(), object_info("old"))
    assert set(graph.only_to(prompt, {"Sample"})) == {"10", "20"}


class Peer(threading.Thread):
    """The server's side of one WebSocket: shakes hands, sends bytes, keeps what comes back."""

    def __init__(self, pieces):
        super().__init__(daemon=True)
        self.pieces, self.got, self.listening = pieces, b"", socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listening.accept()
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(4096)).group(1)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        for piece in self.pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        connection.settimeout(30)
        with contextlib.suppress(TimeoutError):
            self.got = connection.recv(4096)
        connection.close()


def frame(opcode, payload, final=True):
    size = (
        bytes([len(payload)])
        if len(payload) < 126
        else b"\x7e" + len(payload).to_bytes(2, "big")
        if len(payload) < 65536
        else b"\x7f" + len(payload).to_bytes(8, "big")
    )
    return bytes([(0x80 if final else 0) | opcode]) + size + payload


def test_messages_of_every_length_in_pieces_between_pings_and_previews():
    texts = [json.dumps({"n": n, "x": "y" * n}).encode() for n in (1, 300, 70_000)]
    stream = frame(1, texts[0]) + frame(2, b"\x00preview") + frame(9, b"still there?") + frame(1, texts[1][:100], False)
    stream += frame(9, b"") + frame(0, texts[1][100:]) + frame(1, texts[2])
    peer = Peer([stream[i : i + 999] for i in range(0, len(stream), 999)])
    listener = Listener("127.0.0.1", peer.port, "/ws")
    assert [listener.receive(30)["n"] for _ in texts] == [1, 300, 70_000]
    peer.join(30)
    assert peer.got[0] == 0x8A and peer.got[1] == 0x80 | len(b"still there?")
    mask, body = peer.got[2:6], peer.got[6 : 6 + 12]
    assert bytes(b ^ mask[i % 4] for i, b in enumerate(body)) == b"still there?"
    assert listener.receive(30) is None and listener.closed


def test_silence_is_not_the_end():
    peer = Peer([frame(1, b'{"a"')[:3]])
    listener = Listener("127.0.0.1", peer.port, "/ws")
    assert listener.receive(0.05) is None and not listener.closed
    listener.close()


def test_something_else_on_the_port_is_noticed():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(
            target=lambda: listening.accept()[0].sendall(b"HTTP/1.1 404 Not Found\r\n\r\n"), daemon=True
        ).start()
        with pytest.raises(ConnectionError, match="no WebSocket"):
            Listener("127.0.0.1", listening.getsockname()[1], "/ws")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLEAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    monkeypatch.setattr(environment, "PACK", tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "requirements.txt").write_text("torch\n")
    return tmp_path / "cache", tree


def fake_build(built, fail_at=None):
    def build(name, folder, requirements):
        built.append(name)
        environment.python_in(folder).parent.mkdir(parents=True, exist_ok=True)
        if name == fail_at:
            raise KeyboardInterrupt
        environment.python_in(folder).touch()

    return build


def test_an_environment_is_built_once_and_again_only_when_requirements_change(cache, monkeypatch):
    built, tree = [], cache[1]
    monkeypatch.setattr(environment, "_build", fake_build(built))
    first = environment.ready_environment(tree, test=False)
    assert environment.ready_environment(tree, test=False) == first and built == ["base"]
    assert environment.ready_environment(tree, test=True) == first and built == ["base", "test"]
    (tree / "requirements.txt").write_text("torch\nnumpy\n")
    assert environment.ready_environment(tree, test=False) != first and built == ["base", "test", "base"]


def test_an_interrupted_set_up_is_taken_up_again(cache, monkeypatch):
    built = []
    monkeypatch.setattr(environment, "_build", fake_build(built, fail_at="base"))
    with pytest.raises(KeyboardInterrupt):
        environment.ready_environment(cache[1], test=False)
    monkeypatch.setattr(environment, "_build", fake_build(built))
    environment.ready_environment(cache[1], test=False)
    assert built == ["base", "base"]


def test_two_runs_at_once_build_one_environment(cache, monkeypatch):
    built, inside = [], []

    def slow(name, folder, requirements):
        inside.append(name)
        assert len(inside) - len(built) == 1
        time.sleep(0.3)
        built.append(name)
        folder.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(environment, "_build", slow)
    runs = [threading.Thread(target=environment.ready_environment, args=(cache[1], False)) for _ in range(3)]
    [r.start() for r in runs], [r.join(20) for r in runs]
    assert built == ["base"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_dot_venv_points_to_the_environment_and_never_replaces_a_real_folder(cache, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_build", fake_build([]))
    python = environment.ready_environment(cache[1], test=False)
    assert (tmp_path / ".venv").resolve() == python.parents[1]
    (tmp_path / ".venv").unlink()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "mine").touch()
    environment.ready_environment(cache[1], test=False)
    assert (tmp_path / ".venv" / "mine").exists()


def test_a_pip_that_fails_is_shown_by_its_last_lines(tmp_path):
    with pytest.raises(Problem, match=r"(?s)no_such_command.*same command again"):
        environment.pip(Path(sys.executable), ["no_such_command"], "Trying", tmp_path / "log")


def test_a_full_disk_is_told_before_the_download(cache, monkeypatch):
    monkeypatch.setattr(environment, "NEEDED_SPACE", 1 << 60)
    with pytest.raises(Problem, match="CLEAR_CACHE"):
        environment.ready_environment(cache[1], test=False)


def test_a_wrong_comfyui_path_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(Problem, match="no main.py"):
        environment.ready_tree()


def test_a_python_beside_comfyui_runs_the_tests_only_with_all_that_the_pack_declares(cache, monkeypatch):
    monkeypatch.setenv("COMFYUI_PATH", str(cache[1]))
    monkeypatch.setattr(
        environment,
        "has_modules",
        lambda python, modules: {"av", "safetensors", "einops", "PIL", "pysubs2"} <= set(modules),
    )
    monkeypatch.setattr(environment, "ready_environment", lambda tree, test: None)
    assert environment.python_for(cache[1], test=True), "no Python was good enough"


def test_the_environment_holds_what_the_pack_declares():
    declared = re.search(r"^dependencies = (\[.*?\])", (ROOT / "pyproject.toml").read_text(), re.M | re.S).group(1)
    listed = environment.BASE.read_text().split()
    assert set(json.loads(declared)) <= set(listed)
    manager = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert manager == json.loads(declared) and not {
        "torch",
        "torchvision",
        "torchaudio",
        "numpy",
        "transformers",
    } & set(manager)


FAKE_COMFYUI = """
import http.server, json, os, sys
if os.environ.get("FAKE_FAILS"):
    sys.exit("no module named warp_drive")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"system": {}, "argv": sys.argv}).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
port = int(sys.argv[sys.argv.index("--port") + 1])
open(os.environ["FAKE_PID"], "w").write(str(os.getpid()))
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture
def fake_tree(tmp_path, monkeypatch):
    tree = tmp_path / "ComfyUI"
    (tree / "comfy").mkdir(parents=True)
    (tree / "main.py").write_text(FAKE_COMFYUI)
    (tree / "nodes.py").touch()
    (tree / "requirements.txt").touch()
    monkeypatch.setenv("FAKE_PID", str(tmp_path / "pid"))
    return tree


def alive(pid):
    status = Path(f"/proc/{pid}/status")
    if status.parents[1].is_dir() and Path("/proc/self/status").exists():
        return status.exists() and "State:\tZ" not in status.read_text()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_server_stops_and_its_folder_goes_even_when_the_work_fails(fake_tree, tmp_path):
    with pytest.raises(RuntimeError, match="work"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True) as running:
            assert "--cpu" in running.get("/system_stats")["argv"]
            assert (running.base / "custom_nodes" / server.PACK_NAME / "run.py").is_file()
            pid, base = running.process.pid, running.base
            raise RuntimeError("work")
    assert not alive(pid) and not base.exists()


def test_a_server_that_dies_at_the_start_is_explained(fake_tree, monkeypatch):
    monkeypatch.setenv("FAKE_FAILS", "1")
    with pytest.raises(Problem, match="(?s)stopped while it started.*warp_drive"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True):
            pytest.fail("it cannot have started")


def test_a_server_that_never_answers_is_given_up(fake_tree, monkeypatch):
    (fake_tree / "main.py").write_text("import time; print('loading', flush=True); time.sleep(60)")

    def nobody(self, *_, **__):
        if "loading" in self._log_text():
            monkeypatch.setattr(server, "START_BOUND", 0)
        raise OSError

    monkeypatch.setattr(server.Server, "get", nobody)
    with pytest.raises(Problem, match="(?s)did not answer within 0 s.*loading"):
        with server.Server(Path(sys.executable), fake_tree, cpu=True):
            pytest.fail("it cannot have started")


HOLD = """
import sys, time
from pathlib import Path
from launch.server import Server, ending_on_signals
with ending_on_signals(), Server(Path(sys.executable), Path(sys.argv[1]), cpu=True):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_the_server_stops_on_signals(fake_tree, tmp_path, number):
    # a shell lets what it starts in the background ignore SIGINT, and the tests may have been started so
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(fake_tree)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while "up" not in (line := holder.stdout.readline()):
        assert line, holder.stderr.read()
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    holder.send_signal(number)
    holder.communicate(timeout=120)
    assert holder.returncode != 0 and not alive(pid)


def test_what_the_user_can_mend_is_shown_without_a_traceback(tmp_path):
    pack = f"{tmp_path}.custom_nodes.clear-subtitle-remover"
    failed = lambda kind: server.NodeFailed(
        {
            "exception_type": kind,
            "exception_message": "It says why. ",
            "traceback": ["  line 1\n"],
            "node_type": "Sample",
        }
    )
    for kind in ("errors.ClearError", "data.burn_layout.TooSmall"):
        told = failed(f"{pack}.clear_runtime.{kind}")
        assert str(told) == "It says why." and told.code == 2 and told.kind == kind.rsplit(".")[-1]
    bug = failed("ValueError")
    assert "line 1" in str(bug) and "Sample failed" in str(bug) and bug.code == 1


def test_every_exception_of_the_runtime_is_one_that_the_user_can_mend():
    classes = [
        match
        for path in (ROOT / "clear_runtime").rglob("*.py")
        for match in re.findall(r"^ *class (\w+)\((\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    inside = {"Stopped"}  # never leaves the trainer
    assert {name for name, base in classes if re.search("Error|Exception", base) and base != "ClearError"} - inside == {
        "ClearError"
    }


def results(folder):
    folder.mkdir(exist_ok=True)
    made = {end: folder / end for end in demo.ENDS}
    for end, path in made.items():
        path.write_text(f"new {end}")
    return made


def test_results_of_an_earlier_run_are_replaced_and_other_files_never(tmp_path):
    made, out = results(tmp_path / "made"), tmp_path / "out"
    out.mkdir()
    assert demo.keep_results("film", out, made, {"a": 1}).name == "film_report.json"
    assert demo.keep_results("film", out, made, {"a": 2}).name == "film_report.json"
    assert json.loads((out / "film_report.json").read_text())["a"] == 2
    (out / "film_clean.mp4").write_text("cut by hand")
    assert demo.keep_results("film", out, made, {"a": 3}).name == "film_2_report.json"
    assert (out / "film_clean.mp4").read_text() == "cut by hand"
    assert (out / "film_2_clean.mp4").read_text() == "new clean.mp4"
    (out / "other_report.json").write_text('["not a report of ours"]')
    assert demo.keep_results("other", out, made, {}).name == "other_2_report.json"
    assert not list(out.glob(".*"))


def test_a_result_that_cannot_be_saved_leaves_nothing(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()

    def full(source, target):
        Path(target).write_text("half")
        raise OSError(28, "No space left on device")

    made = results(tmp_path / "made")
    monkeypatch.setattr(demo.shutil, "copyfile", full)
    with pytest.raises(Problem, match="No space left"):
        demo.keep_results("film", out, made, {})
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "name, why", [("missing.mp4", "There is no file"), ("folder", "is a folder"), ("empty.mp4", "is empty")]
)
def test_bad_input_is_refused_at_once_without_a_traceback(tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.mp4").touch()
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "demo", "--video", str(tmp_path / name), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CLEAR_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 2 and why in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "cache").exists() and not (tmp_path / "out").exists()


def test_an_output_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(Problem, match="--out") as refused:
        demo.refuse_early(demo.BUNDLED, tmp_path / "out")
    assert refused.value.code == 2


def test_run_py_and_its_parts_need_the_standard_library_alone():
    parts = [p for p in (ROOT / "launch").glob("*.py") if p.name != "measure.py"] + [ROOT / "run.py"]
    for part in parts:
        for module in re.findall(r"^\s*(?:import|from) ([A-Za-z_]\w*)", part.read_text(), re.M):
            assert module in sys.stdlib_module_names or module == "launch", f"{part.name} imports {module}"
