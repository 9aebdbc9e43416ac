"""An open run as lines of plots, facts and text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.text import Text

from polyctl.config.registry import to_toml
from polyctl.errors import PolyctlError
from polyctl.tui.format import clean, format_status, shorten
from polyctl.tui.run_evaluations import Evaluation
from polyctl.tui.run_list import RunList
from polyctl.tui.run_log import MEASURED, RunLog
from polyctl.tui.series import Point
from polyctl.tui.views.plot import Line, PlotView
from polyctl.tui.views.status import format_strip

# id: (title, [(series, label)])
METRICS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "loss": ("loss", (("loss", "train"), ("valid_loss", "valid"))),
    "verified": ("verified accuracy", (("greedy_verified", "verified"), ("greedy_exact", "exact"))),
    "pass": ("pass@k", (("pass_at_1", "valid@1"), ("pass_at_w", "valid@w"))),
    "lr": ("learning rate", (("lr", "lr"),)),
    "norm": ("gradient norm", (("grad_norm", "norm"),)),
    "rate": ("tokens a second", (("tokens_per_second", "tokens/s"),)),
    "reward": ("reward", (("reward", "reward"),)),
    "groups": (
        "share of groups",
        (("all_right", "all right"), ("all_wrong", "all wrong"), ("skipped", "skipped")),
    ),
    "kl": ("KL divergence", (("kl", "kl"),)),
    "entropy": ("entropy", (("entropy", "entropy"),)),
    "clip": ("clip share", (("clip_share", "clipped"),)),
    "mass": ("mass and copies", (("mass", "mass"), ("copies", "copies"))),
}
SUPERVISED = ("loss", "verified", "pass", "lr", "norm", "rate")
REINFORCED = ("reward", "verified", "pass", "groups", "kl", "entropy", "clip", "loss", "norm")
SHARES = ("verified", "pass", "groups", "clip", "mass")
EVALUATED = ("verified", "pass")
SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
LOWER = ("log", "cells", "config")
WHOLE = (0.0, 1.0)
UNITS = {"step": None, "time": "elapsed", "problems": "problems_seen"}  # and the series that measures each


@dataclass(frozen=True)
class PlotStyle:
    """How one of the plots is drawn."""

    log: bool = False
    smoothing: float = 0.0


@dataclass
class RunView:
    """Which plots there are and which is chosen, how each is drawn, and what stands below them."""

    metric: str = "loss"
    metrics: tuple[str, ...] = SUPERVISED
    enlarged: bool = False
    styles: dict[str, PlotStyle] = field(default_factory=dict)
    window: tuple[float, float] = WHOLE
    unit: str = "step"
    below: str = "log"

    def choose_metrics(self, run_logs: Sequence[RunLog]) -> None:
        """Take the plots for this kind of run."""
        self.metrics = REINFORCED if any(h.reinforced for h in run_logs) else SUPERVISED
        if self.metric not in self.metrics:
            self.metric = self.metrics[0]

    def next_metric(self) -> None:
        """Choose the next plot."""
        self.metric = self.metrics[(self.metrics.index(self.metric) + 1) % len(self.metrics)]

    def next_below(self) -> None:
        """Show the log, then accuracy by degree, then the configuration below the plots."""
        self.below = LOWER[(LOWER.index(self.below) + 1) % len(LOWER)]

    def next_unit(self) -> None:
        """Draw over steps, then over time, then over problems."""
        units = list(UNITS)
        self.unit = units[(units.index(self.unit) + 1) % len(units)]

    @property
    def style(self) -> PlotStyle:
        """How the chosen plot is drawn."""
        return self.styles.get(self.metric, PlotStyle())

    def toggle_log_axis(self) -> None:
        """Switch the chosen plot between a linear and a logarithmic axis."""
        self.styles[self.metric] = replace(self.style, log=not self.style.log)

    def next_smoothing(self) -> None:
        """Take the next weight of the moving average for the chosen plot."""
        at = SMOOTHINGS.index(self.style.smoothing)
        self.styles[self.metric] = replace(self.style, smoothing=SMOOTHINGS[(at + 1) % len(SMOOTHINGS)])

    def zoom(self, scale: float, shift: float, narrowest: float) -> None:
        """Show `scale` times as much, moved by `shift` of it; at least the fraction `narrowest`.

        As long as the newest steps are seen they stay in view.
        """
        low, high = self.window
        span = min(1.0, max((high - low) * scale, narrowest))
        centre = (low + high) / 2 + shift * span
        low = min(max(0.0, centre - span / 2), 1.0 - span)
        if high == 1.0 and shift == 0:
            low = 1.0 - span
        self.window = (low, low + span)

    def show_all_steps(self) -> None:
        """Undo every zoom."""
        self.window = WHOLE

    def plot(self, metric: str, steps: tuple[float, float] | None, empty: str) -> PlotView:
        """How one of the plots is to be drawn over that range of the axis."""
        style = self.styles.get(metric, PlotStyle())
        return PlotView(style.log, style.smoothing, self.window, steps, empty, self.unit)

    def describe_plots(self) -> str:
        """What differs from plots as they are at first, "" for nothing."""
        parts = []
        for metric in self.metrics:
            style = self.styles.get(metric, PlotStyle())
            said = [f"smoothed {style.smoothing}"] if style.smoothing else []
            said += ["log axis"] if style.log else []
            parts += [f"{METRICS[metric][0]}: {', '.join(said)}"] if said else []
        parts += [f"over {self.unit}"] if self.unit != "step" else []
        if self.window != WHOLE:
            low, high = self.window
            parts.append(f"{100 * low:.1f}–{100 * high:.1f}% of the steps")
        return "; ".join(parts)


def plot_lines(run_logs: Sequence[RunLog], metric: str, unit: str = "step") -> list[Line]:
    """The lines of one plot; with several runs each label begins with the run's number."""
    found = []
    for index, run_log in enumerate(run_logs):
        with run_log.lock:
            lines = _measured_lines(run_log, metric)
            if metric in EVALUATED:
                lines += _evaluated_lines(run_log.evaluations, metric)
            axis = Axis(run_log, unit)
        several = len(run_logs) > 1
        for line in lines:
            label = clean(f"{index + 1}:{line.label}" if several else line.label)
            moved = axis.move(line.points)
            found.append(replace(line, label=label, points=moved, run=index if several else None))
    return found


class Axis:
    """Where the steps of a run lie on the x axis: as they are, or by what was measured at each."""

    def __init__(self, run_log: RunLog, unit: str) -> None:
        name = UNITS[unit]
        series = None if name is None else run_log.series.get(name)
        known = [] if series is None else [p for p in series.points if p.last is not None]
        self._plain = name is None
        self._steps = [p.x for p in known]
        self._places = [p.last or 0.0 for p in known]

    def place(self, step: float) -> float | None:
        """Where a step lies, between its neighbours; None if nothing was measured."""
        if self._plain:
            return step
        if not self._steps:
            return None
        at = bisect_left(self._steps, step)
        if at == 0 or at == len(self._steps):
            return self._places[min(at, len(self._steps) - 1)]
        (x0, x1), (y0, y1) = self._steps[at - 1 : at + 1], self._places[at - 1 : at + 1]
        return y0 + (y1 - y0) * (step - x0) / (x1 - x0)

    def move(self, points: Sequence[Point]) -> Sequence[Point]:
        """Points over steps as points over this axis."""
        if self._plain:
            return points
        moved = []
        for point in points:
            x, first = self.place(point.x), self.place(point.first_x)
            if x is not None and first is not None:
                moved.append(replace(point, x=x, first_x=first))
        return moved


def _measured_lines(run_log: RunLog, metric: str) -> list[Line]:
    """What the run itself measured at its steps and validations."""
    return [
        Line(label, series.points, smoothed=key in MEASURED, percent=metric in SHARES)
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


def measure_steps(run_logs: Sequence[RunLog], unit: str = "step") -> tuple[float, float] | None:
    """The first and the last place at which anything was measured: the axis that all plots share."""
    found: list[float] = []
    for run_log in run_logs:
        with run_log.lock:
            axis, steps = Axis(run_log, unit), list[float]()
            for points in (series.points for series in run_log.series.values()):
                steps += [points[0].first_x, points[-1].x]
            steps += [e.step for e in run_log.evaluations if e.step is not None]
        found += [place for step in steps if (place := axis.place(step)) is not None]
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
