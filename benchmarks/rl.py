"""Does reinforcement help? A supervised model and what arms make of it, on held-out problems (docs/rl.md).

For each seed: train the experiment, then improve that model in each arm, and examine every last checkpoint on
the same test-split problems: accuracy, the share of hypotheses that are copies of better ones, the
probability of a whole beam, and divergence from the start and entropy a token on the model's own samples. An
arm is an algorithm, or a name with settings. Arms take rl.steps steps, or with --seconds as much processor
time. Prints a table with mean and spread over the seeds (standard deviation, n - 1), and a last line of JSON.

    python benchmarks/rl.py --seeds 0 1 2 --problems 300
    python benchmarks/rl.py --arms grpo paper:rl.weighting=reward --seconds 90
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import common
import torch

from polyctl.config.registry import load_registry, override
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import ProblemResult, evaluate_problems, evaluation_problems
from polyctl.evaluation.summary import summarize
from polyctl.model.serialization import load_model
from polyctl.rl.drift import drift
from polyctl.rl.rewards import rank_verdicts
from polyctl.rl.trainer import reinforce, with_algorithm_name
from polyctl.runtime.device import choose_device, limit_threads
from polyctl.runtime.processes import join_processes
from polyctl.store.event_kinds import Event, Step
from polyctl.store.runs import create_run
from polyctl.training.supervised import train

TEST_SEED = 424_242  # the same test problems for every seed; their split keeps them out of all training
MEASURES = ("greedy exact", "greedy", "pass@1", "pass@w", "rank score", "copies", "mass", "kl", "entropy")


def main() -> None:
    """Train, reinforce, evaluate, print."""
    options = _options()
    chosen = override(load_registry().get(options.experiment), options.set)
    limit_threads(chosen.model)
    problems = evaluation_problems(chosen.data, TEST_SEED, options.problems)
    arms = dict(map(_arm, options.arms))
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in ("supervised", *arms)}
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
            _add(rows["supervised"], experiment, start, start, problems, time.monotonic() - began, options)
            for name, settings in arms.items():
                changed = with_algorithm_name(override(experiment, settings))
                run, began = create_run(changed, root), time.monotonic()
                clock = _Clock(options.seconds)
                state = reinforce(changed, run, processes, start=start, on_event=clock).state
                if state != "complete" and not clock.over:
                    raise SystemExit("interrupted: shares of unequal length are no comparison")
                seconds = time.monotonic() - began
                _add(
                    rows[name], changed, run.checkpoint("last"), start, problems, seconds, options, clock.seen
                )
    _print(rows, options)


class _Clock:
    """Ends a training after some processor time, counted from its first step; without a limit never."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds, self.began, self.over, self.seen = seconds, time.process_time(), False, 0

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Step):
            return
        self.seen = event.problems_seen or 0
        if event.step == 1:
            self.began = time.process_time()
        if self.seconds is not None and time.process_time() - self.began >= self.seconds and not self.over:
            self.over = True
            os.kill(os.getpid(), signal.SIGTERM)  # SIGINT may be ignored in the background


def _arm(text: str) -> tuple[str, list[str]]:
    """Name and settings of an arm: `grpo`, or `NAME:KEY=VALUE,KEY=VALUE`."""
    name, colon, settings = text.partition(":")
    return name, settings.split(",") if colon else [f"rl.algorithm={name}"]


def _options() -> argparse.Namespace:
    parser = common.parser(__doc__, settings=[])
    parser.add_argument("--experiment", default="rl_quick")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", default=["grpo", "bgrpo"])
    parser.add_argument("--seconds", type=float, help="processor time of an arm, instead of rl.steps")
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--start", type=Path, nargs="+", help="supervised model files, one for each seed")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def _add(rows, experiment, path, start, problems, seconds, options, seen=0) -> None:
    """Evaluate a checkpoint and print its row immediately, so that an interrupted benchmark is of use."""
    device, tokenizer = choose_device(options.device), make_tokenizer(experiment.data)
    model, reference = (load_model(file, device).model for file in (path, start))
    config = experiment.eval.model_copy(update={"beam": experiment.rl.group_size})
    with torch.no_grad():
        results = evaluate_problems(model, tokenizer, problems, config)
    found = summarize(results, config.beam).answered
    prompts = [tokenizer.encode_prompt(problem) for problem in problems]
    kl, entropy, tokens = drift(
        model, reference, prompts, range(len(prompts)), experiment, tokenizer.end, TEST_SEED
    )
    values = (
        *(found.greedy_exact, found.greedy_verified, found.pass_at[1], found.pass_at[config.beam]),
        *(found.rank_score, *_beams(results), kl / tokens, entropy / tokens),
    )
    row = {"seed": experiment.seed, **dict(zip(MEASURES, values, strict=True)), "seconds": seconds}
    rows.append({**row, "searched": seen})
    print(f"{experiment.name:>18}  {json.dumps(rows[-1])}", flush=True)


def _beams(results: list[ProblemResult]) -> tuple[float, float]:
    """The share of hypotheses that are copies of better ones, and the mean probability of a beam."""
    verdicts = [one for result in results for one in rank_verdicts(result.beam, completion=False)]
    masses = [math.exp(one.hypothesis.logprob) for result in results for one in result.beam]
    return sum(one.copy for one in verdicts) / len(verdicts), math.fsum(masses) / len(results)


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
    for name in list(table)[1:]:  # seeds start from different accuracies: their gains say more
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
