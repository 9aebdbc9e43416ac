"""What all tabs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

if TYPE_CHECKING:
    from polyctl.tui.app import Dashboard


class Pane(Vertical):
    """The content of a tab; it can have the focus itself, so that its keys always work."""

    can_focus = True
    place = ""

    @property
    def dashboard(self) -> Dashboard:
        """The application, with its own type."""
        from polyctl.tui.app import Dashboard

        assert isinstance(self.app, Dashboard)
        return self.app

    @property
    def no_run(self) -> str:
        """What a tab says that shows an open run where none is open."""
        from polyctl.tui.panes.runs import RunsPane

        rows, root = self.dashboard.query_one(RunsPane).rows, self.dashboard.root
        if rows is None:
            return f"looking for runs in {root}"
        if not rows:
            return f"no runs in {root} yet: `polyctl train quick` makes one in about a minute"
        return "no run is open: choose one in the tab Runs (F3), Enter opens it"

    def arrive(self) -> None:
        """The tab has come to the front."""
        self.focus()

    def redraw(self) -> None:
        """New data has come; called at most twice a second, and only while the tab is seen."""
