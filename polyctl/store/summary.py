"""How a run stands, by its newest events."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from polyctl.store.event_kinds import (
    End,
    Evaluation,
    EvaluationProgress,
    Event,
    Failure,
    RunStarted,
    Step,
    Validation,
)
from polyctl.store.events import finite, kind_in, parse_event
from polyctl.store.files import open_regular
from polyctl.store.owner import Owner, read_owner
from polyctl.store.tail import BLOCK_BYTES, newest_lines

SILENT_SECONDS = 600.0
SUMMARY_BYTES = 1 << 24  # at the end of a file; what only a longer file's middle says is not in a summary

SILENT_EVALUATION = 60.0

RunState = Literal["running", "finished", "interrupted", "crashed", "unknown"]


@dataclass(frozen=True)
class Summary:
    """What a run's last events report; None if none of them does."""

    state: RunState
    ended: str | None  # the end event's own word, such as "time limit"
    step: int | None
    total_steps: int | None
    loss: float | None
    metrics: dict[str, float]  # of the last validation
    step_metrics: dict[str, float]  # of the last step
    error: str | None
    updated: float | None
    elapsed: float | None = None  # seconds of training up to the last step, resumed ones included
    last_step: dict[str, float] = field(default_factory=dict)  # all numbers that it reported
    lr: float | None = None
    tokens_per_second: float | None = None
    problems_seen: int | None = None
    best: float | None = None  # verified greedy accuracy at the best validation
    device: str | None = None
    owner: Owner | None = None  # who writes, or has died doing so
    evaluation: EvaluationProgress | None = None  # of an evaluation that runs now

    @property
    def left(self) -> float | None:
        """Seconds to the last step at the mean pace so far; None if it is not known or nothing runs."""
        if self.state != "running" or not (self.step and self.elapsed and self.total_steps):
            return None
        return max(0.0, self.elapsed / self.step * (self.total_steps - self.step))

    @property
    def problems_per_second(self) -> float | None:
        """Problems a second at the mean pace so far."""
        return self.problems_seen / self.elapsed if self.problems_seen and self.elapsed else None

    @property
    def accuracy(self) -> float | None:
        """Verified greedy accuracy at the last validation."""
        return self.metrics.get("greedy_verified")


def summarise_events(path: Path) -> Summary:
    """What the newest events of a file say; never fails on a damaged file.

    Read from the end; of a file over SUMMARY_BYTES only its newest part and its first block count. Whether
    the writer still runs is known at once on its own machine; elsewhere a silence of SILENT_SECONDS counts.
    """
    newest = _Newest(read_owner(path.parent))
    for line in newest_lines(path, SUMMARY_BYTES):
        if newest.wants(kind_in(line)) and (event := parse_event(line)) is not None:
            newest.take(event)
            if newest.complete:
                break
    else:
        newest.began = newest.began or _opening(path)
    return newest.summary()


class _Newest:
    """The newest event of each kind, from the newest one backwards to the begin of the training."""

    def __init__(self, owner: Owner | None) -> None:
        self.owner = owner
        self.last: Event | None = None
        self.began: RunStarted | None = None
        self.end: End | None = None
        self.step: Step | None = None
        self.validation: Validation | None = None
        self.failure: Failure | None = None
        self.failed_after_last_step = False
        self.complete = False  # whether no older event can say anything
        self.best: float | None = None
        self.evaluation: EvaluationProgress | None = None
        self.evaluated = False  # whether an evaluation has ended since the newest progress of one

    def wants(self, kind: str | None) -> bool:
        """Whether an older event of that kind can still say something."""
        if self.last is None:
            return kind is not None
        if kind == Step.KIND:
            return self.step is None
        if kind in (Validation.KIND, Evaluation.KIND, "eval"):
            return True
        if kind == EvaluationProgress.KIND:
            return self.evaluation is None and not self.evaluated
        # of before a training was resumed only the figures still hold
        return kind == RunStarted.KIND or (self.began is None and kind in (End.KIND, Failure.KIND))

    def take(self, event: Event) -> None:
        """Take in an event that is older than all before."""
        self.last = self.last or event
        match event:
            case RunStarted():
                self.began = self.began or event
                self.complete = event.state != "resumed"
            case End():
                self.end = self.end or event
            case Step():
                self.step = event
            case Validation():
                self.validation = self.validation or event
                accuracy = event.metrics.get("greedy_verified", math.nan)
                if math.isfinite(accuracy):
                    self.best = max(accuracy, -math.inf if self.best is None else self.best)
            case Evaluation():
                self.evaluated = True
            case EvaluationProgress() if not self.evaluated:
                self.evaluation = self.evaluation or event
            case Failure() if self.failure is None:
                self.failure, self.failed_after_last_step = event, self.step is None

    def summary(self) -> Summary:
        """What these events say together."""
        state = self._state()
        if self.end is not None and self.end.step is not None:
            steps: list[int | None] = [
                self.end.step
            ]  # a step after it was lost with a process that was killed
        else:
            steps = [e.step for e in (self.step, self.validation, self.began) if e is not None]
        measured = {} if self.validation is None else self.validation.metrics
        crash = self.failure if state == "crashed" and self.failed_after_last_step else None
        return Summary(
            state=state,
            ended=None if self.end is None else self.end.state,
            step=max((step for step in steps if step is not None), default=None),
            total_steps=None if self.began is None else self.began.total_steps,
            loss=None if self.step is None else finite(self.step.loss),
            metrics=_finite(measured),
            step_metrics={} if self.step is None else _finite(self.step.metrics),
            last_step={} if self.step is None else _numbers(self.step),
            error=None if crash is None else crash.message,
            updated=None if self.last is None else self.last.time,
            **self._pace(),
            best=self.best,
            device=None if self.began is None else self.began.device,
            owner=self.owner,
            evaluation=self.evaluation if is_evaluating(self.evaluation) else None,
        )

    def _pace(self) -> dict[str, Any]:
        """What the newest step says of time."""
        if self.step is None:
            return {}
        return {
            "elapsed": finite(self.step.elapsed),
            "lr": finite(self.step.lr),
            "tokens_per_second": finite(self.step.tokens_per_second),
            "problems_seen": self.step.problems_seen,
        }

    def _state(self) -> RunState:
        if self.end is not None:
            return "interrupted" if self.end.state == "interrupted" else "finished"
        if self.failed_after_last_step:
            return "crashed"
        if self.owner is not None and self.owner.alive is not None:
            return "running" if self.owner.alive else "crashed"
        if self.last is None or self.last.time is None:
            return "unknown"
        return "running" if time.time() - self.last.time < SILENT_SECONDS else "crashed"


def writer_of(progress: EvaluationProgress) -> Owner | None:
    """The process that evaluates, as far as it is known."""
    if progress.pid is None:
        return None
    return Owner(progress.pid, progress.began or "", progress.host or "", progress.time or 0.0)


def is_evaluating(progress: EvaluationProgress | None) -> bool:
    """Whether the evaluation that wrote this still runs; on another machine a minute's silence counts."""
    owner = None if progress is None else writer_of(progress)
    if owner is None:
        return False
    return owner.alive if owner.alive is not None else time.time() - owner.since < SILENT_EVALUATION


def _numbers(step: Step) -> dict[str, float]:
    """What a step reports of itself, and what was measured."""
    own = {key: value for key, value in asdict(step).items() if isinstance(value, int | float)}
    own.pop("time", None)
    return _finite({**own, **step.metrics})


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _opening(path: Path) -> RunStarted | None:
    """The event in the first block of a file that opens a training."""
    try:
        with open_regular(path) as file:
            lines = file.read(BLOCK_BYTES).split(b"\n")
    except OSError:
        return None
    events = (parse_event(line) for line in lines[:-1])
    return next((event for event in events if isinstance(event, RunStarted)), None)
