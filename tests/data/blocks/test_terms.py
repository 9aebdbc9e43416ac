"""Composed polynomials, their normal forms and their digests are those of polynomials."""

import numpy as np
import pytest

from polyctl.algebra.decomposition import outer_ring
from polyctl.algebra.polynomial import compose as composed
from polyctl.algebra.polynomial import digest, normal_terms, polynomial, ring, terms, variables_used
from polyctl.data.blocks import draws
from polyctl.data.blocks.limits import monomials_of
from polyctl.data.blocks.table import Table, table
from polyctl.data.blocks.terms import Terms, compose, compose_dense, digests, inner_rows
from polyctl.data.blocks.words import Words
from tests.data.test_families import FAMILIES

SHAPES = {  # variables and the degrees of the table
    "separable": (3, tuple(range(5))),
    "on_singlet": (12, (0, 2, 4)),
    "sparse": (3, tuple(range(10))),
    "homogeneous_3_3": (3, (3, 9)),
    "homogeneous_4_3": (4, (3, 9)),
}


def drawn_from(name, count=60):
    monomials = table(*SHAPES[name])
    words = Words([f"{name}:{i}" for i in range(count)])
    drawn = draws.draw(FAMILIES[name], words, np.arange(count), monomials)
    return drawn, monomials


def polynomials(drawn, monomials: Table, row):
    """Outer and inner polynomials of a row."""
    inners = drawn.columns_RMT.shape[1]
    context = ring([f"x{i}" for i in range(monomials.variables)])
    outer: dict[tuple[int, ...], int] = {}
    for c, factors in zip(drawn.outer_RO[row].tolist(), drawn.factors_ROF[row].tolist(), strict=True):
        m = tuple(factors.count(i) for i in range(inners))
        outer[m] = outer.get(m, 0) + c
    found = []
    for columns, values in zip(drawn.columns_RMT[row], drawn.inner_RMT[row], strict=True):
        inner = context.constant(0)
        for column, value in zip(columns.tolist(), values.tolist(), strict=True):
            inner += polynomial(context, {tuple(monomials.exponents_DV[column].tolist()): value})
        found.append(inner)
    return polynomial(outer_ring(inners), outer), found


@pytest.mark.parametrize("name", SHAPES)
def test_composition_normal_form_and_digest(name):
    drawn, monomials = drawn_from(name)
    f = compose(drawn, monomials)
    plain = [composed(*polynomials(drawn, monomials, row)) for row in range(len(f.counts_R))]
    some = f.counts_R > 0
    assert some.tolist() == [bool(p) for p in plain]
    some = np.array([not p.is_constant() for p in plain])
    plain = [p for p in plain if not p.is_constant()]
    f = f.select(some).normal_forms(monomials)
    used = f.variables_used(monomials)
    assert digests(f, used, monomials) == [digest(p) for p in plain]
    for row, p in enumerate(plain):
        columns, values = f.column_E[f.row_E == row], f.value_E[f.row_E == row]
        exponents = [tuple(m) for m in monomials.exponents_DV[columns].tolist()]
        assert (exponents, values.tolist()) == normal_terms(p)
        assert tuple(np.flatnonzero(used[row]).tolist()) == variables_used(p)


@pytest.mark.parametrize("name", SHAPES)
def test_used_inner_polynomials_as_rows(name):
    drawn, monomials = drawn_from(name)
    columns = slice(int(np.flatnonzero(monomials.degrees_D <= 3)[0]), len(monomials))
    rows = inner_rows(drawn, columns)
    for row in range(len(rows)):
        outer, inners = polynomials(drawn, monomials, row)
        for number, inner in enumerate(inners):
            used = number in variables_used(outer)
            assert drawn.used_inners[row, number] == used
            found = {
                tuple(monomials.exponents_DV[columns.start + c].tolist()): int(rows[row, number, c])
                for c in np.flatnonzero(rows[row, number])
            }
            assert found == ({m: int(c.p) for m, c in terms(inner)} if used else {})


def test_dense_composition():
    draw = np.random.default_rng(4)
    outer, inner = draw.integers(-20, 21, (50, 4)), draw.integers(-20, 21, (50, 3))
    f = compose_dense(outer, inner, 7)
    (x,) = ring(["x"]).gens()
    for row in range(50):
        h = sum((int(c) * x**k for k, c in enumerate(inner[row])), 0 * x)
        g = sum((int(c) * h**k for k, c in enumerate(outer[row])), 0 * x)
        assert {(k,): c for k, c in enumerate(f[row].tolist()) if c} == {m: int(c.p) for m, c in terms(g)}


def test_joined_pieces_are_the_whole():
    dense = np.random.default_rng(5).integers(-1, 2, (9, 6))
    whole = Terms.of(dense)
    rows = np.array([4, 1, 7, 0]), np.array([2, 8, 3, 6, 5])
    joined = Terms.joined([(part, Terms.of(dense[part])) for part in rows], 9)
    for name in ("row_E", "column_E", "value_E", "counts_R"):
        assert getattr(joined, name).tolist() == getattr(whole, name).tolist()


def test_the_tables_are_those_of_the_writers():
    for name, (variables, degrees) in SHAPES.items():
        assert monomials_of(FAMILIES[name]) == (variables, degrees)
