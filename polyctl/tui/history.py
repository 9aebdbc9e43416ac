"""What a run's events say, gathered from the end of its file backwards and kept up to date."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from polyctl.events import VERSION
from polyctl.runs import Run
from polyctl.tui.series import Series, finite
from polyctl.tui.tail import Batch, Event, Tail

LOG_LINES = 2000
FRAMES = 600
SLICE_BYTES = 1 << 18
WHOLE_BYTES = 1 << 24  # the newest part, of which every line is read
THIN_BYTES = 1 << 25  # before it one step in n is read, n growing by one with each of these
STEP_KEYS = ("loss", "lr", "grad_norm", "tokens_per_second", "reward")
EVAL_KEYS = ("valid_loss", "greedy_verified", "greedy_exact")
RL_KEYS = {"pass_at_1": "pass@1", "pass_at_w": "pass@w"}  # of the validations of `rl`
BEAMS = ("beam", "verdict", "rollout")


@dataclass(frozen=True)
class LogLine:
    """An event as it is shown; `number` counts from the first line seen and names it."""

    number: int
    time: float | None
    kind: str
    text: str


class History:
    """A run's series, newest log lines and beams; a worker calls `refresh`, others read under `lock`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.lock = threading.Lock()
        self._tail = Tail(run.events)
        self.changes = 0
        self.looked = False
        self._clear()

    def _clear(self) -> None:
        self._uses = Tail(self.run.uses) if self.run.uses != self.run.events else None
        self.series: dict[str, Series] = {}
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.frames: deque[Event] = deque(maxlen=FRAMES)
        self.cells: list[dict[str, Any]] = []
        self.broken = self.long = self.newer = 0
        self.logged = 0
        self.every = 1  # of the steps before the newest part one in so many is read
        self._whole = WHOLE_BYTES  # how much of that part is still to be read
        self.missing = False
        self.error: str | None = None

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
            used = self._uses.later(SLICE_BYTES * 4) if self._uses is not None else Batch()
            # A file that is always written to must not keep its past from being read.
            wait = batch.more or batch.reset or batch.missing or self._tail.at_start
            past = None if wait else self._earlier()
        except OSError as error:
            with self.lock:
                message = f"{self.run.events} cannot be read: {error.strerror}"
                self.changes += message != self.error
                self.error = message
            return False
        with self.lock:
            self.looked = True
            if batch.reset:
                self._clear()
            self.changes += bool(batch.events or batch.reset or self.missing != batch.missing or self.error)
            self.missing, self.error = batch.missing, None
            self._take(batch, older=False)
            self.changes += bool(used.events)
            self._take(used, older=False)
            if past is not None:
                self.changes += bool(past.events)
                self._take(past, older=True)
        return batch.more or used.more or not self._tail.at_start

    def _earlier(self) -> Batch:
        """The next piece of the past: the newest part whole, of what stands before it only some steps.

        What a shipped run's uses have written is newer than the run, so it comes first.
        """
        if self._uses is not None and not self._uses.at_start:
            return self._uses.earlier(SLICE_BYTES)
        if self._whole == 0:
            return self._tail.earlier(SLICE_BYTES * 4, self.every)
        self._whole = max(0, self._whole - SLICE_BYTES)
        self.every = 1 + self._tail.unread // THIN_BYTES
        return self._tail.earlier(SLICE_BYTES)

    def _take(self, batch: Batch, older: bool) -> None:
        events = batch.events
        self.broken += batch.broken
        self.long += batch.long
        found: dict[str, list[tuple[float, Any]]] = {}
        for event in events:
            version = event.get("v", VERSION)
            self.newer += isinstance(version, int) and version > VERSION
            if (step := finite(event.get("step"))) is not None:
                for name, value in _numbers(event):
                    found.setdefault(name, []).append((step, value))
            cells = event.get("cells")
            if isinstance(cells, list) and (not self.cells or not older):
                self.cells = [cell for cell in cells if isinstance(cell, dict)]
        for name, points in found.items():
            self.series.setdefault(name, Series()).add(points, earlier=older)
        beams = [e for e in events if e["kind"] in BEAMS]
        others = [e for e in events if e["kind"] not in BEAMS]
        if older:
            room = FRAMES - len(self.frames)
            self.frames.extendleft(reversed(beams[-room:] if room else []))
            room = LOG_LINES - len(self.log)
            shown = others[-room:] if room else []
            first = self.log[0].number if self.log else 0
            lines = [_line(first - len(shown) + i, e) for i, e in enumerate(shown)]
            self.log.extendleft(reversed(lines))
        else:
            self.frames.extend(beams)
            for event in others:
                self.log.append(_line(self.logged, event))
                self.logged += 1

    def facts(self) -> list[str]:
        """What a reader of the run should know about its file, in words."""
        said = []
        if self.error:
            return [self.error]
        if self.missing or (self.complete and not self.log and not self.frames):
            return [f"{self.run.name} has written no events yet"]
        if self.newer:
            said.append("written by a newer polyctl: what is understood is shown")
        if self.broken:
            said.append(f"{self.broken:,} broken line{'s' * (self.broken != 1)}")
        if self.long:
            said.append(f"{self.long:,} line{'s' * (self.long != 1)} over 1 MB left out")
        lost = sum(series.broken for series in self.series.values())
        if lost:
            said.append(f"{lost:,} value{'s' * (lost != 1)} not finite (gap{'s' * (lost != 1)})")
        if not self.complete:
            said.append(f"{self.unread / 1e6:,.0f} MB of the beginning still to be read")
        if self.every > 1:
            said.append(f"of older steps one in {self.every} is read")
        return said


def _numbers(event: Event) -> list[tuple[str, Any]]:
    """The points that an event adds to the series; those of `polyctl eval` are named for it."""
    if event["kind"] == "step":
        return [(key, event[key]) for key in STEP_KEYS if key in event]
    if event["kind"] != "eval":
        return []
    if event.get("source") == "eval":  # other problems than those that a training watches
        found = [("eval_verified", event["greedy_verified"])] if "greedy_verified" in event else []
    else:
        found = [(key, event[key]) for key in EVAL_KEYS if key in event]
        found += [(name, event[key]) for key, name in RL_KEYS.items() if key in event]
    passed = event.get("pass_at")
    if isinstance(passed, dict) and passed:
        ks = sorted((k for k in passed if str(k).isdigit()), key=int)
        found += [(f"pass@{k}", passed[k]) for k in ks]
    return found


def _line(number: int, event: Event) -> LogLine:
    """An event in one line of text."""
    time = event.get("time")
    left = {k: v for k, v in event.items() if k not in ("v", "time", "kind", "message", "cells")}
    parts = [str(event["message"])] if "message" in event else []
    parts += [f"{k}={_short(v)}" for k, v in left.items()]
    when = float(time) if isinstance(time, (int, float)) and not isinstance(time, bool) else None
    return LogLine(number, when, event["kind"], "  ".join(parts)[:2000])


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    return str(value)[:200]
