"""Levenberg-Marquardt on many starts at once, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyctl.solvers.numeric.system import Index, Reals, System

STEPS = 4e9  # multiplications a second, on one core


def step_seconds(starts: int, unknowns: int, points: int) -> float:
    """About how long it takes to begin with so many starts, and to make a step."""
    return 2 * starts * points * unknowns * (unknowns + 20) / STEPS


class LevenbergMarquardt:
    """A batch of starts of one system; `step` advances all of them, `keep` drops some.

    `index_BK` lists the unknowns that move, filled up with U if a start has fewer; all move if it is
    None. Costs are squared distances to the target. Letters: B starts, U unknowns, K that move, R ansatz.
    """

    def __init__(
        self,
        system: System,
        target_R: Reals,
        x_BU: Reals,
        index_BK: Index | None = None,
        damping: float = 1e-2,
    ) -> None:
        self.system, self.target_R = system, target_R
        self.x_BU, self.index_BK = x_BU, index_BK
        self.residual_BR, self.jacobian_BKR = self._evaluate(x_BU)
        self.cost_B = (self.residual_BR**2).sum(1)
        self.damping_B = np.full(len(x_BU), damping)

    def __len__(self) -> int:
        return len(self.x_BU)

    def _evaluate(self, x_BU: Reals) -> tuple[Reals, Reals]:
        value_BR, jacobian_BKR = self.system.value_and_jacobian(x_BU, self.index_BK)
        return value_BR - self.target_R, jacobian_BKR

    def _moved(self, step_BK: Reals) -> Reals:
        if self.index_BK is None:
            return self.x_BU + step_BK
        padded_BU = np.pad(self.x_BU, ((0, 0), (0, 1)))
        moved_BK = np.take_along_axis(padded_BU, self.index_BK, 1) + step_BK
        np.put_along_axis(padded_BU, self.index_BK, moved_BK, 1)
        return padded_BU[:, :-1]

    def step(self) -> None:
        """One damped Gauss-Newton step for every start; those that would rise stay and are damped more."""
        normal_BKK = self.jacobian_BKR @ self.jacobian_BKR.transpose(0, 2, 1)
        gradient_BK = (self.jacobian_BKR @ self.residual_BR[:, :, None])[:, :, 0]
        normal_BKK.reshape(len(self), -1)[:, :: normal_BKK.shape[2] + 1] += self.damping_B[:, None] + 1e-15
        step_BK = -_solve(normal_BKK, gradient_BK)
        with np.errstate(all="ignore"):  # a step far away may overflow; its cost is then no smaller
            trial_BU = self._moved(step_BK)
            residual_BR, jacobian_BKR = self._evaluate(trial_BU)
            cost_B = (residual_BR**2).sum(1)
            predicted_B = (step_BK * (self.damping_B[:, None] * step_BK - gradient_BK)).sum(1)
            gain_B = np.nan_to_num((self.cost_B - cost_B) / np.maximum(predicted_B, 1e-300)).clip(-1, 2)
        better_B = cost_B < self.cost_B
        self.x_BU = np.where(better_B[:, None], trial_BU, self.x_BU)
        self.residual_BR = np.where(better_B[:, None], residual_BR, self.residual_BR)
        jacobian_BKR[~better_B] = self.jacobian_BKR[~better_B]
        self.jacobian_BKR = jacobian_BKR
        self.cost_B = np.where(better_B, cost_B, self.cost_B)
        factor_B = np.where(better_B, (1 - (2 * gain_B - 1) ** 3).clip(0.1, 4.0), 4.0)
        self.damping_B = (self.damping_B * factor_B).clip(1e-14, 1e8)

    def keep(self, index: Sequence[int]) -> None:
        """Continue with these starts only."""
        for name in ("x_BU", "index_BK", "residual_BR", "jacobian_BKR", "cost_B", "damping_B"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, value[index])


def _solve(normal_BKK: Reals, gradient_BK: Reals) -> Reals:
    """The solutions [B, K] of symmetric systems; zeros for a singular one."""
    try:
        return np.linalg.solve(normal_BKK, gradient_BK[:, :, None])[:, :, 0].astype(np.float64, copy=False)
    except np.linalg.LinAlgError:
        if len(normal_BKK) == 1:
            return np.zeros_like(gradient_BK)
        return np.concatenate(
            [_solve(normal_BKK[b : b + 1], gradient_BK[b : b + 1]) for b in range(len(normal_BKK))]
        )
