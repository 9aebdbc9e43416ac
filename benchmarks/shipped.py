"""A model of all families, alone, on the published test problems: greedy and beam, every answer verified.

    python benchmarks/shipped.py [--run general/shipped] [--limit 300] [--beam 30]

Neither the exact nor the numeric solver takes part; the outer is completed by algebra where the model writes
inners only. Published numbers stand beside ours (polyctl/plans/published.toml). Reads ../shared/data; says so
where it is missing. A table, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import process_time

import torch

from polyctl.data.corpus import read_problems
from polyctl.data.tokenizer import make_tokenizer
from polyctl.evaluate import examine, summarize
from polyctl.model.device import choose_device, limit_threads
from polyctl.model.files import load_model
from polyctl.plans.published import published
from polyctl.runs import find_run

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", default="general")
    parser.add_argument("--limit", type=int, default=300, help="problems a set")
    parser.add_argument("--beam", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sets", nargs="*", help="only sets whose names contain one of these")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"the published test problems are not at {DATA}")
    run = find_run(options.run)
    loaded = load_model(run.weights(), choose_device(options.device))
    limit_threads(loaded.model.config)
    config = loaded.experiment.eval.model_copy(update={"beam": options.beam})
    report = {}
    print(f"{run.name}, step {loaded.step:,}; ours, and (published), in %")
    print(f"{'set':18}{'problems':>9}" + "".join(f"{name:>15}" for name in MEASURES) + f"{'s/problem':>11}")
    for name, (experiment, cell) in SETS.items():
        if options.sets and not any(part in name for part in options.sets):
            continue
        problems = read_problems(DATA / f"{name}.txt", options.limit)
        began = process_time()
        with torch.inference_mode():
            results = examine(loaded.model, make_tokenizer(loaded.experiment.data), problems, config)
        seconds = (process_time() - began) / len(problems)
        summary = summarize(results, config.beam)
        ours = {"greedy": summary["greedy"]["verified"]}
        ours |= {f"pass@{k}": v for k, v in summary["pass_at"].items()}
        cells = []
        for measure in MEASURES:
            known = published(experiment, measure, cell)
            beside = f"({known.value * 100:.1f})" if known is not None else ""
            cells.append(f"{ours.get(measure, float('nan')) * 100:>8.1f}{beside:>7}")
        print(f"{name:18}{len(problems):>9}" + "".join(cells) + f"{seconds:>11.2f}", flush=True)
        report[name] = {"problems": len(problems), "seconds": seconds, **ours}
    print(json.dumps({"run": run.name, "step": loaded.step, "beam": options.beam, "sets": report}))


if __name__ == "__main__":
    main()
