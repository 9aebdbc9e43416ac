"""Evaluating a run's model: what its events show meanwhile, and the report and predictions it leaves."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic, perf_counter
from typing import Any, Literal

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import plain
from polyctl.config.schema import EvalConfig
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.evaluation.accuracy import (
    JudgedHypothesis,
    ProblemResult,
    ProblemScore,
    evaluate_problems,
    summarize_scores,
    sympy_baseline,
)
from polyctl.model.serialization import LoadedModel
from polyctl.runtime.processes import Processes
from polyctl.search.hypothesis import BeamStep, Hypothesis
from polyctl.store.events import EventWriter
from polyctl.store.files import write_atomic
from polyctl.store.runs import STAMP, Run

SPOTLIGHT_SECONDS = 0.25


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
    with EventWriter(run.usage_log) as events:
        spotlight = Spotlight(events, tokenizer, problems)

        def settle(place: int, result: ProblemResult) -> None:
            number = numbers[place]
            share[number] = (
                ProblemScore.of(result),
                json.dumps(prediction(number, result), ensure_ascii=False),
            )
            spotlight.result(number, result)
            if on_done is not None:
                on_done()

        def step(beam: BeamStep) -> None:
            spotlight.step(replace(beam, problem=numbers[beam.problem]))

        mine = [problems[number] for number in numbers]
        evaluate_problems(
            loaded.model,
            tokenizer,
            mine,
            config,
            grammar=grammar,
            on_step=step,
            watch=spotlight.due,
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


class Spotlight:
    """Writes the beam of one problem at a time to a run's events, a few times a second, then its verdicts."""

    def __init__(self, writer: EventWriter, tokenizer: Tokenizer, problems: Sequence[Problem]) -> None:
        self._writer, self._tokenizer, self._problems = writer, tokenizer, problems
        self._last = -math.inf
        self._lit: int | None = None  # the problem whose beam was last written

    def due(self) -> bool:
        """Whether it is time to write again."""
        return monotonic() - self._last >= SPOTLIGHT_SECONDS

    def step(self, step: BeamStep) -> None:
        """One step of the beam."""
        self._last, self._lit = monotonic(), step.problem
        self._writer.write(
            "beam",
            problem=step.problem,
            input=plain(self._problems[step.problem].f),
            step=step.step,
            live=[self._shown(h) for h in step.live],
            finished=[self._shown(h) for h in step.finished],
        )

    def result(self, number: int, result: ProblemResult) -> None:
        """The verdicts on the problem whose beam was written last."""
        if number != self._lit or not result.beam:
            return
        self._last, self._lit = monotonic(), None
        verdicts = [{**self._shown(j.hypothesis), "rank": j.rank, "status": j.status} for j in result.beam]
        self._writer.write("verdict", problem=number, input=plain(result.problem.f), hypotheses=verdicts)

    def _shown(self, hypothesis: Hypothesis) -> dict[str, Any]:
        return {"text": self._tokenizer.text(hypothesis.tokens), "logprob": hypothesis.logprob}


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
