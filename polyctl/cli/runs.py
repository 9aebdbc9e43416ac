"""polyctl runs: what has been trained, how far it is, and what it left behind; comparing and removing it."""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import completion, output, runs_tail
from polyctl.cli.options import JsonOption, ListByDefault, RunArgument, RunsOption, YesOption
from polyctl.errors import FileError, UsageError
from polyctl.formatting import format_age, format_bytes, format_fixed, format_number, format_percent

if TYPE_CHECKING:
    from polyctl.store.runs import Run
    from polyctl.store.summary import Summary


class _Runs(ListByDefault):
    def is_name(self, word: str, options: dict[str, Any]) -> bool:
        """Whether it is EXPERIMENT/ID or a run's directory."""
        from polyctl.config.names import is_run_name

        return ("/" in word and is_run_name(word)) or (Path(word) / "config.toml").is_file()


app = typer.Typer(
    cls=_Runs,
    help="List the runs, or show, follow, compare or remove them."
    "\n\nWithout a command, EXPERIMENT/ID is shown, and anything else is `list` with its options: "
    "`polyctl runs --json`, `polyctl runs 'd2_*'`.",
)


@app.command("list")
def list_(
    pattern: Annotated[
        str | None,
        typer.Argument(
            metavar="PATTERN",
            help="Part of a name, or a pattern such as `d2_*/2025*`.",
            autocompletion=completion.listed_names,
        ),
    ] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs, newest first."""
    from polyctl.store.runs import existing_root, left_out, list_runs, next_step

    root = existing_root(runs)
    output.say_notes([f"{str(path)!r} is left out: {why}" for path, why in left_out(root)])
    fits = f"*{pattern or ''}*"
    found = [(run, run.summary()) for run in list_runs(root) if fnmatchcase(run.name, fits)]
    output.say_notes([damage for run, _ in found if (damage := _damage(run)) is not None])
    if pattern is not None and not found:
        raise FileError(f"no run in {root} fits {pattern!r}", next_step(pattern, root))
    if as_json:
        output.print_json({"root": str(root), "runs": [_facts(run, summary) for run, summary in found]})
        return
    if not found:
        output.say(f"no runs in {root}; `polyctl train quick` makes one")
        return
    rows = [(run.name, s.state, s.step, format_fixed(s.loss), format_percent(s.accuracy)) for run, s in found]
    output.print_table(("run", "state", "step", "loss", "verified"), rows, right=("step", "loss", "verified"))


@app.command()
def show(run: RunArgument, runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """Show a run with its state, numbers and files."""
    from polyctl.store.runs import find_run

    found = find_run(run, runs, need_checkpoint=False)
    if (damage := _damage(found)) is not None:
        output.say_notes([damage])
    summary = found.summary()
    files = {
        str(path.relative_to(found.path)): path.stat().st_size
        for path in sorted(found.path.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    if as_json:
        listed = [{"path": name, "bytes": size} for name, size in files.items()]
        facts = {**_facts(found, summary), "metrics": summary.metrics, "last_step": summary.last_step}
        output.print_json({**facts, "files": listed})
        return
    step = summary.step if summary.total_steps is None else f"{summary.step} of {summary.total_steps}"
    rows: list[tuple[str, object]] = [
        ("run", found.name),
        ("path", found.path),
        ("state", summary.state if summary.ended is None else f"{summary.state} ({summary.ended})"),
        ("error", summary.error),
        ("updated", None if summary.updated is None else f"{format_age(summary.updated)} ago"),
        ("step", step),
        ("loss", None if summary.loss is None else format_fixed(summary.loss)),
        *((name, f"{value:.4g}") for name, value in summary.metrics.items()),
    ]
    for name, value in rows:
        if value is not None:
            print(f"{name:<16} {value}")
    of_step = {key: value for key, value in summary.last_step.items() if key not in ("step", "loss")}
    if of_step:
        print("last step")
        for metric, number in of_step.items():
            print(f"  {metric:<14} {number:.4g}")
    print("files")
    for name, size in files.items():
        print(f"  {format_bytes(size):>9}  {name}")


app.command("tail")(runs_tail.tail)


@app.command()
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...",
            help="Two runs or more, named as for `show`.",
            autocompletion=completion.run_names,
        ),
    ],
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show side by side the settings in which runs differ, and their last metrics."""
    from polyctl.config.differences import differing, flatten_settings, format_setting, side_by_side
    from polyctl.store.runs import find_run

    if len(names) < 2:
        raise UsageError("one run has nothing to be compared with", "polyctl runs compare RUN RUN")
    found = [find_run(name, runs, need_checkpoint=False) for name in names]
    settings = differing([flatten_settings(run.config()) for run in found])
    metrics = side_by_side([_measured(run.summary()) for run in found])
    if as_json:
        output.print_json({"runs": [run.name for run in found], "settings": settings, "metrics": metrics})
        return
    header = ("", *(run.name for run in found))
    rows: list[tuple[object, ...]] = [(key, *map(format_setting, values)) for key, values in settings.items()]
    rows += [(key, *map(_measure, values)) for key, values in metrics.items()]
    output.print_table(header, rows, right=header[1:])
    if not settings:
        output.say("their settings are the same")


def _measured(summary: Summary) -> dict[str, Any]:
    """How far a run is and what was measured last: at its last validation, else at its last step."""
    plain = {
        "state": summary.state,
        "step": summary.step,
        "total_steps": summary.total_steps,
        "seconds": summary.elapsed,
        "loss": summary.loss,
    }
    return {**plain, **summary.step_metrics, **summary.metrics}


def _measure(value: Any) -> str | None:
    return format_number(value) if isinstance(value, float) else None if value is None else str(value)


@app.command("rm")
def remove(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPERIMENT/ID...",
            help="Runs, or their directories.",
            autocompletion=completion.single_run_names,
        ),
    ],
    yes: YesOption = False,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove runs with all their files. On a terminal it asks first; elsewhere it needs --yes."""
    from polyctl.store.remove import check_removable, find_removable, remove_run

    found = list({run.path: run for run in (find_removable(name, runs) for name in names)}.values())
    for run in found:
        check_removable(run)
    if not yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError("nothing is removed without being asked for", "add --yes")
        typer.confirm(f"remove {', '.join(run.name for run in found)} with all files?", abort=True, err=True)
    removed = [(run, remove_run(run)) for run in found]
    if as_json:
        listed = [{"run": run.name, "path": str(run.path), "bytes": size} for run, size in removed]
        output.print_json({"removed": listed})
        return
    for run, size in removed:
        print(f"removed {run.name}, {format_bytes(size)}")


def _damage(run: Run) -> str | None:
    """What is wrong with a run's config.toml."""
    try:
        run.config()
    except FileError as error:
        return error.message
    return None


def _facts(run: Run, summary: Summary) -> dict[str, Any]:
    return {
        "run": run.name,
        "experiment": run.experiment,
        "id": run.id,
        "path": str(run.path),
        "state": summary.state,
        "ended": summary.ended,
        "error": summary.error,
        "step": summary.step,
        "total_steps": summary.total_steps,
        "loss": summary.loss,
        "accuracy": summary.accuracy,
        "checkpoint": str(run.weights()) if run.has_checkpoint else None,
        "updated": summary.updated,
    }
