"""The help: every action with its keys and its id, from the one list of actions."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from polyctl.tui.actions import ACTIONS, format_keys

PLACES = {
    "app": "Everywhere",
    "table": "In tables",
    "decompose": "Decompose",
    "runs": "Runs",
    "run": "Run",
    "beam": "Beam",
    "experiments": "Experiments",
    "problems": "Problems",
}


def format_help(keymap: dict[str, str]) -> Text:
    """All actions by place, with the user's own keys."""
    text = Text()
    for place, title in PLACES.items():
        text.append(f"{title}\n", style="bold")
        for action in ACTIONS:
            if action.place == place:
                text.append(f"  {format_keys(action, keymap):<14}", style="cyan")
                text.append(f" {action.help}")
                text.append(f"  {action.id}\n", style="dim")
        text.append("\n")
    text.append("Other keys: the table [keys] of tui.toml, by these ids (docs/tui.md).", style="dim")
    return text


class HelpScreen(ModalScreen[None]):
    """Scrolls; any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "dismiss", "Close"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, keymap: dict[str, str]) -> None:
        super().__init__()
        self._keymap_shown = keymap

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "Help"
            box.border_subtitle = "Esc closes"
            yield Static(format_help(self._keymap_shown), markup=False)

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def action_down(self) -> None:
        self.query_one("#help").scroll_relative(y=1, animate=False)

    def action_up(self) -> None:
        self.query_one("#help").scroll_relative(y=-1, animate=False)
