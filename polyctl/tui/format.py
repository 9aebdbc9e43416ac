"""States and numbers as the dashboard shows them: a glyph and a word, colour only on top."""

from __future__ import annotations

import time
import unicodedata

from rich.text import Text

# status: (glyph, colour); the word is the status itself
STATUS = {
    "verified": ("✓", "green"),
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


def status(word: str) -> Text:
    """A status as glyph, word and colour."""
    glyph, colour = STATUS.get(word, ("?", "magenta"))
    return Text(f"{glyph} {word}", style=colour)


def clean(text: object) -> str:
    """Text from a file as one line without control characters."""
    return "".join(" " if c in "\n\t" else c if unicodedata.category(c)[0] != "C" else "�" for c in str(text))


def number(value: float | None, digits: int = 4) -> str:
    """A number in few characters, a dash for none."""
    if value is None:
        return "-"
    if 10**digits - 0.5 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    """A fraction as a percentage, a dash for none."""
    return "-" if value is None else f"{100 * value:.1f}%"


def ago(when: float | None, now: float | None = None) -> str:
    """How long ago in the largest fitting unit."""
    if when is None:
        return "-"
    seconds = max(0.0, (time.time() if now is None else now) - when)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def clock(when: float | None) -> str:
    """Time of day."""
    return _local(when, "%H:%M:%S") or "--:--:--"


def date(when: float | None) -> str:
    """The day, nothing where it is not known."""
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


def progress(step: int | None, total: int | None, width: int = 8) -> str:
    """Steps done as a bar of that width and a percentage, or their number."""
    if step is None:
        return "-"
    if not total:
        return f"{step:,}"
    share = min(1.0, max(0.0, step / total))
    full = round(share * width)
    return ("█" * full + "░" * (width - full) + f" {100 * share:3.0f}%").lstrip()
