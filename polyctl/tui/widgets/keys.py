"""The footer of keys, which leaves out keys of the tab rather than the way out and the help."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

KEPT = frozenset({"quit", "help"})  # actions


class Keys(Footer):
    """Keys from left to right; where there is no room for all, the tab's last ones are left out."""

    def compose(self) -> ComposeResult:
        keys: list[Widget] = list(super().compose())
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
