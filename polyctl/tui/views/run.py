"""An open run as lines of plots, facts and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.text import Text

from polyctl.config.differences import differing, flatten_settings, format_setting
from polyctl.config.registry import to_toml
from polyctl.errors import PolyctlError
from polyctl.formatting import format_duration
from polyctl.tui.format import clean, format_status, shorten
from polyctl.tui.run_list import RunList
from polyctl.tui.run_log import RunLog
from polyctl.tui.views.lines import METRICS, OWN, REINFORCED, SUPERVISED, UNITS, list_measured
from polyctl.tui.views.plot import CHECKPOINT, COLOURS, RESUMED, SAMPLES, Mark, PlotView
from polyctl.tui.views.status import format_strip

SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
LOWER = ("log", "cells", "config")
WHOLE = (0.0, 1.0)
SETTING_WIDTH = 40
STRIP_ROWS = 2


@dataclass(frozen=True)
class PlotStyle:
    """How one of the plots is drawn."""

    log: bool = False
    smoothing: float = 0.0


STYLES = {"loss": PlotStyle(smoothing=0.6), "reward": PlotStyle(smoothing=0.6)}  # else plain


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
    own: tuple[str, ...] = ()  # the series of the plots OWN
    cursor: float | None = None  # a place on the x axis

    def choose_metrics(self, run_logs: Sequence[RunLog]) -> None:
        """Take the plots for this kind of run that have values, and those of chosen metrics behind them."""
        plots: tuple[str, ...] = REINFORCED if any(h.reinforced for h in run_logs) else SUPERVISED
        if any(run_log.looked for run_log in run_logs):
            plots = list_measured(run_logs, plots)
        self.metrics = (*plots, *OWN[: len(self.own)])
        if self.metric not in self.metrics:
            self.metric = self.metrics[0]

    def next_metric(self) -> None:
        """Choose the next plot."""
        self.metric = self.metrics[(self.metrics.index(self.metric) + 1) % len(self.metrics)]

    def choose_own(self, names: Sequence[str]) -> None:
        """Plot these series, too: the last ones if they are too many. The newest one is chosen."""
        added = [name for name in names if name not in self.own]
        self.own = tuple(names)[-len(OWN) :]
        if added and self.own:
            self.metric = OWN[len(self.own) - 1]

    def title(self, metric: str) -> str:
        """What a plot shows and how, in words."""
        name = clean(self.own[OWN.index(metric)]) if metric in OWN else METRICS[metric][0]
        style = self.style_of(metric)
        said = ["log"] * style.log + [f"smooth {style.smoothing}"] * (style.smoothing > 0)
        return ", ".join([name, *said])

    def style_of(self, metric: str) -> PlotStyle:
        """How a plot is drawn."""
        return self.styles.get(metric) or STYLES.get(metric) or PlotStyle()

    def toggle_cursor(self, steps: tuple[float, float] | None) -> None:
        """Put a cursor at the newest place that is seen, or take it away."""
        if self.cursor is None and steps is not None:
            self.cursor = steps[0] + self.window[1] * (steps[1] - steps[0])
        else:
            self.cursor = None

    def move_cursor(self, share: float, steps: tuple[float, float]) -> None:
        """Move the cursor by a share of what is seen; what is seen moves with it at its ends."""
        (first, last), (low, high) = steps, self.window
        if self.cursor is None or last <= first:
            return
        self.cursor = min(max(self.cursor + share * (high - low) * (last - first), first), last)
        at = (self.cursor - first) / (last - first)
        if at < low or at > high:
            low = min(max(0.0, at - (high - low) / 2), 1.0 - (high - low))
            self.window = (low, low + self.window[1] - self.window[0])

    def next_below(self) -> None:
        """Show the log, then accuracy by degree, then the configuration below the plots."""
        self.below = LOWER[(LOWER.index(self.below) + 1) % len(LOWER)]

    def next_unit(self) -> None:
        """Draw over steps, then over time, then over problems."""
        units, self.cursor = list(UNITS), None
        self.unit = units[(units.index(self.unit) + 1) % len(units)]

    @property
    def style(self) -> PlotStyle:
        """How the chosen plot is drawn."""
        return self.style_of(self.metric)

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

    def plot(
        self, metric: str, steps: tuple[float, float] | None, empty: str, marks: tuple[Mark, ...] = ()
    ) -> PlotView:
        """How one of the plots is to be drawn over that range of the axis."""
        style = self.style_of(metric)
        return PlotView(style.log, style.smoothing, self.window, steps, empty, self.unit, self.cursor, marks)

    def describe_plots(self) -> str:
        """What of the axes differs from how they are at first, "" for nothing."""
        parts = [f"over {self.unit}"] if self.unit != "step" else []
        if self.window != WHOLE:
            low, high = self.window
            parts.append(f"{100 * low:.1f}–{100 * high:.1f}% of the steps")
        if self.cursor is not None:
            where = format_duration(self.cursor) if self.unit == "time" else f"{self.cursor:,.0f}"
            parts.append(f"values at {self.unit} {where}")
        return "; ".join(parts)


def lay_out(plots: int) -> tuple[int, int, int]:
    """Columns and rows for so many plots, and how many columns the first one takes so that none is empty."""
    columns = next((c for most, c in ((3, plots), (4, 2), (9, 3)) if plots <= most), 4)
    rows = -(-plots // columns)
    return columns, rows, 1 + columns * rows - plots


def format_config(run_log: RunLog) -> str:
    """The run's configuration, or why it cannot be read."""
    try:
        return to_toml(run_log.run.config())
    except PolyctlError as error:
        return f"{error.message}\n{error.hint or ''}"


def format_configs(run_logs: Sequence[RunLog]) -> str:
    """The settings in which several runs differ, side by side, then those of the first run."""
    if len(run_logs) < 2:
        return "\n".join(map(format_config, run_logs))
    try:
        found = differing([flatten_settings(run_log.run.config()) for run_log in run_logs])
    except PolyctlError as error:
        return f"{error.message}\n{error.hint or ''}"
    rows = [["", *(f"run {i}" for i in range(1, len(run_logs) + 1))]]
    rows += [[key, *(format_setting(value) or "-" for value in values)] for key, values in found.items()]
    widths = [min(SETTING_WIDTH, max(len(row[at]) for row in rows)) for at in range(len(rows[0]))]
    lines = [
        "  ".join(shorten(cell, w).ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows
    ]
    head = "settings that differ:" if found else "their settings are the same"
    table = lines if found else []
    return clean_lines([head, *table, "", f"all settings of 1:{run_logs[0].run.name}:"]) + format_config(
        run_logs[0]
    )


def clean_lines(lines: Sequence[str]) -> str:
    """Lines of text without control characters."""
    return "".join(f"{clean(line).rstrip()}\n" for line in lines)


def describe_below(run_logs: list[RunLog]) -> str:
    """What a title below the plots says of several runs: only the first one is shown there."""
    return f" of 1:{clean(run_logs[0].run.name)}" if len(run_logs) > 1 else ""


def describe_marks(run_logs: Sequence[RunLog]) -> str:
    """What the vertical lines in the plots stand for, "" if there are none."""
    saved = any(run_log.checkpoints for run_log in run_logs)
    resumed = any(run_log.resumes for run_log in run_logs)
    return "  ".join([f"{CHECKPOINT} checkpoint"] * saved + [f"{RESUMED} resumed"] * resumed)


def format_title(run_logs: list[RunLog], runs: RunList, view: RunView, width: int) -> Text:
    """A line a run, and how it stands; then how the plots are drawn and what is wrong with the files."""
    several = len(run_logs) > 1
    facts = [f"{i}: {fact}" if several else fact for i, h in enumerate(run_logs, 1) for fact in h.facts()]
    lines = []
    for i, run_log in enumerate(run_logs, 1):
        line = _format_run(run_log, runs, i - 1, f"{i}:" if several else "", width)
        strip = _describe_standing(run_log, runs)
        if several or line.cell_len + 2 + len(strip) <= width:
            lines.append(line.append(f"  {strip}" if strip else "", style="dim"))
            line.truncate(width, overflow="ellipsis")
        else:
            lines += [line, *_wrap_strip(strip, width)]
    below = Text()
    if how := view.describe_plots():
        below.append(how + "  ", style="cyan")
    if marks := describe_marks(run_logs):
        below.append(marks + "  ", style="dim")
    if facts:
        below.append("⚠ " + clean("; ".join(facts)), style="yellow")
    if below and not several and lines[-1].cell_len + 2 + below.cell_len <= width:
        lines[-1].append("  ").append_text(below)
    elif below:
        lines.append(below)
    return Text("\n").join(lines)


def _wrap_strip(strip: str, width: int) -> list[Text]:
    """The strip in one line, or two if it needs them, broken between its facts."""
    rows = [""]
    for part in strip.split(" · "):
        if rows[-1] and len(rows) < STRIP_ROWS and len(rows[-1]) + 3 + len(part) > width:
            rows.append(part)
        else:
            rows[-1] += f" · {part}" if rows[-1] else part
    lines = [Text(row, style="dim") for row in rows]
    lines[-1].truncate(width, overflow="ellipsis")
    return lines


def _describe_standing(run_log: RunLog, runs: RunList) -> str:
    """A run's progress, times, speed and accuracy, and how far its running evaluation is."""
    row = runs.find(run_log.run.name)
    if row is None or row.summary is None:
        return ""
    with run_log.lock:
        evaluation = run_log.evaluation or row.summary.evaluation
    return format_strip(replace(row.summary, evaluation=evaluation))


def _format_run(run_log: RunLog, runs: RunList, run: int, number: str, width: int) -> Text:
    """A run's name, shortened to leave room for its state and step; with a number, how its lines look."""
    row = runs.find(run_log.run.name)
    summary = None if row is None else row.summary
    state = Text("  ")
    if summary is not None:
        with run_log.lock:
            steps = [s for s in (summary.step, run_log.step) if s is not None]
        state.append_text(format_status(summary.state))
        total = f" of {summary.total_steps:,}" if summary.total_steps else ""
        state.append(f", step {max(steps):,.0f}{total}" if steps else "")
    sample = f"{SAMPLES[run % len(SAMPLES)]} " if number else ""
    name = shorten(number + clean(run_log.run.name), max(10, width - state.cell_len - len(sample)))
    colour = COLOURS[run % len(COLOURS)] if number else ""
    return Text().append(sample, style=colour).append(name, style=f"bold {colour}").append_text(state)
