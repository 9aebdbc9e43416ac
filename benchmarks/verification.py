"""The verdicts on beams of the bundled model: a beam together, against one hypothesis at a time over Q.

    python benchmarks/verification.py [--problems 24] [--rounds 5] [--sets homogeneous_3_4 ...]

For each part of the bundled model's mixture it searches held-out problems with a beam of 30, and judges the
beams in both ways in turn, in processor time, with a new tokenizer each time. The verdicts must be the same.
Reading the tokens and finding equivalent answers belong to both. Beside that stands what a search takes, and
how much less an evaluation takes, greedy and beam search and verdicts. A table, then one line of JSON.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import common
import torch

from polyctl.algebra.decomposition import Decomposition, equivalence_key, used_inners
from polyctl.algebra.verify import verify_or_complete
from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_held_out
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer, decode_for
from polyctl.data.tokenizers.errors import MalformedTarget
from polyctl.evaluation.accuracy import Answers, judge, search_problems
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.runtime.device import limit_threads
from polyctl.search.hypothesis import Hypothesis
from polyctl.store.runs import runs_root
from polyctl.training.start import weights_of

Fields = tuple[str, str, int | None, bool]


def name_of(part: DataConfig) -> str:
    """The part's name in the table."""
    if part.family in ("homogeneous", "sparse", "separable"):
        return f"{part.family}_{part.inner_variables}_{part.inners}_{max(part.outer_degrees)}"
    return f"{part.family}_{max(part.outer_degrees)}_{max(part.inner_degrees)}"


def judge_plainly(problem: Problem, beam: Sequence[Hypothesis], tokenizer: Tokenizer) -> list[Fields]:
    """Status, completed status, duplicate and extra inners of each hypothesis, each by itself over Q."""
    known, seen, judged = problem.decomposition, dict[object, int](), list[Fields]()
    assert known is not None
    allowed = len(used_inners(known).inners)
    for rank, hypothesis in enumerate(beam):
        try:
            if not hypothesis.finished:
                raise MalformedTarget
            answer = decode_for(tokenizer, problem.f, hypothesis.tokens)
        except MalformedTarget:
            judged.append(("malformed", "malformed", None, False))
            continue
        checked = verify_or_complete(problem.f, answer)
        first = seen.setdefault(equivalence_key(answer), rank)
        outer, extra = checked.completed.outer, False
        if outer is not None and checked.completed.status in ("verified", "trivial"):
            extra = len(used_inners(Decomposition(outer, answer.inners)).inners) > allowed
        duplicate = None if first == rank else first
        judged.append((checked.given.status, checked.completed.status, duplicate, extra))
    return judged


def judge_together(problem: Problem, beam: Sequence[Hypothesis], tokenizer: Tokenizer) -> list[Fields]:
    """The same by polyctl."""
    found = judge(problem, beam, tokenizer, None)
    return [(one.status, one.completed, one.duplicate_of, one.extra_inners) for one in found]


def measure(loaded: LoadedModel, part: DataConfig, problems: int, rounds: int, beam: int) -> dict[str, Any]:
    """Microseconds a hypothesis in both ways, seconds a problem of the search, and the ratios of rounds."""
    data = loaded.experiment.data
    drawn = list(draw_held_out(part, 5, "test", problems))
    config = loaded.experiment.eval.model_copy(update={"beam": beam})
    answers: list[Answers] = []
    search = common.seconds(
        lambda: search_problems(loaded.model, make_tokenizer(data), drawn, config, answers.append)
    )
    ways = {"plain": judge_plainly, "together": judge_together}
    verdicts: dict[str, list[list[Fields]]] = {}

    def work(way: str) -> float:
        tokenizer, began = make_tokenizer(data), time.process_time()
        verdicts[way] = [ways[way](one.problem, one.beam, tokenizer) for one in answers]
        return time.process_time() - began

    rows = common.in_turn({way: lambda _, way=way: work(way) for way in ways}, rounds, warm=1)
    assert verdicts["plain"] == verdicts["together"]
    hypotheses = sum(len(one.beam) for one in answers)
    return {
        "hypotheses": hypotheses,
        **{way: median(row[way] for row in rows) / hypotheses * 1e6 for way in ways},
        "ratio": common.Spread.range(row["plain"] / row["together"] for row in rows).to_dict(),
        "search": search / problems,
        "share": common.Spread.range(row["together"] / (search + row["together"]) for row in rows).to_dict(),
        "evaluation": common.Spread.range(
            (search + row["plain"]) / (search + row["together"]) for row in rows
        ).to_dict(),
    }


def main() -> None:
    """Measure, print."""
    parser = common.parser(__doc__, rounds=5)
    parser.add_argument("--run", default="general/shipped", help="or a .safetensors file")
    parser.add_argument("--problems", type=int, default=24, help="problems a set")
    parser.add_argument("--beam", type=int, default=30)
    parser.add_argument("--sets", nargs="*", help="only sets whose names contain one of these")
    options = parser.parse_args()
    loaded = load_model(weights_of(options.run, runs_root()), torch.device("cpu"))
    limit_threads(loaded.model.config)
    report, table = {}, []
    for part in loaded.experiment.data.parts:
        name = name_of(part)
        if options.sets and not any(wanted in name for wanted in options.sets):
            continue
        found = report[name] = measure(loaded, part, options.problems, options.rounds, options.beam)
        ratio, evaluation = common.Spread(**found["ratio"]), common.Spread(**found["evaluation"])
        each = [f"{found[way]:.0f}" for way in ("plain", "together")]
        share = f"{100 * found['share']['median']:.1f} %"
        search = f"{1000 * found['search']:.0f}"
        table.append((name, *each, ratio.text(1), search, share, evaluation.text(2)))
    header = ("set", "plain, us", "together, us", "times as fast", "search, ms", "share", "evaluation")
    common.print_table(header, table)
    common.finish("verification", run=options.run, beam=options.beam, sets=report)


if __name__ == "__main__":
    main()
