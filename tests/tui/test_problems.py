"""The browser of an evaluation's problems: what is listed, one problem whole, and how it is sent on."""

import json

from polyctl.store.predictions import Prediction
from polyctl.store.runs import Run
from polyctl.tui.app import Dashboard
from polyctl.tui.problem_list import ProblemList
from polyctl.tui.text_dump import dump_tabs
from polyctl.tui.views.problems import KINDS, ProblemsView, format_problem, format_result
from polyctl.tui.widgets.table import Table
from tests.tui.shared import (
    drive,
    event,
    heard,
    make_predictions,
    make_run,
    prediction,
    screen_text,
    until,
    until_hidden,
    until_listed,
    until_shown,
)


def read(run: Run) -> ProblemList:
    found = ProblemList(run)
    while found.refresh():
        pass
    return found


def test_problems_are_chosen_by_kind_cell_and_text(tmp_path):
    run = make_run(tmp_path / "runs")
    make_predictions(run)
    rows = read(run).rows

    def listed(**how):
        return [row.index for row in ProblemsView(**how).select(rows)]

    assert {kind: listed(kind=kind) for kind in KINDS} == {
        "all": [0, 1, 2, 3, 4],
        "failed": [1, 3, 4],
        "solved": [0, 2],
        "solved first": [0],
        "solved later": [2],
        "inner right": [3],
        "unreadable": [4],
    }
    assert listed(cell="2∘2") == [0, 1]
    assert listed(pattern="X^6") == [2, 3]
    assert listed(sort="log-prob", reverse=True) == [4, 3, 2, 1, 0]
    assert listed(sort="result") == [0, 2, 3, 1, 4]
    assert [format_result(row).plain for row in rows] == [
        "✓ rank 1",
        "✗ failed",
        "✓ rank 2",
        "○ inner right",
        "! unreadable",
    ]
    view = ProblemsView()
    cells = [view.cell]
    for _ in range(5):
        view.next_cell(rows)
        cells.append(view.cell)
    assert cells == [None, "2∘2", "2∘3", "3∘2", "3∘3", None]


def test_one_problem_whole():
    found = prediction(7, "2∘2", "x^4 + 1", "refuted", "malformed", "verified")
    found["beam"][0]["duplicate_of"] = 2
    found["beam"][0]["completed"] = "verified"
    text = format_problem(Prediction.from_line(json.dumps(found).encode()), 100).plain.splitlines()
    assert text[:3] == ["problem 7  cell 2∘2", "f = x^4 + 1", "known: g = b^2 + 1; h = x^2"]
    assert text[4:] == [
        "   1    -7.250 ✗ refuted    h = x^2 + 0*x (as rank 3, right with another g)",
        "   2    -8.250 ! malformed  an empty polynomial",
        "   3    -9.250 ✓ verified   h = x^2 + 2*x (as known)",
    ]


def test_an_answer_stays_in_its_line():
    found = prediction(7, "2∘2", "x^4 + 1", "refuted", "verified", "malformed")
    for one in found["beam"]:
        one |= {"inner": ["x^2 + " * 40], "duplicate_of": 2, "reason": "because " * 30}
    found["beam"][2]["inner"] = []
    text = format_problem(Prediction.from_line(json.dumps(found).encode()), 90).plain.splitlines()
    assert {len(line) for line in text[4:]} == {90}


def test_a_hostile_line_steers_nothing():
    found = prediction(1, "\x1b[2J", "x\x1b[31m", "refuted")
    found["beam"][0] |= {"inner": ["\x1b]0;t\x07"], "reason": "\x9b", "logprob": None, "status": "\x1b"}
    text = format_problem(Prediction.from_line(json.dumps(found).encode()), 80).plain
    assert text.replace("\n", "").isprintable()


def refresh(found: ProblemList) -> None:
    """As if two seconds had gone by since the last look at the directory."""
    found._folder.look_again()
    found.refresh()


def test_a_running_evaluation_grows_and_is_followed_to_its_end(tmp_path):
    run = make_run(tmp_path / "runs")
    ended = make_predictions(run)
    lines = ended.read_text().splitlines(keepends=True)
    found = read(run)
    assert (len(found.rows), found.title) == (5, "2025-10-09 08:54 UTC")
    part = run.predictions / "eval-20260101-000000-7-0.part"
    part.write_text('{"owner": {}, "problems": 9}\n' + lines[1])
    refresh(found)
    refresh(found)
    assert ([row.index for row in found.rows], found.problems) == ([1], 9)
    with part.open("a") as file:
        file.write(lines[2])
    refresh(found)
    assert [row.index for row in found.rows] == [1, 2]
    found.choose("eval-20251009-085420")
    refresh(found)
    assert len(found.rows) == 5
    found.choose("eval-20260101-000000-7")
    refresh(found)
    part.unlink()
    found.refresh()
    found.refresh()
    assert len(found.rows) == 5


def test_the_report_that_comes_after_the_predictions_is_seen(tmp_path):
    run = make_run(tmp_path / "runs")
    make_predictions(run)
    found = read(run)
    accuracy = {"greedy": {"exact": 0, "verified": 0}, "pass_at": {"1": 0}, "rank_score": 0}
    report = {"step": 1234, "data": "test problems of quick", "problems": 5, "beam": 2, "cells": []}
    run.reports.mkdir(exist_ok=True)
    (run.reports / "eval-20251009-085420.json").write_text(json.dumps({**report, **accuracy}))
    changes = found.changes
    found.refresh()
    assert found.title == "2025-10-09 08:54 UTC, step 1,234, beam 2, test problems of quick"
    assert found.changes > changes


def test_a_directory_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    run = make_run(tmp_path / "runs")
    found = ProblemList(run)

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("polyctl.tui.evaluation_folder.list_evaluations", refuse)
    assert not found.refresh()
    assert "predictions cannot be read: Permission denied" in ProblemsView().describe(found, 0)


def test_the_tab(tmp_path, dashboard, monkeypatch):
    root = tmp_path / "runs"
    run = Run.at(root / "quick/20251009-085320")
    make_predictions(run)
    make_predictions(run, "eval-20251008-000000.jsonl").write_text("")
    make_run(root, "alpha/20250101-000000", [event(1, "step", step=3, loss=1.0)])
    run.checkpoints.mkdir(exist_ok=True)
    (run.checkpoints / "best.safetensors").write_text("")

    async def script(pilot):
        await until(pilot, lambda: len(dashboard.runs.rows) == 2, "the runs are listed")
        await pilot.press("f10")
        await until_shown(pilot, "5 problems, 1 solved first, 2 in all", "problem 0  cell 2∘2")
        await pilot.press("f")
        await until_shown(pilot, "shown: 3 (failed)", "problem 1  cell 2∘2")
        await pilot.press("s", "S")
        await until_shown(pilot, "by log-prob, reversed")
        await pilot.press("s", "s", "s", "S", "c", "j")
        await until_hidden(pilot, "by log-prob")
        await until_shown(pilot, "shown: 1 (failed, 2∘2)")
        await pilot.press("d")
        assert dashboard.place == "decompose"
        text, settings = dashboard.solver.asked[-1]
        assert (text, settings["method"], settings["run"]) == ("x^4 + 2*x^2 + 3", "neural", run.name)
        assert settings["width"] == 2
        await pilot.press("f10", "c", "c", "c", "c", "slash", *"x^9", "enter")
        await until_shown(pilot, "not asked: f takes 900 tokens")
        await pilot.press("e", "down", "enter")
        await until_shown(pilot, "0 problems")
        said = heard(dashboard, monkeypatch)
        await pilot.press("n")
        assert said == ["no other run has kept the problems of an evaluation"]
        dashboard.open_problems("alpha/20250101-000000")
        await until_shown(pilot, "alpha/20250101-000000: no evaluation of this run")
        await pilot.press("n")
        await until_shown(pilot, "quick/20251009-085320")
        await pilot.press("f3", "g", "p")
        await until_shown(pilot, "quick/20251009-085320")
        await pilot.press("f4", "p")
        assert dashboard.place == "problems"

    drive(dashboard, script)


def test_a_run_without_a_model_is_not_asked(tmp_path, dashboard, monkeypatch):
    make_predictions(Run.at(tmp_path / "runs/quick/20251009-085320"))
    said = heard(dashboard, monkeypatch)

    async def script(pilot):
        await until(pilot, lambda: dashboard.runs.rows, "the run is listed")
        await pilot.press("f10")
        await until_shown(pilot, "problem 0  cell 2∘2")
        await pilot.press("enter")
        assert dashboard.solver.asked[-1][1]["run"] is None
        assert "has no model here" in said[0]

    drive(dashboard, script)


def test_side_by_side_on_a_wide_screen(tmp_path):
    make_predictions(make_run(tmp_path / "runs"))
    app = Dashboard()

    async def script(pilot):
        await until(pilot, lambda: app.runs.rows, "the run is listed")
        await pilot.press("f10")
        await until_shown(pilot, "problem 0  cell 2∘2")
        table = app.pane("problems").query_one(Table)
        (line,) = [line for line in screen_text(app).splitlines() if line.startswith(" number")]
        assert "problem 0  cell 2∘2" in line
        assert table.row_count == 5
        await pilot.press("space", "b")

    drive(app, script, (200, 50))


def test_plain(tmp_path):
    run = make_run(tmp_path / "runs")
    make_predictions(run)
    lines = list(dump_tabs(("problems",), tmp_path / "runs", None, None))
    assert lines[:4] == [
        "quick/20251009-085320",
        "2025-10-09 08:54 UTC",
        "5 problems, 1 solved first, 2 in all · pass@1 20.0% (3.6–62.4%), pass@2 40.0% (11.8–76.9%)",
        "failed: 3; those with the most probable answers:",
    ]
    assert lines[4] == "  problem 1, cell 2∘2, failed, log-prob -1.250: f = x^4 + 2*x^2 + 3"
    make_run(tmp_path / "runs", "alpha/20260101-000000", [])
    assert "no evaluation" in list(dump_tabs(("problems",), tmp_path / "runs", None, None))[1]
    assert "no runs in" in next(dump_tabs(("problems",), tmp_path / "none", None, None))


def test_why_there_are_no_problems_is_told_whole(dashboard):
    async def script(pilot):
        await until_listed(pilot, 1)
        await pilot.press("f10")
        await until_shown(pilot, "n goes to a run that has one")

    drive(dashboard, script, (60, 16))
