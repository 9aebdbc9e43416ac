"""Evaluating a run's model: what its events show meanwhile, and the report and predictions it leaves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Literal

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import plain
from polyctl.config.schema import EvalConfig
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import (
    JudgedHypothesis,
    ProblemResult,
    ProblemScore,
    evaluate_problems,
    summarize_scores,
    sympy_baseline,
)
from polyctl.evaluation.spotlight import Spotlight
from polyctl.model.serialization import LoadedModel
from polyctl.runtime.processes import Processes
from polyctl.store.events import EventWriter
from polyctl.store.files import write_atomic
from polyctl.store.runs import STAMP, Run


def evaluate_run(
    run: Run,
    loaded: LoadedModel,
    problems: Sequence[Problem],
    config: EvalConfig,
    *,
    source: str,
    checkpoint: Literal["best", "last"] = "best",
    grammar: bool = False,
    baseline: bool = True,
    on_done: Callable[[], None] | None = None,
    processes: Processes | None = None,
) -> dict[str, Any]:
    """Evaluate a run's model on problems; the report as JSON (docs/scripting.md), kept in the run.

    Beams of single problems and the result go to the events (`run.usage_log`), answers to the predictions.
    `on_done` hears of each problem that is finished. Of several processes number r takes the problems r,
    r + n, …; all of them get the report of all problems, and the main one writes it.
    """
    rank, world = (0, 1) if processes is None else (processes.rank, processes.world)
    started = perf_counter()
    share = _evaluate_share(run, loaded, problems, config, grammar, on_done, rank, world)
    shares = [share] if processes is None else processes.gather(share)
    answers = {number: answer for part in shares for number, answer in part.items()}
    scores = [answers[i][0] for i in range(len(problems))]
    report = {
        "run": run.name,
        "checkpoint": checkpoint,
        "step": loaded.step,
        "data": source,
        "seconds": perf_counter() - started,
        "device": next(loaded.model.parameters()).device.type,
        "processes": world,
        **summarize_scores(scores, config.beam),
        "baselines": {"sympy": sympy_baseline(problems) if baseline and rank == 0 else None},
    }
    stamp = time.strftime(STAMP, time.gmtime())
    stamp = stamp if processes is None else processes.from_main(lambda: stamp)
    path = run.predictions / f"eval-{stamp}.jsonl"
    if rank == 0:
        for folder in (run.predictions, run.reports):
            folder.mkdir(exist_ok=True)  # a clone has none that were empty
        with EventWriter(run.usage_log) as events:
            _report_event(events, report)
        write_atomic(run.reports / f"eval-{stamp}.json", json.dumps(report, indent=2) + "\n")
        write_atomic(path, "".join(f"{answers[i][1]}\n" for i in range(len(problems))))
    return {**report, "predictions": str(path)}


Share = dict[int, tuple[ProblemScore, str]]


def _evaluate_share(
    run: Run,
    loaded: LoadedModel,
    problems: Sequence[Problem],
    config: EvalConfig,
    grammar: bool,
    on_done: Callable[[], None] | None,
    rank: int,
    world: int,
) -> Share:
    """ProblemScore and prediction line of the problems rank, rank + world, … by their numbers."""
    tokenizer = make_tokenizer(loaded.experiment.data)
    numbers = range(rank, len(problems), world)
    share: Share = {}

    def settle(number: int, result: ProblemResult) -> None:
        line = json.dumps(prediction(number, result), ensure_ascii=False)
        share[number] = (ProblemScore.of(result), line)
        if on_done is not None:
            on_done()

    with EventWriter(run.usage_log) as events:
        evaluate_problems(
            loaded.model,
            tokenizer,
            [problems[number] for number in numbers],
            config,
            grammar=grammar,
            numbers=numbers,
            onlooker=Spotlight(events, tokenizer, problems),
            on_result=settle,
        )
    return share


def _report_event(events: EventWriter, report: dict[str, Any]) -> None:
    events.write(
        "eval",
        source="eval",
        step=report["step"],
        data=report["data"],
        beam=report["beam"],
        problems=report["problems"],
        greedy_exact=report["greedy"]["exact"],
        greedy_verified=report["greedy"]["verified"],
        pass_at=report["pass_at"],
        cells=report["cells"],
    )


def prediction(number: int, result: ProblemResult) -> dict[str, Any]:
    """A problem's answers as a JSON line: f and each hypothesis as text, with its verdict."""
    known = result.problem.decomposition
    return {
        "index": number,
        "input": plain(result.problem.f),
        "variables": list(names(result.problem.f)),
        "known": None if known is None else _decomposition_text(known),
        "error": result.error,
        "greedy": None if result.greedy is None else _judged_text(result.greedy),
        "beam": [_judged_text(j) for j in result.beam],
    }


def _judged_text(judged: JudgedHypothesis) -> dict[str, Any]:
    found = judged.decomposition
    return {
        "rank": judged.rank,
        "status": judged.status,
        "completed": judged.completed,
        "logprob": judged.hypothesis.logprob,
        "reason": judged.reason,
        "exact": judged.exact,
        "duplicate_of": judged.duplicate_of,
        "extra_inners": judged.extra_inners,
        **({"outer": None, "inner": []} if found is None else _decomposition_text(found)),
    }


def _decomposition_text(found: Decomposition) -> dict[str, Any]:
    return {
        "outer": None if found.outer is None else plain(found.outer),
        "inner": [plain(h) for h in found.inners],
    }
