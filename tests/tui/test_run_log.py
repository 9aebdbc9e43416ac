"""What a run's events become."""

import json
import math
import shutil

from polyctl.store.event_kinds import Beam, Evaluation
from polyctl.store.events import EventWriter
from polyctl.tui.run_log import RunLog, _format_event
from polyctl.tui.series import Series
from polyctl.tui.text_dump import dump_tabs
from polyctl.tui.views.beam import format_beam, format_caption
from polyctl.tui.views.heat_map import format_heat_map
from polyctl.tui.views.lines import measure_steps, plot_lines
from polyctl.tui.views.plot import Line, PlotView, draw_plot
from tests.tui.shared import event, events, make_run, points


def read(run_log: RunLog) -> RunLog:
    while run_log.refresh():
        pass
    return run_log


def test_history_of_a_run(tmp_path):
    run_log = read(RunLog(make_run(tmp_path)))
    assert run_log.complete
    assert len(run_log.series["loss"].points) == 60
    assert [p.x for p in run_log.series["loss"].points] == list(range(1, 61))
    (evaluation,) = run_log.evaluations
    assert (evaluation.passed[10], evaluation.verified) == (0.8, 0.6)
    assert run_log.facts() == ["1 value not finite (gap)"]
    assert len(run_log.frames) == 8
    numbers = [line.number for line in run_log.lines]
    assert numbers == sorted(set(numbers))


def test_values_of_steps_stand_below_each_other(tmp_path):
    lines = [event(i, "step", step=10**i, loss=10.0**-i, lr=1e-3 / 3**i) for i in range(5)]
    run_log = read(RunLog(make_run(tmp_path, lines=lines)))
    places = {tuple(line.text.index(name) for name in ("loss=", "lr=")) for line in run_log.lines}
    assert len(places) == 1


def test_backwards_in_pieces_gives_the_same_as_forwards(tmp_path, monkeypatch):
    whole = read(RunLog(make_run(tmp_path / "a")))
    monkeypatch.setattr("polyctl.tui.run_log.SLICE_BYTES", 300)
    pieces = read(RunLog(make_run(tmp_path / "b")))
    assert pieces.series["loss"].points == whole.series["loss"].points
    assert [line.text for line in pieces.lines] == [line.text for line in whole.lines]
    assert list(pieces.frames) == list(whole.frames)
    live = RunLog(make_run(tmp_path / "c", lines=[]))
    read(live)
    with live.run.events.open("a") as file:
        file.writelines(json.dumps(e, ensure_ascii=False) + "\n" for e in events())
    read(live)
    assert [line.text for line in live.lines] == [line.text for line in whole.lines]
    assert list(live.frames) == list(whole.frames)


def test_a_file_that_is_always_written_to_is_read_to_its_start(tmp_path, monkeypatch):
    monkeypatch.setattr("polyctl.tui.run_log.SLICE_BYTES", 300)
    run_log = RunLog(make_run(tmp_path))
    with run_log.run.events.open("a") as file:
        for i in range(200):
            run_log.refresh()
            file.write(json.dumps(event(i, "step", step=100 + i, loss=1.0)) + "\n")
            file.flush()
    assert run_log.complete
    run_log.refresh()
    xs = [p.x for p in run_log.series["loss"].points]
    assert xs == [float(x) for x in (*range(1, 61), *range(100, 300))]


def test_of_a_huge_file_the_newest_part_is_read_whole_and_the_rest_thinned(tmp_path, monkeypatch):
    for name, value in (("SLICE_BYTES", 1000), ("WHOLE_BYTES", 5000), ("THIN_BYTES", 20_000)):
        monkeypatch.setattr(f"polyctl.tui.run_log.{name}", value)
    steps = [event(i, "step", step=i, loss=1.0) for i in range(1000)]
    lines = [
        event(0, "run", step=0),
        *steps[:200],
        event(200, "eval", step=200, valid_loss=2.0),
        *steps[200:],
    ]
    run_log = RunLog(make_run(tmp_path, lines=lines))
    run_log.refresh()
    run_log.refresh()
    assert run_log.lines[-1].text.startswith("step=999")  # the newest first
    read(run_log)
    size = run_log.run.events.stat().st_size
    assert run_log.every == 1 + (size - 5000) // 20_000 > 3
    assert f"of older steps one in {run_log.every} is read" in run_log.facts()
    assert [p.x for p in run_log.series["valid_loss"].points] == [200.0]
    xs = [p.x for p in run_log.series["loss"].points]
    newest = 5000 // (len(json.dumps(steps[-1])) + 1)
    assert xs[-newest:] == [float(x) for x in range(1000 - newest, 1000)]
    assert len(xs) < newest + 1000 / run_log.every + 50
    other = run_log.run.events.with_name("other")
    other.write_text("".join(json.dumps(e) + "\n" for e in steps[:40]))
    other.replace(run_log.run.events)
    read(run_log)
    assert (len(run_log.series["loss"].points), run_log.every) == (40, 1)  # nothing is left of the old file


def test_a_reinforcement_learning(tmp_path):
    group = [{"text": "x^2", "logprob": -0.5, "status": "verified", "rank": 0, "reward": 0.9}]
    group.append({"text": "x", "logprob": -2.0, "status": "refuted", "rank": None, "reward": -0.1})
    lines = [
        event(1, "step", step=1, loss=0.1, reward=0.4),
        event(1, "rollout", step=1, input="x^4 + 1", hypotheses=group[::-1]),
        event(2, "eval", step=1, pass_at_1=0.5, pass_at_w=0.75),
    ]
    run_log = read(RunLog(make_run(tmp_path, lines=lines)))
    assert [line.label for line in plot_lines([run_log], "pass")] == ["valid@1", "valid@w"]
    assert [line.label for line in plot_lines([run_log], "reward")] == ["reward"]
    (frame,) = run_log.frames
    assert format_caption(frame).plain.startswith("rollout of training step 1 ")
    first, second = format_beam(frame, None, 80).plain.splitlines()[1:]
    assert first.split()[:5] == ["1", "0.9", "-0.500", "✓", "verified"]
    assert second.split()[:2] == ["2", "-0.1"]


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    run = make_run(tmp_path, lines=[{**event(1, "step", step=1, loss=1.0), "v": 99, "new": [1]}])
    with run.events.open("a") as file:
        file.write("[red]broken\n")
    run_log = read(RunLog(run))
    assert any("newer polyctl" in fact for fact in run_log.facts())
    assert "1 broken line" in run_log.facts()
    run.events.unlink()
    run.events.mkdir()
    run_log = read(RunLog(run))
    assert "cannot be read" in run_log.facts()[0]
    run.events.rmdir()
    run_log.refresh()
    assert run_log.facts() == [f"{run.name} has no events file yet"]


def test_what_is_said_of_files_that_are_not_there(tmp_path):
    run = make_run(tmp_path, lines=[])
    run_log = read(RunLog(run))
    assert run_log.facts() == [f"{run.name} has written no events yet"]
    run.events.unlink()
    assert read(RunLog(run)).facts() == [f"{run.name} has no events file yet"]
    run_log.refresh()
    assert run_log.facts() == [f"{run.events} is gone"]
    shutil.rmtree(run.path)
    run_log.refresh()
    assert run_log.facts() == [f"{run.name} has been deleted"]


def test_events_of_any_shape_are_survived(tmp_path):
    odd = [
        {"kind": "step"},
        {"kind": "step", "step": "x", "loss": []},
        {"kind": "step", "step": math.nan, "loss": 1.0},
        {"kind": "step", "step": 10**400, "loss": 10**400},
        {
            "kind": "eval",
            "step": 1,
            "pass_at": {"x": 1, "5": "y"},
            "cells": [3, {"cell": 7}, {"cell": "2∘2", "greedy": 5}],
        },
        {"kind": "beam", "live": 3, "finished": [1, {"text": 5, "logprob": "x"}]},
        {"kind": "verdict", "hypotheses": [{"rank": None, "status": ["x"]}]},
        {"kind": "run", "time": "yesterday", "v": "x"},
    ]
    run = make_run(tmp_path / "runs", lines=odd)
    run_log = read(RunLog(run))
    format_heat_map(run_log.cells)
    for frame in run_log.frames:
        format_beam(frame, None, 80)
    assert any(
        "yesterday" not in line for line in dump_tabs(("run", "beam", "runs"), tmp_path / "runs", None, None)
    )


def test_uses_of_the_shipped_model_are_seen_as_they_come(tmp_path, monkeypatch):
    run = make_run(tmp_path, "general/shipped", lines=[event(0, "run", state="started", step=0)])
    monkeypatch.setenv("POLYCTL_SHIPPED", str(run.path))
    kept = run.events.read_bytes()
    with EventWriter(run.usage_log) as usage:
        run_log = read(RunLog(run))
        usage.write(Beam(problem=0, step=1))
        read(run_log)
        usage.write(Evaluation(step=3, greedy_verified=0.5))
        read(run_log)
    assert [frame["step"] for frame in run_log.frames] == [1]
    assert [line.kind for line in run_log.lines] == ["run", "evaluation"]
    assert run.events.read_bytes() == kept
    later = read(RunLog(run))  # who opens the dashboard afterwards sees them too, in the same order
    assert [frame["step"] for frame in later.frames] == [1]
    assert [line.kind for line in later.lines] == ["run", "evaluation"]
    written = [event(1, "run", state="started", step=5), event(2, "run", state="completed", step=6)]
    run.events.write_text("".join(json.dumps(one) + "\n" for one in written))
    read(later)
    assert [line.kind for line in later.lines] == ["run", "run", "evaluation"]


def evaluation(i: float, step: int, passed: dict, **more) -> dict:
    found = {"step": step, "pass_at": passed, "greedy_verified": passed["1"], "problems": 60, **more}
    return event(i, "eval", source="eval", **found)


def report(run, stamp: str, step: int, verified: float) -> None:
    run.reports.mkdir(exist_ok=True)
    cells = [{"cell": "2∘2", "greedy": {"verified": verified}}]
    found = {"step": step, "problems": 120, "greedy": {"verified": verified}, "pass_at": {"1": verified}}
    (run.reports / f"eval-{stamp}.json").write_text(json.dumps({**found, "cells": cells}))


def test_a_report_counts_where_no_event_is_as_new(tmp_path):
    run = make_run(tmp_path)  # evaluated at 08:54:23
    report(run, "20251009-085420", 60, 0.1)
    run_log = read(RunLog(run))
    assert len(run_log.evaluations) == 1
    report(run, "20251009-085500", 75, 0.9)
    read(run_log)
    assert run_log.evaluations[-1].title == "step 75, 120 problems, 2025-10-09"
    assert [line.now for line in plot_lines([run_log], "verified")] == [1.0, 0.5, 0.9]
    assert "90.0%" in format_heat_map(run_log.cells, "step 75").plain
    assert "step 75" in format_heat_map(run_log.cells, "step 75").plain
    for broken in (
        "{",
        "[]",
        '{"greedy": 3}',
        '{"greedy": {"verified": 1}, "cells": 4, "pass_at": [], "step": {}}',
    ):
        (run.reports / "eval-20251009-090000.json").write_text(broken)
        assert read(RunLog(run)).cells is not None


def test_of_two_evaluations_in_one_piece_the_newer_counts(tmp_path):
    cells = [[{"cell": "2∘2", "greedy": {"verified": v}}] for v in (0.25, 0.75)]
    lines = [evaluation(i, 5, {"1": 0.5}, cells=some) for i, some in enumerate(cells)]
    assert read(RunLog(make_run(tmp_path, lines=lines))).cells == cells[1]


def test_pass_at_k_is_of_the_newest_evaluation(tmp_path):
    lines = [
        evaluation(1, 8200, {"1": 0.5, "20": 0.6, "30": 0.7}),
        evaluation(2, 9000, {"1": 0.55, "30": 0.75}),
        evaluation(3, 8200, {"1": 0.8, "20": 0.9}),
    ]
    run_log = read(RunLog(make_run(tmp_path, lines=lines)))
    one, twenty = plot_lines([run_log], "pass")
    assert (one.label, one.now, twenty.label, twenty.now) == ("pass@1", 0.8, "pass@20", 0.9)
    assert not one.joined
    assert [(p.x, p.last) for p in twenty.points] == [(8200.0, 0.6), (8200.0, 0.9)]


def test_only_what_steps_measure_is_smoothed(tmp_path):
    run_log = read(RunLog(make_run(tmp_path)))
    smoothed = {
        line.label: line.smoothed for m in ("loss", "verified", "pass") for line in plot_lines([run_log], m)
    }
    assert [label for label, yes in smoothed.items() if yes] == ["train"]
    rough = Line("valid", points(0.0, 10.0, 0.0, 10.0), smoothed=False)
    assert (
        draw_plot([rough], PlotView(smoothing=0.9), 60, 12).plain
        == draw_plot([rough], PlotView(), 60, 12).plain
    )


def test_the_first_value_and_step_survive_the_buckets(tmp_path):
    forwards, backwards = Series(limit=100), Series(limit=100)
    values = [(float(i), 1000.0 - i) for i in range(1, 1000)]
    for one in values:
        forwards.add([one])
    backwards.add(values, earlier=True)
    for series in (forwards, backwards):
        assert (series.points[0].first_x, series.points[0].first) == (1.0, 999.0)
    lines = [event(i, "step", step=i, loss=1.0) for i in range(1, 5000)]
    assert measure_steps([read(RunLog(make_run(tmp_path, lines=lines)))]) == (0.0, 4999.0)


def test_events_other_than_steps_stay_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr("polyctl.tui.run_log.LOG_LINES", 20)
    lines = [
        event(i, kind, step=i, **({"valid_loss": 1.0} if kind == "eval" else {"loss": 1.0}))
        for i in range(300)
        for kind in (("step", "eval") if i % 100 == 0 else ("step",))
    ]
    run = make_run(tmp_path, lines=lines)
    whole = read(RunLog(run))
    monkeypatch.setattr("polyctl.tui.run_log.SLICE_BYTES", 500)
    for run_log in (whole, read(RunLog(run))):
        assert [line.text for line in run_log.lines if line.kind == "validation"] == [
            f"step={i}  valid=1" for i in (0, 100, 200)
        ]
        assert (len(run_log.lines), run_log.line_count) == (23, 303)
        numbers = [line.number for line in run_log.lines]
        assert numbers == sorted(set(numbers))


def test_a_line_of_the_log_says_what_matters_first():
    line = _format_event(
        0, "evaluation", evaluation(1, 5, {"1": 0.5, "2": 0.6, "3": 0.75}, tokens_per_second=12345.6)
    )
    assert "pass@1=0.5  pass@3=0.75" in line.text
    assert "tokens/s=12346" in line.text
