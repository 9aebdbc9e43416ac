"""What a run's events say, gathered from the end of its file backwards and kept up to date."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from polyctl.store.event_kinds import (
    Checkpoint,
    EvaluationProgress,
    Event,
    RunStarted,
    Step,
    Validation,
    event_from_json,
)
from polyctl.store.event_kinds import Evaluation as EvaluationEvent
from polyctl.store.events import VERSION
from polyctl.store.runs import Run
from polyctl.store.summary import is_evaluating
from polyctl.store.tail import Batch, Tail
from polyctl.tui.run_evaluations import Evaluation, Reports
from polyctl.tui.series import Series, to_finite

WIDTHS = {"step": 6, "tokens/s": 6}  # of the values of steps; others have nine columns
LOG_LINES = 2000  # of steps, and as many of other events
FRAMES = 600
EVALUATIONS = 200
MARKS = 2000  # the newest steps at which checkpoints were written, or the training was resumed
MOST_SERIES = 100
SLICE_BYTES = 1 << 18
WHOLE_BYTES = 1 << 24  # the newest part, of which every line is read
THIN_BYTES = 1 << 25  # before it one step in n is read, n growing by one with each of these
STEP_KEYS = (
    *("loss", "lr", "grad_norm", "tokens_per_second", "elapsed", "problems_seen"),
    *("reward", "kl", "entropy", "clip_share", "mass", "copies"),
)
GROUP_KEYS = ("all_right", "all_wrong", "skipped")  # of reinforcement learning, as shares of the groups
VALIDATION_KEYS = ("valid_loss", "greedy_verified", "greedy_exact", "pass_at_1", "pass_at_w")
VALID, STEP = "validation ", "step "  # before names that both measure
MEASURED = frozenset((*STEP_KEYS, *GROUP_KEYS))  # at every step
BEAMS = ("beam", "verdict", "rollout")
UNLISTED = (*BEAMS, "progress")  # kinds that are shown elsewhere than in the log
RawEvent = dict[str, Any]  # an event as it is in the file
SHORT = {
    "valid_loss": "valid",
    "greedy_verified": "verified",
    "greedy_exact": "exact",
    "grad_norm": "norm",
    "tokens_per_second": "tokens/s",
}


@dataclass(frozen=True)
class LogLine:
    """An event as it is shown; `number` orders the lines and names this one."""

    number: int
    time: float | None
    kind: str
    text: str


class _Lines:
    """The newest lines: of steps, and apart from them of other events, which are few and would be lost."""

    def __init__(self) -> None:
        self._steps: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._others: deque[LogLine] = deque(maxlen=LOG_LINES)
        self._first = self._next = 0

    @property
    def count(self) -> int:
        """How many events there were, those that are not kept included."""
        return self._next - self._first

    @property
    def lines(self) -> list[LogLine]:
        """What is kept, oldest first."""
        return list(heapq.merge(self._steps, self._others, key=lambda line: line.number))

    def add(self, events: list[tuple[str, RawEvent]], older: bool) -> None:
        """Add events that come after all others, or before."""
        if older:
            for kind, event in reversed(events):
                self._first -= 1
                kept = self._of(kind)
                if len(kept) < LOG_LINES:
                    kept.appendleft(_format_event(self._first, kind, event))
        else:
            for kind, event in events:
                self._of(kind).append(_format_event(self._next, kind, event))
                self._next += 1

    def _of(self, kind: str) -> deque[LogLine]:
        return self._steps if kind == Step.KIND else self._others


class RunLog:
    """A run's series, newest log lines and beams; a worker calls `refresh`, others read under `lock`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lock = threading.Lock()
        self._tail = Tail(run.events)
        self._reports = Reports(run)
        self.changes = 0
        self.looked = False
        self._found = False  # whether there has been a file of events
        self._clear()

    def _clear(self) -> None:
        self._usage = Tail(self.run.usage_log) if self.run.usage_log != self.run.events else None
        self.series: dict[str, Series] = {}
        self._lines = _Lines()
        self.frames: deque[RawEvent] = deque(maxlen=FRAMES)
        self._evaluations: list[Evaluation] = []
        self.step: float | None = None  # of the newest step event
        self.checkpoints: list[float] = []  # the steps at which one was written
        self.resumes: list[float] = []  # and those from which the training was resumed
        self._progress: EvaluationProgress | None = None  # of an evaluation that has not ended
        self._evaluation_known = False
        self.broken = self.long = self.newer = 0
        self.every = 1  # of the steps before the newest part one in so many is read
        self._whole = WHOLE_BYTES  # how much of that part is still to be read
        self.missing: str | None = None
        self.error: str | None = None

    @property
    def lines(self) -> list[LogLine]:
        """The newest lines of the log, oldest first."""
        return self._lines.lines

    @property
    def line_count(self) -> int:
        """How many lines the log has had, those that are not kept included."""
        return self._lines.count

    @property
    def evaluations(self) -> list[Evaluation]:
        """The newest evaluations, oldest first."""
        found, reported = self._evaluations, self._reports.newest
        return [*found, reported] if reported and (not found or found[-1].time < reported.time) else found

    @property
    def reinforced(self) -> bool:
        """Whether it is reinforcement learning."""
        return "reward" in self.series

    @property
    def evaluation(self) -> EvaluationProgress | None:
        """How far the evaluation is that runs now, if one does."""
        return self._progress if is_evaluating(self._progress) else None

    @property
    def cells(self) -> list[dict[str, Any]]:
        """Accuracy by degree at the newest evaluation."""
        return self.evaluations[-1].cells if self.evaluations else []

    @property
    def complete(self) -> bool:
        """Whether the whole file has been read."""
        return self.looked and self._tail.at_start

    @property
    def unread(self) -> int:
        """Bytes of the file's beginning that are still to be read."""
        return self._tail.unread

    def refresh(self) -> bool:
        """Read one piece of what was appended, and of what stands before; whether there is more to read."""
        try:
            batch = self._tail.later(SLICE_BYTES * 4)
            used = self._usage.later(SLICE_BYTES * 4) if self._usage is not None else Batch()
            # A file that is always written to must not keep its past from being read.
            wait = batch.more or batch.reset or batch.missing or self._tail.at_start
            past = None if wait else self._earlier()
        except OSError as error:
            with self.lock:
                message = f"{self.run.events} cannot be read: {error.strerror}"
                self.changes += message != self.error
                self.error = message
            return False
        missing = self._why_missing() if batch.missing else None
        self._found |= not batch.missing
        reported = self._reports.refresh()
        with self.lock:
            self.looked = True
            if batch.reset:
                self._clear()
            changed = batch.events or batch.reset or reported or missing != self.missing or self.error
            self.changes += bool(changed)
            self.missing, self.error = missing, None
            self._take(batch, older=False)
            self.changes += bool(used.events)
            self._take(used, older=False)
            if past is not None:
                self.changes += bool(past.events)
                self._take(past, older=True)
        return batch.more or used.more or not self._tail.at_start

    def _earlier(self) -> Batch:
        """The next piece of the past: the newest part whole, of what stands before it only some steps.

        What evaluations of the bundled run have written is newer than the run, so it comes first.
        """
        if self._usage is not None and not self._usage.at_start:
            return self._usage.earlier(SLICE_BYTES)
        if self._whole == 0:
            return self._tail.earlier(SLICE_BYTES * 4, self.every)
        self._whole = max(0, self._whole - SLICE_BYTES)
        self.every = 1 + self._tail.unread // THIN_BYTES
        return self._tail.earlier(SLICE_BYTES)

    def _why_missing(self) -> str:
        if not self.run.path.is_dir():
            return f"{self.run.name} has been deleted"
        return f"{self.run.events} is gone" if self._found else f"{self.run.name} has no events file yet"

    def _take(self, batch: Batch, older: bool) -> None:
        events = [(raw, event_from_json(raw)) for raw in batch.events]
        self.broken += batch.broken
        self.long += batch.long
        found: dict[str, list[tuple[float, Any]]] = {}
        steps: list[float] = []
        for raw, event in events:
            version = raw.get("v", VERSION)
            self.newer += isinstance(version, int) and version > VERSION
            if isinstance(event, (Step, Validation)) and (step := to_finite(event.step)) is not None:
                for name, value in _find_numbers(event):
                    found.setdefault(name, []).append((step, value))
                if isinstance(event, Step):
                    steps.append(step)
        for name, points in found.items():
            if name in self.series or len(self.series) < MOST_SERIES:
                self.series.setdefault(name, Series()).add(points, earlier=older)
        if steps and not (older and self.step is not None):
            self.step = steps[-1]
        self._take_progress([event for _, event in events], older)
        self._take_marks([event for _, event in events])
        evaluated = [
            Evaluation.from_event(raw) for raw, event in events if isinstance(event, EvaluationEvent)
        ]
        if evaluated:
            both = [*evaluated, *self._evaluations] if older else [*self._evaluations, *evaluated]
            self._evaluations = sorted(both, key=lambda one: one.time)[-EVALUATIONS:]
        beams = [raw for raw, _ in events if raw["kind"] in BEAMS]
        if older:
            room = FRAMES - len(self.frames)
            self.frames.extendleft(reversed(beams[-room:] if room else []))
        else:
            self.frames.extend(beams)
        others = ((raw, event) for raw, event in events if raw["kind"] not in UNLISTED)
        self._lines.add([(raw["kind"] if e is None else e.kind, raw) for raw, e in others], older)

    def _take_progress(self, events: list[Event | None], older: bool) -> None:
        """The newest word on an evaluation counts: how far it is, or that it has ended."""
        said = [e for e in events if isinstance(e, (EvaluationProgress, EvaluationEvent))]
        if said and not (older and self._evaluation_known):
            self._evaluation_known = True
            self._progress = said[-1] if isinstance(said[-1], EvaluationProgress) else None

    def _take_marks(self, events: list[Event | None]) -> None:
        """The steps of checkpoints and resumes, each once."""
        saved = [event.step for event in events if isinstance(event, Checkpoint)]
        resumed = [e.step for e in events if isinstance(e, RunStarted) and e.state == "resumed"]
        self.checkpoints = _add_steps(self.checkpoints, saved)
        self.resumes = _add_steps(self.resumes, resumed)

    def facts(self) -> list[str]:
        """What a reader of the run should know about its file."""
        facts = []
        if self.error:
            return [self.error]
        if self.missing:
            return [self.missing]
        if self.complete and not self.line_count and not self.frames:
            return [f"{self.run.name} has written no events yet"]
        if self.newer:
            facts.append("written by a newer polyctl: what is understood is shown")
        if self.broken:
            facts.append(f"{self.broken:,} broken line{'s' * (self.broken != 1)}")
        if self.long:
            facts.append(f"{self.long:,} line{'s' * (self.long != 1)} over 1 MB left out")
        lost = sum(series.broken for series in self.series.values())
        if lost:
            facts.append(f"{lost:,} value{'s' * (lost != 1)} not finite (gap{'s' * (lost != 1)})")
        if not self.complete:
            facts.append(f"{self.unread / 1e6:,.0f} MB of the beginning still to be read")
        if self.every > 1:
            facts.append(f"of older steps one in {self.every} is read")
        return facts


def _add_steps(known: list[float], found: list[int | None]) -> list[float]:
    """All steps, each once and in order; the newest of too many."""
    steps = [step for value in found if (step := to_finite(value)) is not None]
    return sorted({*known, *steps})[-MARKS:] if steps else known


def _find_numbers(event: Step | Validation) -> list[tuple[str, float]]:
    """The points that an event adds to the series."""
    keys = STEP_KEYS if isinstance(event, Step) else VALIDATION_KEYS
    measured = {**vars(event), **event.metrics}
    found = [(key, value) for key in keys if (value := measured.get(key)) is not None]
    others = {key: value for key, value in event.metrics.items() if key not in (*keys, *GROUP_KEYS)}
    if isinstance(event, Validation):  # a name may be measured at steps, too
        found += [(VALID + key, value) for key, value in others.items()]
    else:
        found += [(STEP + key if key in VALIDATION_KEYS else key, value) for key, value in others.items()]
    if isinstance(event, Step) and (groups := to_finite(event.metrics.get("searched"))):
        counts = [(key, to_finite(event.metrics.get(key))) for key in GROUP_KEYS]
        found += [(key, count / groups) for key, count in counts if count is not None]
    return found


def _format_event(number: int, kind: str, event: RawEvent) -> LogLine:
    """An event in one line of text; of steps the values stand below each other."""
    time = event.get("time")
    parts = [str(event["message"])] if "message" in event else []
    for key, value in event.items():
        if key not in ("v", "time", "kind", "message", "cells"):
            parts += _format_field(key, value, 4 if kind == Step.KIND else 5)
    if kind == Step.KIND:
        parts = [part.ljust(part.find("=") + 1 + WIDTHS.get(part.partition("=")[0], 9)) for part in parts]
    when = float(time) if isinstance(time, (int, float)) and not isinstance(time, bool) else None
    return LogLine(number, when, kind, "  ".join(parts)[:2000].rstrip())


def _format_field(key: str, value: Any, digits: int) -> Iterator[str]:
    """A field of an event; of pass@k the first and the last."""
    if key == "pass_at" and isinstance(value, dict):
        for k in dict.fromkeys([*list(value)[:1], *list(value)[-1:]]):
            yield f"pass@{k}={_format_value(value[k], digits)}"
    elif isinstance(value, dict):
        for name, item in value.items():
            yield f"{SHORT.get(name, name)}={_format_value(item, digits)}"
    else:
        yield f"{SHORT.get(key, key)}={_format_value(value, digits)}"


def _format_value(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if 1e4 <= abs(value) < 1e6 else f"{value:.{digits}g}"
    return str(value)[:200]
