"""What the same problems cost to train on in each token format: prefix, compact, and a term a position.

The first row is the published way: prefix tokens in the padded float32 loop (benchmarks/training.py).

    python benchmarks/tokens.py [--experiment base_3_3_compact] [--set train.precision=bfloat16]

A round is one chunk of batches of the same problems through a training step of each format, one after the
other, with the same model but for what the format asks; ratios are taken within a round. Time is processor
time on a CPU, and time between two synchronizations on a GPU. A table for people, then one line of JSON.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import mean

import common
from training import PaddedLoop

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.runtime.processes import join_processes
from polyctl.store.runs import create_run
from polyctl.training.journal import Journal
from polyctl.training.supervised import SupervisedTrainer

PLAIN = ["model.residues=0", "model.number_init=random"]
TERMS = [
    "data.tokenizer=terms",
    "model.residues=23",
    "model.number_init=fourier",
]
FORMATS = {
    "prefix": ["data.tokenizer=prefix", "model.context_length=256", *PLAIN],
    "compact": ["data.tokenizer=compact", *PLAIN],
    "terms": TERMS,
}


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=3, device=True, settings=[])
    parser.add_argument("--experiment", default="base_3_3_compact")
    options = parser.parse_args()
    base = load_registry().get(options.experiment)
    fixed = ["train.source=stream", "train.steps=1000000", *options.set]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = stack.enter_context(join_processes(options.device))
        trainers = {}
        for name, settings in FORMATS.items():
            experiment: Experiment = override(base, [*fixed, *settings])
            run = create_run(experiment, Path(folder) / name)
            journal = stack.enter_context(Journal(run.events, main=True))
            trainers[name] = SupervisedTrainer(experiment, run, processes, journal)
        rows = measure(trainers, options.rounds)
    report(rows, base, processes.device.type)


def measure(trainers: dict[str, SupervisedTrainer], rounds: int) -> list[dict[str, tuple[float, float]]]:
    """For each round and format: seconds a problem, and positions a problem."""
    prefix = trainers["prefix"]
    now = common.clock(prefix.processes.device.type)
    padded = PaddedLoop(prefix.experiment, prefix.model.vocabulary, prefix.processes.device)

    def side(trainer: SupervisedTrainer, step: Callable[..., object]) -> Callable[[int], tuple[float, float]]:
        def work(number: int) -> tuple[float, float]:
            chunk = trainer.source.chunk(number + 1)  # the round that warms up is number -1
            problems = sum(len(batch.ids_BT) for batch in chunk)
            took = common.seconds(lambda: [step(batch) for batch in chunk], now)
            return took / problems, sum(batch.tokens for batch in chunk) / problems

        return work

    works = {"padded prefix": side(prefix, padded.step)}
    works |= {name: side(trainer, trainer.train_on) for name, trainer in trainers.items()}
    return common.in_turn(works, rounds, warm=1, show=True)


def report(rows: list[dict[str, tuple[float, float]]], base: Experiment, device: str) -> None:
    """The table and the line of JSON."""
    first = next(iter(rows[0]))
    print(f"\n{base.name}, {base.model.layers} layers, width {base.model.width}, device {device}")
    result, table = {}, []
    for name in rows[0]:
        positions = mean(row[name][1] for row in rows)
        ratio = common.Spread.range(row[first][0] / row[name][0] for row in rows)
        table.append((name, f"{positions:.1f}", ratio.text()))
        result[name] = {"positions": positions, **ratio.to_dict()}
    common.print_table(("", "positions a problem", f"problems a second, of {first}"), table)
    common.finish("tokens", experiment=base.name, device=device, formats=result)


if __name__ == "__main__":
    main()
