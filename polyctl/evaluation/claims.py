"""Verify what files claim: a data set, a run's predictions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from polyctl.algebra.budget import Budget, OutOfTime
from polyctl.algebra.completion import TooLarge, complete_outer
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import degree, ring
from polyctl.algebra.triviality import generates_everything
from polyctl.algebra.verify import STATUSES, Status, verify, verify_or_complete
from polyctl.data.dataset import LineFile
from polyctl.data.manifest import explain_unfinished
from polyctl.data.published_format import (
    FormatError,
    read_decomposition,
    read_line,
    split_line,
    variables_of,
)
from polyctl.errors import FileError, UsageError
from polyctl.solving.read import read_outer
from polyctl.store.runs import find_run

ANSWER_SECONDS = 5.0  # for a line without f


@dataclass(frozen=True)
class Failure:
    """A problem that did not verify."""

    place: str
    status: Status
    reason: str


@dataclass(frozen=True)
class Tally:
    """How many problems of each status, and those that are not verified."""

    total: int
    counts: dict[Status, int]
    failures: tuple[Failure, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `polyctl verify FILE --json` (docs/scripting.md)."""
        counts: dict[str, int] = {status: self.counts[status] for status in STATUSES}
        return {"total": self.total, **counts, "failures": [asdict(f) for f in self.failures]}


def find_files(target: str, runs: Path | None) -> list[Path]:
    """The files that a name means: a path, a data set's, a run's predictions. Raises FileError."""
    path = Path(target)
    if path.is_file():
        return [path]
    for directory in (path, Path("data") / target):
        found = sorted(directory.glob("*.txt")) if directory.is_dir() else []
        if found:
            return found
        if (unfinished := explain_unfinished(directory)) is not None:
            raise FileError(*unfinished)
    try:
        run = find_run(target, runs, need_checkpoint=False)
    except FileError:
        raise FileError(
            f"there is no file, data set or run {target!r}",
            "`polyctl gen EXPERIMENT` makes a data set; for an expression give --inner as well",
        ) from None
    predictions = sorted(run.predictions.glob("*.jsonl"))
    if not predictions:
        raise FileError(
            f"the run {run.name} has no predictions yet", f"make some with: polyctl eval {run.name}"
        )
    return predictions


def check_files(paths: Sequence[Path], limit: int | None = None, *, without_f: bool = False) -> Tally:
    """Verify every problem of these files; a line that cannot be read counts as malformed.

    `without_f`: the lines are TRUE ⁇ ANSWER, as the published system writes its predictions.
    """
    judged: list[tuple[str, Status, str]] = []
    for path in paths:
        lines = LineFile(path)
        count = len(lines) if limit is None else min(limit, len(lines))
        check = _check_prediction if path.suffix == ".jsonl" else _check_line
        check = _check_answer if without_f else check
        judged += [_placed(f"{path}, line {i + 1}", lines, i, check) for i in range(count)]
    return _tally(judged)


def check_lines(
    lines: Iterable[str], name: str, limit: int | None = None, *, without_f: bool = False
) -> Tally:
    """Verify lines in the published format, or of its predictions; empty ones do not count."""
    filled = (line for line in lines if line.strip())
    check = _check_answer if without_f else _check_line
    return _tally([(f"{name}, line {i + 1}", *check(line)) for i, line in enumerate(islice(filled, limit))])


def _placed(place: str, lines: LineFile, number: int, check: Any) -> tuple[str, Status, str]:
    try:
        line = lines[number]
    except FileError:
        return place, "malformed", "not UTF-8 text"
    return (place, *check(line))


def _tally(judged: Sequence[tuple[str, Status, str]]) -> Tally:
    counts = Counter(status for _, status, _ in judged)
    failures = tuple(Failure(*j) for j in judged if j[1] != "verified")
    return Tally(len(judged), {status: counts[status] for status in STATUSES}, failures)


def _check_line(line: str) -> tuple[Status, str]:
    try:
        problem = read_line(line)
    except FormatError as error:
        return "malformed", str(error)
    if problem.decomposition is None:
        return "malformed", "there is no target"
    verdict = verify(problem.f, problem.decomposition)
    return verdict.status, verdict.reason


def _check_answer(line: str) -> tuple[Status, str]:
    """A line TRUE ⁇ ANSWER: f is what TRUE gives, or unknown if that is inner polynomials alone."""
    try:
        true, found = split_line(line)
        if found in ("", "False"):
            return "malformed", "no answer"
        context = ring(variables_of(f"{true} {found}"))
        known, answer = read_decomposition(true, context), read_decomposition(found, context)
    except FormatError as error:
        return "malformed", str(error)
    if known.outer is not None:
        verdict = verify(known.expanded, answer)
        return verdict.status, verdict.reason
    if any(h.is_constant() for h in answer.inners):
        return "trivial", "an inner polynomial is constant"
    one = answer.inners[0] if len(answer.inners) == context.nvars() == 1 else None
    if generates_everything(answer.inners, range(context.nvars())) or (one is not None and degree(one) == 1):
        return "trivial", "the inner polynomials generate every polynomial"
    with suppress(TooLarge, OutOfTime):
        budget = Budget.of(ANSWER_SECONDS)
        if all(complete_outer(h, answer.inners, budget=budget) is not None for h in known.inners):
            return "verified", "the known inner polynomials are polynomials in the answer's"
    return "undecided", "f is not in the line, and the known inner polynomials are not found in the answer's"


def _check_prediction(line: str) -> tuple[Status, str]:
    """The best answer that a prediction claims as verified, or else its greedy one, checked from its text."""
    try:
        record = json.loads(line)
        f = parse(record["input"], record["variables"])
        answers = [record["greedy"], *record["beam"]]
        claimed = [a for a in answers if a is not None and "verified" in (a["status"], a["completed"])]
        if not claimed:
            first = answers[0] or {"status": "malformed", "reason": record.get("error") or "no answer"}
            known = [status for status in STATUSES if status == first["status"]]
            return known[0] if known else "malformed", str(first["reason"])
        answer = claimed[0]
        inners = tuple(parse(h, record["variables"]) for h in answer["inner"])
        outer = None if answer["outer"] is None else read_outer(answer["outer"], len(inners))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UsageError) as error:
        return "malformed", f"not a prediction: {error}"
    checked = verify_or_complete(f, Decomposition(outer, inners))
    verdict = checked.given if answer["status"] == "verified" else checked.completed
    return verdict.status, verdict.reason
