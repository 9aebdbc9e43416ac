"""Where a model goes wrong: greedy answers to held-out problems of its own mixture against their targets.

    python benchmarks/mistakes.py [--run general/shipped] [--problems 60] [--parts homogeneous sparse]

Of the answers that are not verified, what token of the target the model wrote another one for first: a
monomial, a sign, a number, the mark of the next inner polynomial or the end; how far into the target that
was, as a share of it; and how many terms f has, beside the problems that were solved. A table, then one line
of JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import common
import torch

from polyctl.config.schema import DataConfig, EvalConfig
from polyctl.data.families import degree_cells, draw_held_out
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.evaluation.accuracy import ProblemResult, evaluate_problems
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.runtime.device import limit_threads
from polyctl.store.runs import runs_root
from polyctl.training.start import weights_of

KINDS = ("monomial", "sign", "number", "next", "end")


@dataclass(frozen=True)
class Mistake:
    """The first token of a target that the model did not write."""

    kind: str
    share: float  # of the target that comes before it


def kind_of(token: str) -> str:
    """What a target's token is, in words."""
    if token in ("+", "-"):
        return "sign"
    if token == "&":
        return "next"
    return "number" if token.isdigit() else "monomial"


def mistake(result: ProblemResult, tokenizer: Tokenizer) -> Mistake:
    """Where a greedy answer leaves the target."""
    assert result.greedy is not None
    written, target = result.greedy.hypothesis.tokens, tokenizer.encode_target(result.problem)[:-1]
    place = next(
        (i for i, (a, b) in enumerate(zip(written, target, strict=False)) if a != b),
        min(len(written), len(target)),
    )
    kind = kind_of(tokenizer.vocabulary[target[place]]) if place < len(target) else "end"
    return Mistake(kind, place / max(1, len(target)))


def look(loaded: LoadedModel, problems: Sequence[Problem]) -> dict[str, float]:
    """The figures of a part: problems, fractions verified and equal to the target, and the mistakes."""
    tokenizer = make_tokenizer(loaded.experiment.data)
    config = EvalConfig(beam=1, max_tokens=loaded.experiment.eval.max_tokens, batch=16)
    with torch.inference_mode():
        results = [r for r in evaluate_problems(loaded.model, tokenizer, problems, config) if r.greedy]
    right = [r for r in results if r.greedy is not None and r.greedy.right(completed=False)]
    wrong = [r for r in results if r not in right]
    found = [mistake(result, tokenizer) for result in wrong]
    counts = Counter(one.kind for one in found)
    figures = {
        "problems": float(len(results)),
        "verified": len(right) / len(results),
        "exact": sum(r.greedy is not None and r.greedy.exact for r in results) / len(results),
        **{kind: float(counts[kind]) for kind in KINDS},
        "share": median(one.share for one in found) if found else float("nan"),
    }
    for name, some in (("terms_right", right), ("terms_wrong", wrong)):
        figures[name] = median(len(r.problem.f) for r in some) if some else float("nan")
    return figures


def main() -> None:
    """Look, print."""
    parser = common.parser(__doc__)
    parser.add_argument("--run", default="general/shipped", help="or a .safetensors file")
    parser.add_argument("--problems", type=int, default=60, help="held-out problems of each part")
    parser.add_argument("--parts", nargs="*", help="only parts whose names contain one of these")
    options = parser.parse_args()
    loaded = load_model(weights_of(options.run, runs_root()), "cpu")
    limit_threads(loaded.model.config)
    cells: dict[str, list[DataConfig]] = {}
    for cell, data in degree_cells(loaded.experiment.data):
        cells.setdefault(cell.rsplit("_", 2)[0], []).append(data)
    report = {}
    for part, several in cells.items():
        if options.parts and not any(word in part for word in options.parts):
            continue
        share = -(-options.problems // len(several))
        problems = [p for data in several for p in draw_held_out(data, loaded.experiment.seed, "test", share)]
        report[part] = look(loaded, problems)
    rows = []
    for part, one in report.items():
        percent = [f"{100 * one[name]:.1f}" for name in ("verified", "exact")]
        counted = [f"{one[kind]:.0f}" for kind in KINDS]
        last = [f"{one['share']:.2f}", f"{one['terms_right']:.0f}", f"{one['terms_wrong']:.0f}"]
        rows.append((part, f"{one['problems']:.0f}", *percent, *counted, *last))
    header = ("part", "problems", "verified, %", "exact, %", *KINDS, "place", "terms: right", "wrong")
    common.print_table(header, rows)
    common.finish("mistakes", run=options.run, step=loaded.step, parts=report)


if __name__ == "__main__":
    main()
