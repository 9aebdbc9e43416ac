"""Settings of training against each other at equal processor time: AdamW, Muon, bfloat16.

    python benchmarks/optimizers.py [--seconds 60] [--variant "train.optimizer=muon train.lr=3e-3"]...

Each variant gets as many optimizer steps as fit its seconds of processor time, estimated from a few steps
beforehand, and a learning rate that falls over exactly those. All train together, five steps each in turn,
so that a noisy machine slows all of them; then loss and greedy accuracy are measured on the same held-out
problems. On a GPU the time is wall time. A table for people, then one line of JSON.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

import common

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.runtime.processes import Processes, join_processes
from polyctl.store.runs import create_run
from polyctl.training.journal import Journal
from polyctl.training.loader import batches
from polyctl.training.supervised import SupervisedTrainer

VARIANTS = [
    "train.optimizer=adamw train.lr=1e-3",
    "train.optimizer=adamw train.lr=3e-3",
    "train.optimizer=muon train.lr=1e-3",
    "train.optimizer=muon train.lr=3e-3",
    "train.optimizer=muon train.lr=3e-3 train.precision=bfloat16",
]
TURN = 5
PROBE = 10


@dataclass
class Contender:
    """A variant in training, and the seconds it has had."""

    name: str
    trainer: SupervisedTrainer
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stream = batches(self.trainer.source, 0, self.trainer.total_steps, 0)

    def take_turn(self, now: Callable[[], float]) -> bool:
        """A few steps; whether any was left."""
        began = now()
        for _ in range(min(TURN, self.trainer.total_steps - self.trainer.step)):
            self.losses.append(self.trainer.train_on(next(self.stream))[0])
        self.seconds += now() - began
        return self.trainer.step < self.trainer.total_steps


def make_trainer(
    experiment: Experiment, root: Path, processes: Processes, stack: ExitStack
) -> SupervisedTrainer:
    run = create_run(experiment, root)
    return SupervisedTrainer(experiment, run, processes, stack.enter_context(Journal(run.events, main=True)))


def step_seconds(trainers: list[SupervisedTrainer], now: Callable[[], float]) -> list[float]:
    """Median seconds of a step of each, taken in turn on the same problems; spoils them."""
    times: list[list[float]] = [[] for _ in trainers]
    for number, batch in enumerate(trainers[0].source.chunk(0)[: PROBE + 2]):
        for trainer, found in zip(trainers, times, strict=True):
            began = now()
            trainer.train_on(batch)
            if number >= 2:
                found.append(now() - began)
    return [median(found) for found in times]


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, device=True, settings=["train.warmup=20"])
    parser.add_argument("--experiment", default="base_2_2_compact")
    parser.add_argument("--variant", action="append", metavar="SETTINGS")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    now = common.clock(options.device)
    names = options.variant or VARIANTS
    base = override(load_registry().get(options.experiment), options.set)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = stack.enter_context(join_processes(options.device))
        chosen = [override(base, name.split()) for name in names]
        probes = [make_trainer(experiment, Path(folder), processes, stack) for experiment in chosen]
        steps = [max(1, int(options.seconds / seconds)) for seconds in step_seconds(probes, now)]
        contenders = [
            Contender(
                name,
                make_trainer(override(experiment, [f"train.steps={count}"]), Path(folder), processes, stack),
            )
            for name, experiment, count in zip(names, chosen, steps, strict=True)
        ]
        running = contenders
        while running:
            running = [contender for contender in running if contender.take_turn(now)]
        for contender in contenders:
            contender.trainer.validate()
    rows = [
        {
            "variant": c.name,
            "seconds": c.seconds,
            "steps": c.trainer.step,
            "train_loss": fmean(c.losses[-10:]),
            **c.trainer.progress.metrics,
        }
        for c in contenders
    ]
    common.print_table(
        ("", "s", "steps", "train loss", "valid loss", "verified"),
        [
            (
                row["variant"],
                f"{row['seconds']:.0f}",
                row["steps"],
                f"{row['train_loss']:.3f}",
                f"{row['valid_loss']:.3f}",
                f"{row['greedy_verified']:.1%}",
            )
            for row in rows
        ],
    )
    common.finish("optimizers", experiment=base.name, device=options.device, rows=rows)


if __name__ == "__main__":
    main()
