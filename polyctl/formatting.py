"""Numbers, shares, sizes and times as people read them; a dash stands for what is not known."""

from __future__ import annotations

import time

from rich.filesize import decimal

LONGEST_TEXT = 4000  # characters


def format_number(value: float | None, digits: int = 4) -> str:
    """A number in few characters, with that many significant digits."""
    if value is None:
        return "-"
    if 10**digits - 0.5 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.{digits}g}"


def format_fixed(value: float | None, digits: int = 3) -> str:
    """A number with that many decimals, so that a column of them is aligned."""
    return "-" if value is None else f"{value:.{digits}f}"


def format_percent(value: float | None) -> str:
    """A fraction as a percentage."""
    return "-" if value is None else f"{100 * value:.1f}%"


def format_bytes(count: int | None) -> str:
    """A number of bytes in the largest unit that fits, in powers of 1,000."""
    return "-" if count is None else decimal(count)


def format_duration(seconds: float | None, digits: int = 1) -> str:
    """A time in the largest unit that fits; hours and days have that many decimals."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.{digits}f} h"
    return f"{seconds / 86_400:.{digits}f} days"


def format_age(when: float | None, now: float | None = None) -> str:
    """How long ago `when` was, in seconds since 1970; what lies ahead counts as now."""
    if when is None:
        return "-"
    return format_duration(max(0.0, (time.time() if now is None else now) - when), digits=0)


def cut_text(text: str) -> str:
    """A text as far as it is shown, and how long it is."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} … ({len(text):,} characters)"
