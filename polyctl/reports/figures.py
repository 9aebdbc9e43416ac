"""Figures as PNG and SVG by matplotlib, which is an extra."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from polyctl.errors import FileError, UsageError
from polyctl.reports.tables import Figure, Series
from polyctl.store.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("png", "svg")
BESIDE = 4  # more series than this have their legend beside the plot


def draw(figures: tuple[Figure, ...], directory: Path) -> list[Path]:
    """Write each figure of which something was measured; the files. Raises UsageError without matplotlib."""
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot
    except ImportError:
        raise UsageError("--figures needs matplotlib", "pip install 'polyctl[figures]'") from None
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{directory} cannot be made: {error.strerror}", "name another directory") from error
    written = []
    for figure in figures:
        if figure.empty:
            continue
        # the same input gives the same SVG
        with pyplot.rc_context({"svg.hashsalt": figure.name}):
            canvas, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
            (_bars if figure.kind == "bars" else _lines)(axes, figure)
            axes.set(title=figure.title, xlabel=figure.x, ylabel=figure.y)
            axes.set_ylim(bottom=0)
            axes.grid(axis="y", alpha=0.3)
            if len(figure.series) > BESIDE:
                canvas.legend(loc="outside right upper", frameon=False, fontsize="small")
            else:
                axes.legend(frameon=False)
            for extension in FORMATS:
                path = directory / f"{figure.name}.{extension}"
                metadata = {"Date": None} if extension == "svg" else None
                drawn = BytesIO()
                canvas.savefig(drawn, format=extension, dpi=150, metadata=metadata)
                write_atomic(path, drawn.getvalue())
                written.append(path)
            pyplot.close(canvas)
    return written


def _points(series: Series, figure: Figure) -> list[tuple[str | float, float]]:
    scale = 100 if figure.percent else 1
    return [(x, scale * y) for x, y in series.points if y is not None]


def _lines(axes: Axes, figure: Figure) -> None:
    ticks = sorted({float(x) for series in figure.series for x, _ in series.points})
    if figure.log:
        axes.set_xscale("log", base=2)
    colours: dict[str, str] = {}
    for series in figure.series:
        points = _points(series, figure)
        if points:
            # a published line has the colour of ours
            colour = colours.setdefault(series.label.removesuffix(", published"), f"C{len(colours)}")
            style = "x--" if series.published else "o-"
            axes.plot(
                [float(x) for x, _ in points], [y for _, y in points], style, color=colour, label=series.label
            )
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _bars(axes: Axes, figure: Figure) -> None:
    labels = list(dict.fromkeys(str(x) for series in figure.series for x, _ in series.points))
    width = 0.8 / len(figure.series)
    for number, series in enumerate(figure.series):
        points = _points(series, figure)
        places = [labels.index(str(x)) + (number - (len(figure.series) - 1) / 2) * width for x, _ in points]
        hatch = "//" if series.published else None
        axes.bar(places, [y for _, y in points], width, label=series.label, hatch=hatch, alpha=0.85)
    axes.set_xticks(range(len(labels)), labels, rotation=0 if len(labels) < 12 else 60)
