"""Run: plots of one or several runs, accuracy by degree, configuration, and the log."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid, VerticalScroll
from textual.widgets import Static

from polyctl.tui.actions import make_bindings
from polyctl.tui.format import clean
from polyctl.tui.panes.host import Host
from polyctl.tui.panes.pane import Pane
from polyctl.tui.run_log import RunLog
from polyctl.tui.screens.find import FindScreen
from polyctl.tui.views.heat_map import format_heat_map
from polyctl.tui.views.lines import (
    EVALUATED,
    METRICS,
    OWN,
    list_marks,
    list_metrics,
    measure_steps,
    narrowest_window,
    plot_lines,
)
from polyctl.tui.views.run import (
    LOWER,
    RunView,
    describe_below,
    format_configs,
    format_title,
    lay_out,
)
from polyctl.tui.widgets.ask import Ask
from polyctl.tui.widgets.log import LogView
from polyctl.tui.widgets.plot import Plot


class RunPane(Pane):
    """Plots above, and below them the log, the heat map or the configuration."""

    BINDINGS = make_bindings("run")

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.view = RunView()
        self._drawn: object = None
        self._shown: object = None
        self._configured: list[str] = []  # the runs whose settings are shown
        self._order: tuple[str, ...] = ()  # of the plots in their grid
        self._of = ""  # names the run of the log if several are open

    def compose(self) -> ComposeResult:
        yield Static("", id="run-title", markup=False)
        with Grid(id="plots"):
            for metric, (title, _) in METRICS.items():
                yield Plot(title, id=f"plot-{metric}")
            for metric in OWN:
                yield Plot("", id=f"plot-{metric}")
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

    def matters(self, action: str) -> bool:
        return bool(self.host.runs.run_logs)

    @property
    def small(self) -> bool:
        """Whether only one plot fits."""
        return self.size.width < 90 or self.size.height < 26

    def _arrange(self) -> None:
        self.view.choose_metrics(self.host.runs.run_logs)
        single = self.view.enlarged or self.small
        grid = self.query_one("#plots", Grid)
        columns, rows, span = (1, 1, 1) if single else lay_out(len(self.view.metrics))
        grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        grid.styles.height = f"{max(2, rows)}fr"
        for metric in (*METRICS, *OWN):
            plot, chosen = self.query_one(f"#plot-{metric}", Plot), metric == self.view.metric
            plot.display = chosen if single else metric in self.view.metrics
            plot.set_class(chosen and not single, "chosen")
            plot.styles.column_span = span if metric == self.view.metrics[0] else 1
        if self._order != self.view.metrics:
            self._order = self.view.metrics
            for metric in self._order:
                grid.move_child(self.query_one(f"#plot-{metric}"), after=-1)
        for name in LOWER:
            self.query_one(f"#{name}").display = name == self.view.below
        shown = (single and self.view.metric, self.view.below, self.view.metrics, self.view.own)
        if shown != self._shown:
            self._shown = shown
            self._drawn = None
            self.redraw()

    def redraw(self) -> None:
        """Draw what has changed since the last time."""
        run_logs = self.host.runs.run_logs
        files = [(h.run.name, h.changes, h.unread, h.looked) for h in run_logs]
        state = (files or self.host.runs.explain_none_open(), self.host.runs.rows, self.size.width)
        if state == self._drawn or not self.size.width:  # a tab that has not been seen has no size yet
            return
        self._drawn = state
        self.show_keys()
        before = self.view.metrics
        self.view.choose_metrics(run_logs)
        if self.view.metrics != before:
            self._arrange()
            return
        title = self.query_one("#run-title", Static)
        if not run_logs:
            title.update(self.host.runs.explain_none_open())
            self.query_one(LogView).show([])
            return
        title.update(format_title(run_logs, self.host.runs, self.view, self.size.width))
        self._draw_plots(run_logs)
        self._draw_below(run_logs, describe_below(run_logs))

    def _draw_plots(self, run_logs: list[RunLog]) -> None:
        reading = not all(h.complete for h in run_logs)
        empty = "reading" if reading else "nothing measured yet"
        steps, marks = measure_steps(run_logs, self.view.unit), list_marks(run_logs, self.view.unit)
        with run_logs[0].lock:
            evaluations = run_logs[0].evaluations
        of = evaluations[-1].title if evaluations and len(run_logs) == 1 else ""
        for metric in (*METRICS, *OWN):
            plot = self.query_one(f"#plot-{metric}", Plot)
            if plot.display and metric in self.view.metrics:
                plot.border_title = self.view.title(metric)
                plot.border_subtitle = f"eval: {of}" if of and metric in EVALUATED else ""
                lines = plot_lines(run_logs, metric, self.view.unit, self.view.own)
                plot.show(lines, self.view.plot(metric, steps, empty, marks))

    def _draw_below(self, run_logs: list[RunLog], of: str) -> None:
        """The log and the heat map of the first run, which `of` names if there are others, and settings."""
        run_log = run_logs[0]
        with run_log.lock:
            log, total, evaluations = run_log.lines, run_log.line_count, run_log.evaluations
        empty = "nothing written yet" if run_log.complete else "reading"
        view = self.query_one(LogView)
        view.show(log, run_log.run.name, total, empty)
        self._of = of
        self._title_log()
        self.query_one("#cells").border_title = f"Accuracy by degree{of}"
        newest = evaluations[-1] if evaluations else None
        cells = (
            format_heat_map(newest.cells, newest.title, self.size.width - 3)
            if newest
            else format_heat_map([])
        )
        self.query_one("#cells-text", Static).update(cells)
        names = [h.run.name for h in run_logs]
        if self._configured != names:
            self._configured = names
            self.query_one("#config").border_title = "Configurations" if of else "Configuration"
            self.query_one("#config-text", Static).update(Text(format_configs(run_logs)))

    def _title_log(self) -> None:
        view = self.query_one(LogView)
        view.border_title = Text(f"Log{self._of}: {view.state}")
        view.border_subtitle = view.day

    def _draw_again(self) -> None:
        self._drawn = None
        self.redraw()

    # -- actions

    def action_next_run(self) -> None:
        self.host.open_next_run()

    def action_problems(self) -> None:
        if run_logs := self.host.runs.run_logs:
            self.host.open_problems(run_logs[0].run.name)

    def action_metric(self) -> None:
        self.view.next_metric()
        self._arrange()

    def action_enlarge(self) -> None:
        self.view.enlarged = not self.view.enlarged
        self._arrange()

    def action_log_axis(self) -> None:
        self.view.toggle_log_axis()
        self._draw_again()

    def action_smooth(self) -> None:
        self.view.next_smoothing()
        self._draw_again()

    def action_unit(self) -> None:
        self.view.next_unit()
        self._draw_again()

    def _zoom(self, scale: float, shift: float = 0.0) -> None:
        self.view.zoom(scale, shift, narrowest_window(self.host.runs.run_logs))
        self._draw_again()

    def action_zoom_in(self) -> None:
        self._zoom(0.5)

    def action_zoom_out(self) -> None:
        self._zoom(2.0)

    def action_left(self) -> None:
        if self.view.cursor is None:
            self._zoom(1.0, -0.25)
        else:
            self._move_cursor(-1)

    def action_right(self) -> None:
        if self.view.cursor is None:
            self._zoom(1.0, 0.25)
        else:
            self._move_cursor(1)

    def action_far_left(self) -> None:
        self._move_cursor(-10)

    def action_far_right(self) -> None:
        self._move_cursor(10)

    @property
    def _steps(self) -> tuple[float, float] | None:
        """The x axis of all plots."""
        return measure_steps(self.host.runs.run_logs, self.view.unit)

    def action_cursor(self) -> None:
        self.view.toggle_cursor(self._steps)
        self._draw_again()

    def _move_cursor(self, columns: int) -> None:
        plot = self.query_one(f"#plot-{self.view.metric}", Plot)
        if (steps := self._steps) is not None:
            self.view.move_cursor(columns / max(1, plot.cells), steps)
            self._draw_again()

    def on_plot_pointed(self, event: Plot.Pointed) -> None:
        """A click on a plot chooses it and puts the cursor there."""
        if (steps := self._steps) is not None:
            low, high = self.view.window
            self.view.cursor = steps[0] + (low + event.share * (high - low)) * (steps[1] - steps[0])
            self.view.metric = event.plot.id.removeprefix("plot-") if event.plot.id else self.view.metric
            self._arrange()
            self._draw_again()

    def action_own(self) -> None:
        def choose(names: list[str] | None) -> None:
            if names is not None:
                self.view.choose_own(names)
                self._arrange()
                self._draw_again()

        names = list_metrics(self.host.runs.run_logs)
        if names:
            title = f"Metrics to plot, at most {len(OWN)} beside the others"
            self.app.push_screen(FindScreen(title, names, self.view.own), choose)
        else:
            self.app.notify("nothing has been measured yet", markup=False)

    def action_whole(self) -> None:
        self.view.show_all_steps()
        self._draw_again()

    def action_lower(self) -> None:
        self.view.next_below()
        self._arrange()

    def _show_log(self) -> LogView:
        """The log, brought to the front."""
        self.view.below = "log"
        self._arrange()
        return self.query_one(LogView)

    def action_follow(self) -> None:
        self._show_log().toggle()
        self._title_log()

    def action_filter(self) -> None:
        ask = self.query_one(Ask)
        ask.ask("regular expression for the log", self._show_log().pattern, self._filter, self._filter)

    def _filter(self, pattern: str) -> None:
        self._report(self.query_one(LogView).filter(pattern))

    def action_search(self) -> None:
        view = self._show_log()
        self.query_one(Ask).ask("search in the log", "", lambda pattern: self._report(view.search(pattern)))

    def action_search_next(self) -> None:
        self._report(self._show_log().search_next())

    def _report(self, problem: str | None) -> None:
        self._title_log()
        if problem:
            self.query_one(LogView).border_title = Text(f"Log{self._of}: {clean(problem)}")

    def _scroll(self, rows: int) -> None:
        if self.view.below == "log":
            self.query_one(LogView).move_by(rows)
            self._title_log()
        else:
            self.query_one(f"#{self.view.below}").scroll_relative(y=rows, animate=False)

    def action_down(self) -> None:
        self._scroll(1)

    def action_up(self) -> None:
        self._scroll(-1)

    @property
    def _page(self) -> int:
        if self.view.below == "log":
            return self.query_one(LogView).page
        return self.query_one(f"#{self.view.below}").size.height

    def action_page_down(self) -> None:
        self._scroll(self._page)

    def action_page_up(self) -> None:
        self._scroll(-self._page)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-3)
