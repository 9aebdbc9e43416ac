"""What commands share: options, declared once each, whose defaults the commands give, and groups."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from polyctl.cli import completion, output
from polyctl.errors import UsageError, nearest

MOST_SECONDS = 1e9  # thirty years: the system cannot wait much longer, and JSON has no infinity


def check_device(name: str) -> str:
    """The name of a device; UsageError for another one, also where no device will be used."""
    if name not in completion.DEVICES:
        raise UsageError(f"unknown device {name!r}", "choose auto, cpu or cuda")
    return name


def check_processes(count: int | None) -> int | None:
    """A number of processes or threads; UsageError for far more than there are cores."""
    from polyctl.runtime.machine import PROCESSES_A_CORE, cores

    if count is not None and count > PROCESSES_A_CORE * cores():
        raise UsageError(
            f"{count} is more than {PROCESSES_A_CORE} for each of {cores()} cores",
            f"use at most {PROCESSES_A_CORE * cores()}; {cores()} is usually fastest",
        )
    return count


def limit_seconds(seconds: float | None) -> float | None:
    """A time limit in seconds; no limit, `inf`, is thirty years."""
    return None if seconds is None else min(seconds, MOST_SECONDS)


def remember(ctx: typer.Context, param: typer.CallbackParam, value: Path | None) -> Path | None:
    """The value; commands in hints get it, too."""
    output.remember_place(param.opts[0], None if value is None else str(value))
    return value


RegistryOption = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="FILE",
        callback=remember,
        help="Experiments file (default: POLYCTL_REGISTRY, or the nearest experiments.toml).",
    ),
]
RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        metavar="DIR",
        help="Directory of the runs (default: POLYCTL_RUNS, or ./runs).",
        callback=remember,
    ),
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
    int | None, typer.Option("--seed", min=0, metavar="N", help="Seed to use instead of the experiment's.")
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="auto, cpu or cuda.",
        autocompletion=completion.device_names,
        callback=check_device,
    ),
]
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
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Estimate the cost without training.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Print no progress and no notes, only results, warnings and errors.",
        callback=output.be_quiet,
    ),
]
SmokeOption = Annotated[bool, typer.Option("--smoke", help="Run a version that takes seconds.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        help="Threads of this process (default: one for a small model).",
        callback=check_processes,
    ),
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
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="An experiment (`polyctl experiments` lists them).",
        autocompletion=completion.experiment_names,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="EXPERIMENT/ID, EXPERIMENT for its newest run, or a run's directory.",
        autocompletion=completion.run_names,
    ),
]


class ListByDefault(TyperGroup):
    """A group that lists if no command is given: `runs --json` is `runs list --json`.

    A word that is no command is shown if it is a name, and else a pattern to list: `experiments d2_*`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # the shell completes: the command may be still to come
            return super().parse_args(ctx, args)
        asks_for_help = bool(args) and args[0] in ctx.help_option_names
        if not asks_for_help and (not args or args[0].startswith("-")):
            args = ["list", *args]
        elif args and args[0] not in self.commands:
            if self.is_name(args[0], self._options_in(ctx, args)):
                args = ["show", *args]
            elif not nearest(args[0], self.commands) or re.search(r"[*?\[]", args[0]):
                args = ["list", *args]
        return super().parse_args(ctx, args)

    def is_name(self, word: str, options: dict[str, Any]) -> bool:
        """Whether the word names what `show` shows, with the options of `show`."""
        raise NotImplementedError

    def _options_in(self, ctx: Any, args: list[str]) -> dict[str, Any]:
        show = self.commands["show"]
        return show.make_context("show", list(args), parent=ctx, resilient_parsing=True).params

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Commands, and names that `list` and `show` take."""
        names = self.commands["list"].params[0].shell_complete(ctx, incomplete)
        return [*super().shell_complete(ctx, incomplete), *names]


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
