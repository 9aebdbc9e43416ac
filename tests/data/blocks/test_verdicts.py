"""Verdicts on many problems are those of `triviality`."""

import numpy as np
import pytest

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import compose as composed
from polyctl.algebra.triviality import triviality
from polyctl.config.schema import DataConfig
from polyctl.data.blocks import draws
from polyctl.data.blocks.table import table
from polyctl.data.blocks.terms import compose, inner_rows
from polyctl.data.blocks.verdicts import judge
from polyctl.data.blocks.words import Words
from tests.data.blocks.test_terms import polynomials


@pytest.mark.parametrize("bound", [1, 4])
@pytest.mark.parametrize(
    ("family", "variables", "inners", "outer", "inner"),
    [
        ("separable", 1, 1, (1, 2), (1, 2)),
        ("separable", 2, 2, (1, 2), (1, 2)),
        ("separable", 3, 3, (1, 2, 3), (1, 2)),
        ("homogeneous", 1, 2, (1, 2), (1, 2)),
        ("homogeneous", 2, 3, (1, 2), (1, 2)),
        ("homogeneous", 2, 3, (3,), (3,)),
        ("homogeneous", 3, 2, (1, 2, 3), (1, 2)),
        ("sparse", 1, 1, (2, 3), (2, 3)),
        ("sparse", 2, 2, (1, 2), (1, 2)),
        ("sparse", 2, 3, (2, 3), (1, 2)),
        ("sparse", 3, 3, (2,), (2, 3)),
        ("on_singlet", 20, 1, (2,), (2,)),
    ],
)
def test_trivial_problems_are_told_apart(family, variables, inners, outer, inner, bound):
    data = DataConfig.model_construct(
        family=family, inner_variables=variables, inners=inners, outer_degrees=outer, inner_degrees=inner,
        outer_bound=bound, inner_bound=bound,
    )  # fmt: skip
    top = 4 if family == "on_singlet" else max(outer) * max(inner)
    monomials = table(12 if family == "on_singlet" else variables, tuple(range(top + 1)))
    words = Words([f"{family}:{i}" for i in range(80)])
    drawn = draws.draw(data, words, np.arange(80), monomials)
    first = int(np.flatnonzero(monomials.degrees_D <= max(inner))[0])
    columns = slice(first, len(monomials) - 1)
    f, rows = compose(drawn, monomials), inner_rows(drawn, columns)
    trivial, doubtful = judge(family, drawn, f, rows, columns, monomials)
    assert not (trivial & doubtful).any()
    for row in np.flatnonzero(drawn.accepted_R & ~doubtful).tolist():
        g, h = polynomials(drawn, monomials, row)
        plain = composed(g, h)
        expected = plain.is_constant() or triviality(plain, Decomposition(g, tuple(h))) is not None
        assert bool(trivial[row]) == expected, (g, h)
