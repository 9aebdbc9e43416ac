"""What is typed or piped into a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from polyctl.errors import FileError


def stdin_lines(what: str) -> Iterator[str]:
    """The lines of standard input that are not empty; FileError at the end if there was none.

    A byte-order mark, as Windows puts before a text, is no part of it.
    """
    found = False
    for number, line in enumerate(sys.stdin):
        text = line.strip() if number else line.removeprefix("\ufeff").strip()
        if text:
            found = True
            yield text
    if not found:
        raise FileError(f"standard input holds no {what}", f"expected one {what} a line")
