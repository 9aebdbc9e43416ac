from __future__ import annotations

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.solving.judge import judge
from polyctl.solving.solution import Candidate

(X,) = ring(["x"]).gens()
(B,) = ring(["b"]).gens()
F = parse("x^8 + 2x^4 + 5")


def test_a_wrong_outer_is_replaced_by_the_one_that_fits():
    solution = judge(F, Candidate(Decomposition(B**2, (X**4,)), "beam"))
    assert solution.verdict.verified
    assert solution.decomposition.expanded == F


def test_trivial_answers_are_no_solutions():
    assert judge(F, Candidate(Decomposition(B, (F,)), "beam")).verdict.status == "trivial"
    assert judge(F, Candidate(Decomposition(None, (X + 1,)), "beam")).verdict.status == "trivial"
