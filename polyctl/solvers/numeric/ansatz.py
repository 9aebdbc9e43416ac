"""One question to the numeric solver: f = g(h1, ..., hm) with these degrees, as a scaled system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb

import numpy as np
from flint import fmpq, fmpz_mat

from polyctl.algebra.linear_algebra import coefficient_rows
from polyctl.algebra.monomials import Monomial, monomials_of_degree
from polyctl.algebra.polynomial import Polynomial, degree, is_homogeneous, terms, variables_used
from polyctl.solvers.numeric.system import Reals, System, make_system, values_of


@dataclass(frozen=True)
class Ansatz:
    """f = g(h1..hm) for forms; an inhomogeneous f is made one with a new last variable z.

    Then z**inner_degree is one more inner, the last, which is known. `kept` are the indices of the variables
    that f has.
    """

    f: Polynomial
    inners: int
    inner_degree: int
    outer_degree: int

    @cached_property
    def kept(self) -> tuple[int, ...]:
        return variables_used(self.f)

    @cached_property
    def homogeneous(self) -> bool:
        return is_homogeneous(self.f)

    @cached_property
    def variables(self) -> int:
        return len(self.kept) + (not self.homogeneous)

    @cached_property
    def inner_monomials(self) -> tuple[Monomial, ...]:
        return monomials_of_degree(self.variables, self.inner_degree)

    @property
    def fixed(self) -> int | None:
        """The inner monomial z**d, if there is one."""
        return None if self.homogeneous else len(self.inner_monomials) - 1

    @property
    def rows(self) -> int:
        """Inners of the system: with the known one."""
        return self.inners + (not self.homogeneous)

    @cached_property
    def monomials(self) -> tuple[Monomial, ...]:
        total = self.outer_degree * self.inner_degree
        kept = [tuple(m[i] for i in self.kept) for m, _ in terms(self.f)]
        return tuple(kept if self.homogeneous else [(*m, total - sum(m)) for m in kept])

    @cached_property
    def ansatz(self) -> int:
        """How many coefficients f can have."""
        return comb(self.variables + self.outer_degree * self.inner_degree - 1, self.variables - 1)

    @cached_property
    def unknowns(self) -> int:
        return self.rows * len(self.inner_monomials) + comb(
            self.rows + self.outer_degree - 1, self.outer_degree
        )

    @property
    def generic(self) -> bool:
        """Whether the outer has so many coefficients that nearly any inners may do."""
        return comb(self.rows + self.outer_degree - 1, self.outer_degree) >= self.ansatz

    def system(self, points: int) -> System:
        return make_system(self.variables, self.rows, self.outer_degree, self.inner_monomials, points)

    def target(self, system: System) -> Reals:
        """f at the points, scaled to norm 1."""
        coefficients = [c for _, c in terms(self.f)]
        largest = max(abs(c) for c in coefficients)
        ratios = [c / largest for c in coefficients]
        weights_T = np.array([int(c.p) / int(c.q) for c in ratios])
        value_P = weights_T @ values_of(self.monomials, system.points_PV)
        scaled_P: Reals = value_P / np.linalg.norm(value_P)
        return scaled_P

    def fix(self, h_BMN: Reals) -> Reals:
        """Set what is known: the last inner, and that no other has its monomial."""
        if not self.homogeneous:
            h_BMN[:, :, -1] = 0
            h_BMN[:, -1] = 0
            h_BMN[:, -1, -1] = 1
        return h_BMN

    def free(self, m: int, k: int) -> bool:
        """Whether the coefficient of monomial k in inner m is unknown."""
        return self.homogeneous or (m < self.inners and k != self.fixed)

    def polynomials(self, rows: Sequence[Sequence[Fraction]]) -> tuple[Polynomial, ...]:
        """The inners with these coefficients, in the ring of f."""
        context = self.f.context()
        found = []
        for row in rows[: self.inners]:
            coefficients = {}
            for monomial, value in zip(self.inner_monomials, row, strict=True):
                if value:
                    exponent = [0] * context.nvars()
                    for i, e in zip(self.kept, monomial, strict=False):
                        exponent[i] = e
                    coefficients[tuple(exponent)] = fmpq(value.numerator, value.denominator)
            found.append(context.from_dict(coefficients))
        return tuple(found)

    def coefficients(self, inners: Sequence[Polynomial]) -> Reals:
        """The inners' coefficients [M, N], each scaled to norm 1; terms of other degrees are lost."""
        index = {m: i for i, m in enumerate(self.inner_monomials)}
        h_MN = np.zeros((self.rows, len(index)))
        for row, inner in zip(h_MN, inners, strict=False):
            for monomial, c in terms(inner):
                kept = tuple(monomial[i] for i in self.kept)
                full = kept if self.homogeneous else (*kept, self.inner_degree - sum(kept))
                if full in index:
                    row[index[full]] = int(c.p) / int(c.q)
            row /= max(float(np.linalg.norm(row)), 1e-30)
        self.fix(h_MN[None])
        return h_MN


def ansatzes(f: Polynomial, inners: int, inner_degrees: Sequence[int] | None) -> list[Ansatz]:
    """The degrees that f allows for this number of inners, those with the fewest unknowns first.

    Inner degrees divide that of f. Linear inners make sense only if there are fewer of them than variables,
    and just as many as f's partial derivatives are independent: f is no polynomial in fewer.
    """
    total = degree(f)
    linear = inners == _essential_variables(f) < len(variables_used(f))
    wanted = [
        Ansatz(f, inners, d, total // d)
        for d in range(1, total // 2 + 1)
        if total % d == 0 and (d > 1 or linear) and (inner_degrees is None or d in inner_degrees)
    ]
    return sorted(wanted, key=lambda q: (q.unknowns, q.inner_degree))


def _essential_variables(f: Polynomial) -> int:
    """The least number of linear inners: how many partial derivatives of f are independent."""
    return fmpz_mat(coefficient_rows([f.derivative(x) for x in variables_used(f)])[1]).rank()
