"""Start-up of polyctl's commands against an empty Typer program and a bare Python, all in one run.

    python benchmarks/startup.py [--rounds 15]

A round starts every program once, one after the other, and takes the processor time of each, so that a noisy
machine slows all of them. Ratios are taken within a round; their median and quartiles count: to the empty
Typer program, and for an exact answer also to the import of the libraries that it needs. A table for people,
then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

EMPTY = """
import typer
app = typer.Typer(rich_markup_mode="markdown")
@app.command()
def main() -> None:
    "Nothing."
app()
"""
IMPORTS = "import flint, typer, rich"
QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"
BARE, LIBRARIES, TYPER, HELP, VERSION, VERIFY, DECOMPOSE = (
    "python -c pass",
    f"python -c '{IMPORTS}'",
    "empty Typer program --help",
    "polyctl --help",
    "polyctl --version",
    "polyctl verify FILE (8 problems)",
    "polyctl decompose F (one variable)",
)


def sample(path: Path) -> None:
    """Write a small file of problems in the published format."""
    from polyctl.config.schema import DataConfig
    from polyctl.data.dataset import write_problem
    from polyctl.data.families import draw_problem

    data = DataConfig(tokenizer="prefix", outer_degrees=(2,), inner_degrees=(2,))
    path.write_text(
        "".join(f"{write_problem(data, draw_problem(data, 0, i))}\n" for i in range(8)), encoding="utf-8"
    )


def processor_seconds(command: list[str]) -> float:
    """Processor time of one run of a program and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "80"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problems.txt"
        sample(file)
        python, polyctl = sys.executable, [sys.executable, "-m", "polyctl"]
        programs = {
            BARE: [python, "-c", "pass"],
            LIBRARIES: [python, "-c", IMPORTS],
            TYPER: [python, "-c", EMPTY, "--help"],
            HELP: [*polyctl, "--help"],
            VERSION: [*polyctl, "--version"],
            VERIFY: [*polyctl, "verify", str(file)],
            DECOMPOSE: [*polyctl, "decompose", QUARTIC],
        }
        for command in programs.values():  # bytecode and the file cache are warm from here on
            processor_seconds(command)
        times = [
            {name: processor_seconds(command) for name, command in programs.items()} for _ in range(rounds)
        ]
    report = {}
    print(f"{'':38}{'in units of the empty Typer program, median (quartiles)':>58}")
    for name, unit in [*((name, TYPER) for name in programs), (DECOMPOSE, LIBRARIES)]:
        ratios = [row[name] / row[unit] for row in times]
        low, _, high = quantiles(ratios, n=4)
        spread = f"{median(ratios):.2f} ({low:.2f}-{high:.2f})"
        label = name if unit == TYPER else "  in units of the imports"
        print(f"{label:38}{spread:>58}")
        report[name if unit == TYPER else f"{name} / {unit}"] = {
            "ratio": median(ratios),
            "low": low,
            "high": high,
        }
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
