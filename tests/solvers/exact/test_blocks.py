"""Blocks of variables by the Hessian: potentials with many variables, none missed."""

import pytest

from polyctl.algebra.budget import Budget
from polyctl.algebra.complexity import complexity
from polyctl.algebra.parse import parse
from polyctl.algebra.verify import verify
from polyctl.solvers.exact.blocks import by_blocks, minimal_blocks


def squares(letter, count):
    return "(" + "+".join(f"{letter}{i}^2" for i in range(1, count + 1)) + ")"


@pytest.mark.parametrize(("count", "size"), [(4, 23), (7, 32), (10, 41), (16, 59)])
def test_a_potential_is_a_polynomial_in_the_square_of_its_field(count, size):
    field = squares("p", count)
    f = parse(f"m*{field} + l*{field}^2")
    (found,) = by_blocks(f, Budget()).decompositions
    assert found.expanded == f
    assert len(found.inners) == 3
    assert complexity(found).distinct == size
    assert verify(f, found).verified


def test_several_fields_stay_apart():
    one, two = squares("p", 6), squares("q", 6)
    f = parse(f"r*{one} + s*{two} + t*{one}*{two}")
    found = by_blocks(f, Budget()).decompositions[0]
    assert len(found.inners) == 5
    assert found.expanded == f


def test_a_block_within_a_block_gives_two_answers():
    f = parse("(a*b+c+d^2)^3*e+k*(l+m*n)^2+(a*b+c+d^2)*(l+m*n)")
    minimal, maximal = by_blocks(f, Budget()).decompositions
    assert complexity(maximal) < complexity(minimal)
    assert {"a*b + d^2 + c", "m*n + l"} <= set(map(str, maximal.inners))


def test_all_minimal_blocks_are_seen():
    f = parse("a*b + c*d + (a*b)^2*(p+q+r)^3")
    names = f.context().names()
    assert {"".join(names[i] for i in block) for block in minimal_blocks(f)} >= {"ab", "cd", "pq", "pr", "qr"}


def test_without_blocks_nothing_is_found():
    assert by_blocks(parse("x*y+y*z+z*x"), Budget()).decompositions == ()
    assert by_blocks(parse("x^2+y"), Budget()).decompositions == ()
    assert minimal_blocks(parse("x*y*z + x + y^2*z + z^2*x")) == []


def test_a_budget_that_is_used_up_ends_it():
    assert by_blocks(parse("m*(p^2+q^2)+(p^2+q^2)^2"), Budget(deadline=0.0)).decompositions == ()
