"""Run: plots of one or several runs, accuracy by degree, configuration, and the log."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from polyctl.config.registry import to_toml
from polyctl.errors import PolyctlError
from polyctl.tui.actions import bindings
from polyctl.tui.format import clean, format_status, shorten
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_evaluations import Evaluation
from polyctl.tui.run_log import STEP_KEYS, History
from polyctl.tui.series import Point
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.heat import heat_map
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.plot import Line, Plot, View

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


def lines_of(histories: list[History], metric: str) -> list[Line]:
    """The lines of one plot; of several runs each label has its run's number."""
    found = []
    for index, history in enumerate(histories, 1):
        with history.lock:
            lines = _measured(history, metric)
            if metric in EVALUATED:
                lines += _evaluated(history.evaluations, metric)
        number = f"{index}:" if len(histories) > 1 else ""
        found += [replace(line, label=clean(number + line.label)) for line in lines]
    return found


def _measured(history: History, metric: str) -> list[Line]:
    """What the run itself measured at its steps and validations."""
    return [
        Line(
            label,
            series.points,
            smoothed=key in STEP_KEYS,
            percent=metric in EVALUATED and key not in STEP_KEYS,
        )
        for key, label in METRICS[metric][1]
        if (series := history.series.get(key)) is not None
    ]


def _evaluated(evaluations: list[Evaluation], metric: str) -> list[Line]:
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


def steps_of(histories: list[History]) -> tuple[float, float] | None:
    """The first and the last step that anything was measured at, so that all plots have the same axis."""
    found: list[float] = []
    for history in histories:
        with history.lock:
            for points in (series.points for series in history.series.values()):
                found += [points[0].first_x, points[-1].x]
            found += [e.step for e in history.evaluations if e.step is not None]
    return (min(found), max(found)) if found else None


def narrowest(histories: list[History]) -> float:
    """The smallest part of the steps that is worth showing: some points of the densest series."""
    counts = [1]
    for history in histories:
        with history.lock:
            counts += [len(series.points) for series in history.series.values()]
    return min(1.0, 4 / max(counts))


def config_text(history: History) -> str:
    """The run's configuration, or why it cannot be read."""
    try:
        return to_toml(history.run.config())
    except PolyctlError as error:
        return f"{error.message}\n{error.hint or ''}"


class RunPane(Pane):
    """Plots above, and below them the log, the heat map or the configuration."""

    BINDINGS = bindings("run")
    place = "run"

    def __init__(self) -> None:
        super().__init__()
        self.metric = "loss"
        self.one = False
        self.view = View()
        self.below = "log"
        self._drawn: object = None
        self._shown: object = None
        self._configured: tuple[str, str] | None = None
        self._of = ""  # which of several runs the log is of

    def compose(self) -> ComposeResult:
        yield Static("", id="run-title", markup=False)
        with Grid(id="plots"):
            for metric, (title, _) in METRICS.items():
                yield Plot(title, id=f"plot-{metric}")
        yield LogView(id="log")
        with VerticalScroll(id="cells", can_focus=False):
            yield Static("", id="cells-text", markup=False)
        with VerticalScroll(id="config", can_focus=False):
            yield Static("", id="config-text", markup=False)
        yield Ask(id="run-ask")

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()
        self.redraw()

    def arrive(self) -> None:
        self.focus()
        self._drawn = None
        self.redraw()

    @property
    def small(self) -> bool:
        """Whether only one plot fits."""
        return self.size.width < 90 or self.size.height < 26

    def _arrange(self) -> None:
        single = self.one or self.small
        grid = self.query_one("#plots", Grid)
        grid.set_class(single, "single")
        for metric in METRICS:
            self.query_one(f"#plot-{metric}", Plot).display = not single or metric == self.metric
            self.query_one(f"#plot-{metric}").set_class(metric == self.metric and not single, "chosen")
        for name in LOWER:
            self.query_one(f"#{name}").display = name == self.below
        shown = (single and self.metric, self.below)
        if shown != self._shown:
            self._shown = shown
            self._drawn = None
            self.redraw()

    def redraw(self) -> None:
        """Draw what has changed since the last time."""
        histories = self.dashboard.histories
        files = [(h.run.name, h.changes, h.unread, h.looked) for h in histories]
        state = (files or self.no_run, self.dashboard.rows, self.size.width)
        if state == self._drawn or not self.size.width:  # a tab that has not been seen has no size yet
            return
        self._drawn = state
        title = self.query_one("#run-title", Static)
        if not histories:
            title.update(self.no_run)
            self.query_one(LogView).show([])
            return
        title.update(self._title(histories))
        self._plots(histories)
        self._lower(histories[0], f" of 1:{clean(histories[0].run.name)}" if len(histories) > 1 else "")

    def _plots(self, histories: list[History]) -> None:
        reading = not all(h.complete for h in histories)
        view = replace(
            self.view, steps=steps_of(histories), empty="reading" if reading else "nothing measured yet"
        )
        with histories[0].lock:
            evaluations = histories[0].evaluations
        of = evaluations[-1].words if evaluations and len(histories) == 1 else ""
        for metric in METRICS:
            plot = self.query_one(f"#plot-{metric}", Plot)
            if plot.display:
                plot.border_subtitle = f"eval: {of}" if of and metric in EVALUATED else ""
                plot.show(lines_of(histories, metric), view)

    def _lower(self, history: History, of: str) -> None:
        """The log, the heat map and the configuration of one run, which `of` names if there are others."""
        with history.lock:
            log, total, evaluations = history.log, history.logged, history.evaluations
        empty = "nothing written yet" if history.complete else "reading"
        view = self.query_one(LogView)
        view.show(log, history.run.name, total, empty)
        self._of = of
        self._log_title()
        self.query_one("#cells").border_title = f"Accuracy by degree{of}"
        newest = evaluations[-1] if evaluations else None
        cells = heat_map(newest.cells, newest.words, self.size.width - 3) if newest else heat_map([])
        self.query_one("#cells-text", Static).update(cells)
        if self._configured != (history.run.name, of):
            self._configured = (history.run.name, of)
            self.query_one("#config").border_title = f"Configuration{of}"
            self.query_one("#config-text", Static).update(Text(config_text(history)))

    def _title(self, histories: list[History]) -> Text:
        """A line a run; what is drawn and what is wrong with the files stands below if there is no room."""
        several = len(histories) > 1
        facts = [
            f"{i}: {fact}" if several else fact for i, h in enumerate(histories, 1) for fact in h.facts()
        ]
        how = [f"smoothed {self.view.smoothing}"] if self.view.smoothing else []
        how += ["log axis"] if self.view.log else []
        if self.view.window != (0.0, 1.0):
            how.append(f"{100 * self.view.window[0]:.1f}–{100 * self.view.window[1]:.1f}% of the steps")
        lines = [self._run_line(h, f"{i}:" if several else "") for i, h in enumerate(histories, 1)]
        below = Text()
        if how:
            below.append(", ".join(how) + "  ", style="cyan")
        if facts:
            below.append("⚠ " + clean("; ".join(facts)), style="yellow")
        fits = not several and lines[0].cell_len + 2 + below.cell_len <= self.size.width
        return Text("  " if fits else "\n").join([*lines, *([below] if below else [])])

    def _run_line(self, history: History, number: str) -> Text:
        """A run's name, shortened to leave room for its state and step."""
        row = next((row for row in self.dashboard.rows if row.run.name == history.run.name), None)
        summary = None if row is None else row.summary
        said = Text("  ")
        if summary is not None:
            with history.lock:
                steps = [s for s in (summary.step, history.step) if s is not None]
            said.append_text(format_status(summary.state))
            of = f" of {summary.total_steps:,}" if summary.total_steps else ""
            said.append(f", step {max(steps):,.0f}{of}" if steps else "")
        name = shorten(number + clean(history.run.name), max(10, self.size.width - said.cell_len))
        return Text(name, style="bold").append_text(said)

    def _log_title(self) -> None:
        view = self.query_one(LogView)
        view.border_title = Text(f"Log{self._of}: {view.state}")
        view.border_subtitle = view.day

    def _changed(self, view: View) -> None:
        self.view = view
        self._drawn = None
        self.redraw()

    # -- actions

    def action_next_run(self) -> None:
        self.dashboard.next_run()

    def action_metric(self) -> None:
        names = list(METRICS)
        self.metric = names[(names.index(self.metric) + 1) % len(names)]
        self._arrange()

    def action_enlarge(self) -> None:
        self.one = not self.one
        self._arrange()

    def action_log_axis(self) -> None:
        self._changed(replace(self.view, log=not self.view.log))

    def action_smooth(self) -> None:
        at = SMOOTHINGS.index(self.view.smoothing)
        self._changed(replace(self.view, smoothing=SMOOTHINGS[(at + 1) % len(SMOOTHINGS)]))

    def _window(self, scale: float, shift: float = 0.0) -> None:
        low, high = self.view.window
        span = min(1.0, max((high - low) * scale, narrowest(self.dashboard.histories)))
        centre = (low + high) / 2 + shift * span
        low = min(max(0.0, centre - span / 2), 1.0 - span)
        self._changed(replace(self.view, window=(low, low + span)))

    def action_zoom_in(self) -> None:
        self._window(0.5)

    def action_zoom_out(self) -> None:
        self._window(2.0)

    def action_left(self) -> None:
        self._window(1.0, -0.25)

    def action_right(self) -> None:
        self._window(1.0, 0.25)

    def action_whole(self) -> None:
        self._changed(replace(self.view, window=(0.0, 1.0)))

    def action_lower(self) -> None:
        self.below = LOWER[(LOWER.index(self.below) + 1) % len(LOWER)]
        self._arrange()

    def _show_log(self) -> LogView:
        """The log, brought to the front."""
        self.below = "log"
        self._arrange()
        return self.query_one(LogView)

    def action_follow(self) -> None:
        self._show_log().toggle()
        self._log_title()

    def action_filter(self) -> None:
        ask = self.query_one(Ask)
        ask.ask("regular expression for the log", self._show_log().pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self._tell(self.query_one(LogView).filter(pattern))

    def action_search(self) -> None:
        view = self._show_log()
        self.query_one(Ask).ask("search in the log", "", lambda pattern: self._tell(view.search(pattern)))

    def action_search_next(self) -> None:
        self._tell(self._show_log().search_next())

    def _tell(self, problem: str | None) -> None:
        self._log_title()
        if problem:
            self.query_one(LogView).border_title = Text(f"Log{self._of}: {clean(problem)}")

    def _scroll(self, rows: int) -> None:
        if self.below == "log":
            self.query_one(LogView).move_by(rows)
            self._log_title()
        else:
            self.query_one(f"#{self.below}").scroll_relative(y=rows, animate=False)

    def action_down(self) -> None:
        self._scroll(1)

    def action_up(self) -> None:
        self._scroll(-1)

    @property
    def _page(self) -> int:
        if self.below == "log":
            return self.query_one(LogView).page
        return self.query_one(f"#{self.below}").size.height

    def action_page_down(self) -> None:
        self._scroll(self._page)

    def action_page_up(self) -> None:
        self._scroll(-self._page)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)
