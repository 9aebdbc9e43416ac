"""Every tab once as text, for pipes and screen readers: no boxes, no colour, one fact a line.

One tab alone is written whole, several are cut to a few lines each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from polyctl.config.registry import load_registry
from polyctl.errors import FileError, PolyctlError
from polyctl.formatting import format_age, format_number, format_percent
from polyctl.store.runs import Run, default_run, find_run, list_runs, runs_root
from polyctl.tui import launch
from polyctl.tui.format import clean, format_clock
from polyctl.tui.problem_list import ProblemList
from polyctl.tui.run_list import RunRow, explain_no_runs, read_row
from polyctl.tui.run_log import RunLog
from polyctl.tui.tabs import TABS
from polyctl.tui.views.beam import EMPTY, format_beam, format_caption, frame_before, frames_of_search
from polyctl.tui.views.beam_tree import describe_known, format_tree, token_logprobs
from polyctl.tui.views.decompose import EXAMPLES, WELCOME
from polyctl.tui.views.experiments import JobState
from polyctl.tui.views.heat_map import format_heat_map
from polyctl.tui.views.lines import METRICS, REINFORCED, SUPERVISED, list_metrics, plot_lines
from polyctl.tui.views.problems import EMPTY as NO_PROBLEMS
from polyctl.tui.views.problems import ProblemsView, format_row
from polyctl.tui.views.run import format_config
from polyctl.tui.views.runs import describe_run
from polyctl.tui.views.status import format_strip

READ_SECONDS = 5.0  # of a very long events file the newest part is read
LOG_LINES = 20
MARKS_SHOWN = 10
PROBLEMS_SHOWN = 20
SHORT_LINES = 24  # of each of several tabs


def dump_tabs(
    tabs: Collection[str], runs: Path | None, registry: Path | None, run: str | None
) -> Iterator[str]:
    """The lines of these tabs. Raises FileError if `run` names no run."""
    root = runs_root(runs)
    run_log = _open_run(root, run) if {"run", "beam"} & set(tabs) else None
    writers: dict[str, Callable[[], Iterator[str]]] = {
        "decompose": lambda: _dump_decompose(root),
        "runs": lambda: _dump_runs(root),
        "run": lambda: _dump_run(run_log, root),
        "beam": lambda: _dump_beam(run_log, root),
        "experiments": lambda: _dump_experiments(root, registry),
        "problems": lambda: _dump_problems(root, run),
    }
    for index, tab in enumerate(tab for tab in TABS if tab in tabs):
        if index:
            yield ""
        if len(tabs) > 1:
            yield tab.upper()
        yield from writers[tab]() if len(tabs) == 1 else _shorten(writers[tab](), tab)


def _shorten(lines: Iterator[str], tab: str) -> Iterator[str]:
    """The first lines, and how to see all if there are many more."""
    found = list(lines)
    most = SHORT_LINES if len(found) > SHORT_LINES + 1 else len(found)
    yield from found[:most]
    if most < len(found):
        yield f"… {len(found) - most:,} more lines: polyctl tui --plain --screen {tab}"


def _find_run(root: Path, name: str | None) -> Run | None:
    if name is not None:
        return find_run(name, root, need_checkpoint=False)
    return next(iter(list_runs(root)), None)


def _open_run(root: Path, name: str | None) -> RunLog | None:
    if (run := _find_run(root, name)) is None:
        return None
    run_log = RunLog(run)
    until = time.monotonic() + READ_SECONDS
    while run_log.refresh() and time.monotonic() < until:
        pass
    return run_log


def _dump_decompose(root: Path) -> Iterator[str]:
    yield from WELCOME.splitlines()
    try:
        yield f"model: {default_run(root).name}"
    except FileError:
        yield "model: none; the exact and numeric solvers work without one"
    yield "examples, each for `polyctl decompose`:"
    yield from (f"  {example}" for example in EXAMPLES)


def _dump_runs(root: Path) -> Iterator[str]:
    found = list_runs(root)
    if not found:
        yield explain_no_runs(root)
    for run in found:
        yield from _describe_progress(read_row(run))


def _describe_progress(row: RunRow) -> Iterator[str]:
    s = row.summary
    assert s is not None
    steps = "-" if s.step is None else f"{s.step}" + (f" of {s.total_steps}" if s.total_steps else "")
    yield clean(
        f"{row.run.name}: {s.state}, step {steps}, loss {format_number(s.loss)}, "
        f"verified {format_percent(s.accuracy)}, {format_age(s.updated)} ago"
    )
    if row.problem or s.error or s.state != "finished" or s.evaluation is not None or row.note:
        yield f"  {clean(describe_run(row))}"


def _dump_run(run_log: RunLog | None, root: Path) -> Iterator[str]:
    if run_log is None:
        yield explain_no_runs(root)
        return
    row = read_row(run_log.run)
    yield from _describe_progress(row)
    if row.summary is not None and row.summary.state == "finished":
        yield f"  {format_strip(row.summary)}"
    yield from (f"  note: {clean(fact)}" for fact in run_log.facts())
    for metric in REINFORCED if run_log.reinforced else SUPERVISED:
        title = METRICS[metric][0]
        for line in plot_lines([run_log], metric):
            values = [p for p in line.points if p.low is not None and p.high is not None]
            if values:
                low = min(p.low for p in values if p.low is not None)
                high = max(p.high for p in values if p.high is not None)
                yield (
                    f"{title}, {line.label}: now {format_number(line.now)}, "
                    f"first {format_number(values[0].first)}, lowest {format_number(low)}, "
                    f"highest {format_number(high)}"
                )
    for what, steps in (("checkpoints", run_log.checkpoints), ("resumed", run_log.resumes)):
        if steps:
            newest = ", ".join(f"{step:,.0f}" for step in steps[-MARKS_SHOWN:])
            yield f"{what} at {'… ' * (len(steps) > MARKS_SHOWN)}{newest}"
    shown = {name for metric in METRICS.values() for name, _ in metric[1]}
    others = [f"{name} {value}" for name, value in list_metrics([run_log]) if name not in shown]
    if others:
        yield clean(f"also logged: {', '.join(others)}")
    if run_log.cells:
        cells = format_heat_map(run_log.cells, run_log.evaluations[-1].title)
        yield from (line.rstrip() for line in cells.plain.splitlines())
    yield "log, the newest first:"
    for entry in list(run_log.lines)[: -LOG_LINES - 1 : -1]:
        yield f"  {format_clock(entry.time)} {clean(entry.kind)} {' '.join(clean(entry.text).split())}"
    yield "configuration:"
    yield from (f"  {clean(line)}".rstrip() for line in format_config(run_log).splitlines())


def _dump_beam(run_log: RunLog | None, root: Path) -> Iterator[str]:
    if run_log is None:
        yield explain_no_runs(root)
        return
    frames = list(run_log.frames)
    yield clean(run_log.run.name)
    if not frames:
        yield from EMPTY.splitlines()
        return
    search = frames_of_search(frames, len(frames) - 1)
    yield format_caption(frames[-1], describe_known(search)).plain
    yield from format_beam(frames[-1], frame_before(frames, len(frames) - 1), 200).plain.splitlines()
    yield "as a tree:"
    for line in format_tree(frames[-1], token_logprobs(search), 200).plain.splitlines():
        yield line.rstrip()


def _dump_problems(root: Path, name: str | None) -> Iterator[str]:
    if (run := _find_run(root, name)) is None:
        yield explain_no_runs(root)
        return
    found = ProblemList(run)
    until = time.monotonic() + READ_SECONDS
    while found.refresh() and time.monotonic() < until:
        pass
    yield clean(run.name)
    if found.shown is None:
        yield from NO_PROBLEMS.splitlines()
        return
    view = ProblemsView(kind="failed", sort="log-prob")
    failed = view.select(found.rows)
    yield clean(found.title)
    yield ProblemsView().describe(found, len(found.rows))
    yield f"failed: {len(failed):,}; those with the most probable answers:"
    for row in failed[:PROBLEMS_SHOWN]:
        number, cell, result, logprob, text = map(str, format_row(row))
        yield clean(f"  problem {number}, cell {cell}, {result[2:]}, log-prob {logprob}: f = {text}")


def _dump_experiments(root: Path, registry: Path | None) -> Iterator[str]:
    try:
        loaded = load_registry(registry)
    except PolyctlError as error:
        yield f"{error.message}; {error.hint or ''}"
        return
    for experiment in loaded.experiments.values():
        paper = f" [{experiment.paper}]" if experiment.paper else ""
        yield clean(f"{experiment.name}{paper}: {experiment.description}")
    for job in launch.list_jobs(root):
        state = JobState.of(job)
        age = format_age(job.started)
        yield clean(f"{state.status}, started {age} ago: {job.command_line}: {state.last_line}")
