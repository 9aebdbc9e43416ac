"""polyctl gen: write an experiment's data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from polyctl.cli import output
from polyctl.cli.options import (
    ExperimentArgument,
    JsonOption,
    RegistryOption,
    SeedOption,
    SetOption,
    SmokeOption,
)


def gen(
    experiment: ExperimentArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to write it (else data/EXPERIMENT).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes (else one a processor).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a data set of other parameters.")] = False,
    smoke: SmokeOption = False,
    set_: SetOption = None,
    seed: SeedOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the data set of an experiment: train.txt, valid.txt, test files and a manifest.

    Ctrl-C stops; the same command goes on where it stopped. Training on fresh problems
    (train.source = "stream") needs no files.

    Exit codes: 0 done; 2 usage; 3 files; 130 interrupted.
    """
    from polyctl.config.registry import load_registry, override
    from polyctl.config.registry import smoke as shrink
    from polyctl.data.dataset import generate

    chosen = load_registry(registry).get(experiment)
    chosen = shrink(chosen) if smoke else chosen
    chosen = override(chosen, [*(set_ or []), *([] if seed is None else [f"seed={seed}"])])
    directory = out or Path("data") / chosen.name
    try:
        with output.progress("generating") as bar:
            manifest = generate(
                chosen,
                directory,
                workers=workers or os.cpu_count() or 1,
                force=force,
                progress=lambda name, done, total: bar.update(done, total, name),
            )
    except KeyboardInterrupt:
        output.say(
            f"interrupted; what is done is kept in {directory / 'parts'}, the same command goes on there"
        )
        raise
    short = {
        name: wanted
        for name, wanted in _wanted(
            manifest.counts, chosen.data.train_size, chosen.data.valid_size, chosen.data.test_size
        )
        if manifest.counts[name] < wanted
    }
    for name, wanted in short.items():
        output.say(
            f"{name}: the family has only {manifest.counts[name]:,} distinct problems for it, not {wanted:,}"
        )
    if as_json:
        output.print_json({"directory": str(directory), **manifest.model_dump(mode="json")})
        return
    rows = [(name, f"{count:,}") for name, count in manifest.counts.items()]
    output.print_table((str(directory), "problems"), rows, right=("problems",))
    output.say(f"next: polyctl train {chosen.name} --data {directory}")


def _wanted(counts: dict[str, int], train: int, valid: int, test: int) -> list[tuple[str, int]]:
    sizes = {"train.txt": train, "valid.txt": valid}
    return [(name, sizes.get(name, test)) for name in counts]
