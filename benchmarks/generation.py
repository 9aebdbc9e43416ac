"""How `polyctl gen` scales over processor cores: one worker process against several, same problems.

    python benchmarks/generation.py [--workers 2] [--problems 120000] [--rounds 5]

A round makes the same data set with one worker and with several. Two measures: the speed-up by wall time,
which means something only where that many cores are idle (the load average is printed), and the processor
time of all processes together, one worker's divided by several workers', which says what the sharing itself
costs and holds on a busy machine too. The main process's share cannot be shared. A table, then one line of
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="base_3_3_prefix")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--problems", type=int, default=120_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            alone, several = (
                # Each round in directories of its own: a data set that is there is not made again.
                generate(options.experiment, options.problems, workers, Path(folder) / str(number))
                for workers in (1, options.workers)
            )
            rows.append(
                {
                    "speedup": alone[0] / several[0],
                    "processor": alone[1] / several[1],
                    "serial": alone[2] / alone[1],
                    "load": os.getloadavg()[0],
                }
            )
            print(f"round {number + 1}: {json.dumps(rows[-1])}", flush=True)
    print(f"\n{options.experiment}, {options.problems:,} problems, {options.workers} workers against one")
    report: dict[str, object] = {"experiment": options.experiment, "workers": options.workers}
    for name, words in (
        ("speedup", "times as fast by wall time"),
        ("processor", "processor time, one worker's / several's"),
        ("serial", "share of the main process"),
        ("load", "load average"),
    ):
        values = [row[name] for row in rows]
        print(f"{words:44}{median(values):>8.2f} ({min(values):.2f}-{max(values):.2f})")
        report[name] = {"median": median(values), "low": min(values), "high": max(values)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
