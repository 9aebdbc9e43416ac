"""What a data set is: its manifest.json, and the plan of one that is not finished."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from polyctl.config.as_typed import as_typed
from polyctl.config.differences import differing, flatten
from polyctl.config.registry import load_registry, smoke
from polyctl.config.schema import DataConfig
from polyctl.errors import FileError, PolyctlError
from polyctl.store.files import read_regular, write_atomic

MANIFEST_FORMAT = 1
FORCED = b"--force "  # before the plan of parts that are to replace a data set


class Manifest(BaseModel):
    """What a data set is: enough to generate it again, and to notice if a file was changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = MANIFEST_FORMAT
    experiment: str
    seed: int
    data: DataConfig
    counts: dict[str, int]
    sha256: dict[str, str]

    def plan(self) -> Manifest:
        """The same before anything is made."""
        return self.model_copy(update={"counts": {}, "sha256": {}})

    def __str__(self) -> str:
        return f"{self.experiment}, seed {self.seed}"


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a data set. Raises FileError."""
    path = directory / "manifest.json"
    try:
        return Manifest.model_validate_json(read_regular(path))
    except FileNotFoundError:
        raise FileError(f"no data set at {directory}", "generate one: polyctl gen EXPERIMENT") from None
    except ValueError as error:
        raise FileError(
            f"{path} is not a manifest: {error}", "generate the data set again with --force"
        ) from None


# -- a data set that is not finished -------------------------------------------------------------


def plan_path(directory: Path) -> Path:
    """Where the parts of a data set say what they are parts of."""
    return directory / "parts" / "plan.json"


def write_plan(directory: Path, plan: Manifest, force: bool) -> None:
    """Say what the parts are parts of, and whether they are to replace what is there."""
    write_atomic(plan_path(directory), (FORCED if force else b"") + plan.model_dump_json().encode())


def read_plan(directory: Path) -> tuple[Manifest, bool] | None:
    """What is being made there and whether by --force, None if nothing is. Raises FileError."""
    path = plan_path(directory)
    if not path.parent.is_dir() or not any(path.parent.iterdir()):
        return None
    try:
        text = read_regular(path)
        return Manifest.model_validate_json(text.removeprefix(FORCED)), text.startswith(FORCED)
    except (OSError, ValueError):
        raise FileError(
            f"{path}, which says what the parts beside it are parts of, is missing or damaged",
            "begin anew with --force, or choose another directory with --out",
        ) from None


def explain_unfinished(directory: Path) -> tuple[str, str] | None:
    """What is wrong with a directory whose data set is not finished, and how to finish it; None if it is."""
    if (directory / "manifest.json").exists():
        return None
    with suppress(FileError, OSError):
        if (found := read_plan(directory)) is not None:
            plan, forced = found
            command = command_that_continues(plan, directory, forced)
            return f"the data set at {directory} is not finished", f"`{command}` finishes it"
    return None


def explain_directory(directory: Path) -> tuple[str, str]:
    """Why a directory is no file of problems, and what to name instead."""
    if (unfinished := explain_unfinished(directory)) is not None:
        return unfinished
    files = sorted(directory.glob("*.txt"))
    tests = [path for path in files if path.name.startswith("test")]
    hint = "".join(f", such as {path}" for path in (tests or files)[:1])
    return f"{directory} is a directory, not a file of problems", f"name a file in it{hint}"


def command_that_continues(plan: Manifest, directory: Path, force: bool = False) -> str:
    """The command that makes a data set, with the settings in which it differs from its experiment's."""
    typed, settings = as_typed(plan.experiment), []
    name, _, small = typed.partition(" ")
    with suppress(PolyctlError):
        experiment = load_registry().get(name)
        usual = smoke(experiment) if small else experiment
        changed = differing([_settings(plan.data, plan.seed), _settings(usual.data, usual.seed)])
        settings = [f"{key}={json.dumps(values[0], ensure_ascii=False)}" for key, values in changed.items()]
    words = ["polyctl", "gen", *typed.split()]
    words += [word for setting in settings for word in ("--set", setting)]
    return shlex.join([*words, "--out", str(directory), *(["--force"] if force else [])])


def _settings(data: DataConfig, seed: int) -> dict[str, Any]:
    return {"seed": seed, **flatten(data.model_dump(mode="json"), "data.")}
