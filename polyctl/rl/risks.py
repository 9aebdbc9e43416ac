"""Settings that are known to spoil a run of reinforcement learning (docs/rl.md)."""

from __future__ import annotations

from polyctl.config.schema import RLConfig

HIGHEST_LR = 5e-4


def risks(rl: RLConfig) -> list[str]:
    """A sentence for each such setting: what it does, and what to set instead."""
    found = []
    if rl.lr > HIGHEST_LR:
        found.append(
            f"rl.lr = {rl.lr:g}: steps of this size can destroy what the model knows. "
            "Set 1e-4 for up to 64 problems a step, 2e-4 for more"
        )
    held = rl.weighting == "probability" and rl.probability_baseline < 1
    if rl.algorithm == "bgrpo" and not rl.kl_weight and not held:
        found.append(
            "rl.kl_weight = 0: most hypotheses are wrong and are pushed down, and nothing keeps their "
            "probability in the beam. Set rl.kl_weight=0.02, or rl.weighting=probability with "
            "rl.probability_baseline=0.8"
        )
    return found
