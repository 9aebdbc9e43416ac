"""How sure a share is that was counted on some problems of many."""

from __future__ import annotations

import math

from polyctl.formatting import format_percent

NORMAL_95 = 1.959964  # the normal distribution's 97.5% quantile


def wilson_interval(hits: int, trials: int) -> tuple[float, float]:
    """The 95% interval of a share of which so many of the trials were hits, both ends between 0 and 1.

    Wilson's score interval (E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, JASA 22, 1927). Raises ValueError without trials or with more hits than trials.
    """
    if not 0 <= hits <= trials or trials == 0:
        raise ValueError(f"{hits} of {trials} is no share")
    share, t = hits / trials, NORMAL_95**2 * (1 / trials)
    centre, half = share + t / 2, math.sqrt(t * share * (1 - share) + t * t / 4)
    low, high = (centre - half) / (1 + t), (centre + half) / (1 + t)
    return max(0.0, min(share, low)), min(1.0, max(share, high))  # rounded to no less than the share


def format_share(hits: int, trials: int) -> str:
    """A share with its 95% interval: `45.0% (38.2–52.0%)`."""
    low, high = wilson_interval(hits, trials)
    return f"{format_percent(hits / trials)} ({100 * low:.1f}–{100 * high:.1f}%)"


def format_pass_at(first: int, solved: int, beam: int, trials: int) -> str:
    """pass@1 and pass@BEAM with their intervals: of the trials so many were solved first, and in all."""
    shares = {1: first, **({beam: solved} if beam > 1 else {})}
    return ", ".join(f"pass@{k} {format_share(hits, trials)}" for k, hits in shares.items())
