"""The run under the cursor in the table of runs, as text beside it."""

from __future__ import annotations

from rich.text import Text

from polyctl.config.differences import differing, flatten_settings, format_setting
from polyctl.config.schema import Experiment
from polyctl.errors import PolyctlError
from polyctl.formatting import format_age, format_duration, format_number, format_percent
from polyctl.store.runs import Run
from polyctl.store.summary import Summary
from polyctl.tui.format import clean, format_progress
from polyctl.tui.run_list import RunRow
from polyctl.tui.views.runs import describe_metric
from polyctl.tui.views.status import describe_evaluation, describe_process, format_rate, format_state

LABEL_WIDTH = 10


def format_preview(row: RunRow) -> Text:
    """A run's name and state, then one fact a line."""
    text = Text().append(clean(row.run.name), style="bold")
    if row.summary is None:
        return text.append("\nreading", style="dim")
    text.append("\n").append_text(format_state(row.summary))
    for label, value in _list_facts(row, row.summary):
        text.append(f"\n{label:<{LABEL_WIDTH}} ", style="dim")
        text.append(clean(value))
    return text


def _list_facts(row: RunRow, s: Summary) -> list[tuple[str, str]]:
    """(label, value) of all that is known."""
    trained = [format_duration(s.elapsed)] if s.elapsed is not None else []
    trained += [f"{format_duration(s.left)} left"] if s.left is not None else []
    trained += [format_rate(s)] if format_rate(s) != "-" else []
    verified = "" if s.accuracy is None else f"{format_percent(s.accuracy)}, best {format_percent(s.best)}"
    metrics = [describe_metric(name, value) for name, value in s.metrics.items() if name != "greedy_verified"]
    steps = "" if s.step is None else f"{s.step:,}" + (f" of {s.total_steps:,}" if s.total_steps else "")
    facts = [
        ("problem", row.problem or ""),
        ("error", s.error or ""),
        ("eval", "" if s.evaluation is None else describe_evaluation(s.evaluation)),
        ("progress", format_progress(s.step, s.total_steps, 16) if s.total_steps else ""),
        ("steps", steps),
        ("time", ", ".join(trained)),
        ("loss", "" if s.loss is None else format_number(s.loss)),
        ("verified", verified),
        ("validation", ", ".join(metrics)),
        ("lr", "" if s.lr is None else format_number(s.lr)),
        ("process", ", ".join(describe_process(s))),
        ("ended", s.ended or ""),
        ("written", "" if s.updated is None else f"{format_age(s.updated)} ago"),
        ("note", row.note),
    ]
    return [(label, value) for label, value in facts if value]


def format_own_settings(run: Run) -> str:
    """The settings of a run that are not the defaults, one a line, or why they cannot be read."""
    try:
        settings = flatten_settings(run.config())
    except PolyctlError as error:
        return error.message
    found = differing([flatten_settings(Experiment(name=run.experiment)), settings])
    lines = [f"{key} = {format_setting(values[1]) or '-'}" for key, values in found.items()]
    return "\n".join(
        ["settings other than the defaults:", *lines] if lines else ["all settings are defaults"]
    )
