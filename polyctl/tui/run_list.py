"""The runs that the dashboard knows, and those of them that are open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from polyctl.store.files import open_regular
from polyctl.store.owner import read_owner
from polyctl.store.runs import Run, list_runs
from polyctl.store.summary import SILENT_SECONDS, Summary, is_evaluating
from polyctl.tui.problem_list import ProblemList
from polyctl.tui.run_files import NOTE, read_note
from polyctl.tui.run_log import RunLog

SLOW_FACTOR = 20  # a summary that took a second is read again after twenty
IDLE_FACTOR = 200  # runs whose listing took a millisecond of the processor are listed again after 0.2 s


@dataclass(frozen=True)
class RunRow:
    """A run with a summary of its events (None until they are read), and what is wrong with its files."""

    run: Run
    summary: Summary | None
    problem: str | None = None
    has_model: bool = False
    note: str = ""

    @property
    def may_have_crashed(self) -> bool:
        """Whether the run's state may have changed since its summary, though its events have not."""
        s = self.summary
        if s is not None and s.evaluation is not None and not is_evaluating(s.evaluation):
            return True
        if s is None or s.state != "running":
            return False
        owner = read_owner(self.run.path)
        if owner is not None and owner.alive is not None:
            return not owner.alive
        return s.updated is not None and time.time() - s.updated > SILENT_SECONDS


def read_row(run: Run) -> RunRow:
    """Summarise a run; a problem with its files is part of the row, never raised."""
    problem = None
    try:
        with open_regular(run.events):
            pass
    except FileNotFoundError:
        pass
    except OSError as error:
        problem = f"{run.events} cannot be read: {error.strerror}"
    return RunRow(run, run.summary(), problem, run.has_checkpoint, read_note(run))


@dataclass(frozen=True)
class Listing:
    """All runs under a root, newest first, or why they cannot be listed."""

    rows: list[RunRow]
    problem: str | None = None


class RunScanner:
    """Lists the runs under a root again and again, reading only events that have changed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, tuple[object, float, RunRow]] = {}
        self._found: list[Run] = []
        self._problem: str | None = None
        self._next_whole = 0.0

    def scan(self, stopped: Callable[[], bool]) -> Iterator[Listing]:
        """Yield the runs as they stand; on the first scan, their names alone come first.

        Of many runs only those that are running are looked at each time, all now and then.
        """
        began, spent = time.monotonic(), time.thread_time()
        whole = began >= self._next_whole
        if whole:
            try:
                self._found, self._problem = list_runs(self._root), None
            except OSError as error:
                self._found, self._problem = [], f"{self._root} cannot be read: {error.strerror}"
            self._next_whole = began + IDLE_FACTOR * (time.thread_time() - spent)
            if not self._known:
                yield Listing([RunRow(run, None) for run in self._found], self._problem)
        rows = []
        for run in self._found:
            if stopped():
                return
            rows.append(self._row(run, whole))
        yield Listing(rows, self._problem)

    def _row(self, run: Run, whole: bool) -> RunRow:
        known = self._known.get(run.name)
        if known is not None and not whole and not _may_change(known[2]):
            return known[2]
        stamp, now = _stamp_of(run), time.monotonic()
        if known is not None:
            old_stamp, earliest, row = known
            if (old_stamp == stamp or now <= earliest) and not row.may_have_crashed:
                return row
        row = read_row(run)
        ended = time.monotonic()
        self._known[run.name] = (stamp, ended + (ended - now) * SLOW_FACTOR, row)
        return row


def _may_change(row: RunRow) -> bool:
    """Whether a run is worth a look each time: one that is running, or has only begun to."""
    s = row.summary
    return s is None or s.state in ("running", "unknown") or s.evaluation is not None


def _stamp_of(run: Run) -> object:
    """A value that changes when the file of events or the note does."""
    found: list[object] = []
    for path in (run.events, run.path / NOTE):
        try:
            status = path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


class RunList:
    """What every tab knows of the runs; changed by the dashboard alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.rows: list[RunRow] = []
        self.problem: str | None = None
        self.listed = False  # whether anyone has looked for runs yet
        self.run_logs: list[RunLog] = []  # of the open runs
        self.problems: ProblemList | None = None  # of a run's evaluation, once somebody has looked at them
        self._chosen = False  # until runs are opened by hand the newest one is shown

    def update(self, listing: Listing) -> None:
        """Take over a new listing."""
        self.rows, self.problem, self.listed = listing.rows, listing.problem, True
        if self.rows and not self._chosen:
            self._open([self.rows[0].run])

    def find(self, name: str | None) -> RunRow | None:
        """The row of that run."""
        return next((row for row in self.rows if row.run.name == name), None)

    def open(self, names: list[str]) -> bool:
        """Open those of these runs that are listed; False if none is."""
        chosen = [row.run for row in map(self.find, names) if row is not None]
        if chosen:
            self._chosen = True
            self._open(chosen)
        return bool(chosen)

    def _open(self, runs: list[Run]) -> None:
        old = {h.run.name: h for h in self.run_logs}
        self.run_logs = [old.get(run.name) or RunLog(run) for run in runs]

    def watch_problems(self, run: Run) -> ProblemList:
        """The problems of that run's evaluations, which are read on from now."""
        if self.problems is None or self.problems.run.path != run.path:
            self.problems = ProblemList(run)
        return self.problems

    def next_name(self) -> str | None:
        """The run that comes after the open one, the first one after the last."""
        names = [row.run.name for row in self.rows]
        if not names:
            return None
        now = self.run_logs[0].run.name if self.run_logs else None
        return names[(names.index(now) + 1) % len(names) if now in names else 0]

    def explain_none_open(self) -> str:
        """Why no run is open, and what to do about it."""
        if not self.listed:
            return f"looking for runs in {self.root}"
        if not self.rows:
            return explain_no_runs(self.root)
        return "no run is open: choose one in the tab Runs (F3), Enter opens it"


def explain_no_runs(root: Path) -> str:
    """That there are no runs, and how to get one."""
    return f"no runs in {root} yet; `polyctl train quick` makes one in about a minute"
