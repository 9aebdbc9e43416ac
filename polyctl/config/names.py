"""The names of experiments and runs, from which paths below the runs and the data are made."""

from __future__ import annotations

import re

NAME_RULE = "a name has up to 100 letters, digits, _ . -, and begins with a letter, a digit or _"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def is_name(text: str) -> bool:
    """Whether an experiment or the directory of one of its runs may be called that."""
    return _NAME.fullmatch(text) is not None


def is_run_name(text: str) -> bool:
    """Whether the text is EXPERIMENT or EXPERIMENT/ID."""
    experiment, slash, identifier = text.partition("/")
    return is_name(experiment) and (not slash or is_name(identifier))


def check_name(text: str) -> str:
    """The text if it is a name. Raises ValueError."""
    if not is_name(text):
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        raise ValueError(f"{shown!r} is not allowed: {NAME_RULE}")
    return text
