"""What commands share: options, declared once each, whose defaults the commands give, and groups."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from polyctl.errors import UsageError

RegistryOption = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        help="Experiments file (default: POLYCTL_REGISTRY, or the nearest experiments.toml).",
    ),
]
RunsOption = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Directory of the runs (default: POLYCTL_RUNS, or ./runs)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
VariablesOption = Annotated[
    str | None,
    typer.Option("--variables", metavar="X,...", help="All variables, so that words can be names."),
]
AtomsOption = Annotated[
    bool, typer.Option("--atoms", help="Read functions, roots and 1/x as variables: sin(x), sqrt(2).")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Seed to use instead of the experiment's.")
]
DeviceOption = Annotated[str, typer.Option("--device", metavar="DEVICE", help="auto, cpu or cuda.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, e.g. train.lr=1e-3; may be repeated."),
]
MinutesOption = Annotated[
    float | None,
    typer.Option(
        "--max-minutes",
        metavar="M",
        min=0,
        help="Stop after M minutes, so that the run can be resumed (exit code 0).",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Estimate the cost without training.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
SmokeOption = Annotated[bool, typer.Option("--smoke", help="Run a version that takes seconds.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", min=1, help="Threads of this process (default: one for a small model)."),
]
BeamOption = Annotated[
    int | None,
    typer.Option(
        "--beam", min=1, max=1000, metavar="WIDTH", help="Beam width to use instead of the experiment's."
    ),
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Only the first N problems.")
]
ExperimentArgument = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="An experiment (`polyctl experiments` lists them).")
]
RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="EXPERIMENT/ID, EXPERIMENT for its newest run, or a run's directory."),
]


class ListByDefault(TyperGroup):
    """A group that lists if no command is given: `runs --json` is `runs list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        asks_for_help = bool(args) and args[0] in ctx.help_option_names
        if not asks_for_help and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def names_in(names: str | None, option: str) -> list[str] | None:
    """The names given to an option; UsageError if there are none."""
    from polyctl.solving.read import read_names

    found = None if names is None else read_names(names)
    if found == []:
        raise UsageError(f"{option} names no variable", f"write {option} x,y, or leave it out")
    return found


SamplesOption = Annotated[
    int | None,
    typer.Option("--samples", min=1, max=1000, metavar="N", help="Draw N answers instead of a beam."),
]
TemperatureOption = Annotated[
    float | None, typer.Option("--temperature", metavar="T", help="With --samples (default: 0.7).")
]


def check_sampling(samples: int | None, temperature: float | None, beam: int | None) -> None:
    """Raise UsageError for a temperature that is none or has no samples, and for samples beside a beam."""
    if temperature is not None and samples is None:
        raise UsageError("--temperature needs --samples", "give --samples N, or leave it out")
    if temperature is not None and not 0 < temperature < math.inf:
        raise UsageError(f"a temperature of {temperature:g}", "give a number above 0, for example 0.7")
    if samples is not None and beam is not None:
        raise UsageError("--samples does not go with --beam", "leave one of them out")
