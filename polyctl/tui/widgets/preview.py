"""What is known of the run under the cursor, beside the table of runs."""

from __future__ import annotations

import time

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import get_current_worker

from polyctl.tui.format import clean
from polyctl.tui.run_list import RunRow
from polyctl.tui.run_log import RunLog
from polyctl.tui.views.lines import METRICS, list_marks, list_measured, measure_steps, plot_lines
from polyctl.tui.views.plot import PlotView
from polyctl.tui.views.preview import format_own_settings, format_preview
from polyctl.tui.views.run import STYLES, PlotStyle
from polyctl.tui.widgets.plot import Plot

PATIENCE_SECONDS = 0.15  # until a cursor that rests on a run has its curves read
READ_SECONDS = 0.5  # of a long file the newest part is read
CURVES = ("loss", "reward", "verified", "pass")
SHOWN = 2


class RunPreview(Vertical):
    """Facts of a run at once, and behind them its curves and settings, which are read by a thread."""

    class CurvesRead(Message):
        """The curves and the settings of that run have been read."""

        def __init__(self, run_log: RunLog, settings: str) -> None:
            super().__init__()
            self.run_log, self.settings = run_log, settings

    def __init__(self, **more: str) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self._row: RunRow | None = None
        self._run_log: RunLog | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static("", id="preview-facts", markup=False)
        for name in CURVES:
            yield Plot(METRICS[name][0], id=f"preview-{name}")
        with VerticalScroll(id="preview-box", can_focus=False):
            yield Static("", id="preview-settings", markup=False)

    def on_mount(self) -> None:
        self._draw_curves(None, "")

    def show(self, row: RunRow | None) -> None:
        """Show that run; what has not changed is not read again."""
        before, self._row = self._row, row
        self.query_one("#preview-facts", Static).update(Text() if row is None else format_preview(row))
        if row is None or before is None or before.run.name != row.run.name:
            self._draw_curves(None, "")
        elif before.summary == row.summary:
            return
        if self._timer is not None:
            self._timer.stop()
        if row is not None:
            self._timer = self.set_timer(PATIENCE_SECONDS, self._begin)

    def _begin(self) -> None:
        if self._row is not None:
            self._read(self._row)

    @work(thread=True, exclusive=True, group="preview", exit_on_error=False)
    def _read(self, row: RunRow) -> None:
        worker, known = get_current_worker(), self._run_log
        run_log = known if known is not None and known.run.path == row.run.path else RunLog(row.run)
        end = time.monotonic() + READ_SECONDS
        while run_log.refresh() and time.monotonic() < end and not worker.is_cancelled:
            pass
        if not worker.is_cancelled:
            self.post_message(self.CurvesRead(run_log, format_own_settings(row.run)))

    def on_run_preview_curves_read(self, event: CurvesRead) -> None:
        if self._row is not None and self._row.run.path == event.run_log.run.path:
            self._run_log = event.run_log
            self._draw_curves(event.run_log, event.settings)

    def _draw_curves(self, run_log: RunLog | None, settings: str) -> None:
        measured = () if run_log is None else _choose_curves(run_log)
        for name in CURVES:
            plot = self.query_one(f"#preview-{name}", Plot)
            plot.display = name in measured
            if run_log is not None and plot.display:
                steps, marks = measure_steps([run_log]), list_marks([run_log])
                smoothing = STYLES.get(name, PlotStyle()).smoothing
                view = PlotView(smoothing=smoothing, steps=steps, marks=marks)
                plot.show(plot_lines([run_log], name), view)
        text = "\n".join(map(clean, settings.split("\n")))
        self.query_one("#preview-settings", Static).update(Text(text, style="dim"))


def _choose_curves(run_log: RunLog) -> tuple[str, ...]:
    """At most two curves: what is trained for, and what it brings."""
    return list_measured([run_log], CURVES[1:] if run_log.reinforced else CURVES)[:SHOWN]
