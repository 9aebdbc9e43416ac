"""Reinforcement learning as the paper reports it: accuracy before and after, over seeds."""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.plans.stages import runs_of
from polyctl.reports.published import gains
from polyctl.reports.results import (
    ReportBuilder,
    RunReport,
    by_seed,
    common_k,
    mean_of,
    measured_value,
    own_reports,
    published_value,
    spread_of,
)
from polyctl.reports.tables import Column, Figure, Report, Series, Table, Value

ALGORITHMS = ("bgrpo", "grpo", "boost")
SEEDS = "Means over seeds; spread: standard deviation of the gain over seeds (n - 1). Greedy: verified."


def rl(data: ReportBuilder) -> Report:
    """Before and after reinforcement learning, for every experiment that has been through it.

    Means over seeds, of the newest run of each.
    """
    rows: list[tuple[Value, ...]] = []
    bars: dict[str, list[tuple[str | float, float | None]]] = {"before": [], "after": []}
    for name in data.registry.names():
        for algorithm in ALGORITHMS:
            after_name = f"{name}_{algorithm}"
            if not runs_of(after_name, data.root):
                continue
            after = list(by_seed(after_name, after_name, data).values())
            before = [_before(one, name, data) for one in after]
            k = common_k([*before, *after])
            for measure in ("exact", "greedy", "pass@1", f"pass@{k}", "rank"):
                rows.append((name, algorithm, measure, *_compared(before, after, measure)))
            bars["before"].append((after_name, mean_of([measured_value(one, "greedy") for one in before])))
            bars["after"].append((after_name, mean_of([measured_value(one, "greedy") for one in after])))
    columns = (
        Column("experiment"),
        Column("algorithm"),
        Column("measure"),
        Column("seeds", "count"),
        Column("before", "percent"),
        Column("after", "percent"),
        Column("gain", "points"),
        Column("spread of it", "points"),
    )
    tables = [
        Table(
            "Before and after",
            columns,
            tuple(rows),
            SEEDS if rows else "No experiment has been through it yet.",
        ),
        Table(
            "Published, one variable, 4∘4, beam 10, 100 problems",
            (Column("measure"), Column("before", "percent"), Column("after", "percent")),
            tuple(
                (m, published_value("d1_degree", m, "4∘4"), published_value("d1_degree_bgrpo", m, "4∘4"))
                for m in ("pass@1", "pass@5", "pass@10")
            ),
        ),
        Table(
            "Published, several variables, percentage points (3 seeds, 200 problems)",
            (Column("gain"), Column("points")),
            tuple(gains().items()),
        ),
    ]
    series = tuple(Series(label, tuple(points)) for label, points in bars.items())
    figure = Figure("rl", "Greedy before and after", "run", "greedy verified, %", series, "bars")
    return data.report("rl", "Reinforcement learning: before and after", tables, [figure])


def _compared(
    before: Sequence[RunReport | None], after: Sequence[RunReport], measure: str
) -> tuple[Value, ...]:
    """The number of seeds, the means before and after, the gain and its standard deviation over seeds."""
    old, new = ([measured_value(one, measure) for one in reports] for reports in (before, after))
    gains = [b - a for a, b in zip(old, new, strict=True) if a is not None and b is not None]
    return (len(after) or None, mean_of(old), mean_of(new), mean_of(gains), spread_of(gains))


def _before(after: RunReport | None, name: str, data: ReportBuilder) -> RunReport | None:
    """The report of the run that reinforcement learning started from, else of the newest supervised run."""
    start = None if after is None else after.run.config().train.init_from
    found = own_reports(name, data.root, start)
    same = [measured for measured in found if after is not None and measured.beam == after.beam]
    return data.note(name, next(iter(same or found), None))
