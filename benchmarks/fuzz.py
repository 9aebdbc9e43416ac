"""Damaged and hostile inputs for every reader: no traceback, no hang over 5 s, no memory over 1 GB.

    python benchmarks/fuzz.py [--inputs 10000] [--seed 0] [--readers expressions settings registries ...]

Inputs are drawn by hypothesis: grown from a grammar, or real ones whose bytes or values are changed. Each is
read by a command that runs in a copy of this process, in a folder of its own. Wrong are an exception that
comes out, an exit code that is not documented, an error without a message, characters that steer a terminal,
more than 5 s of processor time or 10 s without any, and 1 GB more memory than before. The same seed draws the
same inputs; --keep DIR keeps those that went wrong, and --again FILE reads one of them. Ctrl-C ends it early.
A table, what was wrong, then one line of JSON.
"""

from __future__ import annotations

import pickle
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import common
import sympy  # noqa: F401  # copies of this process have all that commands import
import torch
from fuzzing import expressions, files
from fuzzing.base import make_base
from fuzzing.case import Case
from fuzzing.child import Child, Ending
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

import polyctl.rl.trainer
import polyctl.solvers.numeric.solver
import polyctl.training.supervised  # noqa: F401
from polyctl.tui.actions import load_keymap
from polyctl.tui.input_history import InputHistory
from polyctl.tui.launch import list_jobs

READERS: dict[str, tuple[int, Callable[[], SearchStrategy[Case]]]] = {  # of ten inputs so many
    "expressions": (40, lambda: expressions.cases),
    "settings": (8, files.setting_cases),
    "registries": (8, files.registries),
    "data": (10, files.data_cases),
    "checkpoints": (10, files.checkpoint_cases),
    "events": (6, files.event_cases),
    "config": (6, files.config_cases),
    "reports": (6, files.report_cases),
    "folders": (6, files.folder_cases),
}
CALLS: dict[str, Callable[[Path], object]] = {
    "keys": lambda place: load_keymap(place / "tui.toml"),
    "history": lambda place: InputHistory(place / "tui_history"),
    "jobs": lambda place: list_jobs(place / "runs"),
}


@dataclass
class Tally:
    """What happened to the inputs of one reader."""

    inputs: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0  # the most
    memory: int = 0  # the most
    faults: list[tuple[int, Case, Ending]] = field(default_factory=list)


def play(reader: str, inputs: int, number: int, child: Child, tally: Tally, keep: Path | None = None) -> None:
    """Read so many inputs of a reader; what happened is added to the tally."""

    @seed(number)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(READERS[reader][1]())
    def read(case: Case) -> None:
        tally.inputs += 1
        ending = child.read(case)
        tally.codes[ending.code] = tally.codes.get(ending.code, 0) + 1
        tally.seconds, tally.memory = max(tally.seconds, ending.seconds), max(tally.memory, ending.memory)
        if ending.fault:
            tally.faults.append((tally.inputs, case, ending))
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{reader}-{tally.inputs}").write_bytes(pickle.dumps(case))
            print(f"{reader} {tally.inputs}: {ending.fault}", file=sys.stderr, flush=True)
        elif tally.inputs % 500 == 0:
            print(f"{reader}: {tally.inputs} inputs", file=sys.stderr, flush=True)

    read()


def start_child(folder: Path) -> Child:
    """The process that reads, in that folder, beside the folder that it copies."""
    torch.set_num_threads(1)
    make_base(folder / "base")
    return Child(folder / "base", folder / "place", CALLS)


def _print_faults(tallies: dict[str, Tally]) -> None:
    """Each kind of fault once, with its first input, and the numbers of the others."""
    for name, tally in tallies.items():
        kinds: dict[str, list[tuple[int, Case, Ending]]] = {}
        for fault in tally.faults:
            kinds.setdefault(f"{fault[2].fault} {_place_of(fault[2].detail)}", []).append(fault)
        for found in kinds.values():
            number, case, ending = found[0]
            others = f", also {', '.join(str(one[0]) for one in found[1:])}" if found[1:] else ""
            print(f"--- {name} {number}: {ending.fault}, exit code {ending.code}{others}")
            print(repr(case)[:1000])
            print(ending.detail[-1200:])


def _place_of(detail: str) -> str:
    """The last line of polyctl in a traceback."""
    places = [line.strip() for line in detail.splitlines() if "polyctl/" in line and ", line " in line]
    return places[-1] if places else detail[:40]


def main() -> None:
    """Read the inputs, print; exit code 1 if anything went wrong."""
    parser = common.parser(__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readers", nargs="+", choices=list(READERS), default=list(READERS))
    parser.add_argument("--keep", type=Path, default=None, metavar="DIR")
    parser.add_argument("--again", type=Path, default=None, metavar="FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also if a shell started it in the background
    tallies = {name: Tally() for name in options.readers}
    whole = sum(READERS[name][0] for name in options.readers)
    with tempfile.TemporaryDirectory() as folder:
        child = start_child(Path(folder))
        try:
            if options.again is not None:
                ending = child.read(pickle.loads(options.again.read_bytes()))
                print(ending.detail, f"{ending.fault or 'well'}, exit code {ending.code}", sep="\n")
                return
            for name, tally in tallies.items():
                inputs = -(-options.inputs * READERS[name][0] // whole)
                play(name, inputs, options.seed, child, tally, options.keep)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
        finally:
            child.close()
    _print_faults(tallies)
    rows = [
        (
            name,
            t.inputs,
            *(t.codes.get(code, 0) for code in range(4)),
            f"{t.seconds:.1f} s",
            f"{t.memory >> 20} MB",
            len(t.faults),
        )
        for name, t in tallies.items()
    ]
    common.print_table(("", "inputs", "0", "1", "2", "3", "longest", "most memory", "faults"), rows)
    faults = {
        name: [[number, e.fault] for number, _, e in t.faults] for name, t in tallies.items() if t.faults
    }
    common.finish("fuzz", seed=options.seed, inputs=sum(t.inputs for t in tallies.values()), faults=faults)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    main()
