"""polyctl gen: generate the data set of an experiment."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from polyctl.cli import output
from polyctl.cli.options import (
    ExperimentArgument,
    JsonOption,
    QuietOption,
    RegistryOption,
    SeedOption,
    SetOption,
    SmokeOption,
    check_processes,
)
from polyctl.errors import EXIT_INTERRUPTED


def gen(
    experiment: ExperimentArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Directory to write to (default: data/EXPERIMENT)."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            help="Number of processes (default: one for each core).",
            callback=check_processes,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a data set with other parameters.")] = False,
    smoke: SmokeOption = False,
    set_: SetOption = None,
    seed: SeedOption = None,
    registry: RegistryOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Generate the data set of an experiment: train.txt, valid.txt, test files and a manifest.

    Ctrl-C stops; run the same command again to continue. Training on fresh problems
    (train.source = "stream") needs no files.

    Exit codes: 0 done; 2 usage; 3 files; 130 interrupted.
    """
    from polyctl.config.as_typed import as_typed
    from polyctl.config.registry import load_experiment
    from polyctl.data.dataset import generate
    from polyctl.runtime.machine import cores
    from polyctl.runtime.signals import answering_interrupts
    from polyctl.store.places import refuse_links

    changes = [*(set_ or []), *([] if seed is None else [f"seed={seed}"])]
    chosen = load_experiment(experiment, changes, small=smoke, registry=registry)
    directory = out or Path("data") / chosen.name
    if out is None:
        refuse_links(directory)
    try:
        answer = (
            "interrupted: stopping when the parts at work are made; a second Ctrl-C does not wait for them"
        )
        with answering_interrupts(answer), output.progress("generating") as bar:
            manifest = generate(
                chosen,
                directory,
                workers=workers or cores(),
                force=force,
                progress=lambda name, done, total: bar.update(done, total, name),
                notice=output.say,
            )
    except KeyboardInterrupt:
        output.say(
            f"interrupted: the finished parts are kept in {directory / 'parts'}: "
            "run the same command again to continue"
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    sizes = {"train.txt": chosen.data.train_size, "valid.txt": chosen.data.valid_size}
    for name, count in manifest.counts.items():
        if count < (wanted := sizes.get(name, chosen.data.test_size)):
            output.say(f"{name}: the family has only {count:,} distinct problems for it, not {wanted:,}")
    if as_json:
        output.print_json({"directory": str(directory), **manifest.model_dump(mode="json")})
        return
    rows = [(name, f"{count:,}") for name, count in manifest.counts.items()]
    output.print_table((str(directory), "problems"), rows, right=("problems",))
    settings = "".join(f" --set {shlex.quote(setting)}" for setting in set_ or ())
    output.say(f"next: polyctl train {as_typed(chosen.name)}{settings} --data {shlex.quote(str(directory))}")
