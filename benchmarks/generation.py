"""How fast problems are made: a stream's blocks against one problem at a time, `polyctl gen` over cores.

    python benchmarks/generation.py [--streams general general_wide d1_degree] [--rounds 5]
    python benchmarks/generation.py --streams --workers 2 [--problems 120000] [--rounds 5]

Streams are measured on one core, in processor time: the token pairs that training gets, drawn, named and
written in blocks (`polyctl.data.blocks`), against the plain way that gives the same ones
(`polyctl.data.plain`). As many are made at once as a chunk of the experiment has. Of a mixture each part is
measured alone, too.

With --workers a round makes the same data set with one worker and with several. Two measures: the speed-up
by wall time, which means something only where that many cores are idle (the load average is printed), and
the processor time of all processes together, one worker's divided by several workers', which says what the
sharing itself costs and holds on a busy machine too. The main process's share cannot be shared. Tables, then
one line of JSON.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import common

from polyctl.config.registry import load_experiment
from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.blocks.writer import BlockWriter
from polyctl.data.plain import PlainWriter
from polyctl.data.stream import CHUNK_BATCHES
from polyctl.data.tokenizers import make_tokenizer

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


def stream_seconds(data: DataConfig, pairs: int, rounds: int) -> list[dict[str, float]]:
    """Seconds a pair of both ways, in each round; the plain way makes a sixteenth of the pairs."""
    tokenizer = make_tokenizer(data)
    blocks, plain = BlockWriter(data, tokenizer, 0), PlainWriter(data, tokenizer, 0, frozenset())

    def in_blocks(number: int) -> Iterator[TokenPair]:
        return islice(blocks.pairs((number + 1) << 32, pairs), pairs)

    def one_by_one(number: int) -> Iterator[TokenPair]:
        made = (pair for i in count((number + 1) << 32) if (pair := plain.pair(i)) is not None)
        return islice(made, pairs // 16)

    def measure(way: Callable[[int], Iterator[TokenPair]], of: int) -> Callable[[int], float]:
        return lambda number: common.seconds(lambda: list(way(number))) / of

    works = {"blocks": measure(in_blocks, pairs), "plain": measure(one_by_one, pairs // 16)}
    return common.in_turn(works, rounds, warm=1)


def measure_stream(name: str, rounds: int) -> dict[str, object]:
    """A table of an experiment's stream and of the parts of a mixture; figures of the whole stream."""
    experiment = load_experiment(name)
    data, pairs = experiment.data, experiment.train.batch * CHUNK_BATCHES
    several = [(name, data)]
    if len(data.parts) > 1:
        several += [
            (f"{part.family}, {part.inner_variables} variables, {part.inners} inner", alone)
            for part in data.parts
            for alone in (data.model_copy(update={"parts": (part,)}),)
        ]
    rows, figures = [], []
    for title, config in several:
        found = stream_seconds(config, pairs, rounds)
        ratio = common.Spread.range(row["plain"] / row["blocks"] for row in found)
        speed = common.Spread.range(1 / row["blocks"] for row in found)
        rows.append((title, ratio.text(1), speed.text(0)))
        figures.append({"times_as_fast": ratio.to_dict(), "pairs_a_second": speed.to_dict()})
    common.print_table(("a stream, one core", "times as fast as one by one", "pairs a second"), rows)
    return figures[0]


def measure_workers(options: argparse.Namespace) -> dict[str, object]:
    """The table of one worker against several."""
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
    return {
        "experiment": options.experiment,
        "workers": options.workers,
        "load": load,
        **{name: spread.to_dict() for name, (_, spread) in spreads.items()},
    }


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=5)
    parser.add_argument("--streams", nargs="*", default=["general", "general_wide", "d1_degree"])
    parser.add_argument("--experiment", default="base_3_3_prefix")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--problems", type=int, default=120_000)
    options = parser.parse_args()
    figures: dict[str, object] = {name: measure_stream(name, options.rounds) for name in options.streams}
    if options.workers is not None:
        figures |= measure_workers(options)
    common.finish("generation", **figures)


if __name__ == "__main__":
    main()
