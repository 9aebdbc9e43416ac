from __future__ import annotations

import numpy as np
import pytest
from flint import nmod_mat

from polyctl.algebra.residues import (
    MOST_TERMS,
    P,
    echelon,
    eliminate,
    matrix_product,
    monomials_at,
    reduce,
    times,
)

RNG = np.random.default_rng(1)


def residues(*shape: int) -> np.ndarray:
    return reduce(RNG.integers(0, P, shape).astype(float))


def whole(values) -> np.ndarray:
    """Residues as Python's integers from 0 on."""
    return values.astype(np.int64).astype(object) % P


def test_the_largest_residues_are_multiplied_and_summed_exactly():
    most = P // 2 + 2
    ends = np.array([most, -most, most - 1, 1 - most, 1, 0], float)
    assert (whole(times(ends, ends[::-1])) == whole(ends) * whole(ends[::-1]) % P).all()
    left, right = np.full((2, MOST_TERMS), float(most)), np.full((MOST_TERMS, 2), float(-most))
    assert (whole(matrix_product(left, right)) == -most * most * MOST_TERMS % P).all()
    left, right = residues(3, 50), residues(50, 4)
    assert (whole(matrix_product(left, right)) == whole(left).dot(whole(right)) % P).all()


def test_monomials_are_products_of_powers():
    points = residues(2, 3)
    powers = np.stack([np.ones_like(points), points, times(points, points)])
    found = whole(monomials_at(np.array([[0, 0], [2, 1], [0, 2]]), powers))
    x, y = whole(points)
    assert (found == np.array([x**0, x**2 * y % P, y**2 % P])).all()


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pivots_multiply_to_minors(size):
    """Row k is multiplied by each pivot before it, so a pivot is 0 where a leading minor is."""
    matrices = residues(size, size, 4)
    matrices[:, -1, 1] = matrices[:, 0, 1] if size > 1 else 0.0
    rows = eliminate(matrices)
    for b in range(4):
        full = nmod_mat(size, size, [int(c) for c in whole(matrices[:, :, b]).ravel()], P).rank() == size
        assert full == all(row[0, b] for row in rows)


def test_weights_of_dependent_columns_and_of_the_right_hand_side():
    matrices = residues(6, 6, 3)
    matrices[:, 1, 1] = reduce(matrices[:, 0, 1] * 3)  # two dependent columns, no solution
    matrices[:, 3, 1] = reduce(matrices[:, 0, 1] - matrices[:, 2, 1] * 2)
    matrices[:, 2, 2] = reduce(matrices[:, 0, 2] * 5)  # one, and a solution
    matrices[:, 5, 2] = reduce(matrices[:, 0, 2] * 7 + matrices[:, 4, 2])
    forms = echelon(matrices.copy())
    assert forms.rank_B.tolist() == [5, 3, 4]
    assert (forms.residual_B != 0).tolist() == [True, True, False]
    order = forms.order_UB[:, 1].tolist()
    assert order[:3] == [0, 2, 4]
    assert dict(zip(order[3:], forms.weights(1, [3, 4]), strict=True)) == {1: [3, 0, 0], 3: [1, -2, 0]}
    assert dict(zip(forms.order_UB[:4, 2].tolist(), forms.weights(2, [5])[0], strict=True)) == {
        0: 7,
        1: 0,
        3: 0,
        4: 1,
    }
