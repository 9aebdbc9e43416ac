"""The widget that draws a plot."""

from __future__ import annotations

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from polyctl.tui.views.plot import GUTTER, Line, PlotView, draw_plot


class Plot(Widget):
    """A titled plot of several lines; `show` gives it new data."""

    DEFAULT_CSS = "Plot { height: 1fr; width: 1fr; }"

    class Pointed(Message):
        """A place was clicked, as a share of the x axis that is seen."""

        def __init__(self, plot: Plot, share: float) -> None:
            super().__init__()
            self.plot, self.share = plot, share

    def __init__(self, title: str, **more: str) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.border_title = title
        self._lines: list[Line] = []
        self._view = PlotView()

    @property
    def cells(self) -> int:
        """The columns that the x axis takes."""
        return self.size.width - GUTTER

    def show(self, lines: list[Line], view: PlotView) -> None:
        """Draw these lines."""
        self._lines, self._view = lines, view
        self.refresh()

    def render(self) -> Text:
        return draw_plot(self._lines, self._view, self.size.width, self.size.height)

    def on_click(self, event: Click) -> None:
        at = event.get_content_offset_capture(self).x - GUTTER
        if self._lines and 0 <= at < self.cells:
            self.post_message(self.Pointed(self, (at + 0.5) / self.cells))
