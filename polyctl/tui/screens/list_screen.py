"""What the screens that ask with a list share: the cursor, and the way back."""

from __future__ import annotations

from typing import TypeVar

from textual.screen import ModalScreen
from textual.widgets import OptionList

Answer = TypeVar("Answer")


class ListScreen(ModalScreen[Answer | None]):
    """Over the tab that asks; gives None if it is left without an answer."""

    def action_take_back(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()
