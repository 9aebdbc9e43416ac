"""A long list to choose from by typing a part of a name, over the tab that asks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from polyctl.tui.format import clean
from polyctl.tui.screens.list_screen import ListScreen
from polyctl.tui.widgets.entry import Entry


class FindScreen(ListScreen[list[str]]):
    """Gives all names that are marked at the end, None if it is left by Escape.

    Enter closes it with the name under the cursor, marked or unmarked; Tab marks and stays.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "take_back", "Back"),
        Binding("down", "down", show=False, priority=True),
        Binding("up", "up", show=False, priority=True),
        Binding("tab", "mark", "Mark", priority=True),
    ]

    def __init__(self, title: str, names: Sequence[tuple[str, str]], marked: Collection[str]) -> None:
        """`names` come with what is known of each."""
        super().__init__()
        self._heading, self._names = title, names
        self._marked = list(marked)
        self._found: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="find") as box:
            box.border_title = self._heading
            box.border_subtitle = "Enter takes it, Tab marks several, Esc goes back"
            yield Entry(placeholder="part of a name", compact=True)
            yield OptionList(id="found")

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.set_focus(self.query_one(Entry))
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, pattern: str) -> None:
        shown, before = self.query_one(OptionList), self._chosen
        fits = [(name, more) for name, more in self._names if pattern.lower() in name.lower()]
        self._found = [name for name, _ in fits]
        shown.clear_options()
        for name, more in fits:
            mark = "●" if name in self._marked else " "
            shown.add_option(Option(Text(f"{mark} {clean(name)}  {clean(more)}", no_wrap=True)))
        if fits:
            shown.highlighted = self._found.index(before) if before in self._found else 0

    @property
    def _chosen(self) -> str | None:
        at = self.query_one(OptionList).highlighted
        return self._found[at] if at is not None and at < len(self._found) else None

    def _toggle(self) -> None:
        name = self._chosen
        if name is not None and name in self._marked:
            self._marked.remove(name)
        elif name is not None:
            self._marked.append(name)

    def on_input_submitted(self) -> None:
        self._toggle()
        self.dismiss(self._marked)

    def on_option_list_option_selected(self) -> None:
        self.on_input_submitted()

    def action_mark(self) -> None:
        self._toggle()
        self._fill(self.query_one(Input).value)
