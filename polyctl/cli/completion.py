"""What the shell offers when the tab key is pressed: names of experiments, of runs and of plans.

A failure offers nothing, because its message would land in what is being typed.
"""

# No `from __future__ import annotations`: Typer looks at the types of the parameters.

import typer


def experiment_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Experiments of the registry in force, or of the --registry that stands before."""
    try:
        from polyctl.config.registry import load_registry

        return [name for name in load_registry(ctx.params.get("registry")).names() if _fits(name, incomplete)]
    except Exception:
        return []


def run_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs and the experiments that have some, newest first, in the runs or the --runs that stands before."""
    try:
        from polyctl.store.runs import list_runs, shipped_run

        runs = list_runs(ctx.params.get("runs"))
        if shipped_run().has_checkpoint:
            runs.append(shipped_run())
        names = dict.fromkeys([*(run.experiment for run in runs), *(run.name for run in runs)])
        return [name for name in names if _fits(name, incomplete)]
    except Exception:
        return []


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

    return [name for name in CHOICES if _fits(name, incomplete)]


def _fits(name: str, incomplete: str) -> bool:
    return name.startswith(incomplete)
