"""A list to choose one thing from, over the tab that asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from polyctl.tui.screens.list_screen import ListScreen


class ChooseScreen(ListScreen[int]):
    """Gives the number of the chosen line, None if none is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "take_back", "Back"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[str], chosen: int) -> None:
        super().__init__()
        self._heading, self._lines, self._chosen = title, lines, chosen

    def compose(self) -> ComposeResult:
        options = OptionList(*(Option(Text(line, no_wrap=True)) for line in self._lines), id="choose")
        options.border_title = self._heading
        options.border_subtitle = "Enter chooses, Esc goes back"
        yield options

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._chosen

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
