"""An open run as lines of plots, facts and text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rich.text import Text

from polyctl.config.registry import to_toml
from polyctl.errors import PolyctlError
from polyctl.tui.format import clean, format_status, shorten
from polyctl.tui.run_evaluations import Evaluation
from polyctl.tui.run_list import RunList
from polyctl.tui.run_log import STEP_KEYS, RunLog
from polyctl.tui.series import Point
from polyctl.tui.views.plot import Line, PlotView
from polyctl.tui.views.status import format_strip

# id: (title, [(series, label)])
METRICS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "loss": ("loss", (("loss", "train"), ("valid_loss", "valid"))),
    "verified": (
        "verified accuracy",
        (("greedy_verified", "verified"), ("greedy_exact", "exact"), ("reward", "reward")),
    ),
    "pass": ("pass@k", (("pass_at_1", "valid@1"), ("pass_at_w", "valid@w"))),
    "lr": ("learning rate", (("lr", "lr"),)),
    "norm": ("gradient norm", (("grad_norm", "norm"),)),
    "rate": ("tokens a second", (("tokens_per_second", "tokens/s"),)),
}
EVALUATED = ("verified", "pass")
SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
LOWER = ("log", "cells", "config")
WHOLE = (0.0, 1.0)


@dataclass
class RunView:
    """Which plot is chosen, how the plots are drawn, and what stands below them."""

    metric: str = "loss"
    enlarged: bool = False
    plot: PlotView = field(default_factory=PlotView)
    below: str = "log"

    def next_metric(self) -> None:
        """Choose the next plot."""
        names = list(METRICS)
        self.metric = names[(names.index(self.metric) + 1) % len(names)]

    def next_below(self) -> None:
        """Show the log, then accuracy by degree, then the configuration below the plots."""
        self.below = LOWER[(LOWER.index(self.below) + 1) % len(LOWER)]

    def toggle_log_axis(self) -> None:
        """Switch between a linear and a logarithmic axis."""
        self.plot = replace(self.plot, log=not self.plot.log)

    def next_smoothing(self) -> None:
        """Take the next weight of the moving average."""
        at = SMOOTHINGS.index(self.plot.smoothing)
        self.plot = replace(self.plot, smoothing=SMOOTHINGS[(at + 1) % len(SMOOTHINGS)])

    def zoom(self, scale: float, shift: float, narrowest: float) -> None:
        """Show `scale` times as many steps, moved by `shift` of them; at least the fraction `narrowest`."""
        low, high = self.plot.window
        span = min(1.0, max((high - low) * scale, narrowest))
        centre = (low + high) / 2 + shift * span
        low = min(max(0.0, centre - span / 2), 1.0 - span)
        self.plot = replace(self.plot, window=(low, low + span))

    def show_all_steps(self) -> None:
        """Undo every zoom."""
        self.plot = replace(self.plot, window=WHOLE)

    def describe_plots(self) -> str:
        """What differs from plots as they are at first, "" for nothing."""
        parts = [f"smoothed {self.plot.smoothing}"] if self.plot.smoothing else []
        parts += ["log axis"] if self.plot.log else []
        if self.plot.window != WHOLE:
            low, high = self.plot.window
            parts.append(f"{100 * low:.1f}–{100 * high:.1f}% of the steps")
        return ", ".join(parts)


def plot_lines(run_logs: list[RunLog], metric: str) -> list[Line]:
    """The lines of one plot; with several runs each label begins with the run's number."""
    found = []
    for index, run_log in enumerate(run_logs, 1):
        with run_log.lock:
            lines = _measured_lines(run_log, metric)
            if metric in EVALUATED:
                lines += _evaluated_lines(run_log.evaluations, metric)
        number = f"{index}:" if len(run_logs) > 1 else ""
        found += [replace(line, label=clean(number + line.label)) for line in lines]
    return found


def _measured_lines(run_log: RunLog, metric: str) -> list[Line]:
    """What the run itself measured at its steps and validations."""
    return [
        Line(
            label,
            series.points,
            smoothed=key in STEP_KEYS,
            percent=metric in EVALUATED and key not in STEP_KEYS,
        )
        for key, label in METRICS[metric][1]
        if (series := run_log.series.get(key)) is not None
    ]


def _evaluated_lines(evaluations: list[Evaluation], metric: str) -> list[Line]:
    """What `polyctl eval` found, as points: their problems may differ. The newest one says at which k."""
    if not evaluations:
        return []
    passed = sorted(evaluations[-1].passed)
    ks = dict.fromkeys([*passed[:1], *passed[-1:]]) if metric == "pass" else {None: None}
    found = []
    for k in ks:
        values = [(e.step, e.verified if k is None else e.passed.get(k)) for e in evaluations]
        points = [Point.at(step, value) for step, value in values if step is not None and value is not None]
        if points:
            label = "eval" if k is None else f"pass@{k}"
            points.sort(key=lambda point: point.x)
            found.append(
                Line(label, points, smoothed=False, joined=False, percent=True, newest=values[-1][1])
            )
    return found


def measure_steps(run_logs: list[RunLog]) -> tuple[float, float] | None:
    """The first and the last step at which anything was measured: the axis that all plots share."""
    found: list[float] = []
    for run_log in run_logs:
        with run_log.lock:
            for points in (series.points for series in run_log.series.values()):
                found += [points[0].first_x, points[-1].x]
            found += [e.step for e in run_log.evaluations if e.step is not None]
    return (min(found), max(found)) if found else None


def narrowest_window(run_logs: list[RunLog]) -> float:
    """The smallest fraction of the steps that is worth showing: some points of the densest series."""
    counts = [1]
    for run_log in run_logs:
        with run_log.lock:
            counts += [len(series.points) for series in run_log.series.values()]
    return min(1.0, 4 / max(counts))


def format_config(run_log: RunLog) -> str:
    """The run's configuration, or why it cannot be read."""
    try:
        return to_toml(run_log.run.config())
    except PolyctlError as error:
        return f"{error.message}\n{error.hint or ''}"


def describe_below(run_logs: list[RunLog]) -> str:
    """What a title below the plots says of several runs: only the first one is shown there."""
    return f" of 1:{clean(run_logs[0].run.name)}" if len(run_logs) > 1 else ""


def format_title(run_logs: list[RunLog], runs: RunList, view: RunView, width: int) -> Text:
    """A line a run, and how it stands; then how the plots are drawn and what is wrong with the files."""
    several = len(run_logs) > 1
    facts = [f"{i}: {fact}" if several else fact for i, h in enumerate(run_logs, 1) for fact in h.facts()]
    lines = []
    for i, run_log in enumerate(run_logs, 1):
        line = _format_run(run_log, runs, f"{i}:" if several else "", width)
        strip = _describe_standing(run_log, runs)
        if several or line.cell_len + 2 + len(strip) <= width:
            lines.append(line.append(f"  {strip}" if strip else "", style="dim"))
            line.truncate(width, overflow="ellipsis")
        else:
            lines += [line, Text(strip, style="dim")]
            lines[-1].truncate(width, overflow="ellipsis")
    below = Text()
    if how := view.describe_plots():
        below.append(how + "  ", style="cyan")
    if facts:
        below.append("⚠ " + clean("; ".join(facts)), style="yellow")
    if below and not several and lines[-1].cell_len + 2 + below.cell_len <= width:
        lines[-1].append("  ").append_text(below)
    elif below:
        lines.append(below)
    return Text("\n").join(lines)


def _describe_standing(run_log: RunLog, runs: RunList) -> str:
    """A run's progress, times, speed and accuracy, and how far its running evaluation is."""
    row = runs.find(run_log.run.name)
    if row is None or row.summary is None:
        return ""
    with run_log.lock:
        evaluation = run_log.evaluation or row.summary.evaluation
    return format_strip(replace(row.summary, evaluation=evaluation))


def _format_run(run_log: RunLog, runs: RunList, number: str, width: int) -> Text:
    """A run's name, shortened to leave room for its state and step."""
    row = runs.find(run_log.run.name)
    summary = None if row is None else row.summary
    state = Text("  ")
    if summary is not None:
        with run_log.lock:
            steps = [s for s in (summary.step, run_log.step) if s is not None]
        state.append_text(format_status(summary.state))
        total = f" of {summary.total_steps:,}" if summary.total_steps else ""
        state.append(f", step {max(steps):,.0f}{total}" if steps else "")
    name = shorten(number + clean(run_log.run.name), max(10, width - state.cell_len))
    return Text(name, style="bold").append_text(state)
