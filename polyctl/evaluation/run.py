"""Evaluating a run's model: what its events show meanwhile, and the report and predictions it leaves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import plain
from polyctl.algebra.verify import Status
from polyctl.config.schema import EvalConfig
from polyctl.data.exclusions import may_have_drawn
from polyctl.data.problem import Problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation.accuracy import (
    Answers,
    JudgedHypothesis,
    ProblemResult,
    search_problems,
    sympy_baseline,
)
from polyctl.evaluation.judges import Judges
from polyctl.evaluation.progress import ProgressWriter
from polyctl.evaluation.spotlight import Spotlight
from polyctl.evaluation.summary import ProblemScore, summarize_scores
from polyctl.model.serialization import LoadedModel
from polyctl.runtime.processes import Processes
from polyctl.store.evaluation_report import CheckpointName, EvaluationReport, ProblemSet
from polyctl.store.event_kinds import Evaluation
from polyctl.store.events import EventWriter
from polyctl.store.files import explaining, make_directory, remove_unfinished, write_atomic
from polyctl.store.lock import LOCK_NAME
from polyctl.store.predictions import PartWriter
from polyctl.store.runs import STAMP, Run


@dataclass(frozen=True)
class EvaluationOptions:
    """How to evaluate: widths and limits of the searches, whose weights, what else to do."""

    config: EvalConfig
    checkpoint: CheckpointName = "best"
    grammar: bool = False  # only well-formed answers
    baseline: bool = True  # SymPy's decompose as well, if it applies
    workers: int = 0  # processes that verify answers beside the search; with none it waits for them


def evaluate_run(
    run: Run,
    loaded: LoadedModel,
    problems: Sequence[Problem],
    data: ProblemSet,
    options: EvaluationOptions,
    processes: Processes,
    on_done: Callable[[], None] | None = None,
) -> EvaluationReport:
    """Evaluate a run's model on the problems of a set; the report, which is kept in the run.

    Beams of single problems and the result go to the events (`run.usage_log`), answers to the predictions.
    `on_done` is called after each problem. Of several processes number r takes the problems r, r + n, …; all
    of them get the report of all problems, and the main one writes it.
    """
    started = perf_counter()
    name = processes.from_main(lambda: f"{time.strftime(STAMP, time.gmtime())}-{os.getpid()}")
    with PartWriter(run.predictions, name, processes.rank, len(problems)) as writer:
        share = _evaluate_share(run, loaded, problems, options, processes, writer, on_done)
        answers = {number: answer for part in processes.gather(share) for number, answer in part.items()}
        scores = [answers[i][0] for i in range(len(problems))]
        report = EvaluationReport(
            run=run.name,
            checkpoint=options.checkpoint,
            step=loaded.step,
            data=data,
            seconds=perf_counter() - started,
            device=next(loaded.model.parameters()).device.type,
            processes=processes.world,
            summary=summarize_scores(scores, options.config.width, sampled=options.config.samples > 0),
            temperature=options.config.temperature if options.config.samples else None,
            sympy=sympy_baseline(problems) if options.baseline and processes.main else None,
            may_have_trained_on=may_have_drawn(loaded.experiment.data, problems),
        )
        lines = "".join(f"{answers[i][1]}\n" for i in range(len(problems)))
        predictions = processes.from_main(lambda: _keep(run, report, lines))
    return replace(report, predictions=predictions)


def _keep(run: Run, report: EvaluationReport, predictions: str) -> Path:
    """Write the answers, then the report, then the event; returns where the answers are.

    Two evaluations that end in the same second get different names.
    """
    from filelock import FileLock  # slow to import

    for folder in (run.predictions, run.reports):
        make_directory(folder)  # a clone has none that were empty
    with explaining("write to", run.reports), FileLock(run.reports / LOCK_NAME):
        for folder in (run.predictions, run.reports):
            remove_unfinished(folder)
        second = int(time.time())
        while (kept := run.reports / f"eval-{time.strftime(STAMP, time.gmtime(second))}.json").exists():
            second += 1
        path = run.predictions / f"{kept.stem}.jsonl"
        write_atomic(path, predictions)
        write_atomic(kept, report.text())
    with EventWriter(run.usage_log) as events:
        events.write(_event(report))
    return path


Share = dict[int, tuple[ProblemScore, str]]


@dataclass(frozen=True)
class Judged:
    """What is kept of a problem's result: small, as it comes from other processes."""

    score: ProblemScore
    line: str  # of the predictions
    statuses: tuple[Status, ...]  # of the beam
    greedy_right: bool

    @classmethod
    def of(cls, number: int, result: ProblemResult) -> Judged:
        """The score and the prediction of a result."""
        line = json.dumps(prediction(number, result), ensure_ascii=False)
        greedy_right = result.greedy is not None and result.greedy.right(completed=True)
        return cls(ProblemScore.of(result), line, tuple(one.status for one in result.beam), greedy_right)


def _evaluate_share(
    run: Run,
    loaded: LoadedModel,
    problems: Sequence[Problem],
    options: EvaluationOptions,
    processes: Processes,
    writer: PartWriter,
    on_done: Callable[[], None] | None,
) -> Share:
    """Score and prediction line of this process's problems, by their numbers."""
    data = loaded.experiment.data
    tokenizer = make_tokenizer(data)
    numbers = range(processes.rank, len(problems), processes.world)
    share: Share = {}
    with EventWriter(run.usage_log) as events:
        progress: ProgressWriter | None = None
        if processes.main:
            progress = ProgressWriter(events, len(problems), processes.world, options.config.width)
        onlooker = Spotlight(events, tokenizer, problems)

        def settle(answers: Answers, judged: Judged) -> None:
            share[answers.number] = judged.score, judged.line
            writer.add(judged.line)
            onlooker.result(answers.number, answers.beam, judged.statuses)
            if progress is not None:
                progress.count(judged.greedy_right, judged.score.first[0])
            if on_done is not None:
                on_done()

        with Judges(data, Judged.of, settle, options.workers) as judges:
            search_problems(
                loaded.model,
                tokenizer,
                [problems[number] for number in numbers],
                options.config,
                judges.submit,
                grammar=options.grammar,
                numbers=numbers,
                onlooker=onlooker,
            )
    return share


def _event(report: EvaluationReport) -> Evaluation:
    summary = report.summary
    return Evaluation(
        step=report.step,
        data=report.data,
        beam=summary.beam,
        problems=summary.problems,
        greedy_exact=summary.answered.greedy_exact,
        greedy_verified=summary.answered.greedy_verified,
        pass_at=summary.answered.to_json()["pass_at"],
        cells=[cell.to_json() for cell in summary.cells],
    )


def prediction(number: int, result: ProblemResult) -> dict[str, Any]:
    """A problem's answers as a JSON line: f and each hypothesis as text, with its verdict."""
    known = result.problem.decomposition
    texts: dict[int, str] = {}  # of inner polynomials that hypotheses share, by their identity
    return {
        "index": number,
        "cell": result.problem.cell,
        "input": plain(result.problem.f),
        "variables": list(names(result.problem.f)),
        "known": None if known is None else _decomposition_text(known),
        "error": result.error,
        "greedy": None if result.greedy is None else _judged_text(result.greedy, texts),
        "beam": [_judged_text(j, texts) for j in result.beam],
    }


def _judged_text(judged: JudgedHypothesis, texts: dict[int, str]) -> dict[str, Any]:
    found, inner = judged.decomposition, []
    if judged.terms is not None and found is not None:
        for terms, h in zip(judged.terms.inners, found.inners, strict=True):
            if id(terms) not in texts:
                texts[id(terms)] = plain(h)
            inner.append(texts[id(terms)])
    return {
        "rank": judged.rank,
        "status": judged.status,
        "completed": judged.completed,
        "logprob": judged.hypothesis.logprob,
        "reason": judged.reason,
        "exact": judged.exact,
        "duplicate_of": judged.duplicate_of,
        "extra_inners": judged.extra_inners,
        "outer": None if found is None or found.outer is None else plain(found.outer),
        "inner": inner,
    }


def _decomposition_text(found: Decomposition) -> dict[str, Any]:
    return {
        "outer": None if found.outer is None else plain(found.outer),
        "inner": [plain(h) for h in found.inners],
    }
