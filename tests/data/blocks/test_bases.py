"""Sparsest bases of many spans at once are those of each."""

import numpy as np
import pytest

from polyctl.algebra.linear_algebra import sparse_basis
from polyctl.data.blocks.bases import primitive, sparsest


def few_entries(draw, count, inners, columns, bound):
    rows = draw.integers(-bound, bound + 1, (count, inners, columns))
    return np.where(draw.random(rows.shape).argsort(axis=2) < 3, rows, 0)


@pytest.mark.parametrize("inners", [2, 3, 4])
@pytest.mark.parametrize(("columns", "bound"), [(3, 2), (4, 1), (5, 5), (7, 3), (10, 5), (20, 20)])
def test_they_are_what_trying_everything_finds(inners, columns, bound):
    rows = few_entries(np.random.default_rng([inners, columns]), 150, inners, columns, bound)
    rows = rows[rows.any(axis=(1, 2))]
    found, fine = sparsest(primitive(rows))
    assert fine.mean() > (0.9 if columns > inners + 2 else 0.05)  # those of few columns are dependent
    for row, basis in zip(rows[fine].tolist(), found[fine].tolist(), strict=True):
        expected = sparse_basis([r for r in row if any(r)])
        assert [tuple(r) for r in basis if any(r)] == expected


def test_dependent_rows_are_left_to_others_or_dropped():
    rows = np.array([[[1, 2, 0], [1, 2, 0]], [[1, 0, 0], [1, 0, 0]], [[1, 2, 0], [0, 1, 3]]])
    found, fine = sparsest(rows)
    assert fine.tolist() == [False, True, True]
    assert found[1].tolist() == [[1, 0, 0], [0, 0, 0]]


def test_large_numbers_are_left_to_others():
    rows = np.array([[[1, 1 << 20, 0], [0, 3, 5]]])
    assert not sparsest(rows)[1].any()
