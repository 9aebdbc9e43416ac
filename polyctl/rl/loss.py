"""The loss of a policy step, by token with constant normalization (docs/rl.md).

Legend: G groups, W hypotheses a group, L tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from polyctl.rl.policy import GroupBatch


@dataclass(frozen=True)
class PolicyLoss:
    """The loss, and sums over tokens of what is worth watching: divergence, and how many were clipped."""

    loss: torch.Tensor
    kl_sum: torch.Tensor
    clipped: torch.Tensor


def policy_loss(
    logp_GWL: torch.Tensor,
    old_GWL: torch.Tensor,
    reference_GWL: torch.Tensor | None,
    batch: GroupBatch,
    *,
    clip_low: float,
    clip_high: float,
    kl: float,
    normalizer: float,
) -> PolicyLoss:
    """PPO's clipped loss plus kl times the k3 divergence, summed over tokens and divided by `normalizer`.

    The normalizer is a constant, so that a token weighs the same in a short and in a long hypothesis, in a
    step with many groups and in one with few. `old_GWL` are the log-probabilities before the step's first
    update, `reference_GWL` those of the model that the run began with.
    """
    mask_GWL, advantage_GW1 = batch.mask_GWL, batch.advantage_GW[:, :, None]
    ratio_GWL = (logp_GWL - old_GWL).exp()
    clipped_GWL = ratio_GWL.clamp(1 - clip_low, 1 + clip_high)
    free_GWL, bound_GWL = ratio_GWL * advantage_GW1, clipped_GWL * advantage_GW1
    loss_GWL = -torch.minimum(free_GWL, bound_GWL)
    kl_GWL = torch.zeros_like(loss_GWL)
    if reference_GWL is not None:
        gap_GWL = reference_GWL - logp_GWL
        kl_GWL = gap_GWL.exp() - gap_GWL - 1
        loss_GWL = loss_GWL + kl * kl_GWL
    return PolicyLoss(
        loss=(loss_GWL * mask_GWL).sum() / normalizer,
        kl_sum=(kl_GWL * mask_GWL).sum().detach(),
        clipped=((bound_GWL < free_GWL) * mask_GWL).sum().detach(),
    )
