from __future__ import annotations

import json

import pytest

from polyctl.errors import FileError
from polyctl.evaluation.claims import check_files, check_lines, find_files
from tests.shared import every_source

GOOD = "+ P 1 ^ a P 4 ⁇ ^ a P 2"
WRONG = "+ P 1 + a ^ a P 4 ⁇ ^ a P 2"


def test_lines_are_counted_by_status():
    tally = check_lines([GOOD, "", WRONG, "nonsense", GOOD, "^ a P 4 ⁇ a"], "standard input")
    assert tally.total == 5
    assert tally.to_dict() | {"failures": None} == {
        **{"total": 5, "verified": 2, "refuted": 1, "malformed": 1, "trivial": 1, "undecided": 0},
        "failures": None,
    }
    assert tally.failures[0].place == "standard input, line 2"


def test_a_file_that_is_not_text_is_malformed_not_fatal(tmp_path):
    path = tmp_path / "binary.txt"
    path.write_bytes(b"\xff\xfe\x00\n" + GOOD.encode() + b"\n")
    tally = check_files([path])
    assert (tally.counts["malformed"], tally.counts["verified"]) == (1, 1)


def test_names_that_mean_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="no file, data set or run"):
        find_files("nowhere", None)
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    (tmp_path / "data" / "tiny" / "test.txt").write_text(GOOD + "\n")
    assert [p.name for p in find_files("tiny", None)] == ["test.txt"]


def test_predictions_are_checked_from_their_text(tmp_path):
    right = {"status": "verified", "completed": "verified", "outer": None, "inner": ["x^2"], "reason": ""}
    lie = {**right, "inner": ["x^3"]}
    base = {"input": "x^4 + 1", "variables": ["x"], "error": None}
    records = [
        {**base, "greedy": {**lie, "status": "refuted", "completed": "refuted"}, "beam": [right]},
        {**base, "greedy": lie, "beam": []},
        {**base, "greedy": None, "beam": [], "error": "too long"},
        {"input": "x^4 + 1"},
    ]
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(map(json.dumps, records)) + "\n")
    tally = check_files([path])
    assert [f.status for f in tally.failures] == ["refuted", "malformed", "malformed"]
    assert tally.counts["verified"] == 1


@every_source
def test_files_with_the_sign_bug(source):
    tally = check_files([source.path("separable_with_sign_bug")])
    assert tally.counts["refuted"] == {"ours": 16, "published": 94}[source.name]


def test_predictions_without_f():
    tally = check_lines(
        [
            "^ a P 2 ⁇ + P 3 * P 2 ^ a P 2",  # an affine change
            "^ a P 4 ⁇ ^ a P 2",  # explains more than was known
            "^ a P 2 ⁇ ^ a P 3",
            "^ a P 2 ⁇ a",
            "^ a P 2 ⁇ False",
            "^ b P 2 & ^ a P 2 ⁇ ^ b P 2 & ^ a P 2",
            "^ b P 2 & ^ a P 2 ⁇ + P 1 ^ b P 2 & ^ a P 2",
            "^ a P 2",
        ],
        "lines",
        without_f=True,
    )
    assert tally.counts == {"verified": 3, "undecided": 1, "trivial": 1, "malformed": 2, "refuted": 1}
    assert [failure.place[-1] for failure in tally.failures] == list("34578")
