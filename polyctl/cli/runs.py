"""polyctl runs: what has been trained, how far it is, and what it left behind."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyctl.cli import output
from polyctl.cli.options import JsonOption, ListByDefault, RunArgument, RunsOption
from polyctl.formatting import format_age, format_bytes, format_fixed, format_percent

if TYPE_CHECKING:
    from polyctl.store.runs import Run
    from polyctl.store.summary import Summary

app = typer.Typer(
    cls=ListByDefault,
    help="List the runs, or show one with its state, numbers and files."
    "\n\nWithout a command it is `list`, with its options: `polyctl runs --json`.",
)


@app.command("list")
def list_(
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="PATTERN", help="Part of a name, or a pattern such as `d2_*/2025*`."),
    ] = None,
    runs: RunsOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs, newest first."""
    from polyctl.store.runs import existing_root, left_out, list_runs

    root = existing_root(runs)
    output.say_notes([f"{str(path)!r} is left out: {why}" for path, why in left_out(root)])
    fits = f"*{pattern or ''}*"
    found = [(run, run.summary()) for run in list_runs(root) if fnmatchcase(run.name, fits)]
    if as_json:
        output.print_json({"root": str(root), "runs": [_facts(run, summary) for run, summary in found]})
        return
    if not found:
        what = "no runs" if pattern is None else f"no runs that fit {pattern!r}"
        output.say(f"{what} in {root}; `polyctl train quick` makes one")
        return
    rows = [(run.name, s.state, s.step, format_fixed(s.loss), format_percent(s.accuracy)) for run, s in found]
    output.print_table(("run", "state", "step", "loss", "verified"), rows, right=("step", "loss", "verified"))


@app.command()
def show(run: RunArgument, runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """Show a run with its state, numbers and files."""
    from polyctl.store.runs import find_run

    found = find_run(run, runs, need_checkpoint=False)
    summary = found.summary()
    files = {
        str(path.relative_to(found.path)): path.stat().st_size
        for path in sorted(found.path.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    if as_json:
        listed = [{"path": name, "bytes": size} for name, size in files.items()]
        facts = {**_facts(found, summary), "metrics": summary.metrics, "last_step": summary.step_metrics}
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
    if summary.step_metrics:
        print("last step")
        for metric, number in summary.step_metrics.items():
            print(f"  {metric:<14} {number:.4g}")
    print("files")
    for name, size in files.items():
        print(f"  {format_bytes(size):>9}  {name}")


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
