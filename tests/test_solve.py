from __future__ import annotations

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.solve import Candidate, judge, solutions

(X,) = ring(["x"]).gens()
(B,) = ring(["b"]).gens()
F = parse("x^8 + 2x^4 + 5")


def test_solutions_are_verified_normal_and_ranked_by_complexity():
    found = solutions(
        F,
        [
            Candidate(Decomposition(None, (X**3,)), "beam", -0.1, 0),
            Candidate(Decomposition(None, (X**2 * 3 + 1,)), "beam", -0.2, 1),
            Candidate(Decomposition(None, (X**4 - 7,)), "beam", -0.3, 2),
            Candidate(Decomposition(None, (X**4 * 2,)), "beam", -0.4, 3),
        ],
    )
    assert [s.verdict.status for s in found] == ["verified", "verified", "refuted"]
    assert found[0].complexity <= found[1].complexity
    by_logprob = {s.logprob: s.decomposition for s in found}
    assert by_logprob[-0.3] == Decomposition(B**2 + 2 * B + 5, (X**4,))
    assert by_logprob[-0.2] == Decomposition(B**4 + 2 * B**2 + 5, (X**2,))


def test_a_wrong_outer_is_replaced_by_the_one_that_fits():
    solution = judge(F, Candidate(Decomposition(B**2, (X**4,)), "beam"))
    assert solution.verdict.verified
    assert solution.decomposition.expanded == F


def test_trivial_answers_are_no_solutions():
    found = solutions(
        F, [Candidate(Decomposition(B, (F,)), "beam"), Candidate(Decomposition(None, (X + 1,)), "beam")]
    )
    assert [s.verdict.status for s in found] == ["trivial", "trivial"]
