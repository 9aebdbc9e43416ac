"""Tables and figures as values; how they are shown is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "count", "percent", "points", "number"]
Value = str | int | float | None


@dataclass(frozen=True)
class Column:
    """A column's name and what its values are: fractions (percent, points of percentage) or others."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows of values; None is what was not measured."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON: each row by its columns' names."""
        names = [column.name for column in self.columns]
        return {
            "title": self.title,
            "columns": names,
            "rows": [dict(zip(names, row, strict=True)) for row in self.rows],
            "note": self.note,
        }


@dataclass(frozen=True)
class Series:
    """Points of one line or one group of bars; None leaves a gap."""

    label: str
    points: tuple[tuple[str | float, float | None], ...]
    published: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure; `name` is its file's. `log` is a logarithmic x axis, `percent` says fractions."""

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    kind: Literal["lines", "bars"] = "lines"
    log: bool = False
    percent: bool = True

    @property
    def empty(self) -> bool:
        """Whether we have measured none of it."""
        return not any(y is not None for s in self.series if not s.published for _, y in s.points)


@dataclass(frozen=True)
class Report:
    """A part of the paper: its tables and figures, and where our numbers come from."""

    name: str
    title: str
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    sources: tuple[dict[str, Any], ...] = ()
    missing: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "plan": self.name,
            "title": self.title,
            "tables": [table.to_dict() for table in self.tables],
            "sources": list(self.sources),
            "missing": list(self.missing),
        }


def shown(value: Value, kind: Kind) -> str:
    """A value as text; – for none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if kind == "percent":
        return f"{100 * value:.1f}"
    if kind == "points":
        return f"{100 * value:+.1f}"
    return f"{value:.1f}" if kind == "number" else f"{value:,}"


def heading(column: Column) -> str:
    """A column's head, with its unit."""
    return f"{column.name} %" if column.kind == "percent" else column.name


def markdown(report: Report) -> str:
    """The tables of a report, with their sources, as Markdown."""
    parts = [f"## {report.title}"]
    for table in (*report.tables, *([sources_table(report)] if report.sources else [])):
        parts += ["", f"**{table.title}**", "", _row([heading(c) for c in table.columns])]
        parts.append(_row(["---" if c.kind == "text" else "---:" for c in table.columns]))
        parts += [
            _row([shown(v, c.kind) for v, c in zip(row, table.columns, strict=True)]) for row in table.rows
        ]
        if table.note:
            parts += ["", table.note]
    if report.missing:
        parts += ["", missing_words(report)]
    return "\n".join(parts) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def missing_words(report: Report) -> str:
    """How many experiments have not been run, and the command that runs all of them."""
    count = len(report.missing)
    what = f"{count} experiment{'' if count == 1 else 's'}"
    return f"Not run yet (–): {what}. `polyctl experiments run {' '.join(report.missing)}`"


def sources_table(report: Report) -> Table:
    """Run, device, length of training and problems of all numbers of ours."""
    columns = (
        Column("run"),
        Column("device"),
        Column("parameters", "count"),
        Column("step", "count"),
        Column("of steps", "count"),
        Column("trained on", "count"),
        Column("minutes", "number"),
        Column("evaluated on"),
        Column("problems", "count"),
        Column("beam", "count"),
    )
    keys = (
        "run", "device", "parameters", "step", "steps", "trained on", "training minutes", "evaluated",
        "problems", "beam",
    )  # fmt: skip
    rows = tuple(tuple(source[key] for key in keys) for source in report.sources)
    return Table("Where ours come from", columns, rows)
