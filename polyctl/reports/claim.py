"""The paper's claim for reinforcement learning: the arms of `rl_claim_*` from one start, over seeds.

A run of each arm and seed counts, the newest; gains are over the start of the same seed.
"""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.reports.results import ReportBuilder, RunReport, by_seed, mean_of, spread_of
from polyctl.reports.tables import Column, Figure, Report, Series, Table, Value
from polyctl.store.event_kinds import Step, Validation
from polyctl.store.events import EventReader
from polyctl.store.runs import Run

START = "rl_claim_start"
MEASURES = ("exact", "greedy", "pass@1", "pass@10", "pass@30")
Arm = tuple[str, str, str]
CURVE = "greedy_verified"  # what trainings of both kinds measure on held-out problems


def rl_claim(data: ReportBuilder) -> Report:
    """Each arm's accuracy, its gain over the start, and its held-out accuracy while it trained."""
    arms = _arms(data)
    found = {run_name: by_seed(name, run_name, data) for name, _, run_name in arms}
    starts = found[START]
    rows = tuple(_row(label, found[run_name], starts) for _, label, run_name in arms)
    columns = (
        *(Column("arm"), Column("seeds", "count"), Column("problems", "count"), Column("minutes", "number")),
        *(Column(measure, "percent") for measure in MEASURES),
        *(Column("gain of pass@30", "points"), Column("spread of it", "points"), Column("copies", "percent")),
    )
    note = (
        "Means over seeds. Problems: those trained on, a label as often as it was used. Spread: standard "
        "deviation of the gain over seeds (n - 1). Copies: hypotheses of the beam that are equivalent to a "
        "better one."
    )
    tables = [Table("The start, and what each arm makes of it", columns, rows, note)]
    curves = _curves(arms, found)
    figures = [
        Figure(
            f"rl_claim_{x}",
            "Held-out greedy answers",
            x,
            "verified, %",
            tuple(Series(label, tuple((p[axis], p[2]) for p in points)) for label, points in curves),
        )
        for axis, x in enumerate(("problems", "minutes"))
    ]
    return data.report(
        "rl_claim", "The claim: reinforcement learning over a saturated start", tables, figures
    )


def _arms(data: ReportBuilder) -> list[Arm]:
    """The start and each arm: experiment, label, and the name that its runs have."""
    named = []
    for name in data.names(r"rl_claim_\w+"):
        experiment = data.registry.get(name)
        label = experiment.description.removeprefix("rl_claim: ")
        suffix = f"_{experiment.rl.algorithm}" if experiment.rl.init_from else ""
        named.append((name, label, name + suffix))
    return named


def _row(label: str, found: dict[int, RunReport], starts: dict[int, RunReport]) -> tuple[Value, ...]:
    reports = list(found.values())
    sources = [report.source() for report in reports]
    gains = [
        after - before
        for seed, report in found.items()
        if seed in starts and report is not starts[seed]
        for after, before in [(report.value("pass@30"), starts[seed].value("pass@30"))]
        if after is not None and before is not None
    ]
    trained = mean_of([source["trained on"] for source in sources])
    return (
        label,
        len(reports) or None,
        None if trained is None else round(trained),
        mean_of([source["training minutes"] for source in sources]),
        *(mean_of([report.value(measure) for report in reports]) for measure in MEASURES),
        mean_of(gains),
        spread_of(gains),
        mean_of([_copies(report) for report in reports]),
    )


def _copies(report: RunReport) -> float:
    summary = report.report.summary
    return summary.duplicates / max(1, summary.problems * summary.beam)


def _curves(
    arms: Sequence[Arm], found: dict[str, dict[int, RunReport]]
) -> list[tuple[str, list[tuple[float, float, float]]]]:
    """The label and the validations of each arm's first seed."""
    measured = [(label, found[run_name]) for _, label, run_name in arms if found[run_name]]
    return [(label, _validations(seeds[min(seeds)].run)) for label, seeds in measured]


def _validations(run: Run) -> list[tuple[float, float, float]]:
    """(problems, minutes, accuracy) of a run's validations."""
    points, problems, minutes = [], 0, 0.0
    for event in EventReader(run.events):
        if isinstance(event, Step):
            problems, minutes = event.problems_seen or 0, (event.elapsed or 0.0) / 60
        elif isinstance(event, Validation) and CURVE in event.metrics:
            points.append((float(problems), minutes, event.metrics[CURVE]))
    return points
