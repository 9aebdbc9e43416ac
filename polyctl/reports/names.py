"""The names of reports, known without the libraries that it takes to make one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from polyctl.config.registry import Registry
from polyctl.errors import UsageError, did_you_mean

PlanName = Literal["d1_degree", "d1_vars", "d2_arch", "d2_heads", "d3", "d4", "rl", "rl_claim", "complexity"]
PLAN_NAMES: tuple[PlanName, ...] = get_args(PlanName)


def find_plan(names: Sequence[str]) -> PlanName | None:
    """The plan that is named, None for names of experiments."""
    return next((plan for plan in PLAN_NAMES if list(names) == [plan]), None)


def find_experiments(names: Sequence[str], registry: Registry) -> list[str]:
    """The experiments that fit names and patterns; UsageError for a name that fits none and is no plan."""
    try:
        return [experiment.name for experiment in registry.matching(names)]
    except UsageError as error:
        hint = did_you_mean(names[0], PLAN_NAMES, error.hint)
        raise UsageError(f"{error.message}, and it is no plan", hint) from None
