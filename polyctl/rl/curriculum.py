"""Which problems reinforcement learning works on: fresh ones of the training split, or a pool of such.

Candidate number i of a mix is a pure function of the experiment and i, so that processes agree and a resumed
run continues exactly. Only which candidates the pool holds depends on the model; the checkpoint keeps that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polyctl.config.schema import DataConfig, Experiment, RLConfig
from polyctl.data.dataset import read_digests
from polyctl.data.families import degree_cells, draw_problem, split_of
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.errors import UsageError

SEED_SHIFT = 7_919  # problems that supervised training with the same seed did not draw in this order
PATIENCE = 2_000
POOL_USES = 2  # a problem that is trained on more often is learnt by heart


class ProblemMix:
    """Training-split problems of all families and degree cells in turn, as many of each."""

    def __init__(self, experiment: Experiment, tokenizer: Tokenizer) -> None:
        self.experiment, self.tokenizer = experiment, tokenizer
        families = experiment.rl.families or (experiment.data.family,)
        mixed = [experiment.data.model_copy(update={"family": family}) for family in families]
        self.sources: list[DataConfig] = [cell for data in mixed for _, cell in degree_cells(data)]
        self._excluded = read_digests(experiment.data.exclude)

    def problem(self, number: int) -> Problem:
        """Candidate `number`: the first from its own place on that is of the training split and fits.

        Raises UsageError if none does.
        """
        source = self.sources[number % len(self.sources)]
        seed = self.experiment.seed + SEED_SHIFT
        for attempt in range(PATIENCE):
            # the places of two candidates never meet, so no problem is drawn for both by construction
            found = draw_problem(source, seed, number * PATIENCE + attempt)
            digest = found.digest
            if split_of(digest) == "train" and digest not in self._excluded and self._fits(found):
                return found
        raise UsageError(
            f"{PATIENCE} {source.family} problems in a row do not fit the model of {self.experiment.name}",
            "raise model.context_length, make the degrees smaller, or mix other rl.families",
        )

    def _fits(self, found: Problem) -> bool:
        try:
            prompt = self.tokenizer.encode_prompt(found)
            target = self.tokenizer.encode_target(found)
        except UnwritableProblem:
            return False
        return len(prompt) + len(target) <= self.experiment.model.context_length


@dataclass(frozen=True)
class Probe:
    """What the current model makes of a candidate: the share of its group that is right, its first answer."""

    number: int
    share: float
    first: bool


def choose(probes: Sequence[Probe], rl: RLConfig) -> list[int]:
    """The candidates in the band of difficulty; at most rl.max_solved_share of them already have a right
    first answer.

    Empty if none is in the band.
    """
    low, high = rl.difficulty_band
    inside = [probe for probe in probes if low <= probe.share <= high]
    open_ = [probe.number for probe in inside if not probe.first]
    solved = [probe.number for probe in inside if probe.first]
    share = rl.max_solved_share
    if open_ and share < 1:
        solved = solved[: int(len(open_) * share / (1 - share))]
    return sorted(open_ + solved)


def draw(pool: Sequence[int], count: int, seed: int, step: int) -> list[int]:
    """The numbers of a step's `count` problems: from the pool, different ones if it has enough."""
    rng = np.random.default_rng([seed, step, 11])
    return [int(n) for n in rng.choice(np.asarray(pool), size=count, replace=len(pool) < count)]


def wear(kept: int, rl: RLConfig, steps_left: int) -> tuple[float, int]:
    """How often each problem of a pool of `kept` is trained on until the next one, and how many candidates
    would have to be probed, at this rate, so that it is POOL_USES times.
    """
    draws = min(rl.pool_refresh_every, steps_left) * rl.groups_per_step
    rate = max(kept, 1) / rl.pool_candidates
    return draws / max(kept, 1), math.ceil(draws / POOL_USES / rate)
