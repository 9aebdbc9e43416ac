"""TOML from text, whatever the text is."""

from __future__ import annotations

from typing import Any

import tomli


def parse_toml(text: str) -> dict[str, Any]:
    """The table that the text stands for. Raises ValueError that says what is wrong and where."""
    try:
        return tomli.loads(text)
    except RecursionError:
        raise ValueError("brackets are nested too deeply") from None
    except tomli.TOMLDecodeError:
        raise
    except ValueError as error:
        if "integer string conversion" in str(error):
            raise ValueError("a number has too many digits") from None
        raise
