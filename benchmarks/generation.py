"""How `polyctl gen` scales over processor cores: one worker process against several, same problems.

    python benchmarks/generation.py [--workers 2] [--problems 120000] [--rounds 5]

A round makes the same data set with one worker and with several. Two measures: the speed-up by wall time,
which means something only where that many cores are idle (the load average is printed), and the processor
time of all processes together, one worker's divided by several workers', which says what the sharing itself
costs and holds on a busy machine too. The main process's share cannot be shared. A table, then one line of
JSON.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common

# The command, with the main process's own processor time as the last line of stdout.
PROGRAM = """
import sys, time
from polyctl.cli.app import run
code = run(sys.argv[1:])
print(time.process_time())
raise SystemExit(code)
"""


def generate(experiment: str, problems: int, workers: int, folder: Path) -> tuple[float, float, float]:
    """(wall seconds, processor seconds of all processes, those of the main one)."""
    command = ["gen", experiment, "--workers", str(workers), "--out", str(folder / f"{workers}"), "--force"]
    sizes = [
        f"--set=data.{name}={size}"
        for name, size in (("train_size", problems), ("valid_size", 64), ("test_size", 64))
    ]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command, *sizes], check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, used, float(done.stdout.split()[-1])


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=5)
    parser.add_argument("--experiment", default="base_3_3_prefix")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--problems", type=int, default=120_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:

        def work(workers: int) -> Callable[[int], tuple[float, float, float]]:
            # Each round in directories of its own: a data set that is there is not made again.
            return lambda number: generate(
                options.experiment, options.problems, workers, Path(folder) / str(number)
            )

        pairs = common.in_turn({"alone": work(1), "several": work(options.workers)}, options.rounds)
    print(f"{options.experiment}, {options.problems:,} problems, {options.workers} workers against one")
    rows = [(pair["alone"], pair["several"]) for pair in pairs]
    figures = {
        "speedup": ("times as fast by wall time", [a[0] / s[0] for a, s in rows]),
        "processor": ("processor time, one worker's / several's", [a[1] / s[1] for a, s in rows]),
        "serial": ("share of the main process", [a[2] / a[1] for a, _ in rows]),
    }
    spreads = {name: (words, common.Spread.range(values)) for name, (words, values) in figures.items()}
    common.print_table(("", "median (range)"), [(words, spread.text()) for words, spread in spreads.values()])
    load = os.getloadavg()[0]
    print(f"load average {load:.2f}")
    common.finish(
        "generation",
        experiment=options.experiment,
        workers=options.workers,
        load=load,
        **{name: spread.to_dict() for name, (_, spread) in spreads.items()},
    )


if __name__ == "__main__":
    main()
