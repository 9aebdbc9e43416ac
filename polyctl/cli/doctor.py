"""polyctl doctor: what is installed, which places and which model are in use, and what is broken."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import typer

from polyctl import __version__
from polyctl.cli import output
from polyctl.cli.options import JsonOption, RegistryOption, RunsOption
from polyctl.errors import FileError, PolyctlError
from polyctl.formatting import format_bytes

NEEDED = {  # by distribution, the module that must be importable
    "torch": "torch",
    "python-flint": "flint",
    "sympy": "sympy",
    "numpy": "numpy",
    "pydantic": "pydantic",
    "safetensors": "safetensors",
    "filelock": "filelock",
    "threadpoolctl": "threadpoolctl",
    "tomli": "tomli",
    "tomli-w": "tomli_w",
    "textual": "textual",
    "rich": "rich",
    "typer": "typer",
}
EXTRAS = {  # by extra, its modules by distribution, and what they are for
    "gpu": ({"flash-attn": "flash_attn"}, "attention on a GPU"),
    "web": ({"textual-serve": "textual_serve"}, "tui --serve"),
    "track": ({"trackio": "trackio"}, "rl --track"),
    "figures": ({"matplotlib": "matplotlib"}, "report --figures"),
    "slurm": ({"submitit": "submitit"}, "experiments run --launch"),
    "hf": ({"transformers": "transformers", "tokenizers": "tokenizers"}, "export, import"),
}
VARIABLES = ("POLYCTL_RUNS", "POLYCTL_REGISTRY", "POLYCTL_SHIPPED", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")

Group = Literal["software", "machine", "places", "extras", "environment"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `missing` is no fault, `broken` is."""

    group: Group
    name: str
    value: str | None
    state: Literal["ok", "missing", "broken"] = "ok"
    hint: str | None = None


def doctor(runs: RunsOption = None, registry: RegistryOption = None, as_json: JsonOption = False) -> None:
    """Show versions, devices, places and the model in use, and what is missing or broken.

    Exit codes: 0 all that is needed works; 1 something is broken.
    """
    found = [*_software(), *_machine(), *_places(runs, registry), *_extras(), *_environment()]
    healthy = all(check.state != "broken" for check in found)
    if as_json:
        output.print_json({"healthy": healthy, "checks": [asdict(check) for check in found]})
    else:
        _print(found)
        if healthy:
            output.say("all that is needed works")
    if not healthy:
        raise typer.Exit(1)


def _print(found: list[Check]) -> None:
    """One line for each, under the name of its group, and the faults on stderr."""
    wide = max(len(check.name) for check in found)
    group = None
    for check in found:
        if check.group != group:
            group = check.group
            print(group)
        value = check.value if check.state == "ok" else f"{check.state}: {check.value or check.hint}"
        print(f"  {check.name:<{wide}}  {value}")
    for check in found:
        if check.state == "broken":
            output.print_problem(f"{check.name}: {check.value}", check.hint)


# -- what is looked at -----------------------------------------------------------------------------


def _software() -> Iterator[Check]:
    yield Check("software", "polyctl", f"{__version__} in {Path(__file__).resolve().parents[1]}")
    yield Check("software", "Python", f"{platform.python_version()} at {sys.executable}")
    for name, module in NEEDED.items():
        try:
            import_module(module)
        except Exception as error:  # a library that fails while it is imported may raise anything
            hint = f"pip install --force-reinstall {name}"
            yield Check("software", name, f"cannot be imported: {error}", "broken", hint)
        else:
            yield Check("software", name, _version(name))


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> Iterator[Check]:
    from polyctl.runtime.machine import cores, memory_bytes

    yield Check("machine", "system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield Check("machine", "cores", str(cores()))
    yield Check("machine", "memory", format_bytes(memory_bytes()))
    try:
        import torch
    except Exception:  # _software has said why
        return
    yield Check("machine", "threads", f"{torch.get_num_threads()} of torch")
    gpus = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    for number, gpu in enumerate(gpus):
        yield Check("machine", f"cuda:{number}", f"{gpu.name}, {format_bytes(gpu.total_memory)}")
    if not gpus:
        yield Check("machine", "cuda", "no GPU that this torch can use: the CPU computes")


def _places(runs: Path | None, registry: Path | None) -> Iterator[Check]:
    from polyctl.config.registry import find_registry, load_registry
    from polyctl.store.runs import existing_root, list_runs

    try:
        loaded = load_registry(registry)
        yield Check("places", "registry", f"{find_registry(registry)}, {len(loaded.names())} experiments")
    except PolyctlError as error:
        yield Check("places", "registry", error.message, "broken", error.hint)
    try:
        root = existing_root(runs)
        if root.is_dir() and not os.access(root, os.W_OK):
            raise FileError(f"{root} cannot be written", "name another place with --runs or POLYCTL_RUNS")
        count = len(list_runs(root))
        yield Check("places", "runs", f"{root.absolute()}, {count} run{'s' * (count != 1)}")
    except PolyctlError as error:
        yield Check("places", "runs", error.message, "broken", error.hint)
        return
    yield _model(root)


def _model(root: Path) -> Check:
    """The model that eval and decompose take if none is named, read as they read it."""
    from polyctl.store.runs import check_shipped, default_run

    try:
        check_shipped()
        try:
            run = default_run(root)
        except FileError as error:
            return Check("places", "model", error.message, "missing", error.hint)
        from polyctl.model.serialization import load_model

        loaded = load_model(run.weights(), "cpu")
    except PolyctlError as error:
        return Check("places", "model", error.message, "broken", error.hint)
    except ImportError as error:
        return Check("places", "model", f"cannot be read: {error}", "broken", None)
    return Check("places", "model", f"{run.path}, {loaded.model.parameter_count():,} parameters")


def _extras() -> Iterator[Check]:
    for extra, (modules, purpose) in EXTRAS.items():
        if all(find_spec(module) for module in modules.values()):
            versions = ", ".join(f"{name} {_version(name)}" for name in modules)
            yield Check("extras", extra, f"{versions} ({purpose})")
        else:
            hint = f"pip install 'polyctl[{extra}]'"
            yield Check("extras", extra, f"for {purpose}: {hint}", "missing", hint)


def _environment() -> Iterator[Check]:
    for name in VARIABLES:
        if name in os.environ:
            yield Check("environment", name, os.environ[name])
