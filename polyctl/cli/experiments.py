"""polyctl experiments: list them, show their settings, and run several of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from polyctl.cli import completion, output, plan
from polyctl.cli.options import (
    ExperimentArgument,
    JsonOption,
    ListByDefault,
    RegistryOption,
    SetOption,
    SmokeOption,
)


class _Experiments(ListByDefault):
    def is_name(self, word: str, options: dict[str, Any]) -> bool:
        """Whether an experiment is called that."""
        from polyctl.config.registry import load_registry

        return word in load_registry(options["registry"]).experiments


app = typer.Typer(
    cls=_Experiments,
    help="List the experiments, show one with all its settings, or run several."
    "\n\nWithout a command, the name of an experiment is shown, and anything else is `list` with its "
    "options: `polyctl experiments --json`, `polyctl experiments 'd2_*'`.",
)
app.command("run")(plan.run)


@app.command("list")
def list_(
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN",
            help="Part of a name, or a pattern such as `d2_*_l6`.",
            autocompletion=completion.experiment_names,
        ),
    ] = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the experiments."""
    from polyctl.config.registry import PACKAGED, load_registry

    loaded = load_registry(registry)
    patterns = [] if pattern is None else [pattern]
    if pattern is not None and any(pattern in name for name in loaded.names()):
        patterns = [f"*{pattern}*"]
    chosen = loaded.matching(patterns)
    if as_json:
        found = [
            {
                "name": experiment.name,
                "description": experiment.description,
                "paper": experiment.paper,
                "family": experiment.data.family,
                "tokenizer": experiment.data.tokenizer,
                "layers": experiment.model.layers,
                "heads": experiment.model.heads,
                "width": experiment.model.width,
                "registry": str(loaded.files[experiment.name]),
            }
            for experiment in chosen
        ]
        output.print_json({"registry": str(loaded.path), "experiments": found})
        return
    header, rows = (
        ["experiment", "paper", "description"],
        [[e.name, e.paper or None, e.description] for e in chosen],
    )
    if len(loaded.paths) > 1:
        header.append("from")
        for row, experiment in zip(rows, chosen, strict=True):
            row.append("polyctl" if loaded.files[experiment.name] == PACKAGED else loaded.path.name)
    output.print_table(header, rows)
    places = " and ".join(map(str, loaded.paths))
    output.say(f"{len(chosen)} of {len(loaded.names())} experiments in {places}")


@app.command()
def show(
    name: ExperimentArgument,
    settings: SetOption = None,
    smoke: SmokeOption = False,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all settings of an experiment, with inheritance, --smoke and --set applied."""
    from polyctl.config.registry import load_experiment, to_toml

    experiment = load_experiment(name, settings or [], small=smoke, registry=registry)
    if as_json:
        output.print_json(experiment.model_dump(mode="json"))
    else:
        print(to_toml(experiment), end="")
