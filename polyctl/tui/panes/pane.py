"""What all tabs have in common."""

from __future__ import annotations

from textual.containers import Vertical

from polyctl.tui.panes.host import Host

BESIDE = 140  # columns from which on a list and what is under its cursor stand side by side


class Pane(Vertical):
    """The content of a tab; it can have the focus itself, so that its keys always work."""

    can_focus = True

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self._mattered: list[bool] = []

    @property
    def list_width(self) -> int:
        """The columns of a list beside which something stands if there is room: three fifths then."""
        return self.size.width * 3 // 5 if self.size.width >= BESIDE else self.size.width

    def matters(self, action: str) -> bool:
        """Whether an action does anything now, so that the footer shows its key."""
        return True

    def show_keys(self) -> None:
        """Let the footer show the keys that matter, if others do than before."""
        now = [self.matters(binding.action) for _, binding in self._bindings]
        if now != self._mattered:
            self._mattered = now
            self.refresh_bindings()

    def arrive(self) -> None:
        """The tab has come to the front."""
        self.focus()

    def redraw(self) -> None:
        """New data has come; called at most once a second, and only while the tab is seen."""
