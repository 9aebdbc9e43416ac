"""The numeric solver on the published homogeneous sets: rate and seconds a problem.

    python benchmarks/numeric.py --data DIR --skip 60 --problems 240 --time-limit 5

The first 60 problems of each set were used while the solver was written; leave them out with --skip 60.
Solved means that a verified decomposition with at most the set's number of inners was found. With --fresh
problems are drawn from polyctl.data.families instead. A table for people, then a last line of JSON.
"""

from __future__ import annotations

import argparse
from itertools import islice
from time import perf_counter

import common
import torch

from polyctl.algebra.budget import Budget
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.data.dataset import read_problems
from polyctl.data.families import draw_problems
from polyctl.data.problem import Problem
from polyctl.solvers.numeric.solver import by_least_squares

SETS = ("3_2", "3_3", "2_3", "4_3", "3_4")
GOALS = {"3_2": 0.99, "3_3": 0.99, "2_3": 0.99, "4_3": 0.97, "3_4": 0.9}


def drawn(name: str, arguments: argparse.Namespace) -> list[Problem]:
    """The problems of a set: from its file, or fresh ones of the same distribution."""
    if arguments.fresh:
        data = load_experiment(f"d1_var_{name}", registry=PACKAGED).data
        return list(islice(draw_problems(data, arguments.seed + 1000, "test"), arguments.problems))
    found = read_problems(arguments.data / f"homogeneous_{name}.txt")
    return found[arguments.skip : arguments.skip + arguments.problems]


def measure(name: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Solve each problem up to its first answer."""
    inners = int(name.split("_")[1])
    seconds, counts, missed = [], [0] * (inners + 1), []
    chosen = drawn(name, arguments)
    for problem in chosen:
        started = perf_counter()
        budget = Budget.of(arguments.time_limit)
        found = by_least_squares(problem.f, budget, inners=inners, seed=arguments.seed)
        answer = next(iter(found.decompositions), None)
        seconds.append(perf_counter() - started)
        if answer is None:
            missed.append(problem.index)
        else:
            counts[len(answer.inners)] += 1
    seconds.sort()
    return {
        "problems": len(chosen),
        "solved": sum(counts),
        "rate": round(sum(counts) / len(chosen), 4),
        "mean_s": round(sum(seconds) / len(seconds), 3),
        "median_s": round(seconds[len(seconds) // 2], 3),
        "max_s": round(seconds[-1], 3),
        "by_inners": counts[1:],
        "missed": missed,
    }


def main() -> None:
    parser = common.parser(__doc__)
    common.add_published(parser)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--skip", type=int, default=60)
    parser.add_argument("--problems", type=int, default=240)
    parser.add_argument("--time-limit", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fresh", action="store_true", help="draw problems instead of reading files")
    arguments = parser.parse_args()
    if not arguments.fresh:
        arguments.data = common.published(arguments.data)
    torch.set_num_threads(1)
    print(
        f"{'set':>5} {'problems':>8} {'solved':>8} {'goal':>6} {'mean s':>7} {'median':>7} {'max':>6}  inners"
    )
    results = {}
    for name in arguments.sets:
        row = results[name] = measure(name, arguments)
        print(
            f"({name[0]},{name[2]}) {row['problems']:>8} {row['rate']:>8.1%} {GOALS[name]:>6.0%} "
            f"{row['mean_s']:>7} {row['median_s']:>7} {row['max_s']:>6}  {row['by_inners']}",
            flush=True,
        )
    common.finish("numeric", time_limit_s=arguments.time_limit, sets=results)


if __name__ == "__main__":
    main()
