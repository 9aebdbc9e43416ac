"""Commands killed at random moments, continued, and compared with what an undisturbed command leaves.

    python benchmarks/faults.py [--rounds 10] [--jobs gen train files rl eval] [--seed 0]

A round is one of each job. It is killed (SIGKILL) at a random moment, once or several times, and continued as
a user would: by the same command, or by --resume if it trains. At the end its files must be those of the
undisturbed command, bit for bit; only times may differ. After every kill all processes that the command had
started must be gone, a training must be shown as crashed, and no event may be lost that was written before.
Commands are run in copies of this process, which has loaded torch. After each round a line on stderr; Ctrl-C
ends it early. A table for people, then one line of JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import common
import filelock  # noqa: F401  # copies of this process have all that commands import
import sympy  # noqa: F401
import torch
import torch._dynamo
from safetensors import safe_open
from safetensors.torch import load_file

import polyctl.__main__
from polyctl.cli.app import run as run_command
from polyctl.plans import runner  # noqa: F401
from polyctl.store.evaluation_report import read_reports
from polyctl.store.owner import process_start, read_owner
from polyctl.store.runs import Run, list_runs

PROC = Path("/proc/self").parent
ORPHAN_SECONDS = 20.0  # within which a process without its parent must be gone
SHORTER, LONGER = 0.6, 1.1  # a command's time, after a kill that came too late, and one that did not
MOST_KILLS = 3  # of one command, before it is left in peace
LEFT_OUT = ("elapsed", "data")  # times and places

GEN = ["gen", "smoke", "--out", "made", "--workers", "2", "--set", "data.train_size=2000"]
TRAIN = ["train", "smoke", "--runs", "runs", "--steps", "40", "--set", "train.eval_every=10"]
FILES = [*TRAIN, "--set", "train.ema=0.9", "--data", "made", "--set", "train.workers=1"]
BASE = ["train", "smoke", "--runs", "runs", "--steps", "10"]
RL = ["rl", "smoke", "--runs", "runs", "--smoke", "--steps", "4"]
EVAL = ["eval", "smoke", "--runs", "runs", "--limit", "8", "--beam", "4", "--no-baseline"]


# -- what a command leaves -------------------------------------------------------------------------

Files = dict[str, Any]


def data_left(place: Path) -> Files:
    """The files of a data set."""
    return {path.name: _sha256(path) for path in (place / "made").iterdir() if not _hidden(path)}


def training_left(place: Path, kind: str) -> Files:
    """The weights and the trainer's state of the newest run, times left out."""
    made = newest(place, kind)
    assert made is not None
    files = {path.name: model_content(path) for path in made.checkpoints.glob("*.safetensors")}
    return {**files, "ended": made.summary().ended}


def model_content(path: Path) -> Files:
    """The tensors of a file as a digest, and its description without times and places; it has no order."""
    digest = hashlib.sha256()
    for name, tensor in sorted(load_file(path).items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    with safe_open(path, framework="pt") as file:
        described = {name: json.loads(text) for name, text in file.metadata().items() if name != "digest"}
    for name in LEFT_OUT:
        described.get("polyctl", {}).pop(name, None)
    return {"tensors": digest.hexdigest(), **described}


def evaluation_left(place: Path) -> Files:
    """The newest report and its predictions."""
    made = newest(place, "smoke")
    assert made is not None
    path, report = next(read_reports(made.reports))
    facts = {name: value for name, value in report.to_json().items() if name not in ("seconds", "run")}
    return {"report": facts, "predictions": _sha256(made.predictions / f"{path.stem}.jsonl")}


def newest(place: Path, experiment: str) -> Run | None:
    """The newest run of an experiment."""
    return next((run for run in list_runs(place / "runs") if run.experiment == experiment), None)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


# -- jobs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A command, how it is continued after a kill, and what it leaves; `base` is the command before it."""

    name: str
    first: list[str]
    left: Callable[[Path], Files]
    resume: Callable[[Run], list[str]] | None = None
    experiment: str | None = None
    state_file: str = ""
    base: tuple[str, ...] = ()

    def again(self, place: Path) -> list[str]:
        """The command that continues: the first one, or --resume for a training that can be resumed."""
        made = self.run(place)
        if self.resume is None or made is None or not (made.checkpoints / self.state_file).exists():
            return self.first
        return self.resume(made)

    def run(self, place: Path) -> Run | None:
        """The run that it writes to."""
        return None if self.experiment is None else newest(place, self.experiment)


def _resume(made: Run) -> list[str]:
    return ["train", "--resume", made.name, "--runs", "runs"]


JOBS = (
    Job("gen", GEN, data_left),
    Job("train", TRAIN, partial(training_left, kind="smoke"), _resume, "smoke", "trainer.safetensors"),
    Job(
        "files",
        FILES,
        partial(training_left, kind="smoke"),
        _resume,
        "smoke",
        "trainer.safetensors",
        base=tuple(GEN),
    ),
    Job(
        "rl",
        RL,
        partial(training_left, kind="smoke_bgrpo"),
        lambda _: [*RL, "--resume"],
        "smoke_bgrpo",
        "rl.safetensors",
        base=tuple(BASE),
    ),
    Job("eval", EVAL, evaluation_left, experiment="smoke", base=tuple(BASE)),
)


# -- killing ---------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What happened to one kind of job."""

    rounds: int = 0
    kills: int = 0
    missed: int = 0  # it had ended before the kill
    equal: int = 0
    faults: list[str] = field(default_factory=list)


def start(arguments: list[str], place: Path) -> int:
    """Begin a command in a copy of this process; its number. What it writes is added to log.txt."""
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        log = os.open(place / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        os.chdir(place)
        sys.modules["__main__"] = polyctl.__main__  # whose imports are those of every worker
        signal.signal(signal.SIGINT, signal.default_int_handler)
        torch.set_num_threads(1)
        code = run_command(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finish(arguments: list[str], place: Path) -> float:
    """Run a command to its end; the seconds it took. RuntimeError if it fails."""
    began = time.monotonic()
    _, status = os.waitpid(start(arguments, place), 0)
    if status:
        log = (place / "log.txt").read_text()[-2000:]
        raise RuntimeError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}\n{log}")
    return time.monotonic() - began


def kill(pid: int) -> list[str]:
    """Kill a command; which of the processes that it had started are still there some seconds later."""
    began = {child: process_start(child) for child in _descendants(pid)}
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + ORPHAN_SECONDS
    while True:
        alive = [child for child, mark in began.items() if mark and process_start(child) == mark]
        if not alive or time.monotonic() > deadline:
            return [f"process {child} outlived the command" for child in alive]
        time.sleep(0.05)


def _descendants(pid: int) -> list[int]:
    """The processes that this one has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(path.parent.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def disturb(job: Job, place: Path, seconds: float, chance: random.Random, tally: Tally) -> float:
    """One round in a place: kill and continue a few times, then let it end.

    `seconds` is how long the command is thought to take; the answer is how long it is thought to take now.
    """
    arguments = job.first
    for _ in range(chance.randint(1, MOST_KILLS)):
        pid = start(arguments, place)
        time.sleep(chance.uniform(0.02, 1.0) * seconds)
        if os.waitpid(pid, os.WNOHANG)[0]:
            tally.missed += 1
            seconds *= SHORTER
            break
        seconds *= LONGER
        tally.kills += 1
        tally.faults += kill(pid)
        made = job.run(place)
        if made is not None and read_owner(made.path) is not None:
            state = made.state()
            if state not in ("crashed", "finished"):
                tally.faults.append(f"{made.name} is shown as {state}")
        arguments = job.again(place)
    before = _events(place)
    finish(job.again(place), place)
    for path, data in before.items():
        if not path.read_bytes().startswith(data):
            tally.faults.append(f"{path} has lost events")
    return seconds


def _events(place: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in place.glob("runs/*/*/events.jsonl")}


class Undisturbed:
    """What each job leaves if nothing happens to it, and how long it takes; made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bases: dict[tuple[str, ...], Path] = {}
        self._known: dict[str, tuple[Files, float]] = {}

    def place(self, job: Job, name: str) -> Path:
        """A new folder with what the job starts from."""
        place = self.folder / f"{job.name}-{name}"
        if not job.base:
            place.mkdir()
            return place
        if job.base not in self._bases:
            self._bases[job.base] = self.folder / f"base-{len(self._bases)}"
            self._bases[job.base].mkdir()
            finish(list(job.base), self._bases[job.base])
        shutil.copytree(self._bases[job.base], place)
        return place

    def of(self, job: Job) -> tuple[Files, float]:
        """Its files, and the seconds it took."""
        if job.name not in self._known:
            place = self.place(job, "undisturbed")
            seconds = finish(job.first, place)
            self._known[job.name] = (job.left(place), seconds)
        return self._known[job.name]

    def adjust(self, job: Job, seconds: float) -> None:
        """Take that as its time: other work on the machine comes and goes."""
        self._known[job.name] = (self._known[job.name][0], seconds)


def play(jobs: list[Job], rounds: int, seed: int, folder: Path) -> dict[str, Tally]:
    """All rounds; what happened by job. Ctrl-C ends them early."""
    undisturbed = Undisturbed(folder)
    tallies = {job.name: Tally() for job in jobs}
    try:
        for number in range(rounds):
            for job in jobs:
                _play_one(job, f"{seed} {number} {job.name}", undisturbed, tallies[job.name])
            found = tallies.values()
            kills, faults = sum(t.kills for t in found), sum(len(t.faults) for t in found)
            said = f"round {number + 1} of {rounds}: {kills} kills, {faults} faults"
            print(said, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return tallies


def _play_one(job: Job, seed: str, undisturbed: Undisturbed, tally: Tally) -> None:
    """One round of a job; its folder is kept if something was wrong."""
    expected, seconds = undisturbed.of(job)
    place = undisturbed.place(job, seed.replace(" ", "-"))
    before = len(tally.faults)
    try:
        undisturbed.adjust(job, disturb(job, place, seconds, random.Random(seed), tally))
        found = job.left(place)
    except Exception as error:
        tally.faults.append(f"{seed}: {error!r}")
    else:
        names = expected.keys() | found.keys()
        different = sorted(name for name in names if expected.get(name) != found.get(name))
        if different:
            tally.faults.append(f"{seed}: {', '.join(different)} differ")
        else:
            tally.equal += 1
    tally.rounds += 1
    if len(tally.faults) == before:
        shutil.rmtree(place)


def main() -> None:
    """Play the rounds, print; exit code 1 if anything went wrong."""
    parser = common.parser(__doc__, rounds=10)
    parser.add_argument("--jobs", nargs="+", choices=[job.name for job in JOBS], default=None)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    jobs = [job for job in JOBS if options.jobs is None or job.name in options.jobs]
    with tempfile.TemporaryDirectory() as folder:
        tallies = play(jobs, options.rounds, options.seed, Path(folder))
    rows = [(name, t.rounds, t.kills, t.missed, t.equal, len(t.faults)) for name, t in tallies.items()]
    common.print_table(("", "rounds", "kills", "missed", "equal", "faults"), rows)
    faults = [f"{name}: {fault}" for name, tally in tallies.items() for fault in tally.faults]
    for fault in faults:
        print(fault)
    sums = {name: sum(getattr(t, name) for t in tallies.values()) for name in ("rounds", "kills", "equal")}
    common.finish("faults", seed=options.seed, **sums, faults=faults)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
