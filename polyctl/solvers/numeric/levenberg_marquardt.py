"""Levenberg-Marquardt on many starts at once, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from polyctl.solvers.numeric.system import System

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
        target_R: Tensor,
        x_BU: Tensor,
        index_BK: Tensor | None = None,
        damping: float = 1e-2,
    ) -> None:
        self.system, self.target_R = system, target_R
        self.x_BU, self.index_BK = x_BU, index_BK
        self.residual_BR, self.jacobian_BKR = self._evaluate(x_BU)
        self.cost_B = self.residual_BR.square().sum(1)
        self.damping_B = torch.full((len(x_BU),), damping, dtype=x_BU.dtype)

    def __len__(self) -> int:
        return len(self.x_BU)

    def _evaluate(self, x_BU: Tensor) -> tuple[Tensor, Tensor]:
        value_BR, jacobian_BKR = self.system.value_and_jacobian(x_BU, self.index_BK)
        return value_BR - self.target_R, jacobian_BKR

    def _moved(self, step_BK: Tensor) -> Tensor:
        if self.index_BK is None:
            return self.x_BU + step_BK
        padded_BU = torch.nn.functional.pad(self.x_BU, (0, 1))
        return padded_BU.scatter_add_(1, self.index_BK, step_BK)[:, :-1]

    def step(self) -> None:
        """One damped Gauss-Newton step for every start; those that would rise stay and are damped more."""
        normal_BKK = self.jacobian_BKR @ self.jacobian_BKR.mT
        gradient_BK = (self.jacobian_BKR @ self.residual_BR[:, :, None])[:, :, 0]
        normal_BKK.diagonal(dim1=1, dim2=2).add_(self.damping_B[:, None] + 1e-15)
        factor_BKK, info_B = torch.linalg.cholesky_ex(normal_BKK)
        step_BK = -torch.cholesky_solve(gradient_BK[:, :, None], factor_BKK)[:, :, 0]
        step_BK = torch.where((info_B == 0)[:, None], step_BK, 0.0)
        trial_BU = self._moved(step_BK)
        residual_BR, jacobian_BKR = self._evaluate(trial_BU)
        cost_B = residual_BR.square().sum(1)
        predicted_B = (step_BK * (self.damping_B[:, None] * step_BK - gradient_BK)).sum(1)
        gain_B = ((self.cost_B - cost_B) / predicted_B.clamp_min(1e-300)).nan_to_num(0.0).clamp(-1, 2)
        better_B = cost_B < self.cost_B
        self.x_BU = torch.where(better_B[:, None], trial_BU, self.x_BU)
        self.residual_BR = torch.where(better_B[:, None], residual_BR, self.residual_BR)
        self.jacobian_BKR = torch.where(better_B[:, None, None], jacobian_BKR, self.jacobian_BKR)
        self.cost_B = torch.where(better_B, cost_B, self.cost_B)
        factor_B = torch.where(better_B, (1 - (2 * gain_B - 1) ** 3).clamp(0.1, 4.0), 4.0)
        self.damping_B = (self.damping_B * factor_B).clamp(1e-14, 1e8)

    def keep(self, index: Tensor) -> None:
        """Continue with these starts only."""
        for name in ("x_BU", "index_BK", "residual_BR", "jacobian_BKR", "cost_B", "damping_B"):
            value = getattr(self, name)
            if value is not None:
                setattr(self, name, value[index])
