"""The footer: the keys that do something now, and of too many those of the tab go first."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

KEPT = frozenset({"quit", "help"})  # actions


class Keys(Footer):
    """Keys that matter, from left to right; where there is no room, the tab's last ones are left out."""

    def __init__(self, matters: Callable[[str], bool]) -> None:
        super().__init__(compact=True, show_command_palette=False)
        self._matters = matters

    def compose(self) -> ComposeResult:
        keys: list[Widget] = [
            key for key in super().compose() if not isinstance(key, FooterKey) or self._matters(key.action)
        ]
        room = self.app.size.width + 1  # behind the last key there is no gap
        while sum(map(_columns, keys)) > room:
            own = [
                at for at, key in enumerate(keys) if not (isinstance(key, FooterKey) and key.action in KEPT)
            ]
            if not own:
                break
            del keys[own[-1]]
        yield from keys

    async def on_resize(self, event: Resize) -> None:
        await self.recompose()


def _columns(key: Widget) -> int:
    """The columns of a key, its word and the gap behind it."""
    if not isinstance(key, FooterKey):
        return 0
    return cell_len(key.key_display) + 1 + cell_len(key.description) + 1
