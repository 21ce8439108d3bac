"""A short Stage II run of two processes, or of one alone, and then commands, on their connection:
python two_trainers.py FOLDER ACCUMULATE. The commands stand in FOLDER/commands.json, [[name of the module in cli/,
arguments], ...]; what each of the two says is left in FOLDER."""

import json
import os
import signal
import sys
import weakref
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import torch

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here.parent.parent), str(here)]
    torch.set_num_threads(1)

import tiny_wan
from tiny_clips import CONTEXT, MemoryClips

from clear_runtime.engines.nano.load import load_bundled_codec
from clear_runtime.find.priors.checkpoints import load_prior
from clear_runtime.train.lora.cache import LatentClips, encode_clips
from clear_runtime.train.lora.options import LoraOptions
from clear_runtime.train.lora.train import train
from clear_runtime.train.processes import Processes

COMMAND = "-- the command --"


class Mixed(MemoryClips):
    """The second is narrower than the crop: its batches have another size."""

    def read(self, wanted):
        for n, clip in super().read(wanted):
            yield n, type(clip)(*(part[:, :, 72:120] if n == 1 else part for part in clip))


def run(folder: Path, accumulate: int, processes: Processes) -> None:
    """Leaves in the folder what train() does, and the losses and which clips each process encoded."""
    options = LoraOptions(
        steps=3,
        rank=4,
        crop=(5, 32, 64),
        precision="float32",
        checkpointing=False,
        seed=3,
        rate=1e-3,
        accumulate=accumulate,
        batch=2,
    )
    pairs = Mixed(3)
    # as another path or time would make them
    pairs.identities = [f"machine {processes.rank} {name}" for name in pairs.identities]
    paths = encode_clips(folder / "latents", pairs, load_bundled_codec(), load_prior(), "test", processes=processes)
    clips = LatentClips(paths, 4, options.crop, options.control, options.seed, batch=options.batch)
    assert clips.sizes == [(2, 8, 16), (2, 8, 12)] and len({clips[k].clean.shape for k in range(24)}) == 2
    steps = train(options, tiny_wan.wan_state(), clips, CONTEXT, folder, processes)
    history = [[p.loss, *p.terms.values()] for p in steps]
    assert processes.count == 1 or processes.any(processes.rank == 1)  # a stop that one of them was told
    assert not processes.any(False)
    assert processes.shared(processes.rank) == 0
    if processes.count > 1:  # the others wait while one encodes; torch gives up after ten minutes
        backend = torch.distributed.group.WORLD._get_backend(torch.device("cpu"))
        assert backend.options._timeout.total_seconds() > 12 * 3600
    if processes.main:
        (folder / "history.json").write_text(json.dumps(history))
    (folder / f"encoded_{processes.rank}.json").write_text(json.dumps(pairs.reads))


def command(name: str, arguments: list[str], processes: Processes) -> None:
    """A trainer's command in processes that are connected already: what it says stands after COMMAND."""
    module = import_module(f"clear_runtime.cli.{name}")
    module.Processes = lambda device: nullcontext(processes)
    print(COMMAND, file=sys.stderr, flush=True)
    module.main(arguments)


def said(folder: Path, rank: int) -> Path:
    """The file of what one of the two says."""
    return folder / f"said_{rank}"


def one_of_two(rank: int) -> None:
    """What one of the two does; the environment names their meeting point."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    folder = Path(sys.argv[1])
    os.dup2(os.open(said(folder, rank), os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())
    with Processes("cpu") as processes:
        run(folder, int(sys.argv[2]), processes)
        for name, arguments in json.loads((folder / "commands.json").read_text()):
            command(name, arguments, processes)
        connection = weakref.ref(torch.distributed.group.WORLD)
    assert connection() is None  # its threads would abort the process at the interpreter's end, now and then


def both() -> bool:
    """Whether both came to their end. The packages are loaded once, and nothing has run in this process: each of the
    two begins as a new process would."""
    import diffsynth.pipelines.wan_video  # noqa: F401
    import peft  # noqa: F401
    import torch._dynamo  # noqa: F401  # the first step of an optimiser would

    there = set()
    for rank in range(2):
        child = os.fork()
        if not child:
            one_of_two(rank)
            sys.exit()
        there.add(child)
    while there:
        child, status = os.wait()
        there.remove(child)
        if status:  # the other would wait for it
            for left in there:
                os.kill(left, signal.SIGKILL)
            return False
    return True


if __name__ == "__main__":
    sys.exit(not both())
