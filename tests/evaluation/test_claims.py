from __future__ import annotations

import json

import pytest

from polyctl.errors import FileError, ParseError, UsageError
from polyctl.evaluation.claims import check_expression, check_files, check_lines, find_files, parse_outer
from tests.shared import every_source

GOOD = "+ P 1 ^ a P 4 ⁇ ^ a P 2"
WRONG = "+ P 1 + a ^ a P 4 ⁇ ^ a P 2"


@pytest.mark.parametrize(
    ("f", "outer", "inner", "status"),
    [
        ("x^4 + 2x^3 + x^2 + 1", "b^2 + 1", ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", "y^2 + 1", ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", None, ["x^2 + x"], "verified"),
        ("x^4 + 2x^3 + x^2 + 1", "b^2 + 2", ["x^2 + x"], "refuted"),
        ("x^2*y^2 + z^3", "b0^2 + b1", ["x*y", "z^3"], "verified"),
        ("x^2*y^2 + z^3", "b1^2 + b0", ["z^3", "x*y"], "verified"),
        ("x^4 + 1", None, ["x^4"], "trivial"),
        ("x^4 + 1", None, ["y^2"], "refuted"),
    ],
)
def test_typed_decompositions(f, outer, inner, status):
    assert check_expression(f, outer, inner).status == status


def test_claims_are_read_as_they_are_typed():
    assert check_expression("xy^4 + xy^2 + 1", None, [r"\mathrm{xy}^2"]).status == "refuted"
    assert check_expression("x^4 + x^2", "b_1^2 + b_1", ["x^2", "y^2"]).status == "refuted"
    assert check_expression("y^4 + y^2", "b_1^2 + b_1", ["x^2", "y^2"]).verified
    with pytest.raises(UsageError, match="stand for the same inner"):
        check_expression("x^4 + 2x^3 + x^2", "b^2 + b0^2", ["x^2 + x"])


def test_an_outer_with_too_many_variables():
    with pytest.raises(UsageError, match="inners given are 1"):
        parse_outer("b0 + b1", 1)
    with pytest.raises(ParseError):
        check_expression("x^4", "b^", ["x^2"])


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
