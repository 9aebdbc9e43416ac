"""Reports of evaluations as they are written, and as older versions wrote them."""

import json
from pathlib import Path

import pytest

from polyctl.store.evaluation_report import (
    Accuracy,
    AccuracySummary,
    Baseline,
    CellAccuracy,
    EvaluationReport,
    ProblemSet,
    read_reports,
)
from polyctl.store.runs import Run

ROOT = Path(__file__).parents[2]
KEPT = sorted(ROOT.glob("docs/results/*/*/reports/*.json")) + sorted(
    ROOT.glob("runs/general/*/reports/*.json")
)


def accuracy(verified: float) -> Accuracy:
    return Accuracy(0.25, verified, {1: 0.5, 2: 0.75}, 0.625)


REPORT = EvaluationReport(
    "quick/1",
    "best",
    350,
    ProblemSet("quick"),
    1.5,
    "cpu",
    1,
    AccuracySummary(
        *(8, 2, accuracy(0.5), accuracy(0.625), (CellAccuracy("2∘3", 8, accuracy(0.5)),)),
        hypotheses={"verified": 12, "refuted": 4},
        duplicates=1,
    ),
    Baseline(8, 1.0, 20.0),
)


@pytest.mark.parametrize("data", [ProblemSet("quick"), ProblemSet(files=("a.txt", "b, c.txt"))])
def test_a_set_of_problems_is_stored_by_its_name(data):
    assert ProblemSet.from_json(json.loads(json.dumps(data.to_json()))) == data


def test_a_set_of_problems_is_printed_in_words_and_old_words_are_understood():
    assert str(ProblemSet("quick")) == "test problems of quick"
    assert str(ProblemSet(files=("a.txt", "b.txt"))) == "a.txt, b.txt"
    for one in (ProblemSet("quick"), ProblemSet(files=("a.txt", "b.txt"))):
        assert ProblemSet.from_json(str(one)) == one


def test_a_report_comes_back_as_it_was_written():
    assert EvaluationReport.from_json(json.loads(REPORT.text())) == REPORT


def test_measures_of_all_problems_and_of_a_cell():
    summary = REPORT.summary
    assert [summary.measure(name) for name in ("greedy", "exact", "rank", "pass@2")] == [
        0.5,
        0.25,
        0.625,
        0.75,
    ]
    assert summary.measure("pass@1", "2∘3") == 0.5
    assert summary.measure("pass@30") is None
    assert summary.measure("greedy", "3∘3") is None


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.parent.parent.parent.name)
def test_the_reports_that_are_kept_load_and_lose_nothing(path):
    stored = json.loads(path.read_text())
    report = EvaluationReport.from_json(stored)
    again = report.to_json()
    assert again["data"] == stored["data"]
    assert {**again, "problem_set": stored.get("problem_set")} == {"problem_set": None, **stored}


def test_what_is_damaged_is_left_out(tmp_path):
    run = Run.at(tmp_path / "quick" / "1")
    run.reports.mkdir(parents=True)
    good = json.loads(REPORT.text())
    damaged = [
        b"", b"[", b"[]", b"3", b"\xff",
        *(json.dumps({**good, key: value}).encode() for key, value in [
            ("problem_set", 3), ("problem_set", {"set": "train"}),
            ("pass_at", []), ("pass_at", {"x": 1}), ("cells", 4),
            ("greedy", 0.5), ("step", None), ("beam", "wide"), ("cells", [{"cell": "2∘2"}]), ("baselines", 1),
        ]),
        *(json.dumps({k: good[k] for k in good if k != key}).encode() for key in ("data", "greedy", "cells")),
    ]  # fmt: skip
    for number, text in enumerate(damaged):
        (run.reports / f"eval-2025{number:04}.json").write_bytes(text)
    (run.reports / "eval-20260101-000000.json").write_text(REPORT.text())
    (run.reports / "eval-20260102-000000.json").write_text(REPORT.text())
    found = list(read_reports(run.reports))
    assert [path.name for path, _ in found] == ["eval-20260102-000000.json", "eval-20260101-000000.json"]
    assert found[0][1] == REPORT
