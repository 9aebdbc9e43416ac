"""The lines of the plots: what runs measured over steps, time or problems."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from polyctl.formatting import format_number, format_percent
from polyctl.tui.format import clean
from polyctl.tui.run_evaluations import Evaluation
from polyctl.tui.run_log import GROUP_KEYS, MEASURED, STEP, VALID, VALIDATION_KEYS, RunLog
from polyctl.tui.series import Point
from polyctl.tui.views.plot import Line, Mark

# id: (title, [(series, label)])
METRICS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "loss": ("loss", (("loss", "train"), ("valid_loss", "valid"))),
    "verified": ("verified accuracy", (("greedy_verified", "verified"), ("greedy_exact", "exact"))),
    "pass": ("pass@k", (("pass_at_1", "valid@1"), ("pass_at_w", "valid@w"))),
    "lr": ("learning rate", (("lr", "lr"),)),
    "norm": ("gradient norm", (("grad_norm", "norm"),)),
    "rate": ("tokens a second", (("tokens_per_second", "tokens/s"),)),
    "reward": ("reward", (("reward", "reward"),)),
    "groups": (
        "share of groups",
        (("all_right", "all right"), ("all_wrong", "all wrong"), ("skipped", "skipped")),
    ),
    "kl": ("KL divergence", (("kl", "kl"),)),
    "entropy": ("entropy", (("entropy", "entropy"),)),
    "clip": ("clip share", (("clip_share", "clipped"),)),
    "mass": ("mass and copies", (("mass", "mass"), ("copies", "copies"))),
}
SUPERVISED = ("loss", "verified", "pass", "lr", "norm", "rate")
REINFORCED = ("reward", "verified", "pass", "groups", "kl", "entropy", "clip", "loss", "norm")
SHARES = ("verified", "pass", "groups", "clip", "mass")
EVALUATED = ("verified", "pass")
OWN = ("own-0", "own-1", "own-2")  # plots of metrics that are chosen by name
NEAR_ZERO = 0.05  # an axis that begins within so much of its end begins at 0
UNITS = {"step": None, "time": "elapsed", "problems": "problems_seen"}  # and the series that measures each


def plot_lines(
    run_logs: Sequence[RunLog], metric: str, unit: str = "step", own: Sequence[str] = ()
) -> list[Line]:
    """The lines of one plot; with several runs each label begins with the run's number.

    `own` are the series that the plots of OWN show.
    """
    found = []
    for index, run_log in enumerate(run_logs):
        with run_log.lock:
            if metric in OWN:
                lines = _own_lines(run_log, own[OWN.index(metric)])
            else:
                lines = _measured_lines(run_log, metric)
            if metric in EVALUATED:
                lines += _evaluated_lines(run_log.evaluations, metric)
            axis = Axis(run_log, unit)
        several = len(run_logs) > 1
        for line in lines:
            label = clean(f"{index + 1}:{line.label}" if several else line.label)
            moved = axis.move(line.points)
            found.append(replace(line, label=label, points=moved, run=index if several else None))
    return found


def list_measured(run_logs: Sequence[RunLog], plots: Sequence[str]) -> tuple[str, ...]:
    """Those of these plots for which anything has been measured; the first one if there are none."""
    names, evaluated = set[str](), False
    for run_log in run_logs:
        with run_log.lock:
            names |= run_log.series.keys()
            evaluated |= bool(run_log.evaluations)
    found = [
        plot
        for plot in plots
        if (plot in EVALUATED and evaluated) or any(name in names for name, _ in METRICS[plot][1])
    ]
    return tuple(found or plots[:1])


class Axis:
    """Where the steps of a run lie on the x axis: as they are, or by what was measured at each."""

    def __init__(self, run_log: RunLog, unit: str) -> None:
        name = UNITS[unit]
        series = None if name is None else run_log.series.get(name)
        known = [] if series is None else [p for p in series.points if p.last is not None]
        self._plain = name is None
        self._steps = [p.x for p in known]
        self._places = [p.last or 0.0 for p in known]

    def place(self, step: float) -> float | None:
        """Where a step lies, between its neighbours; None if nothing was measured."""
        if self._plain:
            return step
        if not self._steps:
            return None
        at = bisect_left(self._steps, step)
        if at == 0 or at == len(self._steps):
            return self._places[min(at, len(self._steps) - 1)]
        (x0, x1), (y0, y1) = self._steps[at - 1 : at + 1], self._places[at - 1 : at + 1]
        return y0 + (y1 - y0) * (step - x0) / (x1 - x0)

    def move(self, points: Sequence[Point]) -> Sequence[Point]:
        """Points over steps as points over this axis."""
        if self._plain:
            return points
        moved = []
        for point in points:
            x, first = self.place(point.x), self.place(point.first_x)
            if x is not None and first is not None:
                moved.append(replace(point, x=x, first_x=first))
        return moved


def _measured_lines(run_log: RunLog, metric: str) -> list[Line]:
    """What the run itself measured at its steps and validations."""
    return [
        Line(label, series.points, smoothed=key in MEASURED, percent=metric in SHARES)
        for key, label in METRICS[metric][1]
        if (series := run_log.series.get(key)) is not None
    ]


def _own_lines(run_log: RunLog, name: str) -> list[Line]:
    series = run_log.series.get(name)
    if series is None:
        return []
    often = name not in VALIDATION_KEYS and not name.startswith(VALID)
    return [Line(name, series.points, smoothed=often, percent=is_share(name))]


def is_share(name: str) -> bool:
    """Whether a metric of that name lies between 0 and 1, so that it is shown as a percentage."""
    return name.removeprefix(VALID).removeprefix(STEP) in (
        "greedy_verified",
        "greedy_exact",
        "pass_at_1",
        "pass_at_w",
        *GROUP_KEYS,
    )


def list_metrics(run_logs: Sequence[RunLog]) -> list[tuple[str, str]]:
    """The names of all that the runs have measured, with the newest value of each run."""
    names: dict[str, list[str]] = {}
    for run_log in run_logs:
        with run_log.lock:
            for name, series in run_log.series.items():
                now = Line(name, series.points).now
                names.setdefault(name, []).append(
                    format_percent(now) if is_share(name) else format_number(now)
                )
    return [(name, ", ".join(values)) for name, values in sorted(names.items())]


def _evaluated_lines(evaluations: list[Evaluation], metric: str) -> list[Line]:
    """What `polyctl eval` found, as points: their problems may differ. The newest one says at which k."""
    if not evaluations:
        return []
    passed = sorted(evaluations[-1].passed)
    ks = dict.fromkeys([*passed[:1], *passed[-1:]]) if metric == "pass" else {None: None}
    found = []
    for k in ks:
        values = [(e.step, e.verified if k is None else e.passed.get(k)) for e in evaluations]
        points = [Point.at(step, value) for step, value in values if step is not None and value is not None]
        if points:
            label = "eval" if k is None else f"pass@{k}"
            points.sort(key=lambda point: point.x)
            found.append(
                Line(label, points, smoothed=False, joined=False, percent=True, newest=values[-1][1])
            )
    return found


def list_marks(run_logs: Sequence[RunLog], unit: str = "step") -> tuple[Mark, ...]:
    """Where checkpoints were written and trainings resumed."""
    found = []
    for index, run_log in enumerate(run_logs):
        run = index if len(run_logs) > 1 else None
        with run_log.lock:
            axis = Axis(run_log, unit)
            places = [(step, False) for step in run_log.checkpoints]
            places += [(step, True) for step in run_log.resumes]
        found += [Mark(x, resumed, run) for step, resumed in places if (x := axis.place(step)) is not None]
    return tuple(found)


def measure_steps(run_logs: Sequence[RunLog], unit: str = "step") -> tuple[float, float] | None:
    """The first and the last place at which anything was measured: the axis that all plots share."""
    found: list[float] = []
    for run_log in run_logs:
        with run_log.lock:
            axis, steps = Axis(run_log, unit), list[float]()
            for points in (series.points for series in run_log.series.values()):
                steps += [points[0].first_x, points[-1].x]
            steps += [e.step for e in run_log.evaluations if e.step is not None]
        found += [place for step in steps if (place := axis.place(step)) is not None]
    if not found:
        return None
    first, last = min(found), max(found)
    return (0.0 if 0 < first <= NEAR_ZERO * last else first), last


def narrowest_window(run_logs: list[RunLog]) -> float:
    """The smallest fraction of the steps that is worth showing: some points of the densest series."""
    counts = [1]
    for run_log in run_logs:
        with run_log.lock:
            counts += [len(series.points) for series in run_log.series.values()]
    return min(1.0, 4 / max(counts))
