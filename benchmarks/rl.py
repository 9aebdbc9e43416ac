"""Does reinforcement help? Supervised, GRPO and BGRPO side by side on held-out problems (docs/rl.md).

For each seed: train the experiment, then improve that model by each algorithm on equally many problems, and
examine every last checkpoint on the same test-split problems. Prints a table with mean and spread over the
seeds (standard deviation, n - 1), and a last line of JSON.

    python benchmarks/rl.py --seeds 0 1 2 --problems 300
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import common
import torch

from polyctl.config.registry import load_registry, override
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import evaluate_problems, evaluation_problems
from polyctl.evaluation.summary import summarize
from polyctl.model.serialization import load_model
from polyctl.rl.trainer import reinforce, with_algorithm_name
from polyctl.runtime.device import choose_device, limit_threads
from polyctl.runtime.processes import join_processes
from polyctl.store.runs import create_run
from polyctl.training.supervised import train

TEST_SEED = 424_242  # the same test problems for every seed; their split keeps them out of all training
MEASURES = ("greedy", "pass@1", "pass@w", "rank score")


def main() -> None:
    """Train, reinforce, evaluate, print."""
    options = _options()
    chosen = override(load_registry().get(options.experiment), options.set)
    limit_threads(chosen.model)
    problems = evaluation_problems(chosen.data, TEST_SEED, options.problems)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ("supervised", *options.algorithms)}
    with tempfile.TemporaryDirectory() as folder, join_processes(options.device) as processes:
        root = options.runs or Path(folder)
        for seed in options.seeds:
            experiment = override(chosen, [f"seed={seed}"])
            began = time.monotonic()
            if options.start:
                start = options.start[options.seeds.index(seed)]
            else:
                run = create_run(experiment, root)
                if train(experiment, run, processes).state != "complete":
                    raise SystemExit("interrupted")
                start = run.checkpoint("last")
            _add(rows["supervised"], experiment, start, problems, seed, time.monotonic() - began, options)
            for algorithm in options.algorithms:
                changed = with_algorithm_name(override(experiment, [f"rl.algorithm={algorithm}"]))
                run, began = create_run(changed, root), time.monotonic()
                if reinforce(changed, run, processes, start=start).state != "complete":
                    raise SystemExit("interrupted: shares of unequal length are no comparison")
                seconds = time.monotonic() - began
                _add(rows[algorithm], changed, run.checkpoint("last"), problems, seed, seconds, options)
    _print(rows, options)


def _options() -> argparse.Namespace:
    parser = common.parser(__doc__, settings=[])
    parser.add_argument("--experiment", default="rl_quick")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--algorithms", nargs="+", default=["grpo", "bgrpo"])
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--start", type=Path, nargs="+", help="supervised model files, one for each seed")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def _add(rows, experiment, path, problems, seed, seconds, options) -> None:
    """Evaluate a checkpoint and print its row immediately, so that an interrupted benchmark is of use."""
    model = load_model(path, choose_device(options.device)).model
    config = experiment.eval.model_copy(update={"beam": experiment.rl.group_size})
    with torch.no_grad():
        results = evaluate_problems(model, make_tokenizer(experiment.data), problems, config)
    found = summarize(results, config.beam).answered
    values = (found.greedy_verified, found.pass_at[1], found.pass_at[config.beam], found.rank_score)
    row = {"seed": seed, **dict(zip(MEASURES, values, strict=True)), "seconds": seconds}
    rows.append(row)
    print(f"{experiment.name:>18}  {json.dumps(row)}", flush=True)


def _print(rows: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> None:
    table = {
        name: {measure: _mean(row[measure] for row in several) for measure in MEASURES}
        for name, several in rows.items()
    }
    print()
    common.print_table(
        ("", *MEASURES),
        [
            (name, *(f"{cell['mean']:.3f} ±{cell['spread']:.3f}" for cell in cells.values()))
            for name, cells in table.items()
        ],
    )
    for name in options.algorithms:  # seeds start from different accuracies: their gains say more
        pairs = zip(rows[name], rows["supervised"], strict=True)
        gain = table[name]["greedy gain"] = _mean(
            after["greedy"] - before["greedy"] for after, before in pairs
        )
        print(f"{name}: greedy gain over its own start {gain['mean']:+.3f} ±{gain['spread']:.3f}")
    common.finish("rl", experiment=options.experiment, seeds=options.seeds, rows=rows, table=table)


def _mean(values: Iterable[float]) -> dict[str, float]:
    """Mean and standard deviation (n - 1) over the seeds."""
    found = list(values)
    return {
        "mean": statistics.fmean(found),
        "spread": statistics.stdev(found) if len(found) > 1 else 0.0,
    }


if __name__ == "__main__":
    main()
