"""A ParseError as a terminal shows it: the message, the line of the text, and a caret under the character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len

from polyctl.errors import ParseError

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def show_caret(error: ParseError, columns: int = 76) -> str:
    """The message, the line that it is about, cropped to `columns`, and a caret under the character."""
    position = min(max(error.position, 0), len(error.text))
    start = max(error.text.rfind("\n", 0, position), error.text.rfind("\r", 0, position)) + 1
    stop = re.compile(r"[\r\n]").search(error.text, position)
    line = error.text[start : stop.start() if stop else len(error.text)]
    characters = [_printable(character) for character in line]
    caret = position - start
    first, last = _window([cell_len(character) for character in characters], caret, columns)
    before = "…" * (first > 0) + "".join(characters[first:caret])
    shown = before + "".join(characters[caret:last]) + "…" * (last < len(characters))
    return f"{error.message}\n{shown}\n{' ' * sum(map(cell_len, before))}^"


def _window(widths: Sequence[int], caret: int, columns: int) -> tuple[int, int]:
    """The slice of the characters around the caret that fits, with room for an ellipsis at each end."""
    if sum(widths) + 1 <= columns:
        return 0, len(widths)
    room = columns - 3
    first = last = caret
    used = 0
    while True:
        grown = False
        if last < len(widths) and used + widths[last] <= room:
            used, last, grown = used + widths[last], last + 1, True
        if first > 0 and used + widths[first - 1] <= room:
            used, first, grown = used + widths[first - 1], first - 1, True
        if not grown:
            return first, last


def _printable(character: str) -> str:
    """The character as a terminal may be given it: no tabs, no control characters."""
    category = unicodedata.category(character)
    if character == "\t" or category == "Zs":
        return " "
    return "�" if category in _UNPRINTABLE else character
