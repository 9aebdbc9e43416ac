"""How complex our answers are, beside Mathematica's simplification of the same problems.

The published counts lie beside the published problems, line by line: homogeneous_V_W.counts.tsv. Ours are of
a run's predictions on that file: the least complex verified answer of each beam.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from polyctl.algebra.complexity import complexity as measure
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.errors import FileError, UsageError
from polyctl.evaluation.counts import read_counts
from polyctl.reports.published import complexities
from polyctl.reports.results import ReportBuilder, RunReport, on_file
from polyctl.reports.tables import Column, Figure, Report, Series, Table, Value
from polyctl.solving.read import read_outer
from polyctl.store.files import read_regular

DAMAGE = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    UsageError,
)


@dataclass(frozen=True)
class Counted:
    """Mean numbers of distinct subexpressions over the problems that were solved."""

    problems: int | None = None
    solved: int | None = None
    ours: float | None = None
    known: float | None = None
    mathematica: float | None = None


def complexity(data: ReportBuilder) -> Report:
    """Our answers' complexity against Mathematica's, set by set: a model's, and the solver's if given.

    Raises FileError if the directory of counts is missing or a file in it is wrong.
    """
    if data.counts is not None and not data.counts.is_dir():
        raise FileError(f"there is no directory {data.counts}", "correct --counts, or leave it out")
    rows: list[tuple[Value, ...]] = []
    absent = []
    solver = {} if data.solver is None else read_solver(data.solver)
    for name, theirs in complexities().items():
        file = f"homogeneous_{name}"
        counts = None if data.counts is None else read_counts(data.counts / f"{file}.counts.tsv")
        measured = on_file(f"{file}.txt", data.root)
        found: dict[str, Counted] = {}
        if measured is not None:
            data.note(name, measured)
            found[measured.run.name] = count(measured, counts or [])
            absent += [file] if counts is None else []
        if file in solver:
            found["solver"] = solver[file]
        for by, one in found.items() or {"–": Counted()}.items():
            values = (one.problems, one.solved, one.ours, one.known, one.mathematica)
            rows.append((f"({name.replace('_', ', ')})", by, *values, theirs["known"], theirs["mathematica"]))
    columns = (
        Column("(v_in, v_out)"),
        Column("by"),
        Column("problems", "count"),
        Column("solved", "count"),
        Column("ours", "number"),
        Column("known, of these", "number"),
        Column("Mathematica, of these", "number"),
        Column("known, published", "number"),
        Column("Mathematica, published", "number"),
    )
    bars = {"ours": 4, "Mathematica, same problems": 6, "Mathematica, published": 8}
    series = tuple(
        Series(label, tuple((f"{row[0]} {row[1]}", _number(row[place])) for row in rows), place == 8)
        for label, place in bars.items()
    )
    title = "Distinct subexpressions of the answer"
    figure = Figure(
        "complexity", title, "(v_in, v_out)", "mean over the solved problems", series, "bars", percent=False
    )
    table = Table("Mean number of distinct subexpressions", columns, tuple(rows), _note(data.counts, absent))
    return data.report("complexity", "Complexity against Mathematica", [table], [figure])


def _note(counts: Path | None, absent: list[str]) -> str:
    words = (
        "Means over the solved problems of `polyctl eval RUN --data homogeneous_V_W.txt`, the least complex "
        "verified answer of each beam; or of `polyctl eval --solver all --data homogeneous_V_W.txt --json`, "
        "its first answer (--solver FILE). Published: means over all problems."
    )
    if counts is None:
        words += (
            " Without --counts DIR, which holds the published homogeneous_V_W.counts.tsv, a model's answers "
            "are not compared with Mathematica's of the same problems."
        )
    elif absent:
        words += f" Not in {counts}, so that nothing of Mathematica's is compared: {', '.join(absent)}."
    return words


def _number(value: Value) -> float | None:
    return None if value is None else float(value)


def read_solver(path: Path) -> dict[str, Counted]:
    """What `polyctl eval --solver ... --json` printed, by set. Raises FileError."""
    try:
        sets = json.loads(path.read_text(encoding="utf-8-sig"))["sets"]
        return {name: _of_solver(summary) for name, summary in sets.items()}
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        hint = "write it with: polyctl eval --solver all --data FILE --json"
        raise FileError(f"{path} is no report of the solver: {error}", hint) from error


def _of_solver(summary: dict[str, Any]) -> Counted:
    means, problems = summary["complexity"], int(summary["problems"])
    found = (means[name] for name in ("complexity", "known", "mathematica"))
    numbers = [None if one is None else float(one) for one in found]
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise ValueError("a mean is not finite")
    return Counted(problems, round(summary["verified"] * problems), *numbers)


def count(measured: RunReport, mathematica: list[int]) -> Counted:
    """The complexities in an evaluation's predictions; all means are over the same, solved problems."""
    path = measured.run.predictions / f"{measured.path.stem}.jsonl"
    try:
        records = [json.loads(line) for line in read_regular(path).splitlines()]
        found = [(record, _least(record)) for record in records]
        solved = [(record, least) for record, least in found if least is not None]
        return Counted(
            problems=len(records),
            solved=len(solved),
            ours=_mean([least for _, least in solved]),
            known=_mean([_distinct(r["known"], r["variables"]) for r, _ in solved if r["known"]]),
            mathematica=_mean([mathematica[r["index"]] for r, _ in solved if r["index"] < len(mathematica)]),
        )
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}", "evaluate again") from error
    except DAMAGE as error:
        raise FileError(f"{path} is damaged: {error}", "evaluate again") from error


def _least(record: dict[str, Any]) -> int | None:
    right = [a for a in record["beam"] if a["status"] == "verified" and not a["extra_inners"]]
    return min((_distinct(answer, record["variables"]) for answer in right), default=None)


def _distinct(answer: dict[str, Any], variables: list[str]) -> int:
    inners = tuple(parse(text, variables) for text in answer["inner"])
    outer = None if answer["outer"] is None else read_outer(answer["outer"], len(inners))
    return measure(Decomposition(outer, inners)).distinct


def _mean(values: list[int]) -> float | None:
    return mean(values) if values else None
