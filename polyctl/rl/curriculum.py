"""Which problems reinforcement learning works on: fresh ones of the training split, or a pool of such.

Candidate number i of a mix is a pure function of the experiment and i, so that processes agree and a resumed
run continues exactly. Only which candidates the pool holds depends on the model; the checkpoint keeps that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polyctl.config.schema import DataConfig, Experiment, RLConfig
from polyctl.data.dataset import read_digests, read_problems
from polyctl.data.families import degree_cells, draw_problem, split_of
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer, variable_names
from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.errors import UsageError

SEED_SHIFT = 7_919  # problems that supervised training with the same seed did not draw in this order
PATIENCE = 2_000
POOL_USES = 2  # a problem that is trained on more often is learnt by heart


class ProblemMix:
    """Training-split problems of all families and degree cells in turn, as many of each.

    With rl.questions the problems of that file instead, in shuffled passes over those that fit and are not
    excluded. Raises UsageError if there are none.
    """

    def __init__(self, experiment: Experiment, tokenizer: Tokenizer) -> None:
        self.experiment, self.tokenizer = experiment, tokenizer
        families = experiment.rl.families or (experiment.data.family,)
        mixed = [experiment.data.model_copy(update={"family": family}) for family in families]
        self.sources: list[DataConfig] = [cell for data in mixed for _, cell in degree_cells(data)]
        self._excluded = read_digests(experiment.data.exclude)
        self.questions: list[Problem] = []
        self._orders: dict[int, list[int]] = {}
        if experiment.rl.questions is not None:
            found = read_problems(Path(experiment.rl.questions), None, variable_names(experiment.data))
            self.questions = [p for p in found if self._fits(p) and p.digest not in self._excluded]
            if not self.questions:
                raise UsageError(
                    f"each of the {len(found):,} problems of {experiment.rl.questions} is excluded or does "
                    f"not fit the model of {experiment.name}",
                    "name a file of the experiment's family, or raise model.context_length",
                )

    def problem(self, number: int) -> Problem:
        """Candidate `number`: the first from its own place on that is of the training split and fits.

        Raises UsageError if none does.
        """
        if self.questions:
            turn, place = divmod(number, len(self.questions))
            return self.questions[self._order(turn)[place]]
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

    def _order(self, turn: int) -> list[int]:
        """In which order the questions come in this pass."""
        if turn not in self._orders:
            rng = np.random.default_rng([self.experiment.seed, turn, 12])
            self._orders = {turn: rng.permutation(len(self.questions)).tolist()}
        return self._orders[turn]

    def _fits(self, found: Problem) -> bool:
        try:
            prompt = self.tokenizer.encode_prompt(found)
            target = [] if found.decomposition is None else self.tokenizer.encode_target(found)
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
