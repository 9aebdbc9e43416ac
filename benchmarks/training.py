"""A training step of polyctl against the padded loop of the published trainer: same problems, same model.

    python benchmarks/training.py [--set train.precision=bfloat16]
    python benchmarks/training.py --device cuda --set train.batch=1024

The peer, written plainly: every row padded to the block, float32, the loss over the logits of all positions
but padding, gradient clipping, AdamW. polyctl's side is what `polyctl train` runs on that device: rows of
near-equal length, logits at the targets only, a fused optimizer; on a GPU also bfloat16 and torch.compile.

A round is one chunk of problems through both, one after the other; ratios are taken within a round. Time is
processor time on a CPU, and time between two synchronizations on a GPU. Model FLOPs count real tokens only
(polyctl/training/flops.py), on both sides; their share is of the device's dense bfloat16 peak where it is
known, and of what a product of large matrices (float32 on a CPU, bfloat16 on a GPU) reaches in the same
round. float32 products on a GPU use TF32, the peer's too. The making of the data is timed beside the steps.
On a CPU the model is narrower (width 256) and the batch smaller (8) unless --set says
otherwise. A table for people, then one line of JSON.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import common
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.data.batch import TrainingBatch
from polyctl.model.gpt import GPT
from polyctl.runtime.processes import join_processes
from polyctl.store.runs import create_run
from polyctl.training.flops import step_flops
from polyctl.training.journal import Journal
from polyctl.training.supervised import SupervisedTrainer

CPU_SIZE = [
    "model.width=256",
    "train.batch=8",
]  # a chunk of 16 such batches takes the peer seconds, not minutes
GPU_SETTINGS = ["train.precision=bfloat16"]  # the published experiments ask for float32
IGNORED = -1


class PaddedLoop:
    """The published trainer's step."""

    def __init__(self, experiment: Experiment, vocabulary: int, device: torch.device) -> None:
        self.block, self.device, self.clip = (
            experiment.model.context_length,
            device,
            experiment.train.max_grad_norm,
        )
        torch.manual_seed(0)
        self.model = GPT.of(experiment, vocabulary).to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=6e-4, betas=(0.9, 0.95))

    def step(self, batch: TrainingBatch) -> None:
        """One optimizer step on the rows of a batch, all padded to the block."""
        rows = len(batch.ids_BT)
        ids_BT = np.zeros((rows, self.block), dtype=np.int64)
        wanted_BT = np.full((rows, self.block), IGNORED, dtype=np.int64)
        for row, length in enumerate(batch.lengths_B):
            ids_BT[row, :length] = batch.ids_BT[row, :length]
            wanted_BT[row, : length - 1] = batch.ids_BT[row, 1:length]
        x_BT = torch.from_numpy(ids_BT).to(self.device)
        y_BT = torch.from_numpy(wanted_BT).to(self.device)
        logits_BTV = self.model(x_BT)
        loss = F.cross_entropy(logits_BTV.flatten(0, 1), y_BT.flatten(), ignore_index=IGNORED)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        loss.item()


def product_flops(device: torch.device, now: Callable[[], float]) -> float:
    """FLOPs a second of a product of large matrices: float32 on a CPU, bfloat16 on a GPU."""
    size, times, dtype = (8192, 10, torch.bfloat16) if device.type == "cuda" else (1024, 4, torch.float32)
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    a @ b
    began = now()
    for _ in range(times):
        a @ b
    return 2.0 * size**3 * times / (now() - began)


def measure(trainer: SupervisedTrainer, rounds: int) -> list[dict[str, float]]:
    """A row a round: seconds of both sides and of the data, tokens, FLOPs, and the product's rate."""
    device, config = trainer.processes.device, trainer.experiment.model
    now = common.clock(device.type)
    peer = PaddedLoop(trainer.experiment, trainer.model.vocabulary, device)

    def chunk(number: int) -> Sequence[TrainingBatch]:
        return trainer.source.chunk(number + 1)  # the round that warms up is number -1

    def all_of(step: Callable[[TrainingBatch], object]) -> Callable[[int], float]:
        def work(number: int) -> float:
            batches = chunk(number)
            return common.seconds(lambda: [step(batch) for batch in batches], now)

        return work

    works = {
        "polyctl": all_of(trainer.train_on),
        "padded": all_of(peer.step),
        "data": lambda number: common.seconds(lambda: chunk(number)),
        "product": lambda _: product_flops(device, now),
    }
    rows = common.in_turn(works, rounds, warm=1, show=True)
    for number, row in enumerate(rows):
        batches = chunk(number)
        row["tokens"] = float(sum(batch.tokens for batch in batches))
        row["read"] = float(sum(batch.ids_BT.size for batch in batches))
        row["flops"] = sum(step_flops(config, trainer.model.tokens, batch) for batch in batches)
    return rows


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=5, device=True, settings=[])
    parser.add_argument("--experiment", default="d1_degree")
    options = parser.parse_args()
    size = CPU_SIZE if options.device == "cpu" else GPU_SETTINGS
    fixed = ["train.source=stream", "train.epochs=0", "train.steps=1000000"]
    experiment = override(load_registry().get(options.experiment), [*fixed, *size, *options.set])
    with tempfile.TemporaryDirectory() as folder, join_processes(options.device) as processes:
        run = create_run(experiment, Path(folder))
        with Journal(run.events, main=True) as journal:
            trainer = SupervisedTrainer(experiment, run, processes, journal)
            rows = measure(trainer, options.rounds)
    report(experiment, rows, trainer.peak, processes.device)


def report(
    experiment: Experiment, rows: list[dict[str, float]], peak: float | None, device: torch.device
) -> None:
    """The table and the line of JSON."""
    model = experiment.model
    print(
        f"\n{experiment.name}: {model.layers} layers, width {model.width}, context {model.context_length}, "
        f"batch {experiment.train.batch}, {torch.get_num_threads()} thread(s), device {device}"
    )
    sides, table = {}, []
    for side in ("polyctl", "padded"):
        figures = {
            "tokens_per_second": common.Spread.range(row["tokens"] / row[side] for row in rows),
            "share_of_product": common.Spread.range(
                row["flops"] / row[side] / row["product"] for row in rows
            ),
            "mfu": common.Spread.range(row["flops"] / row[side] / peak for row in rows) if peak else None,
        }
        rate, share, used = figures.values()
        table.append((side, rate.text(0), share.text(), used.text(3) if used else "peak unknown"))
        sides[side] = {name: one.median if one else None for name, one in figures.items()}
    common.print_table(("", "real tokens/s", "share of product", "MFU"), table)
    ratio = common.Spread.range(row["padded"] / row["polyctl"] for row in rows)
    starved = common.Spread.range(row["data"] / row["polyctl"] for row in rows)
    real = sum(row["tokens"] for row in rows) / sum(row["read"] for row in rows)
    print(f"polyctl is {ratio.text()} times as fast; {real:.1%} of the tokens it reads are real")
    print(f"one core makes the data of a step in {starved.text(3)} of the step's time")
    common.finish(
        "training",
        experiment=experiment.name,
        device=str(device),
        ratio=ratio.to_dict(),
        data_share=starved.median,
        real_share=real,
        **sides,
    )


if __name__ == "__main__":
    main()
