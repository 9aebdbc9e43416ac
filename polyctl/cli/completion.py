"""What the shell offers when the tab key is pressed: names of experiments, of runs and of plans.

A failure offers nothing, because its message would land in what is being typed.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, get_args

import typer

if TYPE_CHECKING:
    from polyctl.store.runs import Run


def experiment_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Experiments of the registry in force, or of the --registry that stands before."""
    try:
        from polyctl.config.registry import load_registry

        return [name for name in load_registry(ctx.params.get("registry")).names() if _fits(name, incomplete)]
    except Exception:
        return []


def run_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs and the experiments that have some, newest first, in the runs or the --runs that stands before.

    The bundled run is one of them.
    """
    try:
        from polyctl.store.runs import shipped_run

        bundled = [shipped_run()] if shipped_run().has_checkpoint else []
        runs = [*_runs(ctx), *bundled]
        return _fitting([*(run.experiment for run in runs), *(run.name for run in runs)], incomplete)
    except Exception:
        return []


def listed_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same without the bundled run, which no list shows."""
    try:
        runs = _runs(ctx)
        return _fitting([*(run.experiment for run in runs), *(run.name for run in runs)], incomplete)
    except Exception:
        return []


def single_run_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs alone, EXPERIMENT/ID."""
    try:
        return _fitting([run.name for run in _runs(ctx)], incomplete)
    except Exception:
        return []


def _runs(ctx: typer.Context) -> "list[Run]":
    from polyctl.store.runs import list_runs

    return list_runs(ctx.params.get("runs"))


def report_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Plans of `polyctl report`, and experiments."""
    try:
        from polyctl.reports.names import PLAN_NAMES
    except Exception:
        return []
    plans = [name for name in PLAN_NAMES if _fits(name, incomplete)]
    return plans + [name for name in experiment_names(ctx, incomplete) if name not in plans]


DEVICES = ("auto", "cpu", "cuda")


def device_names(incomplete: str) -> list[str]:
    """What --device takes."""
    return [name for name in DEVICES if _fits(name, incomplete)]


def method_names(incomplete: str) -> list[str]:
    """What --method takes."""
    from polyctl.solving.methods import CHOICES

    return _fitting(CHOICES, incomplete)


def solver_names(incomplete: str) -> list[str]:
    """What --solver takes."""
    from polyctl.solving.methods import CHOICES

    return _fitting(["all", *CHOICES[1:]], incomplete)


def checkpoint_names(incomplete: str) -> list[str]:
    """What --checkpoint takes."""
    from polyctl.store.evaluation_report import CheckpointName

    return _fitting(get_args(CheckpointName), incomplete)


def algorithm_names(incomplete: str) -> list[str]:
    """What --algo takes."""
    from polyctl.config.schema import AlgorithmName

    return _fitting(get_args(AlgorithmName), incomplete)


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if _fits(name, incomplete)]


def _fits(name: str, incomplete: str) -> bool:
    return name.startswith(incomplete)
