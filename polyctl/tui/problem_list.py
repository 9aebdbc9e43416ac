"""The problems of one of a run's evaluations, read as their files grow."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

from polyctl.store.evaluation_report import EvaluationReport
from polyctl.store.predictions import EvaluationFiles, Place, Prediction, PredictionReader
from polyctl.store.runs import STAMP, Run
from polyctl.tui.evaluation_folder import EvaluationFolder

MOST = 50_000  # problems that are listed
SHOWN = 160  # characters of f that are kept of each
TITLE_TRIES = 8  # refreshes in which the report of an evaluation that has just ended is waited for


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """What the list shows of a problem; `first` and `completed` are ranks of right answers, 0 the best.

    `completed` takes the inner polynomials alone. `logprob` is that of the best of so many `answers`.
    """

    index: int
    cell: str
    first: int | None
    completed: int | None
    unreadable: bool
    logprob: float | None
    text: str
    place: Place
    answers: int = 0

    @classmethod
    def of(cls, place: Place, found: Prediction) -> ProblemRow:
        """The row of a problem."""
        return cls(
            found.index,
            found.cell,
            found.first(),
            found.first(completed=True),
            found.error is not None,
            found.beam[0].logprob if found.beam else None,
            found.input[:SHOWN],
            place,
            len(found.beam),
        )


class ProblemList:
    """A worker calls `refresh`, others read under `lock`; without a choice it is the newest evaluation."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lock = threading.Lock()
        self.changes = 0
        self.looked = False
        self.evaluations: list[EvaluationFiles] = []
        self._folder = EvaluationFolder(run.predictions)
        self._chosen: str | None = None
        self._read: EvaluationFiles | None = None
        self._clear(None)

    def _clear(self, of: EvaluationFiles | None) -> None:
        self._read = of
        self._reader = None if of is None else PredictionReader(of.paths)
        self.rows: list[ProblemRow] = []
        self.error: str | None = None
        self.complete = of is None
        self._tries = TITLE_TRIES
        self.title = "" if of is None else describe_evaluation(self.run, of)

    @property
    def shown(self) -> EvaluationFiles | None:
        """The evaluation whose problems these are."""
        return self._read

    @property
    def problems(self) -> int | None:
        """How many problems an evaluation has that has not ended, as far as it is known."""
        return None if self._reader is None else self._reader.problems

    @property
    def left_out(self) -> int:
        """Lines that could not be read."""
        return 0 if self._reader is None else self._reader.left_out

    def choose(self, name: str) -> None:
        """Show that evaluation, from the next refresh on."""
        self._chosen = name

    def refresh(self) -> bool:
        """Read one piece more; whether there is more to read."""
        try:
            found = self._folder.look()
        except OSError as error:
            self._fail(f"{self.run.predictions} cannot be read: {error.strerror}")
            return False
        if self._chosen not in {one.name for one in found}:
            self._chosen = None
        shown = next((one for one in found if self._chosen in (None, one.name)), None)
        with self.lock:
            if found != self.evaluations or shown != self._read or not self.looked:
                self.changes += 1
                self.evaluations, self.looked = found, True
            if shown != self._read:
                self._clear(shown)
            reader = self._reader
        if reader is None or len(self.rows) >= MOST:
            self.complete = True
            return False
        try:
            lines, more = reader.read()
        except FileNotFoundError:  # a part that has just gone, and is no longer listed the next time
            self._folder.look_again()
            self._fail(None)
            return False
        except OSError as error:
            self._fail(f"cannot be read: {error.strerror}")
            return False
        rows = [ProblemRow.of(place, one) for place, one in lines]
        with self.lock:
            self.changes += bool(rows) or self.complete == more
            self.rows += rows[: MOST - len(self.rows)]
            self.complete = not more
            if not (rows or more) and self._read is not None and self._tries and self._read.ended:
                self._tries -= 1  # the report is written just after the predictions
                title = describe_evaluation(self.run, self._read)
                self.changes += title != self.title
                self.title = title
        return more

    def _fail(self, message: str | None) -> None:
        with self.lock:
            self.changes += message != self.error or not self.looked
            self.error, self.complete, self.looked = message, True, True

    def fetch(self, row: ProblemRow) -> Prediction | None:
        """All that is kept of a problem; None if its file has gone."""
        return None if self._reader is None else self._reader.fetch(row.place)


def describe_evaluation(run: Run, evaluation: EvaluationFiles) -> str:
    """When an evaluation was made and of what, by its report."""
    parts = evaluation.name.split("-")
    try:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.strptime("-".join(parts[1:3]), STAMP))
    except ValueError:
        when = evaluation.name
    if not evaluation.ended:
        return f"{when}, not ended"
    try:
        path = run.reports / f"{evaluation.name}.json"
        report = EvaluationReport.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return when
    return f"{when}, step {report.step:,}, beam {report.summary.beam}, {report.data}"
