"""The widget that draws a plot."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from polyctl.tui.views.plot import Line, PlotView, draw_plot


class Plot(Widget):
    """A titled plot of several lines; `show` gives it new data."""

    DEFAULT_CSS = "Plot { height: 1fr; width: 1fr; }"

    def __init__(self, title: str, **more: str) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.border_title = title
        self._lines: list[Line] = []
        self._view = PlotView()

    def show(self, lines: list[Line], view: PlotView) -> None:
        """Draw these lines."""
        self._lines, self._view = lines, view
        self.refresh()

    def render(self) -> Text:
        return draw_plot(self._lines, self._view, self.size.width, self.size.height)
