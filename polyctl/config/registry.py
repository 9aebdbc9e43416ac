"""experiments.toml read into typed experiments: defaults, inheritance, templates over a grid.

A table `[experiment.NAME]` inherits from the experiment that its `extends` names, and that from `[defaults]`;
a name that begins with an underscore is a parent only. A table with a `grid` is a template: its name and its
strings may hold `{placeholders}`, and it stands for one experiment for each point of the grid.
"""

from __future__ import annotations

import fnmatch
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli
import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from polyctl.config.renamed import renamed_hint
from polyctl.config.schema import Experiment
from polyctl.errors import FileError, UsageError, did_you_mean, nearest

FILE_NAME = "experiments.toml"


def packaged_registry(package: Path) -> Path:
    """The experiments.toml that comes with the package: inside it if installed, beside it in a clone."""
    installed = package / FILE_NAME
    return installed if installed.is_file() else package.parent / FILE_NAME


PACKAGED = packaged_registry(Path(__file__).resolve().parents[1])
PLACEHOLDER = re.compile(r"\{(\w+)\}")
Values = dict[str, Any]


@dataclass(frozen=True)
class Registry:
    """All experiments of one file, in its order."""

    path: Path
    experiments: Mapping[str, Experiment]

    def names(self) -> list[str]:
        """The names of all experiments, as ordered in the file."""
        return list(self.experiments)

    def get(self, name: str) -> Experiment:
        """The experiment of that name; UsageError with the nearest name where there is none."""
        if name in self.experiments:
            return self.experiments[name]
        raise UsageError(f"no experiment is named {name!r} in {self.path}", self._hint(name))

    def matching(self, patterns: Sequence[str] = ()) -> list[Experiment]:
        """The experiments whose name fits one of the patterns (`d2_arch_*`), in order; all without patterns.

        Raises UsageError where a pattern fits none.
        """
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(name, pattern) for name in self.experiments):
                raise UsageError(f"no experiment fits {pattern!r} in {self.path}", self._hint(pattern))
        fits = [
            n for n in self.experiments if not patterns or any(fnmatch.fnmatchcase(n, p) for p in patterns)
        ]
        return [self.experiments[name] for name in fits]

    def _hint(self, name: str) -> str | None:
        return did_you_mean(name, self.experiments, "`polyctl experiments list` shows all")


@dataclass(frozen=True)
class _Table:
    """One table of the file, its placeholders filled in; `label` is how the file writes its header."""

    label: str
    extends: str | None
    values: Values


# -- reading ---------------------------------------------------------------------------------------


def load_registry(path: Path | None = None) -> Registry:
    """Read and check a whole registry file: `path`, or the one that find_registry finds.

    Raises FileError where the file cannot be read; where it is wrong, UsageError naming file, table, key and
    the nearest right one.
    """
    path = find_registry(path)
    raw = _read_toml(path)
    for key in raw.keys() - {"defaults", "experiment"}:
        raise UsageError(
            f"{path}: [{key}] is no table of a registry",
            did_you_mean(key, ["defaults", "experiment"], "the tables are [defaults] and [experiment.NAME]"),
        )
    defaults = _Table("defaults", None, _table(raw.get("defaults", {}), path, "defaults"))
    tables = dict(_expand(_table(raw.get("experiment", {}), path, "experiment"), path))
    _build("defaults", [defaults], path)
    experiments = {name: _build(name, [*_chain(name, tables, path), defaults], path) for name in tables}
    return Registry(path, {n: e for n, e in experiments.items() if not n.startswith("_")})


def find_registry(path: Path | None = None) -> Path:
    """The file in force: `path`, POLYCTL_REGISTRY, experiments.toml here or in a parent, the packaged one."""
    if path is None and os.environ.get("POLYCTL_REGISTRY"):
        path = Path(os.environ["POLYCTL_REGISTRY"])
    if path is not None:
        return path
    here = Path.cwd()
    return next((p for d in (here, *here.parents) if (p := d / FILE_NAME).is_file()), PACKAGED)


def _read_toml(path: Path) -> Values:
    try:
        return tomli.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(
            f"there is no registry at {path}", "correct --registry or POLYCTL_REGISTRY, or leave both out"
        ) from None
    except OSError as error:
        raise FileError(f"the registry {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomli.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", "mend the file at that line") from error


def _table(value: Any, path: Path, label: str) -> Values:
    if isinstance(value, dict):
        return value
    raise UsageError(f"{path}: {label} must be a table, not {value!r}", f"write it as [{label}]")


# -- templates -------------------------------------------------------------------------------------


def _expand(raw: Values, path: Path) -> Iterator[tuple[str, _Table]]:
    """Every experiment that the tables stand for, templates filled in with each point of their grid."""
    seen: dict[str, str] = {}
    for written, value in raw.items():
        label = f'experiment."{written}"' if PLACEHOLDER.search(written) else f"experiment.{written}"
        values = dict(_table(value, path, label))
        where = f"{path}: [{label}]"
        grid = values.pop("grid", None)
        if grid is None and PLACEHOLDER.search(written):
            raise UsageError(f"{where} has placeholders in its name but no grid", "add grid.NAME = [...]")
        for point in [None] if grid is None else _points(grid, where):
            name = written if point is None else str(_fill(written, point, where, as_text=True))
            filled = values if point is None else _fill(values, point, where)
            if name in seen:
                raise UsageError(
                    f"{where} defines {name} a second time, after [{seen[name]}]",
                    "rename one, or use every placeholder of the grid in the name",
                )
            seen[name] = label
            extends = filled.get("extends")
            if extends is not None and not isinstance(extends, str):
                raise UsageError(f"{where} extends: must be the name of one experiment, not {extends!r}")
            if "name" in filled:
                raise UsageError(f"{where} name: an experiment is named by its table", "take the key out")
            yield name, _Table(label, extends, {k: v for k, v in filled.items() if k != "extends"})


def _points(grid: Any, where: str) -> Iterator[Values]:
    """The points of a grid: a table of lists is their product, an array of tables one after the other."""
    for part in grid if isinstance(grid, list) else [grid]:
        if not isinstance(part, dict) or not part or [] in part.values():
            raise UsageError(
                f"{where} grid: must be a table of lists, or an array of tables, none of them empty",
                "for example grid.width = [256, 512]",
            )
        axes = [value if isinstance(value, list) else [value] for value in part.values()]
        for values in itertools.product(*axes):
            yield dict(zip(part, values, strict=True))


def _fill(value: Any, point: Values, where: str, as_text: bool = False) -> Any:
    """`value`, its placeholders filled in; a string that is one placeholder takes the type of its value."""
    if isinstance(value, dict):
        return {key: _fill(item, point, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, point, where) for item in value]
    if not isinstance(value, str):
        return value
    for name in PLACEHOLDER.findall(value):
        if name not in point:
            raise UsageError(
                f"{where} uses {{{name}}} in {value!r}, which its grid does not have",
                did_you_mean(name, point, f"the grid has {', '.join(point)}"),
            )
    whole = PLACEHOLDER.fullmatch(value)
    if whole and not as_text:
        return point[whole[1]]
    return PLACEHOLDER.sub(lambda match: str(point[match[1]]), value)


# -- inheritance -----------------------------------------------------------------------------------


def _chain(name: str, tables: Mapping[str, _Table], path: Path) -> list[_Table]:
    """The table of `name` and those it extends, nearest first."""
    chain = [name]
    while (parent := tables[chain[-1]].extends) is not None:
        where = f"{path}: [{tables[chain[-1]].label}] extends: "
        if parent not in tables:
            raise UsageError(
                f"{where}there is no experiment {parent!r}",
                did_you_mean(parent, tables, "extends takes the name of another experiment of this file"),
            )
        if parent in chain:
            raise UsageError(
                f"{where}goes in a circle: {' -> '.join([*chain, parent])}", "take out one of these extends"
            )
        chain.append(parent)
    return [tables[link] for link in chain]


def _build(name: str, chain: Sequence[_Table], path: Path) -> Experiment:
    values: Values = {}
    for table in reversed(chain):
        values = _merge(values, table.values)
    try:
        return _validate({**values, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        key = _key(first)
        owner = next((table for table in chain if _holds(table.values, key)), chain[0])
        message, hint = _explain(first)
        raise UsageError(f"{path}: [{owner.label}] {message}", hint) from error


def _merge(base: Values, over: Values) -> Values:
    """`base` with the keys of `over` laid over it, table by table."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _holds(values: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


# -- checking --------------------------------------------------------------------------------------


def _validate(values: Values) -> Experiment:
    # By way of JSON, where strict mode takes a list for a tuple and yet no text for a number.
    return Experiment.model_validate_json(json.dumps(values, default=str), strict=True)


def _key(error: ErrorDetails) -> str:
    """The dotted key that an error is about, without indices into lists."""
    return ".".join(part for part in error["loc"] if isinstance(part, str) and part[:1].isalpha())


def _explain(error: ErrorDetails) -> tuple[str, str | None]:
    """Which key is wrong and why, and how to mend it."""
    key, given = _key(error), error["input"]
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key", _key_hint(key)
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{key}: {message}" if key else message, None
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"]) if error["type"] == "literal_error" else []
    return f"{key} = {given!r}: {message[:1].lower()}{message[1:]}", did_you_mean(str(given), choices)


def keys(model: type[BaseModel] = Experiment, prefix: str = "") -> list[str]:
    """Every dotted key that a table of the registry may have, such as train.lr."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += keys(kind, f"{prefix}{name}.")
        elif prefix or name != "name":
            found.append(prefix + name)
    return found


def _key_hint(key: str) -> str:
    if hint := renamed_hint(key):
        return hint
    known = keys()
    if inside := [right for right in known if right.startswith(f"{key}.")]:
        return f"{key} is a table; its keys are {', '.join(inside)}"
    section, _, last = key.rpartition(".")
    siblings = {right.rpartition(".")[2]: right for right in known if right.startswith(f"{section}.")}
    anywhere = {right.rpartition(".")[2]: right for right in reversed(known)}
    for choices in (siblings, anywhere):
        if near := nearest(last, choices):
            return f"did you mean {choices[near]}?"
    if siblings:
        return f"the keys are {', '.join(siblings.values())}"
    return "`polyctl experiments show smoke` shows every key"


# -- changing an experiment ------------------------------------------------------------------------


def override(experiment: Experiment, settings: Iterable[str]) -> Experiment:
    """`experiment` with settings such as `train.lr=1e-3` laid over it.

    A value is read as a TOML literal, or else taken as a string.
    Raises UsageError that names the key and the nearest right one.
    """
    changes: Values = {}
    for setting in settings:
        key, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or not key:
            raise UsageError(f"{setting!r} sets nothing", "write KEY=VALUE, for example --set train.lr=1e-3")
        if key not in keys():
            raise UsageError(f"{setting!r}: there is no key {key!r}", _key_hint(key))
        value: Any = _literal(text)
        for part in reversed(key.split(".")):
            value = {part: value}
        changes = _merge(changes, value)
    try:
        return _with(experiment, changes)
    except ValidationError as error:
        message, hint = _explain(error.errors()[0])
        raise UsageError(message, hint) from error


def _literal(text: str) -> Any:
    try:
        table = tomli.loads(f"value = {text}")
    except tomli.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text


def smoke(experiment: Experiment) -> Experiment:
    """`experiment` shrunk to well under a minute on one CPU core: a tiny model, twenty steps, fresh problems.

    Family, tokenizer, form and block stay, so that the same code runs. The name gets `_smoke`, so that its
    runs never stand in for real ones.
    """
    name = experiment.name if experiment.name.endswith("smoke") else f"{experiment.name}_smoke"
    data, evaluation = experiment.data, experiment.eval
    return _with(
        experiment,
        {
            "name": name,
            "data": {"train_size": min(data.train_size, 200), "valid_size": 8, "test_size": 8},
            "model": {"layers": 2, "heads": 2, "width": 32},
            "train": {
                "source": "stream",
                "repeat_size": min(experiment.train.repeat_size, 16),
                "steps": 20,
                "epochs": 0,
                "batch": 8,
                "accumulate": 1,
                "warmup": 5,
                "compile": "off",
                "workers": 0,
                "eval_every": 10,
                "eval_problems": 4,
                "init_from": None,
            },
            "eval": {"beam": min(evaluation.beam, 4), "problems": min(evaluation.problems, 8)},
        },
    )


def _with(experiment: Experiment, changes: Values) -> Experiment:
    return _validate(_merge(experiment.model_dump(mode="json"), changes))


def to_toml(experiment: Experiment) -> str:
    """The resolved experiment as TOML text; keys without a value are left out."""
    return tomli_w.dumps(experiment.model_dump(mode="json", exclude_none=True))
