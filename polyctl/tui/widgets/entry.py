"""An input of one line that takes keys in the order in which they are typed."""

from __future__ import annotations

from textual.binding import Binding
from textual.events import Key, Paste
from textual.widgets import Input

OWN = {binding.key: binding.action for binding in Binding.make_bindings(Input.BINDINGS)}


class Entry(Input):
    """An input into which several lines are pasted as one.

    Its own keys, such as Ctrl-U and Enter, act at once. Otherwise they would go up to the application first,
    and letters typed behind them in one burst would overtake them.
    """

    async def _on_key(self, event: Key) -> None:
        if (action := OWN.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)  # Textual calls Input's own method for all other keys

    def _on_paste(self, event: Paste) -> None:
        event.text = " ".join(event.text.split())  # the rest is done by Input
