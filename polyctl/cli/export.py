"""polyctl export and polyctl import: models to and from Hugging Face directories and published files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from polyctl.cli import completion, output
from polyctl.cli.options import JsonOption, RegistryOption, RunArgument, RunsOption, SetOption
from polyctl.errors import FileError, UsageError


def export(
    run: RunArgument,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory to write to.")],
    force: Annotated[bool, typer.Option("--force", help="Write into a directory that is not empty.")] = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's best model as a Hugging Face GPT-2 directory with its tokenizer.

    `transformers` loads it with AutoModelForCausalLM and AutoTokenizer; its README.md shows how. Only
    the published architecture (model.architecture = "gpt2") can be exported.

    Exit codes: 0 done; 2 usage, or a different architecture; 3 files.
    """
    from polyctl.model.huggingface import export_gpt2
    from polyctl.model.serialization import load_model
    from polyctl.store.runs import find_run

    found = find_run(run, runs)
    files = export_gpt2(load_model(found.weights(), "cpu"), directory, force=force)
    if as_json:
        output.print_json({"run": found.name, "directory": str(directory), "files": files})
        return
    print(f"{directory}: {', '.join(files)}")
    output.say(f"how to use it: {directory / 'README.md'}")
    output.say(f"to import it again: polyctl import {shlex.quote(str(directory))}")


def import_(
    source: Annotated[
        Path,
        typer.Argument(metavar="DIR|FILE", help="A Hugging Face GPT-2 directory, or a published checkpoint."),
    ],
    experiment: Annotated[
        str | None,
        typer.Option(
            "--experiment",
            metavar="NAME",
            help="Experiment whose problems and tokens the model knows.",
            autocompletion=completion.experiment_names,
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option("--vocabulary", metavar="FILE", help="Tokens of a published checkpoint, one a line."),
    ] = None,
    set_: SetOption = None,
    runs: RunsOption = None,
    registry: RegistryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a Hugging Face GPT-2 directory or a published checkpoint into a new run, EXPERIMENT_imported.

    A directory that `polyctl export` wrote states which problems and tokens the model knows, even after
    `transformers` has trained and saved it; for any other directory, and for a checkpoint (.pt), name an
    experiment with --experiment. A checkpoint does not say how many heads it has: --set model.heads=N.

    Exit codes: 0 done; 2 usage, or a different model or vocabulary; 3 files.
    """
    from polyctl.config.registry import load_experiment
    from polyctl.training.import_run import import_run

    chosen = None if experiment is None else load_experiment(experiment, set_ or (), registry=registry)
    if not source.exists():
        raise FileError(f"there is no {source}", "name a GPT-2 directory or a published checkpoint")
    if vocabulary is not None and source.is_dir():
        raise UsageError(
            "--vocabulary is for a published checkpoint", "a directory has its own: leave it out"
        )
    if source.is_file():
        from polyctl.model.mingpt import import_mingpt, read_tokens

        if chosen is None:
            raise UsageError(
                f"{source} does not say which problems and tokens the model knows",
                "name an experiment with the same problems and tokens: --experiment NAME",
            )
        loaded = import_mingpt(source, chosen, None if vocabulary is None else read_tokens(vocabulary))
    else:
        from polyctl.model.huggingface import import_gpt2

        loaded = import_gpt2(source, chosen)
    run = import_run(loaded, source, runs)
    if as_json:
        named = {"run": run.name, "path": str(run.path), "experiment": run.experiment}
        output.print_json({**named, "checkpoint": str(run.weights())})
        return
    print(f"{run.name}: {run.weights()}")
    output.say(f"next: polyctl eval {run.name}")
