"""Which decompositions say nothing about f: what `triviality` decides, for many problems."""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

from polyctl.data.blocks.bases import determinants
from polyctl.data.blocks.draws import Drawn
from polyctl.data.blocks.table import Table
from polyctl.data.blocks.terms import Terms
from polyctl.data.blocks.words import Bools, Ints

_POINTS = ((2, 3, 5, 7, 11), (3, -2, 7, 5, 4), (1, 4, -3, 2, 6))


def judge(
    family: str, drawn: Drawn, f: Terms, inner_RMC: Ints, columns: slice, monomials: Table
) -> tuple[Bools, Bools]:
    """Which problems are trivial, and which have to be asked about one at a time.

    `inner_RMC` are the inner polynomials that are used, without constants, in these columns.
    """
    if family == "on_singlet":  # one inner of degree 2 in two variables or more, an outer of degree 2 or more
        return np.zeros(len(inner_RMC), dtype=np.bool_), np.zeros(len(inner_RMC), dtype=np.bool_)
    used_RM = drawn.used_inners
    n_R, m_R = f.variables_used(monomials).sum(axis=1), used_RM.sum(axis=1)
    total_R = _first_degrees(f, monomials)
    outer_R = np.where(drawn.outer_RO != 0, (drawn.factors_ROF < used_RM.shape[1]).sum(axis=2), 0).max(axis=1)
    there = inner_RMC != 0
    degrees_C = monomials.degrees_D[columns]
    degree_RM = np.where(there.any(axis=2), degrees_C[there.argmax(axis=2)], 0)
    occurs_RMV = there.astype(np.float32) @ monomials.occurs_DV[columns].astype(np.float32) > 0
    own_RM = occurs_RMV.sum(axis=2)

    trivial = (total_R < 1) | (outer_R < 1) | ((degree_RM < 1) & used_RM).any(axis=1)
    large = (outer_R >= total_R) & (m_R >= n_R)
    large |= ((degree_RM >= total_R[:, None]) & (own_RM >= n_R[:, None]) & used_RM).any(axis=1)
    linear_R = (degree_RM <= 1).all(axis=1)
    # Such an f is rewritten only in as many inner polynomials whose Jacobian determinant is not constant.
    rewritable = (m_R == n_R) & (m_R > 1) & ~linear_R
    trivial |= large & ~rewritable
    doubtful = large & rewritable

    disjoint = own_RM.sum(axis=1) == occurs_RMV.any(axis=1).sum(axis=1)
    lone = (there.sum(axis=2) <= 1).all(axis=1)
    trivial |= (outer_R == 1) & ((m_R < 2) | ~disjoint | lone)

    # What generates the variables has as many linear parts, in as many variables.
    parts_RMV = there[:, :, degrees_C == 1]
    ranks = np.minimum(parts_RMV.any(axis=2).sum(axis=1), parts_RMV.any(axis=1).sum(axis=1))
    generates = (m_R >= np.maximum(2, n_R)) & (ranks >= n_R)
    if family == "separable":  # h(x) and polynomials in other variables generate x only if h is linear
        trivial |= generates & linear_R
    else:
        rows = np.flatnonzero(generates & (m_R == n_R))
        slopes = _slopes(monomials, columns.start, columns.stop)
        generates[rows] = _may_generate(
            inner_RMC[rows], n_R[rows], used_RM[rows], occurs_RMV[rows].any(axis=1), slopes
        )
        doubtful |= generates
    for degree in np.unique(degrees_C).tolist():
        forms = [comb(n + degree - 1, degree) for n in range(monomials.variables + 1)]
        doubtful |= (n_R > 1) & (((degree_RM == degree) & used_RM).sum(axis=1) >= np.array(forms)[n_R])
    return trivial, doubtful & ~trivial


def _may_generate(inner_RMC: Ints, n_R: Ints, used_RM: Bools, occurs_RV: Bools, slopes: list[Ints]) -> Bools:
    """Whether as many inner polynomials as f has variables may generate these.

    Those that do are in no other variables, and their Jacobian determinant is a constant, by the chain rule.
    It is compared at points, in integers modulo 2^64.
    """
    may: Bools = occurs_RV.sum(axis=1) == n_R
    for n in np.unique(n_R[may]).tolist():
        rows = np.flatnonzero(may & (n_R == n))
        inners = np.argsort(~used_RM[rows], axis=1, kind="stable")[:, :n, None]
        variables = np.argsort(~occurs_RV[rows], axis=1, kind="stable")[:, None, :n]
        jacobians = [
            (inner_RMC[rows] @ slope)[np.arange(len(rows))[:, None, None], inners, variables]
            for slope in slopes
        ]
        values = np.stack([determinants(jacobian) for jacobian in jacobians])
        may[rows] = (values == values[0]).all(axis=0)
    return may


@lru_cache(maxsize=64)
def _slopes(monomials: Table, start: int, stop: int) -> list[Ints]:
    """The derivatives, CV, of some of the monomials at a few points."""
    exponents = monomials.exponents_DV[start:stop]
    found = []
    for point in _POINTS:
        values = np.resize(np.array(point), monomials.variables)
        lowered = np.maximum(exponents[:, None, :] - np.eye(monomials.variables, dtype=np.int64), 0)
        found.append(exponents * (values**lowered).prod(axis=2))
    return found


def _first_degrees(f: Terms, monomials: Table) -> Ints:
    """The total degree of each polynomial, 0 if it has no terms."""
    degrees = np.zeros(len(f.counts_R), dtype=np.int64)
    some = f.counts_R > 0
    degrees[some] = monomials.degrees_D[f.column_E[f.starts_R[some]]]
    return degrees
