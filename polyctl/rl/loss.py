"""The loss of a policy step, by token with constant normalization (docs/rl.md).

Legend: G groups, W hypotheses a group, L tokens, N tokens that are not padding, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from polyctl.config.schema import KLName
from polyctl.rl.policy import GroupBatch, Scores


@dataclass(frozen=True)
class PolicyLoss:
    """The loss, and sums over tokens of what is worth watching: divergence, and how many were clipped."""

    loss: torch.Tensor
    kl_sum: torch.Tensor
    clipped: torch.Tensor


def policy_loss(
    logp_GWL: torch.Tensor,
    old_GWL: torch.Tensor,
    kl_GWL: torch.Tensor | None,
    batch: GroupBatch,
    *,
    clip_low: float,
    clip_high: float,
    kl_weight: float,
    normalizer: float,
) -> PolicyLoss:
    """PPO's clipped loss plus the weighted divergence, summed over tokens and divided by `normalizer`.

    The normalizer is a constant, so that a token weighs the same in a short and in a long hypothesis, in a
    step with many groups and in one with few. `old_GWL` are the log-probabilities before the step's first
    update, `kl_GWL` the divergence from the model that the run began with (`divergence`).
    """
    mask_GWL, advantage_GW1 = batch.mask_GWL, batch.advantage_GW[:, :, None]
    ratio_GWL = (logp_GWL - old_GWL).exp()
    clipped_GWL = ratio_GWL.clamp(1 - clip_low, 1 + clip_high)
    free_GWL, bound_GWL = ratio_GWL * advantage_GW1, clipped_GWL * advantage_GW1
    loss_GWL = -torch.minimum(free_GWL, bound_GWL)
    if kl_GWL is None:
        kl_GWL = torch.zeros_like(loss_GWL)
    loss_GWL = loss_GWL + kl_weight * kl_GWL
    return PolicyLoss(
        loss=(loss_GWL * mask_GWL).sum() / normalizer,
        kl_sum=(kl_GWL * mask_GWL).sum().detach(),
        clipped=((bound_GWL < free_GWL) * mask_GWL).sum().detach(),
    )


def divergence(policy: Scores, reference: Scores, kind: KLName) -> torch.Tensor:
    """kl_GWL, the divergence of the policy from the reference at every token; zero at padding.

    `exact` sums over the vocabulary. `k3` looks at the emitted token alone (Schulman): it is unbiased for
    samples of the policy, but blind to probability that goes to tokens which no hypothesis has.
    """
    if kind == "k3":
        gap_GWL = reference.logp_GWL - policy.logp_GWL
        return gap_GWL.exp() - gap_GWL - 1
    kl_N = (policy.logp_NV.exp() * (policy.logp_NV - reference.logp_NV)).sum(-1)
    return torch.zeros_like(policy.logp_GWL).masked_scatter(policy.wanted_GWL, kl_N)
