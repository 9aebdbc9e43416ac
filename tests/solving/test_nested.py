"""Answers shown nested: the same polynomial, simpler, and only where there is something to nest."""

import pytest

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.printing import plain
from polyctl.solving.judge import judge, simplify_solution
from polyctl.solving.nested import nest
from polyctl.solving.solution import Candidate
from polyctl.solving.solve import solve


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("(a b + (a + c)^2)^3 + (a b + (a + c)^2) + d e", "(a*b + (a + c)^2)^3 + d*e + (a*b + (a + c)^2)"),
        ("((x + y)^2 + z)^3 w + w^2", "w*((x + y)^2 + z)^3 + w^2"),
        ("(x^2 + c)^2 + c", None),
    ],
)
def test_compositions_in_one_another_are_shown(text, nested):
    best = solve(parse(text), method="exact").best
    assert best.nested == nested
    assert best.to_dict()["nested"] == nested
    assert (f"f = {nested}" in best.to_text()) is (nested is not None)
    if nested is not None:
        assert parse(nested, best.f.context().names()) == best.f


def test_a_plain_answer_and_one_without_an_outer_are_not_nested():
    h = parse("x^2 + y")
    assert nest(Decomposition(parse("b^3 + b", ["b"]), (h,))) is None
    assert nest(Decomposition(None, (h,))) is None


def test_without_time_nothing_is_taken_apart():
    g, h = parse("b0^3 + b1", ["b0", "b1"]), parse("x^4 + 2x^2 y + y^2 + z", ["x", "y", "z", "w"])
    d = Decomposition(g, (h, parse("w", ["x", "y", "z", "w"])))
    assert nest(d).to_text() == "((x^2 + y)^2 + z)^3 + w"
    assert nest(d, Budget.of(0)) is None


def test_fewer_inner_polynomials_are_found_inside_the_outer_one():
    f = parse("(d + e)^4 (a b + c)^2 + (d + e)^2 + 1")
    g = parse("(b0 + b1)^4 b2^2 + (b0 + b1)^2 + 1", ["b0", "b1", "b2"])
    inners = tuple(parse(h, f.context().names()) for h in ("d", "e", "a b + c"))
    solution = judge(f, Candidate(Decomposition(g, inners), "given"))
    simpler = simplify_solution(solution)
    assert sorted(map(plain, simpler.inner)) == ["a*b + c", "d + e"]
    assert simpler.verified
