from __future__ import annotations

import stat
import sys

import pytest

from polyctl.algebra.parse import parse
from polyctl.data.dataset import write_problem
from polyctl.data.families import draw_problem
from polyctl.errors import FileError
from polyctl.evaluation.solver import (
    Line,
    Options,
    lines_of,
    report,
    solve_line,
    sympy_complexity,
    wolfram_complexity,
)
from tests.data.test_families import FAMILIES

EXACT = Options("exact")


def lines(family: str, count: int) -> list[Line]:
    data = FAMILIES[family]
    return [Line(write_problem(data, draw_problem(data, 31, i)), i, 40) for i in range(count)]


def test_a_solved_problem_says_all_about_it():
    record = solve_line(lines("univariate", 1)[0], Options("exact", peers=True))
    assert record["verified"]
    assert record["as_small"]
    assert record["source"] == "exact: univariate"
    assert record["complexity"] <= record["known"]
    assert record["mathematica"] == 40
    assert record["sympy"] > 0


def test_a_factorisation_does_not_count():
    record = solve_line(Line("+ * ^ a0 P 2 ^ a1 P 3 * a0 * ^ a1 P 3 a2 ? ^ a0 P 2", 0), EXACT)
    assert not record["verified"]
    assert record["weak"]


def test_a_known_answer_with_a_wrong_outer_is_no_measure():
    (right,) = lines("separable", 1)
    problem, target = right.text.split("?")
    wrong = Line(f"{problem}?{target.replace('+ P', '+ N', 1)}", 0)  # the outer's constant term
    assert solve_line(right, EXACT)["as_small"]
    record = solve_line(wrong, EXACT)
    assert record["known"] is None
    assert not record["as_small"]
    assert record["verified"]


@pytest.mark.slow
def test_a_report_is_the_same_in_one_process_and_in_two():
    some = [*lines("univariate", 3), *lines("separable", 3), Line("+ a0 ^ a0 P 5 ? a0", 6)]
    keep = {"problems", "verified", "as_small", "weak", "sources", "missed", "complexity"}
    one, two = (report(some, EXACT, workers=w) for w in (1, 2))
    assert {k: one[k] for k in keep} == {k: two[k] for k in keep}
    assert one["verified"] == pytest.approx(6 / 7)
    assert one["missed"] == [6]


def test_counts_stand_beside_their_problems(tmp_path):
    path = tmp_path / "set.txt"
    path.write_text("^ a P 4 ⁇ ^ a P 2\n^ a P 6 ⁇ ^ a P 2\n")
    assert [line.mathematica for line in lines_of(path)] == [None, None]
    path.with_suffix(".counts.tsv").write_text("true\tmathematica\n3\t4\n5\t6\n")
    assert [line.mathematica for line in lines_of(path, 1)] == [4]
    path.with_suffix(".counts.tsv").write_text("true\tmathematica\n3\t4\n")
    with pytest.raises(FileError, match="1 counts for 2"):
        lines_of(path)


def test_sympy_is_counted_at_its_best():
    factored = parse("(x + 1)^4 * (x + 2)")
    assert sympy_complexity(factored) < 15


def test_wolframscript_is_asked_where_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    f = parse("a0^2 + 3/2*a1")
    assert wolfram_complexity(f) is None
    script = tmp_path / "wolframscript"
    script.write_text(f"#!{sys.executable}\nimport sys\nassert 'a[0]^2' in sys.argv[2]\nprint(12)\n")
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    assert wolfram_complexity(f) == 12
