"""A model of all families, alone, on the published test problems: greedy and beam, every answer verified.

    python benchmarks/shipped.py [--run general/shipped] [--limit 300] [--beam 30] [--polish] [--out FILE]
    torchrun --nproc-per-node 2 benchmarks/shipped.py ...

Neither the exact nor the numeric solver takes part; the outer is completed by algebra where the model writes
inners only. With --polish a last column counts besides what least squares, started at the wrong answers of
the beam, makes of them. Published numbers stand beside ours (polyctl/reports/published.toml). The
problems are in the folder that --data or POLYCTL_PUBLISHED names. A table, then one line of JSON. With --out
the figures of each set go to a JSON file as they come; those of other sets stay in it.
"""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import common
import torch

from polyctl.algebra.budget import Budget
from polyctl.data.dataset import read_problems
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import ProblemResult, evaluate_problems
from polyctl.evaluation.summary import ProblemScore, summarize_scores
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.reports.published import published
from polyctl.runtime.device import limit_threads
from polyctl.runtime.processes import Processes, join_processes
from polyctl.solvers.numeric.solver import polish
from polyctl.store.runs import runs_root
from polyctl.training.start import weights_of

DEGREES = [(outer, inner) for outer in (2, 3, 4) for inner in (2, 3, 4)]
PAIRS = [(3, 2), (3, 3), (2, 3), (4, 3), (3, 4)]
# set -> what published numbers it stands beside: experiment and cell
SETS = {
    **{f"univariate_{o}_{i}": ("d1_degree", f"{o}∘{i}") for o, i in DEGREES},
    "monic": ("d3_pretrain_monic", "all"),
    "on_singlet": ("example_on", "all"),
    **{f"homogeneous_{n}_{m}": (f"d1_var_{n}_{m}", "all") for n, m in PAIRS},
}
MEASURES = ("greedy", "pass@2", "pass@10", "pass@15", "pass@30")
POLISH_SECONDS = 3.0
STARTS = 5  # wrong answers of a beam that are polished, the best ones first


def measure(
    loaded: LoadedModel, problems: list[Problem], asked: dict[str, int], polish: bool, processes: Processes
) -> dict[str, float]:
    """Fractions verified, by measure, and seconds a problem: of processor time, on a GPU of wall time.

    `asked`: the width of the beam, and how many problems are searched together.
    """
    config = loaded.experiment.eval.model_copy(update=asked)
    mine = problems[processes.rank :: processes.world]
    clock = process_time if processes.device.type == "cpu" else perf_counter
    began = clock()
    with torch.inference_mode():
        results = evaluate_problems(loaded.model, make_tokenizer(loaded.experiment.data), mine, config)
    seconds = clock() - began
    scores = [ProblemScore.of(result) for result in results]
    missed = [result for result in results if result.first(completed=False) is None]
    saved = sum(map(saved_by_polish, missed)) if polish else 0
    shares = processes.gather((scores, seconds, saved))
    accuracy = summarize_scores([score for share, _, _ in shares for score in share], asked["beam"]).answered
    found = {"greedy": accuracy.greedy_verified}
    found |= {f"pass@{k}": share for k, share in accuracy.pass_at.items()}
    found["seconds"] = sum(seconds for _, seconds, _ in shares) / len(problems)
    if polish:
        found["polished"] = found[f"pass@{asked['beam']}"] + sum(saved for _, _, saved in shares) / len(
            problems
        )
    return found


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Fractions with four digits, for a file."""
    return {name: round(value, 4) for name, value in figures.items()}


def saved_by_polish(result: ProblemResult) -> bool:
    """Whether one of the best wrong answers, improved by least squares, is a decomposition of f."""
    known = result.problem.decomposition
    assert known is not None
    starts = [judged.decomposition for judged in result.beam if judged.decomposition is not None]
    starts = [start for start in starts if len(start.inners) == len(known.inners)][:STARTS]
    return next(polish(result.problem.f, starts, Budget.of(POLISH_SECONDS)), None) is not None


def keep(path: Path, model: dict[str, Any], name: str, figures: dict[str, Any]) -> None:
    """Write the figures of a set into a file; SystemExit if it is of another model."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {**model, "sets": {}}
    if {key: found[key] for key in model} != model:
        raise SystemExit(f"{path} has figures of another model: name another file with --out")
    order = {known: place for place, known in enumerate(SETS)}
    sets = {**found["sets"], name: figures}
    found["sets"] = dict(sorted(sets.items(), key=lambda one: order[one[0]]))
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def show(name: str, problems: int, ours: dict[str, float]) -> None:
    """One line of the table: our figures, published ones in brackets."""
    experiment, cell = SETS[name]
    cells = []
    for measure in MEASURES:
        known = published(experiment, measure, cell)
        beside = f"({known.value * 100:.1f})" if known is not None else ""
        cells.append(f"{ours.get(measure, float('nan')) * 100:>8.1f}{beside:>7}")
    polish = f"{ours['polished'] * 100:>10.1f}" if "polished" in ours else ""
    print(f"{name:18}{problems:>9}" + "".join(cells) + polish + f"{ours['seconds']:>11.2f}", flush=True)


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__)
    common.add_published(parser)
    parser.add_argument("--run", default="general/shipped", help="or a .safetensors file")
    parser.add_argument("--limit", type=int, default=300, help="problems a set")
    parser.add_argument("--beam", type=int, default=30)
    parser.add_argument("--batch", type=int, help="problems searched together (default: the run's)")
    parser.add_argument("--polish", action="store_true", help="polish the beam's wrong answers, too")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the figures go, too")
    parser.add_argument("--sets", nargs="*", help="only sets whose names contain one of these")
    options = parser.parse_args()
    folder = common.published(options.data)
    chosen = [n for n in SETS if not options.sets or any(part in n for part in options.sets)]
    report: dict[str, Any] = {}
    with join_processes(options.device) as processes:
        loaded = load_model(weights_of(options.run, runs_root()), processes.device)
        limit_threads(loaded.model.config)
        asked = {"beam": options.beam, "batch": options.batch or loaded.experiment.eval.batch}
        if processes.main:
            print(f"{options.run}, step {loaded.step:,}; ours, and (published), in %")
            heads = "".join(f"{name:>15}" for name in MEASURES) + ("  polished" if options.polish else "")
            print(f"{'set':18}{'problems':>9}{heads}{'s/problem':>11}")
        for name in chosen:
            problems = read_problems(folder / f"{name}.txt", options.limit)
            ours = measure(loaded, problems, asked, options.polish, processes)
            report[name] = {"problems": len(problems), **ours}
            if processes.main:
                show(name, len(problems), ours)
                if options.out:
                    keep(
                        options.out, {"step": loaded.step, "beam": options.beam}, name, rounded(report[name])
                    )
        if processes.main:
            single = [report[n]["greedy"] for n in chosen if n.startswith("univariate")]
            if single:
                print(f"greedy, mean of {len(single)} univariate sets: {100 * sum(single) / len(single):.1f}")
            common.finish("shipped", run=options.run, step=loaded.step, beam=options.beam, sets=report)


if __name__ == "__main__":
    main()
