"""The parts of the paper as tables: degree, variables, architecture, adaptation, beam width.

Each is a function from what was gathered to a Report. What has not been measured is None.
"""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.config.schema import Experiment
from polyctl.reports.published import measures, published
from polyctl.reports.results import (
    ReportBuilder,
    common_k,
    measured_value,
    own_reports,
    published_value,
)
from polyctl.reports.tables import Column, Figure, Report, Series, Table, Value

BEAMS = (1, 2, 5, 6, 10, 11, 15, 20, 30, 50)
NO_NUMBERS = "The reference at hand states no figures of the paper for this part."


# -- D1 --------------------------------------------------------------------------------------------


def d1_degree(data: ReportBuilder) -> Report:
    """Accuracy by outer and inner degree, one variable."""
    name = "d1_degree"
    ours = data.of(name)
    experiment = data.registry.get(name)
    cells, sets = _cells(experiment), _published_sets(name, experiment)
    rows: list[tuple[Value, ...]] = []
    for cell in [*cells, "all"]:
        theirs = published(name, "greedy", cell)
        rows.append(
            (
                cell,
                measured_value(ours, "greedy", cell),
                None if theirs is None else theirs.value,
                *_of_bundled(data, sets if cell == "all" else [_univariate(cell)], "greedy"),
                measured_value(ours, "pass@1", cell),
                measured_value(ours, "pass@10", cell),
                None if ours is None else ours.problems(cell),
                None if theirs is None else theirs.problems,
            )
        )
    columns = (
        Column("outer∘inner"),
        Column("greedy", "percent"),
        Column("greedy, published", "percent"),
        *_bundled_columns(data, "greedy"),
        Column("pass@1", "percent"),
        Column("pass@10", "percent"),
        Column("problems", "count"),
        Column("published of", "count"),
    )
    beams: list[tuple[Value, ...]] = [
        (
            f"pass@{k}",
            measured_value(ours, f"pass@{k}", "4∘4"),
            published_value(name, f"pass@{k}", "4∘4"),
            *_of_bundled(data, [_univariate("4∘4")], f"pass@{k}"),
        )
        for k in (1, 5, 10)
    ]
    figure = Figure(
        name,
        "Greedy accuracy by degree",
        "outer ∘ inner degree",
        "verified, %",
        (
            Series("ours", tuple((cell, measured_value(ours, "greedy", cell)) for cell in cells)),
            Series("published", tuple((cell, published_value(name, "greedy", cell)) for cell in cells), True),
        ),
        "bars",
    )
    tables = [
        Table("Verified answers by degree, one variable", columns, tuple(rows), _bundled_note(data)),
        Table(
            "4∘4 within a beam; published: beam 10, 100 problems",
            (
                Column("4∘4"),
                Column("ours", "percent"),
                Column("published", "percent"),
                *_bundled_columns(data),
            ),
            tuple(beams),
        ),
    ]
    return data.report(name, "D1: accuracy by degree", tables, [figure])


def d1_vars(data: ReportBuilder) -> Report:
    """Accuracy by number of variables and of inners."""
    names = data.names(r"d1_var_\d+_\d+")
    found = {name: data.of(name) for name in names}
    ks = sorted({int(m.partition("@")[2]) for name in names for m in measures(name)})
    columns = [Column("(v_in, v_out)"), Column("greedy", "percent"), *_bundled_columns(data, "greedy")]
    for k in ks:
        columns += [Column(f"pass@{k}", "percent"), Column("published", "percent")]
        columns += _bundled_columns(data, f"pass@{k}")
    columns.append(Column("problems", "count"))
    rows = []
    for name in names:
        sets = _published_sets(name, data.registry.get(name))
        row: list[Value] = [_shape(data.registry.get(name)), measured_value(found[name], "greedy")]
        row += _of_bundled(data, sets, "greedy")
        for k in ks:
            row += [measured_value(found[name], f"pass@{k}"), published_value(name, f"pass@{k}")]
            row += _of_bundled(data, sets, f"pass@{k}")
        measured = found[name]
        rows.append((*row, None if measured is None else measured.problems()))
    last = f"pass@{15 if 15 in ks else ks[-1]}"
    labels = {name: _shape(data.registry.get(name)) for name in names}
    figure = Figure(
        "d1_vars",
        f"{last} by number of variables and inner polynomials",
        "(v_in, v_out)",
        "verified, %",
        (
            Series("ours", tuple((labels[n], measured_value(found[n], last)) for n in names)),
            Series("published", tuple((labels[n], published_value(n, last)) for n in names), True),
        ),
        "bars",
    )
    note = "Published: beam 15 and 1,200 problems; pass@50: beam 50 and 300 problems."
    note = " ".join(filter(None, (note, _bundled_note(data))))
    table = Table("Verified within k answers, homogeneous problems", _distinct(columns), tuple(rows), note)
    return data.report("d1_vars", "D1: accuracy by number of variables", [table], [figure])


def _cells(experiment: Experiment) -> list[str]:
    return [f"{o}∘{i}" for o in experiment.data.outer_degrees for i in experiment.data.inner_degrees]


def _published_sets(name: str, experiment: Experiment) -> list[str]:
    """The published test sets of an experiment of D1."""
    if name.startswith("d1_var"):
        return [name.replace("d1_var", "homogeneous")]
    return [_univariate(cell) for cell in _cells(experiment)]


def _univariate(cell: str) -> str:
    """The published set of a cell."""
    return "univariate_" + cell.replace("∘", "_")


def _bundled_columns(data: ReportBuilder, measure: str = "") -> list[Column]:
    """A column for the bundled model, if its figures were given."""
    name = ", ".join(filter(None, (measure, "bundled model")))
    return [] if data.bundled is None else [Column(name, "percent")]


def _of_bundled(data: ReportBuilder, sets: Sequence[str], measure: str) -> list[float | None]:
    return [] if data.bundled is None else [data.bundled.mean(sets, measure)]


def _bundled_note(data: ReportBuilder) -> str | None:
    return None if data.bundled is None else data.bundled.note


def _shape(experiment: Experiment) -> str:
    return f"({experiment.data.inner_variables}, {experiment.data.inners})"


def _distinct(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns; `published` is named after the one before it."""
    named = []
    for before, column in zip([None, *columns], columns, strict=False):
        if column.name == "published" and before is not None:
            column = Column(f"{before.name}, published", column.kind)
        named.append(column)
    return tuple(named)


# -- D2 --------------------------------------------------------------------------------------------


def d2_arch(data: ReportBuilder) -> Report:
    """Accuracy by width and layers."""
    names = data.names(r"d2_arch_\d+_l\d+")
    points = {name: data.registry.get(name).model for name in names}
    widths = sorted({model.width for model in points.values()})
    layers = sorted({model.layers for model in points.values()})
    by_point = {(points[name].width, points[name].layers): data.of(name) for name in names}
    k = common_k(list(by_point.values()))
    columns = [Column("width", "count")]
    for depth in layers:
        columns += [
            Column(f"greedy, {depth} layers", "percent"),
            Column(f"pass@{k}, {depth} layers", "percent"),
        ]
    rows = []
    for width in widths:
        row: list[Value] = [width]
        for depth in layers:
            measured = by_point.get((width, depth))
            row += [measured_value(measured, "greedy"), measured_value(measured, f"pass@{k}")]
        rows.append(tuple(row))
    series = tuple(
        Series(
            f"{depth} layers",
            tuple((float(w), measured_value(by_point.get((w, depth)), f"pass@{k}")) for w in widths),
        )
        for depth in layers
    )
    figure = Figure("d2_arch", f"pass@{k} by width and layers", "width", "verified, %", series, log=True)
    table = Table("Homogeneous (3, 3) by width and layers", tuple(columns), tuple(rows), NO_NUMBERS)
    return data.report("d2_arch", "D2: accuracy by width and layers", [table], [figure])


def d2_heads(data: ReportBuilder) -> Report:
    """Accuracy by number of heads."""
    names = sorted(data.names(r"d2_heads_\d+"), key=lambda name: data.registry.get(name).model.heads)
    found = {name: data.of(name) for name in names}
    k = common_k(list(found.values()))
    heads = {name: data.registry.get(name).model.heads for name in names}
    rows = tuple(
        (
            heads[name],
            measured_value(found[name], "greedy"),
            measured_value(found[name], "pass@1"),
            measured_value(found[name], f"pass@{k}"),
        )
        for name in names
    )
    columns = (
        Column("heads", "count"),
        Column("greedy", "percent"),
        Column("pass@1", "percent"),
        Column(f"pass@{k}", "percent"),
    )
    points = tuple((float(heads[name]), measured_value(found[name], f"pass@{k}")) for name in names)
    figure = Figure(
        "d2_heads", f"pass@{k} by heads", "heads", "verified, %", (Series("width 512", points),), log=True
    )
    table = Table("Homogeneous (3, 3) by heads", columns, rows, NO_NUMBERS)
    return data.report("d2_heads", "D2: accuracy by heads", [table], [figure])


# -- D3 --------------------------------------------------------------------------------------------


def d3(data: ReportBuilder) -> Report:
    """Adaptation curves: accuracy after fine-tuning by the number of examples."""
    names = data.names(r"d3_finetune_\w+_\d+")
    bases = list(dict.fromkeys(name.split("_")[2] for name in names))
    sizes = sorted({data.registry.get(name).data.train_size for name in names})
    start = {base: data.of(f"d3_pretrain_{base}") for base in bases}
    found = {(base, size): data.of(f"d3_finetune_{base}_{size}") for base in bases for size in sizes}
    columns = [Column("examples", "count")]
    for base in bases:
        columns += [Column(f"greedy, from {base}", "percent"), Column(f"pass@2, from {base}", "percent")]
    rows: list[tuple[Value, ...]] = []
    for size in sizes:
        row: list[Value] = [size]
        for base in bases:
            row += [measured_value(found[base, size], "greedy"), measured_value(found[base, size], "pass@2")]
        rows.append(tuple(row))
    series = tuple(
        Series(
            f"from {base}",
            tuple((float(size), measured_value(found[base, size], "greedy")) for size in sizes),
        )
        for base in bases
    )
    figure = Figure(
        "d3", "Adaptation by examples", "examples of fine-tuning", "greedy verified, %", series, log=True
    )
    first = tuple(
        (
            base,
            measured_value(start[base], "greedy"),
            measured_value(start[base], "pass@2"),
            published_value(f"d3_pretrain_{base}", "pass@2"),
        )
        for base in bases
    )
    tables = [
        Table("After fine-tuning, on the shifted distribution", tuple(columns), tuple(rows), NO_NUMBERS),
        Table(
            "Before it, on the distribution of pretraining",
            (
                Column("pretrained on"),
                Column("greedy", "percent"),
                Column("pass@2", "percent"),
                Column("pass@2, published", "percent"),
            ),
            first,
        ),
    ]
    return data.report("d3", "D3: adaptation by fine-tuning size", tables, [figure])


# -- D4 --------------------------------------------------------------------------------------------


def d4(data: ReportBuilder) -> Report:
    """Accuracy by beam width: for each width the narrowest search that is as wide."""
    names = ["d1_degree", *data.names(r"d1_var_\d+_\d+")]
    rows: list[tuple[Value, ...]] = []
    curves = []
    for name in names:
        found = own_reports(name, data.root)
        data.note(name, found[0] if found else None)
        points: list[tuple[str | float, float | None]] = []
        for k in BEAMS:
            fitting = sorted((m for m in found if m.beam >= k), key=lambda m: m.beam)
            ours = fitting[0] if fitting else None
            theirs = published(name, f"pass@{k}")
            points.append((float(k), measured_value(ours, f"pass@{k}")))
            bundled = _of_bundled(data, _published_sets(name, data.registry.get(name)), f"pass@{k}")
            if ours is None and theirs is None and not any(value is not None for value in bundled):
                continue
            if ours is not None:
                data.note(name, ours)
            rows.append(
                (
                    name,
                    k,
                    measured_value(ours, f"pass@{k}"),
                    None if ours is None else ours.beam,
                    None if theirs is None else theirs.value,
                    None if theirs is None else theirs.beam,
                    *bundled,
                )
            )
        curves.append(Series(name, tuple(points)))
        known = tuple((float(k), published_value(name, f"pass@{k}")) for k in BEAMS)
        if any(value is not None for _, value in known):
            curves.append(Series(f"{name}, published", known, True))
    columns = (
        Column("experiment"),
        Column("k", "count"),
        Column("pass@k", "percent"),
        Column("beam", "count"),
        Column("pass@k, published", "percent"),
        Column("beam, published", "count"),
        *_bundled_columns(data, "pass@k"),
    )
    note = (
        "pass@k is of one search with the beam given; `--set eval.beam=50 --stage eval` adds another width."
    )
    note = " ".join(filter(None, (note, _bundled_note(data))))
    figure = Figure(
        "d4", "Accuracy by beam width", "k", "verified within k answers, %", tuple(curves), log=True
    )
    return data.report(
        "d4",
        "D4: accuracy by beam width",
        [Table("Verified within k answers", columns, tuple(rows), note)],
        [figure],
    )
