"""What is typed or piped into a command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from polyctl.errors import FileError, UsageError

_FILE_NAME = re.compile(r"[\w./\\~:-]*[\w-]\.(?:txt|csv|tsv|json|jsonl|tex|dat|md)")


def refuse_file_name(text: str) -> None:
    """UsageError if the text of a polynomial is the name of a file."""
    if _FILE_NAME.fullmatch(text):
        raise UsageError(
            f"{text} is the name of a file", "polyctl decompose - < FILE reads a polynomial a line"
        )


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
