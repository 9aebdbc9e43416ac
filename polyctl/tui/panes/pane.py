"""What all tabs have in common."""

from __future__ import annotations

from textual.containers import Vertical

from polyctl.tui.panes.host import Host


class Pane(Vertical):
    """The content of a tab; it can have the focus itself, so that its keys always work."""

    can_focus = True

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host

    def arrive(self) -> None:
        """The tab has come to the front."""
        self.focus()

    def redraw(self) -> None:
        """New data has come; called at most twice a second, and only while the tab is seen."""
