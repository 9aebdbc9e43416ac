"""f = g(h1, ..., hm) at points, as ansatz in the coefficients of inners and outer: values, derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from polyctl.algebra.monomials import Monomial, monomials_of_degree

Reals = NDArray[np.float64]
Index = NDArray[np.int64]


def values_of(monomials: tuple[Monomial, ...], points_PV: Reals) -> Reals:
    """The values of monomials at points [N, P]."""
    exponents_NV = np.array(monomials, dtype=np.int64)
    values_NP: Reals = (points_PV[None] ** exponents_NV[:, None]).prod(-1)
    return values_NP


@dataclass(frozen=True)
class System:
    """Forms g of degree D in m inners, each a form of degree d in n variables, at P points of the sphere.

    (Points of the sphere weigh pure powers more than mixed monomials; Levenberg-Marquardt succeeds
    from three times as many starts as with all coefficients of f weighing the same.) Unknowns are the inners'
    coefficients, then the outer's: U = m * N + G. Letters: B starts, M inners, N inner monomials, G outer
    monomials, E outer monomials of one degree less.
    """

    inners: int
    inner_monomials: tuple[Monomial, ...]
    outer_monomials: tuple[Monomial, ...]
    points_PV: Reals
    inner_values_NP: Reals
    parents: tuple[tuple[int, ...], ...]  # level k: the outer monomial of level k - 1 it extends
    factors: tuple[tuple[int, ...], ...]  # level k: the inner it multiplies that one by
    derivative_index: Index  # [M, E], the outer monomial b_i * e
    derivative_weight: Reals  # [M, E], its exponent of b_i

    @property
    def inner_size(self) -> int:
        return self.inners * len(self.inner_monomials)

    @property
    def unknowns(self) -> int:
        return self.inner_size + len(self.outer_monomials)

    def split(self, x_BU: Reals) -> tuple[Reals, Reals]:
        """The inners' coefficients [B, M, N] and the outer's [B, G]."""
        return x_BU[:, : self.inner_size].reshape(len(x_BU), self.inners, -1), x_BU[:, self.inner_size :]

    def products(self, h_BMN: Reals) -> list[Reals]:
        """For every degree 0..D of outers, the values of its monomials at the inners [B, E_k, P]."""
        h_BMP = h_BMN @ self.inner_values_NP
        levels = [np.ones_like(h_BMP[:, :1])]
        for parent, factor in zip(self.parents, self.factors, strict=True):
            levels.append(levels[-1][:, list(parent)] * h_BMP[:, list(factor)])
        return levels

    def value_and_jacobian(self, x_BU: Reals, index_BK: Index | None = None) -> tuple[Reals, Reals]:
        """g(h) at the points [B, P] and its derivatives by the unknowns of the index, transposed [B, K, P].

        Without an index by all unknowns; an index U stands for an unknown that does nothing.
        """
        h_BMN, g_BG = self.split(x_BU)
        levels = self.products(h_BMN)
        value_BP = (g_BG[:, None] @ levels[-1])[:, 0]
        weights_BME = g_BG[:, self.derivative_index] * self.derivative_weight
        derivatives_BMP = weights_BME @ levels[-2]
        if index_BK is None:
            inner_BMNP = derivatives_BMP[:, :, None] * self.inner_values_NP
            inner_BUP = inner_BMNP.reshape(len(x_BU), -1, inner_BMNP.shape[3])
            return value_BP, np.concatenate([inner_BUP, levels[-1]], 1)
        first_BSP = np.concatenate([derivatives_BMP, levels[-1]], 1)
        starts = np.arange(len(x_BU))[:, None]
        left_BKP = first_BSP[starts, self.left_U[index_BK]]
        left_BKP *= self.right_SP[self.right_U[index_BK]]
        return value_BP, left_BKP

    @cached_property
    def left_U(self) -> Index:
        """For each unknown (and U) the derivative by its inner, or the value of its outer monomial."""
        m = np.repeat(np.arange(self.inners), len(self.inner_monomials))
        return np.concatenate([m, self.inners + np.arange(len(self.outer_monomials)), [0]])

    @cached_property
    def right_U(self) -> Index:
        """For each unknown (and U) the row of `right_SP` to multiply that by."""
        size = len(self.inner_monomials)
        k = np.tile(np.arange(size), self.inners)
        return np.concatenate([k, np.full(len(self.outer_monomials), size), [size + 1]])

    @cached_property
    def right_SP(self) -> Reals:
        """The inner monomials at the points, then ones, then zeros."""
        one_P = np.ones_like(self.inner_values_NP[:1])
        return np.concatenate([self.inner_values_NP, one_P, 0 * one_P])


@lru_cache(maxsize=64)
def make_system(
    variables: int, inners: int, outer_degree: int, inner_monomials: tuple[Monomial, ...], points: int
) -> System:
    """The tables for these sizes, with inners of these monomials only, at fixed pseudo-random points."""
    points_PV = np.random.default_rng(0).standard_normal((points, variables))
    points_PV /= np.linalg.norm(points_PV, axis=1, keepdims=True)
    outers = [monomials_of_degree(inners, k) for k in range(outer_degree + 1)]
    parents, factors = [], []
    for below, here in pairwise(outers):
        index = {m: i for i, m in enumerate(below)}
        chosen = [next(i for i, e in enumerate(m) if e) for m in here]
        factors.append(tuple(chosen))
        parents.append(tuple(index[_raised(m, i, -1)] for m, i in zip(here, chosen, strict=True)))
    index = {m: i for i, m in enumerate(outers[-1])}
    raised = [[_raised(e, i, 1) for e in outers[-2]] for i in range(inners)]
    return System(
        inners,
        inner_monomials,
        outers[-1],
        points_PV,
        values_of(inner_monomials, points_PV),
        tuple(parents),
        tuple(factors),
        np.array([[index[m] for m in row] for row in raised]),
        np.array([[m[i] for m in row] for i, row in enumerate(raised)], dtype=np.float64),
    )


def _raised(exponent: Monomial, i: int, by: int) -> Monomial:
    return (*exponent[:i], exponent[i] + by, *exponent[i + 1 :])
