"""Every tab once as text, for pipes and screen readers: no boxes, no colour, one fact a line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from polyctl.config.registry import load_registry
from polyctl.errors import FileError, PolyctlError
from polyctl.formatting import format_age, format_number, format_percent
from polyctl.store.runs import default_run, find_run, list_runs, runs_root
from polyctl.tui import launch
from polyctl.tui.actions import TABS
from polyctl.tui.format import clean, format_clock
from polyctl.tui.panes.beam import EMPTY, before, caption
from polyctl.tui.panes.decompose import EXAMPLES, WELCOME
from polyctl.tui.panes.run import METRICS, config_text, lines_of
from polyctl.tui.panes.runs import Row, summarise, words
from polyctl.tui.run_log import History
from polyctl.tui.widgets.beam import beam_text
from polyctl.tui.widgets.heat import heat_map

READ_SECONDS = 5.0  # of a very long events file the newest part is read
LOG_LINES = 20


def plain(
    screens: tuple[str, ...], runs: Path | None, registry: Path | None, run: str | None
) -> Iterator[str]:
    """The lines of these tabs. Raises FileError where `run` names no run."""
    root = runs_root(runs)
    history = _history(root, run) if {"run", "beam"} & set(screens) else None
    writers: dict[str, Callable[[], Iterator[str]]] = {
        "decompose": lambda: _decompose(root),
        "runs": lambda: _runs(root),
        "run": lambda: _run(history, root),
        "beam": lambda: _beam(history, root),
        "experiments": lambda: _experiments(root, registry),
    }
    for index, screen in enumerate(s for s in TABS if s in screens):
        if index:
            yield ""
        if len(screens) > 1:
            yield screen.upper()
        yield from writers[screen]()


def _history(root: Path, name: str | None) -> History | None:
    if name is None:
        found = list_runs(root)
        if not found:
            return None
        run = found[0]
    else:
        run = find_run(name, root, need_checkpoint=False)
    history = History(run)
    until = time.monotonic() + READ_SECONDS
    while history.refresh() and time.monotonic() < until:
        pass
    return history


def _nothing(root: Path) -> str:
    return f"no runs in {root} yet; `polyctl train quick` makes one in about a minute"


def _decompose(root: Path) -> Iterator[str]:
    yield from WELCOME.splitlines()
    try:
        yield f"model: {default_run(root).name}"
    except FileError:
        yield "model: none; the exact and numeric solvers work without one"
    yield "examples, each for `polyctl decompose`:"
    yield from (f"  {example}" for example in EXAMPLES)


def _runs(root: Path) -> Iterator[str]:
    found = list_runs(root)
    if not found:
        yield _nothing(root)
    for run in found:
        yield from _run_line(summarise(run))


def _run_line(row: Row) -> Iterator[str]:
    s = row.summary
    assert s is not None
    steps = "-" if s.step is None else f"{s.step}" + (f" of {s.total_steps}" if s.total_steps else "")
    yield clean(
        f"{row.run.name}: {s.state}, step {steps}, loss {format_number(s.loss)}, "
        f"verified {format_percent(s.accuracy)}, {format_age(s.updated)} ago"
    )
    if row.problem or s.error or s.state in ("crashed", "unknown"):
        yield f"  {clean(words(row))}"


def _run(history: History | None, root: Path) -> Iterator[str]:
    if history is None:
        yield _nothing(root)
        return
    yield from _run_line(summarise(history.run))
    yield from (f"  note: {clean(fact)}" for fact in history.facts())
    for metric, (title, _) in METRICS.items():
        for line in lines_of([history], metric):
            values = [p for p in line.points if p.low is not None and p.high is not None]
            if values:
                low = min(p.low for p in values if p.low is not None)
                high = max(p.high for p in values if p.high is not None)
                yield (
                    f"{title}, {line.label}: now {format_number(line.now)}, "
                    f"first {format_number(values[0].first)}, lowest {format_number(low)}, "
                    f"highest {format_number(high)}"
                )
    if history.cells:
        cells = heat_map(history.cells, history.evaluations[-1].words)
        yield from (line.rstrip() for line in cells.plain.splitlines())
    yield "configuration:"
    yield from (f"  {clean(line)}".rstrip() for line in config_text(history).splitlines())
    yield "log:"
    for entry in list(history.log)[-LOG_LINES:]:
        yield f"  {format_clock(entry.time)} {clean(entry.kind)} {clean(entry.text)}"


def _beam(history: History | None, root: Path) -> Iterator[str]:
    if history is None:
        yield _nothing(root)
        return
    frames = list(history.frames)
    yield clean(history.run.name)
    if not frames:
        yield from EMPTY.splitlines()
        return
    yield caption(frames[-1]).plain
    yield from beam_text(frames[-1], before(frames, len(frames) - 1), 200).plain.splitlines()


def _experiments(root: Path, registry: Path | None) -> Iterator[str]:
    try:
        loaded = load_registry(registry)
    except PolyctlError as error:
        yield f"{error.message}; {error.hint or ''}"
        return
    for experiment in loaded.experiments.values():
        paper = f" [{experiment.paper}]" if experiment.paper else ""
        yield clean(f"{experiment.name}{paper}: {experiment.description}")
    for job in launch.jobs(root):
        state = "running" if job.running else "ended"
        yield clean(f"{state}, started {format_age(job.started)} ago: {job.words}: {job.last_line()}")
