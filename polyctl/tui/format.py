"""States and numbers as the dashboard shows them: a glyph and a word, colour only on top."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass

from rich.text import Text

# status: (glyph, colour); the word is the status itself
STATUS = {
    "verified": ("✓", "green"),
    "weak": ("✓", "yellow"),  # verified, but only a factorisation or a substitution of powers
    "refuted": ("✗", "red"),
    "malformed": ("!", "red"),
    "trivial": ("○", "yellow"),
    "undecided": ("?", "magenta"),
    "waiting": ("…", "cyan"),
    "growing": ("+", "blue"),
    "left out": ("-", "blue"),  # the same inners as a better answer, or no polynomials
    "running": ("▶", "cyan"),
    "finished": ("✓", "green"),
    "interrupted": ("■", "yellow"),
    "crashed": ("✗", "red"),
    "unknown": ("?", "magenta"),
    "ended": ("■", "yellow"),
}


@dataclass(frozen=True)
class Column:
    """A heading of a table and a width, which cells are cut to; numbers stand on the `right`."""

    label: str
    width: int
    right: bool = False


def format_status(word: str) -> Text:
    """A status as glyph, word and colour."""
    glyph, colour = STATUS.get(word, ("?", "magenta"))
    return Text(f"{glyph} {word}", style=colour)


def clean(text: object) -> str:
    """Text from a file as one line without control characters."""
    return "".join(" " if c in "\n\t" else c if unicodedata.category(c)[0] != "C" else "�" for c in str(text))


def format_clock(when: float | None) -> str:
    """Time of day."""
    return _local(when, "%H:%M:%S") or "--:--:--"


def format_date(when: float | None) -> str:
    """The day, "" if it is not known."""
    return _local(when, "%Y-%m-%d")


def _local(when: float | None, form: str) -> str:
    try:
        return "" if when is None else time.strftime(form, time.localtime(when))
    except (ValueError, OverflowError, OSError):
        return ""


def shorten(text: str, room: int) -> str:
    """Text that is too long for `room` without its middle."""
    if len(text) <= room:
        return text
    end = max(0, room - 1) // 2
    return text[: max(0, room - 1 - end)] + "…" + text[len(text) - end :]


def format_progress(step: int | None, total: int | None, width: int = 8) -> str:
    """Steps done as a bar of that width and a percentage, or their number."""
    if step is None:
        return "-"
    if not total:
        return f"{step:,}"
    share = min(1.0, max(0.0, step / total))
    full = int(share * width)  # full only at the end
    return ("━" * full + "╌" * (width - full) + f" {100 * share:3.0f}%").lstrip()
