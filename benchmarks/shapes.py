"""torch.compile of a training pass: one graph for all lengths, or one each for lengths rounded up.

    python benchmarks/shapes.py [--experiment general] [--multiple 16] [--device cuda]

The forward and backward pass of the same chunks of batches, in bfloat16: eager, compiled with one graph that
takes any length (`train.compile=on`), and compiled with a graph a shape, where lengths are rounded up to a
multiple, and the number of target tokens to the next of 512. Seconds as in benchmarks/training.py; ratios are
taken within a chunk. The time to compile is printed beside them. A table for people, then one line of JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import common
import torch
from torch.nn import functional as F

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import Experiment
from polyctl.data.stream import open_source
from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.gpt import GPT
from polyctl.runtime.device import choose_device
from polyctl.training.loader import MicroBatch, split
from polyctl.training.loss import TargetLoss, autocast

TARGETS = 512
IGNORED = -100  # cross_entropy leaves these targets out
MOST_GRAPHS = 64


def rounded(part: MicroBatch, multiple: int) -> MicroBatch:
    """The same rows, padded to a length that is a multiple, and with targets that do not count."""
    tokens, count = part.ids_BT.shape[1], len(part.targets_N)
    longer, more = -tokens % multiple, -count % TARGETS
    rows_N, columns_N = part.positions_N // tokens, part.positions_N % tokens
    return MicroBatch(
        F.pad(part.ids_BT, (0, longer)),
        F.pad(rows_N * (tokens + longer) + columns_N, (0, more)),
        F.pad(part.targets_N, (0, more), value=IGNORED),
    )


def run(objective: TargetLoss, parts: list[MicroBatch], device: torch.device) -> float:
    """One pass over all parts; the summed loss."""
    total = 0.0
    for part in parts:
        with autocast(device, "bfloat16"):
            loss = objective(*part.to(device))
        loss.backward()
        objective.zero_grad()
        total += loss.item()
    return total


def measure(
    experiment: Experiment, multiple: int, chunks: int, rounds: int, device: torch.device
) -> dict[str, object]:
    """Print the table; the figures for JSON."""
    source, vocabulary = open_source(experiment), len(make_tokenizer(experiment.data).vocabulary)
    exact = [[split(batch, 0, 1, 1)[0] for batch in source.chunk(i)] for i in range(chunks)]
    padded = [[rounded(part, multiple) for part in chunk] for chunk in exact]
    shapes = {(tuple(p.ids_BT.shape), len(p.targets_N)) for chunk in padded for p in chunk}
    read = [sum(p.ids_BT.numel() for chunk in data for p in chunk) for data in (exact, padded)]
    padding = read[1] / read[0] - 1
    print(f"{len(shapes)} shapes, {padding:.0%} padding", flush=True)
    torch._dynamo.config.recompile_limit = MOST_GRAPHS
    now, losses, first = common.clock(device.type), {}, {}
    kinds: dict[str, tuple[bool | None, list[list[MicroBatch]]]] = {
        "eager": (None, exact),
        "any length": (True, exact),
        f"multiples of {multiple}": (False, padded),
    }
    works: dict[str, list[Callable[[], float]]] = {}
    for name, (dynamic, data) in kinds.items():
        torch.manual_seed(0)
        objective = TargetLoss(GPT.of(experiment, vocabulary).to(device))
        if dynamic is not None:
            objective.compile(dynamic=dynamic)
        works[name] = [lambda o=objective, parts=parts: run(o, parts, device) for parts in data]
        began = time.perf_counter()
        losses[name] = sum(work() for work in works[name])
        first[name] = time.perf_counter() - began
    rows = common.in_turn(
        {
            name: lambda number, w=work: common.seconds(w[number % chunks], now)
            for name, work in works.items()
        },
        rounds * chunks,
    )
    ratios = {name: common.Spread.range(row["eager"] / row[name] for row in rows) for name in works}
    later = {name: found / first["eager"] for name, found in first.items()}
    common.print_table(
        ("", "times eager", "first pass, over eager", "loss"),
        [(name, ratios[name].text(), f"{later[name]:.1f}", f"{losses[name]:.1f}") for name in works],
    )
    return {
        "shapes": len(shapes),
        "padding": padding,
        "ratios": {name: ratio.to_dict() for name, ratio in ratios.items()},
        "first": later,
    }


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=2, device=True, settings=[])
    parser.add_argument("--experiment", default="general")
    parser.add_argument("--multiple", type=int, default=16)
    parser.add_argument("--chunks", type=int, default=3)
    options = parser.parse_args()
    experiment = override(load_registry().get(options.experiment), options.set)
    device = choose_device(options.device)
    found = measure(experiment, options.multiple, options.chunks, options.rounds, device)
    common.finish("shapes", device=str(device), experiment=experiment.name, **found)


if __name__ == "__main__":
    main()
