"""Linear algebra over Q on vectors of polynomials: spans, echelon forms, sparse bases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, gcd

from flint import fmpq_mat, fmpz_mat

from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, integer_content

Row = tuple[int, ...]


def coefficient_rows(polynomials: Sequence[Polynomial]) -> tuple[list[Monomial], list[list[int]]]:
    """The monomials that occur, highest degree first, and each polynomial's primitive coefficients."""
    by_term = [dict(zip(f.monoms(), integer_content(f)[0], strict=True)) for f in polynomials]
    monomials = sorted({m for row in by_term for m in row}, key=lambda m: (sum(m), m), reverse=True)
    return monomials, [[row.get(m, 0) for m in monomials] for row in by_term]


def primitive_row(row: Sequence[int]) -> Row:
    """The multiple of a nonzero integer vector with content 1 and a positive first entry."""
    content = gcd(*row)
    if next(c for c in row if c) < 0:
        content = -content
    return tuple(c // content for c in row)


def echelon_rows(rows: Sequence[Sequence[int]]) -> list[Row]:
    """The reduced row echelon form, each row scaled to primitive integers; zero rows dropped."""
    if len(rows) == 1:
        return [primitive_row(rows[0])] if any(rows[0]) else []
    reduced, rank = fmpq_mat(fmpz_mat([list(r) for r in rows])).rref()
    numerators, _ = reduced.numer_denom()
    return [primitive_row([int(c) for c in row]) for row in numerators.tolist()[:rank]]


def _order(row: Row) -> tuple[object, ...]:
    """Sparse first, then small coefficients, then leading monomials."""
    return (
        sum(1 for c in row if c),
        sum(abs(c) for c in row),
        tuple(not c for c in row),
        tuple(-c for c in row),
    )


def sparse_basis(rows: Sequence[Sequence[int]], limit: int = 4000) -> list[Row]:
    """The sparsest basis of the span, a function of the span alone.

    Vectors of minimal support vanish on rank - 1 independent columns; taking them greedily by support
    gives a basis of least total support (a matroid's greedy basis). With more than `limit` choices of
    columns the echelon form is returned instead.
    """
    echelon = echelon_rows(rows)
    rank, width = len(echelon), len(echelon[0]) if echelon else 0
    if rank < 2 or _already_sparse(echelon):
        return sorted(echelon, key=_order)
    columns = [c for c in range(width) if any(row[c] for row in echelon)]
    if comb(len(columns), rank - 1) > limit:
        return sorted(echelon, key=_order)
    candidates = set()
    for chosen in combinations(columns, rank - 1):
        minor = fmpz_mat([[row[c] for row in echelon] for c in chosen])
        kernel, nullity = minor.nullspace()
        if nullity == 1:
            weights = [int(kernel[i, 0]) for i in range(rank)]
            candidates.add(
                primitive_row(
                    [sum(w * row[c] for w, row in zip(weights, echelon, strict=True)) for c in range(width)]
                )
            )
    basis: list[Row] = []
    for row in sorted(candidates, key=_order):
        if fmpz_mat([*basis, row]).rank() > len(basis):
            basis.append(row)
            if len(basis) == rank:
                break
    return basis


def _already_sparse(echelon: list[Row]) -> bool:
    """Whether no column is shared, so that no combination of rows can be sparser than the rows."""
    return all(sum(1 for row in echelon if row[c]) <= 1 for c in range(len(echelon[0])))
