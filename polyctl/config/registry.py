"""experiments.toml read into typed experiments: defaults, inheritance, templates over a grid.

A table `[experiment.NAME]` inherits from the experiment that its `extends` names, and that from `[defaults]`;
a name that begins with an underscore is a parent only. A table with a `grid` is a template: its name and its
strings may hold `{placeholders}`, and it stands for one experiment for each point of the grid.

Any other file extends the packaged one: its own names come first and win over equal packaged names, and its
tables may extend packaged experiments. Its own `[defaults]` apply to its own experiments only.
"""

from __future__ import annotations

import ast
import fnmatch
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from polyctl.config.as_typed import as_typed, command_that_trains
from polyctl.config.renamed import renamed_hint, usual_name
from polyctl.config.schema import AlgorithmName, Experiment
from polyctl.config.templates import Table, Values, as_table, expand
from polyctl.config.toml import parse_toml
from polyctl.config.wrong_values import what_is_wrong
from polyctl.errors import FileError, UsageError, did_you_mean, nearest

FILE_NAME = "experiments.toml"


def packaged_registry(package: Path) -> Path:
    """The experiments.toml that comes with the package: inside it if installed, beside it in a clone."""
    installed = package / FILE_NAME
    return installed if installed.is_file() else package.parent / FILE_NAME


PACKAGED = packaged_registry(Path(__file__).resolve().parents[1])


@dataclass(frozen=True)
class Registry:
    """All experiments in force: those of the file at `path` in its order, then the packaged ones."""

    path: Path
    experiments: Mapping[str, Experiment]
    files: Mapping[str, Path]  # by name, the file that the experiment comes from

    def names(self) -> list[str]:
        """The names of all experiments, in order."""
        return list(self.experiments)

    @property
    def paths(self) -> list[Path]:
        """The files that experiments come from, `path` first."""
        return list(dict.fromkeys([self.path, *self.files.values()]))

    def get(self, name: str) -> Experiment:
        """The experiment of that name; UsageError with the nearest name if there is none."""
        if name in self.experiments:
            return self.experiments[name]
        raise UsageError(f"no experiment is named {name!r} in {self._where}", self._hint(name))

    def matching(self, patterns: Sequence[str] = ()) -> list[Experiment]:
        """The experiments whose name fits one of the patterns (`d2_arch_*`), in order; all without patterns.

        Raises UsageError if a pattern fits none.
        """
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(name, pattern) for name in self.experiments):
                raise UsageError(f"no experiment fits {pattern!r} in {self._where}", self._hint(pattern))
        fits = [
            n for n in self.experiments if not patterns or any(fnmatch.fnmatchcase(n, p) for p in patterns)
        ]
        return [self.experiments[name] for name in fits]

    @property
    def _where(self) -> str:
        return " or ".join(map(str, self.paths))

    def _hint(self, name: str) -> str | None:
        base = as_typed(name).partition(" ")[0]
        if base in self.experiments:
            trains = command_that_trains(name)
            return f"the experiment is called {base}; {name} is what `polyctl {trains}` trains"
        return did_you_mean(name, self.experiments, "`polyctl experiments list` shows all")


@dataclass(frozen=True)
class _File:
    """One registry file, its templates filled in; `below` is the file that it extends."""

    path: Path
    defaults: Table
    tables: Mapping[str, Table]
    below: _File | None = None


# -- reading ---------------------------------------------------------------------------------------


def load_registry(path: Path | None = None) -> Registry:
    """Read and check a registry file and the packaged one below it: `path`, or what find_registry finds.

    Raises FileError if a file cannot be read; if one is wrong, UsageError naming file, table, key and the
    nearest right one.
    """
    file = _read(find_registry(path))
    if file.path.resolve() != PACKAGED.resolve():
        file = replace(file, below=_read(PACKAGED))
    experiments: dict[str, Experiment] = {}
    files: dict[str, Path] = {}
    for one in (file, file.below):
        if one is None:
            continue
        _build("defaults", [one.defaults])
        for name in one.tables:
            experiment = _build(name, _chain(name, one))
            if not name.startswith("_") and name not in experiments:
                experiments[name], files[name] = experiment, one.path
    return Registry(file.path, experiments, files)


def load_experiment(
    name: str, settings: Iterable[str] = (), *, small: bool = False, registry: Path | None = None
) -> Experiment:
    """The experiment of that name, shrunk to smoke size if `small`, then with `settings` applied."""
    experiment = load_registry(registry).get(name)
    return override(smoke(experiment) if small else experiment, settings)


def find_registry(path: Path | None = None) -> Path:
    """The file in force: `path`, POLYCTL_REGISTRY, experiments.toml here or in a parent, the packaged one."""
    if path is None and os.environ.get("POLYCTL_REGISTRY"):
        path = Path(os.environ["POLYCTL_REGISTRY"])
    if path is not None:
        return path
    here = Path.cwd()
    return next((p for d in (here, *here.parents) if (p := d / FILE_NAME).is_file()), PACKAGED)


def _read(path: Path) -> _File:
    raw = _read_toml(path)
    for key in raw.keys() - {"defaults", "experiment"}:
        raise UsageError(
            f"{path}: unknown table [{key}]",
            did_you_mean(key, ["defaults", "experiment"], "the tables are [defaults] and [experiment.NAME]"),
        )
    defaults = Table(path, "defaults", None, as_table(raw.get("defaults", {}), path, "defaults"))
    return _File(path, defaults, dict(expand(as_table(raw.get("experiment", {}), path, "experiment"), path)))


def _read_toml(path: Path) -> Values:
    try:
        return parse_toml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileError(
            f"there is no registry at {path}", "correct --registry or POLYCTL_REGISTRY, or leave both out"
        ) from None
    except OSError as error:
        raise FileError(f"the registry {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {error}", "fix the TOML syntax at that line") from error


# -- inheritance -----------------------------------------------------------------------------------


def _chain(name: str, file: _File) -> list[Table]:
    """What an experiment is made of, nearest first: its table, those it extends, defaults of their files."""
    chain, defaults, links = [file.tables[name]], [file.defaults], [name]
    while (parent := chain[-1].extends) is not None:
        below = file.below
        if below and parent in below.tables and (parent not in file.tables or parent == links[-1]):
            file, links = below, []  # a table that extends its own name takes up the packaged one
            defaults.append(file.defaults)
        elif parent not in file.tables:
            known = [*file.tables, *(below.tables if below else ())]
            raise UsageError(
                f"{chain[-1].place} extends: there is no experiment {parent!r}",
                did_you_mean(parent, known, "extends takes the name of another experiment"),
            )
        if parent in links:
            raise UsageError(
                f"{chain[-1].place} extends: goes in a circle: {' -> '.join([*links, parent])}",
                "remove one of these extends",
            )
        links.append(parent)
        chain.append(file.tables[parent])
    return [*chain, *defaults]


def _build(name: str, chain: Sequence[Table]) -> Experiment:
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
        raise UsageError(f"{owner.place} {message}", hint) from error


def _merge(base: Values, over: Values) -> Values:
    """`base` with the keys of `over` applied on top of it, table by table."""
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
    """Which key is wrong and why, and how to fix it."""
    key, given = _key(error), error["input"]
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key", _key_hint(key)
    message = what_is_wrong(error)
    if error["type"] == "value_error":
        return f"{key}: {message}" if key else message, None
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"]) if error["type"] == "literal_error" else []
    return f"{key} = {given!r}: {message}", did_you_mean(str(given), choices)


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
        if (usual := usual_name(last)) in choices:
            return f"did you mean {choices[usual]}?"
    for choices in (siblings, anywhere):
        if near := nearest(last, choices):
            return f"did you mean {choices[near]}?"
    if siblings:
        return f"the keys are {', '.join(siblings.values())}"
    return "`polyctl experiments show smoke` shows every key"


# -- changing an experiment ------------------------------------------------------------------------


def override(experiment: Experiment, settings: Iterable[str]) -> Experiment:
    """`experiment` with settings such as `train.lr=1e-3` applied on top of it.

    A value is read as a TOML literal, else as one of Python, else taken as a string.
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
        table = parse_toml(f"value = {text}")
    except ValueError:
        return _python_literal(text)
    value = table["value"] if len(table) == 1 else text
    if isinstance(value, float) and "." not in text and value.is_integer():
        return int(value)  # 1e3, which may be meant as a whole number
    return value


def _python_literal(text: str) -> Any:
    """A number, list or constant as Python writes it (.5, 5., True, None, (2, 3)), else the text itself."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if value is None or isinstance(value, (bool, int, float, str, list, tuple)) else text


def smoke(experiment: Experiment, *, alone: bool = True) -> Experiment:
    """`experiment` shrunk to well under a minute on one CPU core: a tiny model, few steps, fresh problems.

    Family, tokenizer, architecture and context length stay, so that the same code runs. The name gets
    `_smoke`, so that its runs never stand in for real ones. If not `alone`, it is still trained on its data
    set, and starts from the smoke run of the experiment that it starts from.
    """
    name = _smoke_name(experiment.name)
    data, train, evaluation = experiment.data, experiment.train, experiment.eval
    source = "stream" if alone else train.source
    start, rl_start = (None if alone else _smoke_start(one.init_from) for one in (train, experiment.rl))
    return _with(
        experiment,
        {
            "name": name,
            "data": {"train_size": min(data.train_size, 200), "valid_size": 8, "test_size": 8},
            "model": {"layers": 2, "heads": 2, "width": 32},
            "train": {
                "source": source,
                "repeat_size": min(train.repeat_size, 16),
                "steps": 8,
                "epochs": 0,
                "batch": 8,
                "accumulate": 1,
                "warmup": 2,
                "compile": "off",
                "workers": 0,
                "eval_every": 4,
                "eval_problems": 4,
                "init_from": start,
            },
            "eval": {
                "beam": min(evaluation.beam, 4),
                "max_tokens": min(evaluation.max_tokens, 24),
                "problems": min(evaluation.problems, 8),
            },
            "rl": {
                "init_from": rl_start,
                "steps": 4,
                "groups_per_step": 4,
                "group_size": 4,
                "pool_candidates": min(experiment.rl.pool_candidates, 8),
                "pool_refresh_every": 2,
                "max_redraws": 1,
                "eval_every": 2,
                "updates_per_step": 2,
                "examples_every": 2,
                "solver_seconds": 0.2,
            },
        },
    )


def _smoke_name(name: str) -> str:
    """The name of a smoke run; that of reinforcement learning keeps the algorithm at its end."""
    base, _, last = name.rpartition("_")
    if base and last in get_args(AlgorithmName):
        return f"{_smoke_name(base)}_{last}"
    return name if name.endswith("smoke") else f"{name}_smoke"


def _smoke_start(name: str | None) -> str | None:
    """The smoke run of the experiment that another starts from, None for a model file."""
    return None if name is None or name.endswith(".safetensors") else _smoke_name(name.partition("/")[0])


def _with(experiment: Experiment, changes: Values) -> Experiment:
    return _validate(_merge(experiment.model_dump(mode="json"), changes))


def to_toml(experiment: Experiment) -> str:
    """The resolved experiment as TOML text; keys without a value are left out."""
    return tomli_w.dumps(experiment.model_dump(mode="json", exclude_none=True))
