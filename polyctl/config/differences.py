"""Settings by their dotted keys, and those in which several experiments differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from polyctl.config.schema import Experiment


def flatten_settings(experiment: Experiment) -> dict[str, Any]:
    """The settings of an experiment as `--set` names them; its own name and description are none."""
    return flatten(experiment.model_dump(mode="json"))


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The same of the tables of a config.toml."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found.update(flatten(value, f"{prefix}{key}."))
        elif prefix or key not in ("name", "description", "paper"):
            found[prefix + key] = value
    return found


def side_by_side(tables: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values of each key in all of the tables, None where it is missing."""
    keys = dict.fromkeys(key for table in tables for key in table)
    return {key: [table.get(key) for table in tables] for key in keys}


def differing(tables: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The same of the keys whose values are not all equal."""
    return {
        key: values
        for key, values in side_by_side(tables).items()
        if any(value != values[0] for value in values)
    }


def format_setting(value: Any) -> str | None:
    """A setting as `--set` takes it, None for None."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
