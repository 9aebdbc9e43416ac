"""The solver on the published test problems, on fresh problems, and on indecomposable ones.

    python benchmarks/solvers.py [--limit 300] [--fresh 100] [--workers 2]

What counts as solved is defined in polyctl/evaluation/solver.py (`solve_line`): no more inner polynomials
than the set has, and no mere factorisations. `as small` also asks for no higher degrees than the known
answer's. Seconds are processor time a problem. The published problems are in the folder that --data or
POLYCTL_PUBLISHED names. A table, then one line of JSON.
"""

from __future__ import annotations

from random import Random

import common

from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.polynomial import polynomial, ring
from polyctl.cli.eval_solver import print_reports
from polyctl.config.registry import PACKAGED, load_experiment
from polyctl.config.schema import DataConfig
from polyctl.data.dataset import write_problem
from polyctl.data.families import draw_problem
from polyctl.data.published_format import write_polynomial
from polyctl.evaluation.solver import Line, Options, lines_of, report

PAIRS = ((3, 2), (3, 3), (2, 3), (4, 3), (3, 4))
FAMILIES = {
    **{
        f"univariate_{outer}_{inner}": DataConfig(outer_degrees=(outer,), inner_degrees=(inner,))
        for outer in (2, 3, 4)
        for inner in (2, 3, 4)
    },
    "monic": DataConfig(family="monic", outer_degrees=(2,), outer_bound=5),
    "on_singlet": DataConfig(
        family="on_singlet", outer_degrees=(2,), inner_degrees=(2,), outer_bound=10, inner_bound=5
    ),
    "separable": DataConfig(
        family="separable",
        outer_degrees=(1, 2),
        inner_degrees=(1, 2),
        inner_variables=3,
        inners=3,
        target="outer_inner",
    ),
    **{f"homogeneous_{v}_{m}": load_experiment(f"d1_var_{v}_{m}", registry=PACKAGED).data for v, m in PAIRS},
}
SEED = 777_000


def indecomposable(count: int) -> list[Line]:
    """Random dense polynomials with large coefficients, no more inners than variables.

    By counting parameters, that one decomposes so has probability next to zero
    (`polyctl.solving.rank.is_generic`).
    """
    rng = Random(SEED)
    lines = []
    for i in range(count):
        variables, degree = rng.choice([(1, 6), (1, 9), (2, 4), (2, 6), (3, 3), (3, 4)])
        context = ring([f"a{k}" for k in range(variables)])
        monomials = monomials_up_to(variables, degree)
        f = polynomial(context, {m: rng.randint(1, 10**6) for m in monomials})
        lines.append(Line(f"{write_polynomial(f)} ?", i, inners=variables))
    return lines


def main() -> None:
    parser = common.parser(__doc__)
    common.add_published(parser)
    parser.add_argument("--limit", type=int, default=300, help="published problems a set; 0 needs no --data")
    parser.add_argument("--fresh", type=int, default=100, help="fresh problems a set")
    parser.add_argument("--random", type=int, default=200, help="indecomposable polynomials")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--time-limit", type=float, default=10.0)
    parser.add_argument("--sets", nargs="*", help="only sets whose names contain one of these")
    arguments = parser.parse_args()
    options = Options("auto", arguments.time_limit)
    folder = common.published(arguments.data) if arguments.limit else None
    sets: dict[str, list[Line]] = {}
    for name, data in FAMILIES.items():
        if arguments.sets and not any(part in name for part in arguments.sets):
            continue
        if folder is not None and name != "separable":
            sets[name] = lines_of(folder / f"{name}.txt", arguments.limit)
        if arguments.fresh:
            sets[f"{name}, fresh"] = [
                Line(write_problem(data, draw_problem(data, SEED, i)), i) for i in range(arguments.fresh)
            ]
    results = {title: report(lines, options, workers=arguments.workers) for title, lines in sets.items()}
    print_reports(results)
    if arguments.random:
        quick = Options("auto", min(1.0, arguments.time_limit))
        none = report(indecomposable(arguments.random), quick, workers=arguments.workers)
        print(
            f"{none['problems']} random polynomials, at most 1 s of search each: "
            f"{none['verified'] + none['weak']:.1%} answered, "
            f"slowest {none['slowest_wall_seconds']:.1f} s"
        )
        results["random"] = none
    common.finish("solvers", sets=results)


if __name__ == "__main__":
    main()
