"""Chosen settings of many runs, from their config.toml, each read once; and the columns that a user chose."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli

from polyctl.config.differences import flatten, flatten_settings
from polyctl.config.schema import Experiment
from polyctl.errors import FileError
from polyctl.store.files import write_atomic
from polyctl.store.runs import Run

CONFIG_BYTES = 1 << 20  # a larger file is not read
MOST_COLUMNS = 20


class RunSettings:
    """The values of some settings by run; a worker calls `read`."""

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self._known: dict[str, dict[str, Any]] = {}

    def get(self, run: str, key: str) -> Any:
        """The value of a setting; None if the run has none, or if it has not been read."""
        return self._known.get(run, {}).get(key)

    def wants(self, runs: Sequence[Run], keys: Sequence[str]) -> bool:
        """Whether anything has to be read for these."""
        return bool(keys) and (tuple(keys) != self._keys or any(run.name not in self._known for run in runs))

    def read(self, runs: Sequence[Run], keys: Sequence[str]) -> None:
        """Read these settings of the runs whose settings are not known."""
        known = self._known if tuple(keys) == self._keys else {}
        for run in runs:
            if run.name not in known:
                settings = _read(run)
                known[run.name] = {key: settings[key] for key in keys if key in settings}
        self._keys, self._known = tuple(keys), known


def _read(run: Run) -> dict[str, Any]:
    try:
        with run.config_path.open("rb") as file:
            return flatten(tomli.loads(file.read(CONFIG_BYTES).decode("utf-8-sig")))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError):
        return {}


def list_settings() -> list[str]:
    """All settings that a run can have."""
    return list(flatten_settings(Experiment(name="any")))


def load_columns(path: Path) -> list[str]:
    """The columns that were chosen last; none if there is no such file, or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [name for name in found if isinstance(name, str)][:MOST_COLUMNS] if isinstance(found, list) else []


def save_columns(path: Path, columns: Sequence[str]) -> None:
    """Keep the chosen columns for the next session, if that is possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(list(columns)) + "\n")
    except (OSError, FileError):
        return
