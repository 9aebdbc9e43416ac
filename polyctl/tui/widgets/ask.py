"""A line at the bottom of a tab that asks for a filter, a search or arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from polyctl.tui.widgets.entry import Entry


class Ask(Entry):
    """Hidden until `ask`; Enter gives the text, Escape takes the question back; focus returns either way.

    The question stands above the line, where what is typed does not cover it.
    Where the text is followed as it is typed, Escape gives what stood there first.
    """

    DEFAULT_CSS = """
    Ask, Ask:focus {
        display: none; dock: bottom; height: 2; padding: 0;
        border: none; border-top: solid $accent; border-title-color: $text;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "take_back", "Back", show=True)]

    def __init__(self, **more: str) -> None:
        super().__init__(select_on_focus=False, **more)  # type: ignore[arg-type]
        self._then: Callable[[str], None] | None = None
        self._meanwhile: Callable[[str], None] | None = None
        self._first = ""
        self._before: Widget | None = None

    def ask(
        self,
        what: str,
        value: str,
        then: Callable[[str], None],
        meanwhile: Callable[[str], None] | None = None,
    ) -> None:
        """Show the question; `then` gets the answer, `meanwhile` the text as it is typed."""
        self._before = self.screen.focused
        self._then, self._meanwhile, self._first = then, meanwhile, value
        self.border_title = Text(what)
        self.display = True
        self.value = value
        self.cursor_position = len(value)
        self.screen.set_focus(self)  # at once: `focus` would let the next keys go elsewhere

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._meanwhile is not None and self.display:
            self._meanwhile(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        then = self._then
        self._leave()
        if then is not None:
            then(event.value)

    def action_take_back(self) -> None:
        if self._meanwhile is not None:
            self._meanwhile(self._first)
        self._leave()

    def _leave(self) -> None:
        self.display = False
        self._then = self._meanwhile = None
        if self._before is not None:
            self.screen.set_focus(self._before)
