"""Errors that a user can cause and fix, with the exit code each one leads to."""

from __future__ import annotations

from collections.abc import Iterable

EXIT_NOT_VERIFIED = 1
EXIT_USAGE = 2
EXIT_FILE = 3
EXIT_INTERRUPTED = 130


class PolyctlError(Exception):
    """A mistake with a remedy: `message` says what is wrong and where, `hint` how to fix it."""

    exit_code = EXIT_USAGE

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PolyctlError):
    """A wrong option, name or configuration (exit code 2)."""


class ParseError(UsageError):
    """Text that is not a polynomial; `position` is the offending character's index in `text`."""

    def __init__(self, message: str, text: str, position: int, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.text = text
        self.position = position


class FileError(PolyctlError):
    """A file, data set, run or checkpoint that is missing or unreadable (exit code 3)."""

    exit_code = EXIT_FILE


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice most like `word`, or None if none is like it."""
    import difflib  # only an error needs it

    return next(iter(difflib.get_close_matches(word, list(choices), 1)), None)


def did_you_mean(word: str, choices: Iterable[str], otherwise: str | None = None) -> str | None:
    """A hint that names the nearest choice, or else `otherwise`."""
    near = nearest(word, choices)
    return f"did you mean {near}?" if near is not None else otherwise
