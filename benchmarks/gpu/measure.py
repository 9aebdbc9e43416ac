"""Measure on a GPU: parity, the data, a profile, search and training, each part for itself.

    python benchmarks/gpu/measure.py --out DIR [--seconds 330] [--parts parity data profile beam wide …]
    python benchmarks/gpu/measure.py --out DIR --device cpu --rehearse

Every part is a process with a limit of its own, so that one that fails or hangs takes nothing from the
others. DIR/measure.json is written after each part, with what a part had when it was stopped, and errors
stand in it. `--rehearse` makes everything tiny, to see that it runs. A table comes last; collect.py makes
that of the documentation.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import common
from record import FULL, TINY, Record, command, environment

# Seconds of each part at most, with loading torch; the last two compile, which took 65 s on an H200
PARTS = {"parity": 45.0, "data": 40.0, "profile": 30.0, "beam": 60.0, "wide": 130.0, "training": 150.0}
GRACE = 3.0  # between the end of a part's budget and its being killed


def run_part(name: str, options: argparse.Namespace) -> None:
    """One part, in this process."""
    record = Record(options.out / f"{name}.json", options.seconds)
    sizes = TINY if options.rehearse else FULL
    if name == "parity":
        from parity import run
    elif name == "training":
        from speed import run_training as run
    elif name == "wide":
        from speed import run_wide as run
    elif name == "beam":
        from speed import run_beam as run
    elif name == "profile":
        from profiles import run
    else:
        from speed import run_data as run
    record.put(environment=environment(options.device))
    run(record, sizes, options.device)


def start_part(name: str, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """The figures of a part that runs in a process of its own for at most so many seconds."""
    command = [sys.executable, __file__, "--out", str(options.out), "--device", options.device]
    command += ["--part", name, "--seconds", str(seconds)] + ["--rehearse"] * options.rehearse
    path = options.out / f"{name}.json"
    path.unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True)
    try:
        code: int | str = process.wait(seconds + GRACE)
    except subprocess.TimeoutExpired:
        code = "stopped: its time was over"
    finally:
        kill(process)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.unlink(missing_ok=True)
    return {"exit": code, "seconds": time.monotonic() - began, **found}


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def rows(part: str, found: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures of a part for people, nested names with dots."""
    shown = []
    for name, value in found.items():
        if name == "environment":
            continue
        if isinstance(value, dict):
            shown += [(f"{part}.{inner}", text) for inner, text in rows(name, value)]
        elif isinstance(value, float):
            shown.append((f"{part}.{name}", f"{value:.4g}"))
        elif isinstance(value, list):
            shown.append((f"{part}.{name}", f"{len(value)} of them"))
        else:
            shown.append((f"{part}.{name}", str(value).strip().splitlines()[-1] if value else str(value)))
    return shown


def main() -> None:
    """Run the parts, one after the other."""
    parser = common.parser(__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=330.0, help="for all parts together")
    parser.add_argument("--parts", nargs="*", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--rehearse", action="store_true")
    options = parser.parse_args()
    if options.part:
        run_part(options.part, options)
        return
    record = Record(options.out / "measure.json", options.seconds)
    for name in options.parts:
        seconds = min(PARTS[name], record.left - 2 * GRACE)
        if seconds < GRACE:
            record.put(**{name: {"left_out": "no time was left"}})
            continue
        found = start_part(name, options, seconds)
        if "environment" in found:
            record.put(environment={**found.pop("environment"), "command": command()})
        record.put(**{name: found})
        print(f"{name}: exit {found['exit']}, {found['seconds']:.0f} s", flush=True)
    record.put(seconds=options.seconds - record.left)
    common.print_table(
        ("figure", "value"), [row for part in options.parts for row in rows(part, record.found[part])]
    )


if __name__ == "__main__":
    main()
