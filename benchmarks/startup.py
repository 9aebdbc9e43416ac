"""Start-up of polyctl's commands against programs that import the same libraries, all in one run.

    python benchmarks/startup.py [--rounds 15]

A round starts every program once, one after the other, and takes the processor time of each, so that a noisy
machine slows all of them. Each is compared with its peer within the round: what shows text with an empty
Typer program's `--help`, and `polyctl decompose` with the import of the libraries that it needs. Median and
quartiles count. A table for people, then one line of JSON.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import common

EMPTY = """
import typer
app = typer.Typer(rich_markup_mode="markdown")
@app.command()
def main() -> None:
    "Nothing."
app()
"""
LIBRARIES = 'python -c "import flint, typer, rich"'
TYPER = "empty Typer program --help"
DECOMPOSE = "polyctl decompose, univariate f"
F = "x^4 + 2x^3 + 3x^2 + 2x + 5"


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
    rounds = common.parser(__doc__, rounds=15).parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "problems.txt"
        sample(file)
        python, polyctl = sys.executable, [sys.executable, "-m", "polyctl"]
        programs = {
            "python -c pass": ([python, "-c", "pass"], TYPER),
            TYPER: ([python, "-c", EMPTY, "--help"], TYPER),
            "polyctl --help": ([*polyctl, "--help"], TYPER),
            "polyctl --version": ([*polyctl, "--version"], TYPER),
            "polyctl verify FILE (8 problems)": ([*polyctl, "verify", str(file)], TYPER),
            LIBRARIES: ([python, "-c", "import flint, typer, rich"], LIBRARIES),
            DECOMPOSE: ([*polyctl, "decompose", F], LIBRARIES),
        }
        works = {name: lambda _, c=command: processor_seconds(c) for name, (command, _) in programs.items()}
        times = common.in_turn(works, rounds, warm=1)  # bytecode and the file cache are warm from here on
    ratios = {
        name: common.Spread.quartiles(row[name] / row[peer] for row in times)
        for name, (_, peer) in programs.items()
    }
    common.print_table(
        ("program", "times its peer, median (quartiles)", "peer"),
        [(name, ratios[name].text(), peer) for name, (_, peer) in programs.items()],
    )
    common.finish("startup", programs={name: ratio.to_dict() for name, ratio in ratios.items()})


if __name__ == "__main__":
    main()
