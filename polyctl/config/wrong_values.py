"""What is wrong with a value, in our words: pydantic's kinds of errors for settings and for options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite_number": "a finite number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def what_is_wrong(error: ErrorDetails) -> str:
    """What the value should be, for example "must be a whole number"; pydantic's message if we have none."""
    kind: str = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        value = context[bound]
        return f"must be {words} {value:,}" if abs(value) >= 10_000 else f"must be {words} {value:g}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in {"too_short", "too_long"}:
        side, bound = ("least", "min_length") if kind == "too_short" else ("most", "max_length")
        count = context[bound]
        return f"must have at {side} {count} {'entry' if count == 1 else 'entries'}"
    kept = re.match(r"[a-z]+(?=_type|_parsing|_from_float)|finite_number", kind)
    if kept is not None and kept.group() in _KINDS:
        return f"must be {_KINDS[kept.group()]}"
    message: str = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
