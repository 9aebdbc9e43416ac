"""From floating-point solutions to exact ones: recognise rationals, pin what is free, verify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from polyctl.algebra.budget import Budget
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.verify import verify
from polyctl.solvers.numeric.ansatz import Ansatz
from polyctl.solvers.numeric.levenberg_marquardt import LevenbergMarquardt
from polyctl.solvers.numeric.system import Index, Reals, System

SOLVED = 1e-20
SHARP = 1e-27
COARSE = (12, 30)  # denominators, of which numbers with three right digits tell one from another


def recognise(value: float, limit: int = 2000, tolerance: float = 1e-8) -> Fraction | None:
    """The simplest fraction near a number: by continued fractions, while denominators are below `limit`."""
    scale = tolerance * max(1.0, abs(value))
    if abs(value) < tolerance:
        return Fraction(0)
    for bound in (10, 100, limit):
        found = Fraction(value).limit_denominator(bound)
        if abs(float(found) - value) < scale:
            return found
    return None


def echelon(h_MN: Reals, rows: int) -> tuple[Reals, list[int]]:
    """The first `rows` rows in reduced echelon form by complete pivoting, and the pivot columns."""
    h_MN = h_MN.copy()
    pivots: list[int] = []
    left = list(range(rows))
    order: list[int] = []
    while left:
        block = np.abs(h_MN[left])
        block[:, pivots] = 0
        best = int(block.argmax())
        row, column = left[best // block.shape[1]], best % block.shape[1]
        if block.flat[best] < 1e-9:
            break
        h_MN[row] /= h_MN[row, column]
        for other in range(rows):
            if other != row:
                h_MN[other] -= h_MN[other, column] * h_MN[row]
        left.remove(row)
        order.append(row)
        pivots.append(column)
    return np.concatenate([h_MN[order], h_MN[rows:]]), pivots


def refine(
    system: System, target_P: Reals, x_U: Reals, index_K: Index, steps: int, damping: float = 1e-8
) -> tuple[Reals, float, Reals]:
    """A single start until it is sharp or `steps` are over: its x, cost and Jacobian [K, P]."""
    run = LevenbergMarquardt(system, target_P, x_U[None], index_K[None], damping)
    for _ in range(steps):
        if run.cost_B[0] < SHARP or run.damping_B[0] >= 1e7:
            break
        run.step()
    return run.x_BU[0], float(run.cost_B[0]), run.jacobian_BKR[0]


class Pinning:
    """Turns one numeric solution into an exact one, pinning unknowns while solutions lie on families."""

    def __init__(self, ansatz: Ansatz, system: System, target_P: Reals, budget: Budget) -> None:
        self.ansatz, self.system, self.target_P, self.budget = ansatz, system, target_P, budget

    def exact(self, x_U: Reals, free: list[int], outer: list[int], tries: int = 40) -> Decomposition | None:
        """A verified decomposition at or near x, or None.

        `free` and `outer` are the unknown inner and outer coefficients; all others keep their values, which
        must be rational.
        """
        free = list(free)
        refused: set[tuple[int, Fraction]] = set()
        x_U, cost, jacobian_KP = self._solve(x_U, free, outer)
        if cost > SOLVED:
            return None
        if cost > SHARP and (rounded := self._round(x_U)) is not None:
            return rounded
        while not self.budget.expired:
            loose = self._loose(jacobian_KP, len(free))
            fixed = [k for k, is_loose in zip(free, loose, strict=True) if not is_loose]
            values = {k: recognise(float(x_U[k])) for k in fixed}
            if any(v is None for v in values.values()):
                return None
            moving = [k for k in free if k not in values]
            if not moving:
                return self._certify(x_U)
            if tries <= 0:
                return None
            for k, value in values.items():
                x_U[k] = float(value or 0)
            found = None
            for k, value in self._pins(x_U, moving):
                if (k, value) in refused:
                    continue
                tries -= 1
                trial_U = x_U.copy()
                trial_U[k] = float(value)
                rest = [j for j in moving if j != k]
                solved_U, cost, jacobian = self._solve(trial_U, rest, outer)
                if cost < SOLVED:
                    found = (solved_U, rest, jacobian)
                    break
                refused.add((k, value))
                if tries <= 0 or self.budget.expired:
                    return None
            if found is None:
                return None
            x_U, free, jacobian_KP = found
        return None

    def _solve(self, x_U: Reals, free: list[int], outer: list[int]) -> tuple[Reals, float, Reals]:
        return refine(self.system, self.target_P, x_U, np.array([*free, *outer]), 40)

    @staticmethod
    def _loose(jacobian_KP: Reals, count: int) -> list[bool]:
        """Which of the first `count` unknowns move along the solutions near this one."""
        u_KK, s_K, _ = np.linalg.svd(jacobian_KP, full_matrices=True)
        rank = int((s_K > 1e-6 * s_K.max()).sum())
        moves: list[bool] = (np.linalg.norm(u_KK[:count, rank:], axis=1) > 1e-4).tolist()
        return moves

    @staticmethod
    def _pins(x_U: Reals, moving: list[int]) -> Iterator[tuple[int, Fraction]]:
        """Values to try, the best first: zeros for small entries, then the nearest small rationals."""
        by_size = sorted(moving, key=lambda k: abs(float(x_U[k])))
        for k in by_size:
            yield k, Fraction(0)
        for k in sorted(moving, key=lambda k: abs(float(x_U[k]) - round(float(x_U[k])))):
            yield k, Fraction(round(float(x_U[k])))
        for k in by_size:
            yield k, Fraction(float(x_U[k])).limit_denominator(4)

    def _round(self, x_U: Reals) -> Decomposition | None:
        """The nearest inners with small denominators: steps to a multiple root find half of its digits."""
        rows = self.system.split(x_U[None])[0][0].tolist()
        for bound in COARSE:
            found = self._verified([[Fraction(v).limit_denominator(bound) for v in row] for row in rows])
            if found is not None:
                return found
        return None

    def _certify(self, x_U: Reals) -> Decomposition | None:
        h_MN = self.system.split(x_U[None])[0][0]
        rows = [[recognise(float(v)) for v in row] for row in h_MN]
        if any(v is None for row in rows for v in row):
            return None
        return self._verified([[v or Fraction(0) for v in row] for row in rows])

    def _verified(self, rows: Sequence[Sequence[Fraction]]) -> Decomposition | None:
        inners = self.ansatz.polynomials(rows)
        inners = tuple(h for h in inners if not h.is_zero())
        candidate = Decomposition(None, inners)
        return candidate if inners and verify(self.ansatz.f, candidate, budget=self.budget).verified else None
