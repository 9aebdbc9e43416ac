"""Run: plots of one or several runs, accuracy by degree, configuration, and the log."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from polyctl.errors import PolyctlError
from polyctl.registry import to_toml
from polyctl.tui.actions import bindings
from polyctl.tui.history import History
from polyctl.tui.screens.pane import Pane
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.heat import heat_map
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.plot import Line, Plot, View
from polyctl.tui.words import clean, status

# id: (title, [(series, label)]); pass@k takes whatever k the evaluations have, and that of the width of an rl
METRICS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "loss": ("loss", (("loss", "train"), ("valid_loss", "valid"))),
    "verified": (
        "verified accuracy",
        (
            ("greedy_verified", "verified"),
            ("greedy_exact", "exact"),
            ("eval_verified", "eval"),
            ("reward", "reward"),
        ),
    ),
    "pass": ("pass@k", ()),
    "lr": ("learning rate", (("lr", "lr"),)),
    "norm": ("gradient norm", (("grad_norm", "norm"),)),
    "rate": ("tokens a second", (("tokens_per_second", "tokens/s"),)),
}
SMOOTHINGS = (0.0, 0.6, 0.9, 0.98)
LOWER = ("log", "cells", "config")


def lines_of(histories: list[History], metric: str) -> list[Line]:
    """The lines of one plot; of several runs each label has its run's number."""
    found = []
    for index, history in enumerate(histories, 1):
        with history.lock:
            keys = METRICS[metric][1]
            if metric == "pass":
                ks = [k for k in history.series if k.startswith("pass@") and k[5:].isdigit()]
                ks.sort(key=lambda k: int(k[5:]))
                keys = tuple((k, k) for k in (*ks[:1], *ks[-1:], "pass@w"))
            for key, label in dict(keys).items():
                if (series := history.series.get(key)) is not None:
                    name = f"{index}:{label}" if len(histories) > 1 else label
                    found.append(Line(clean(name), list(series.points)))
    return found


def steps_of(histories: list[History]) -> tuple[float, float] | None:
    """The first and the last step that anything was measured at, so that all plots have the same axis."""
    found: list[float] = []
    for history in histories:
        with history.lock:
            for points in (series.points for series in history.series.values()):
                found += [points[0].x, points[-1].x]
    return (min(found), max(found)) if found else None


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
        self._configured: str | None = None

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
        state = ([(h.run.name, h.changes, h.unread) for h in histories], self.dashboard.rows)
        if state == self._drawn:
            return
        self._drawn = state
        title = self.query_one("#run-title", Static)
        if not histories:
            title.update("no run is open: choose one in the tab Runs (F3), Enter opens it")
            self.query_one(LogView).show([])
            return
        title.update(self._title(histories))
        view = replace(self.view, steps=steps_of(histories))
        for metric in METRICS:
            plot = self.query_one(f"#plot-{metric}", Plot)
            if plot.display:
                plot.show(lines_of(histories, metric), view)
        first = histories[0]
        with first.lock:
            log, cells = list(first.log), list(first.cells)
        self.query_one(LogView).show(log)
        self._log_title()
        self.query_one("#cells").border_title = "Accuracy by degree"
        self.query_one("#cells-text", Static).update(heat_map(cells))
        if self._configured != first.run.name:
            self._configured = first.run.name
            self.query_one("#config").border_title = "Configuration"
            self.query_one("#config-text", Static).update(Text(config_text(first)))

    def _title(self, histories: list[History]) -> Text:
        facts = [
            f"{i}: {fact}" if len(histories) > 1 else fact
            for i, h in enumerate(histories, 1)
            for fact in h.facts()
        ]
        how = [f"smoothed {self.view.smoothing}"] if self.view.smoothing else []
        how += ["log axis"] if self.view.log else []
        if self.view.window != (0.0, 1.0):
            how.append(f"{100 * self.view.window[0]:.0f}–{100 * self.view.window[1]:.0f}% of the steps")
        text = Text(no_wrap=True, overflow="ellipsis")
        summaries = {row.run.name: row.summary for row in self.dashboard.rows}
        for i, history in enumerate(histories, 1):
            name = clean(history.run.name)
            text.append(f"{i}:{name}  " if len(histories) > 1 else f"{name}  ", style="bold")
            if (summary := summaries.get(history.run.name)) is not None:
                text.append_text(status(summary.state))
                of = f" of {summary.total_steps:,}" if summary.total_steps else ""
                text.append("  " if summary.step is None else f", step {summary.step:,}{of}  ")
        if how:
            text.append(", ".join(how) + "  ", style="cyan")
        if facts:
            text.append("⚠ " + clean("; ".join(facts)), style="yellow")
        return text

    def _log_title(self) -> None:
        view = self.query_one(LogView)
        view.border_title = Text(f"Log: {view.state}")

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
        span = min(1.0, (high - low) * scale)
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

    def action_follow(self) -> None:
        self.query_one(LogView).toggle()
        self._log_title()

    def action_filter(self) -> None:
        self.query_one(Ask).ask("regular expression for the log", "", self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self._tell(self.query_one(LogView).filter(pattern))

    def action_search(self) -> None:
        self.query_one(Ask).ask(
            "search in the log", "", lambda p: self._tell(self.query_one(LogView).search(p))
        )

    def action_search_next(self) -> None:
        self._tell(self.query_one(LogView).search_next())

    def _tell(self, problem: str | None) -> None:
        self._log_title()
        if problem:
            self.query_one(LogView).border_title = Text(f"Log: {clean(problem)}")

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

    def action_page_down(self) -> None:
        self._scroll(self.query_one(f"#{self.below}").size.height)

    def action_page_up(self) -> None:
        self._scroll(-self.query_one(f"#{self.below}").size.height)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)
