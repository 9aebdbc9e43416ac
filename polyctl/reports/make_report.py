"""A report by its name: a part of the paper, or any experiments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from polyctl.config.registry import Registry
from polyctl.reports import paper
from polyctl.reports.before_after import rl
from polyctl.reports.bundled import read_bundled
from polyctl.reports.claim import rl_claim
from polyctl.reports.complexity import complexity
from polyctl.reports.names import PlanName, find_experiments, find_plan
from polyctl.reports.published import measures
from polyctl.reports.results import ReportBuilder, common_k, measured_value, published_value
from polyctl.reports.tables import Column, Figure, Report, Series, Table

PLANS: dict[PlanName, Callable[[ReportBuilder], Report]] = {
    "d1_degree": paper.d1_degree,
    "d1_vars": paper.d1_vars,
    "d2_arch": paper.d2_arch,
    "d2_heads": paper.d2_heads,
    "d3": paper.d3,
    "d4": paper.d4,
    "rl": rl,
    "rl_claim": rl_claim,
    "complexity": complexity,
}


def make_report(
    names: Sequence[str],
    registry: Registry,
    root: Path,
    counts: Path | None = None,
    solver: Path | None = None,
    bundled: Path | None = None,
) -> Report:
    """The report of a plan, or of the experiments that fit names and patterns.

    `counts` is where the published complexity counts lie, `solver` what `polyctl eval --solver` printed,
    `bundled` the figures of one model on all published sets. Raises FileError for a file that is not that,
    and UsageError for a name that is neither.
    """
    figures = None if bundled is None else read_bundled(bundled)
    data = ReportBuilder(registry, root, counts, solver, figures)
    plan = find_plan(names)
    return experiments(find_experiments(names, registry), data) if plan is None else PLANS[plan](data)


def experiments(names: Sequence[str], data: ReportBuilder) -> Report:
    """Any experiments side by side, and by degree if they have several."""
    found = {name: data.of(name) for name in names}
    k = common_k(list(found.values()))
    extra = sorted({m for name in names for m in measures(name)}, key=lambda m: int(m.partition("@")[2] or 0))
    columns = [
        Column("experiment"),
        Column("greedy", "percent"),
        Column("pass@1", "percent"),
        Column(f"pass@{k}", "percent"),
        Column("rank score", "percent"),
    ]
    columns += [Column(f"{measure}, published", "percent") for measure in extra]
    rows = tuple(
        (
            name,
            *(measured_value(found[name], measure) for measure in ("greedy", "pass@1", f"pass@{k}", "rank")),
            *(published_value(name, measure) for measure in extra),
        )
        for name in names
    )
    tables = [Table("Verified answers", tuple(columns), rows)]
    cells = sorted({cell for m in found.values() if m is not None for cell in m.cells})
    if len(cells) > 1:
        by_cell = tuple(
            (name, *(measured_value(found[name], "greedy", cell) for cell in cells)) for name in names
        )
        tables.append(
            Table(
                "Greedy by outer∘inner degree",
                (Column("experiment"), *(Column(cell, "percent") for cell in cells)),
                by_cell,
            )
        )
    series = tuple(
        Series(label, tuple((name, measured_value(found[name], measure)) for name in names))
        for label, measure in (("greedy", "greedy"), (f"pass@{k}", f"pass@{k}"))
    )
    figure = Figure("experiments", "Verified answers", "experiment", "verified, %", series, "bars")
    return data.report("experiments", "Experiments: " + ", ".join(names), tables, [figure])
