"""Groups: what one search finds for one problem, verified, with rewards and advantages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from polyctl.algebra.printing import plain
from polyctl.config.schema import Experiment, RewardName, RLConfig
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.evaluation.accuracy import JudgedHypothesis, judge
from polyctl.model.gpt import GPT
from polyctl.rl.rewards import (
    RankedVerdict,
    advantages,
    balanced,
    counted,
    has_signal,
    probability_weights,
    rank_verdicts,
    rewards,
)
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.search.hypothesis import Hypothesis, known_tokens, shown_hypothesis, token_words
from polyctl.search.sampling import sample
from polyctl.store.event_kinds import Rollout

LEAST_ADVANTAGE = 1e-3  # hypotheses with less are left out of the update: a third of it, for no difference


@dataclass(frozen=True)
class Group:
    """A problem with its hypotheses, best first (bgrpo, boost) or by falling log-probability (grpo)."""

    problem: Problem
    prompt: tuple[int, ...]
    judged: tuple[JudgedHypothesis, ...]
    verdicts: tuple[RankedVerdict, ...]
    rewards: tuple[float, ...]
    advantages: tuple[float, ...]

    @property
    def signal(self) -> bool:
        """Whether it holds right and wrong answers, and some that are worth an update."""
        return has_signal(self.verdicts) and bool(self.trained)

    @property
    def trained(self) -> list[int]:
        """The places of the hypotheses that the update uses."""
        return [place for place, a in enumerate(self.advantages) if abs(a) >= LEAST_ADVANTAGE]

    @property
    def mass(self) -> float:
        """The model's probability of all its different hypotheses together."""
        different = {(one.hypothesis.tokens, one.hypothesis.finished): one.hypothesis for one in self.judged}
        return math.fsum(math.exp(hypothesis.logprob) for hypothesis in different.values())

    @property
    def first_correct(self) -> int | None:
        """The place of the first right hypothesis, or None; places count every hypothesis, as in eval."""
        return next((place for place, verdict in enumerate(self.verdicts) if verdict.right), None)

    @property
    def correct_share(self) -> float:
        """The share of right hypotheses."""
        return sum(verdict.right is True for verdict in self.verdicts) / max(len(self.verdicts), 1)

    def emitted(self, end: int) -> list[list[int]]:
        """The tokens that search emitted: with the end token if it came."""
        return [[*one.hypothesis.tokens, *([end] if one.hypothesis.finished else [])] for one in self.judged]

    def rollout(self, tokenizer: Tokenizer, step: int) -> Rollout:
        """The group for people, as the event of a step."""
        f = self.problem.f
        judged = zip(self.judged, self.verdicts, self.rewards, self.advantages, strict=True)
        hypotheses = [
            replace(
                shown_hypothesis(one.hypothesis, tokenizer, f),
                finished=one.hypothesis.finished,
                status=one.status,
                rank=verdict.rank,
                reward=reward,
                advantage=advantage,
            )
            for one, verdict, reward, advantage in judged
        ]
        known = known_tokens(tokenizer, self.problem)
        words = token_words(tokenizer, f, [known or [], *(one.hypothesis.tokens for one in self.judged)])
        return Rollout(step=step, input=plain(f), hypotheses=hypotheses, known=known, words=words)


def reward_kind(rl: RLConfig) -> RewardName:
    """The reward that rl.reward means; `auto` is rank for beams, and simple for samples."""
    if rl.reward != "auto":
        return rl.reward
    return "simple" if rl.algorithm == "grpo" else "rank"


def make_groups(
    model: GPT,
    tokenizer: Tokenizer,
    problems: Sequence[Problem],
    experiment: Experiment,
    seed: int,
    numbers: Sequence[int] | None = None,
) -> list[Group]:
    """A verified group for each problem: one beam search (bgrpo, boost), or samples (grpo).

    Samples follow from seed and `numbers`, so that they do not depend on how problems are shared out.
    An error of the verifier is raised, never turned into a reward.
    """
    rl = experiment.rl
    prompts = [tokenizer.encode_prompt(problem) for problem in problems]
    decoding = Decoding(experiment.eval.max_tokens, tokenizer.end, batch=experiment.eval.batch)
    if rl.algorithm == "grpo":
        found = sample(
            model,
            prompts,
            decoding,
            n=rl.group_size,
            temperature=rl.temperature,
            seed=seed,
            numbers=numbers,
        )
        found = [sorted(group, key=lambda h: (not h.finished, -h.logprob)) for group in found]
    else:
        found = beam_search(model, prompts, decoding, width=rl.group_size)
    return [
        judged_group(problem, prompt, hypotheses, tokenizer, experiment)
        for problem, prompt, hypotheses in zip(problems, prompts, found, strict=True)
    ]


def judged_group(
    problem: Problem,
    prompt: Sequence[int],
    hypotheses: Sequence[Hypothesis],
    tokenizer: Tokenizer,
    experiment: Experiment,
) -> Group:
    """The group of these hypotheses. One that was cut off at the output limit is wrong like any other."""
    rl = experiment.rl
    judged = judge(problem, hypotheses, tokenizer, None)
    verdicts = rank_verdicts(judged, completion=rl.completion)
    reward = rewards(verdicts, reward_kind(rl), width=rl.group_size, wrong=rl.wrong_reward)
    if rl.balance_rewards:
        reward = balanced(verdicts, reward)
    counts = counted(verdicts, merge_wrong=rl.algorithm == "grpo")
    if rl.algorithm == "bgrpo" and rl.weighting == "probability":
        logprobs = [hypothesis.logprob for hypothesis in hypotheses]
        advantage = probability_weights(verdicts, logprobs, counts, baseline=rl.probability_baseline)
    else:
        advantage = advantages(reward, counts, scale_rewards=rl.scale_rewards)
    return Group(problem, tuple(prompt), tuple(judged), tuple(verdicts), tuple(reward), tuple(advantage))


def totals(groups: Sequence[Group], width: int) -> dict[str, float]:
    """Sums over groups, which processes can add: what `rates` divides."""
    firsts = [group.first_correct for group in groups]
    found = [place for place in firsts if place is not None]
    hypotheses = [verdict for group in groups for verdict in group.verdicts]
    decided = [
        r
        for g in groups
        for verdict, r in zip(g.verdicts, g.rewards, strict=True)
        if verdict.right is not None and not verdict.copy
    ]
    return {
        "groups": len(groups),
        "hypotheses": len(hypotheses),
        "decided": len(decided),
        "reward": math.fsum(decided),
        "right": sum(verdict.right is True for verdict in hypotheses),
        "copies": sum(verdict.copy for verdict in hypotheses),
        "mass": math.fsum(group.mass for group in groups),
        "undecided": sum(verdict.right is None for verdict in hypotheses),
        "unfinished": sum(not one.hypothesis.finished for group in groups for one in group.judged),
        "pass_at_1": sum(place == 0 for place in found),
        "pass_at_w": len(found),
        "rank_score": math.fsum(math.exp(-place / width) for place in found),
        "skipped": sum(not group.signal for group in groups),
        "all_right": sum(not g.signal and g.first_correct is not None for g in groups),
        "all_wrong": sum(g.first_correct is None for g in groups),
    }


def rates(sums: dict[str, float]) -> dict[str, float]:
    """The means that totals stand for; `skipped` counts the groups without signal, `searched` all."""
    groups, hypotheses = max(sums["groups"], 1), max(sums["hypotheses"], 1)
    return {
        "reward": sums["reward"] / max(sums["decided"], 1),
        "right": sums["right"] / hypotheses,
        "copies": sums["copies"] / hypotheses,
        **{name: sums[name] / groups for name in ("pass_at_1", "pass_at_w", "rank_score", "mass")},
        "searched": sums["groups"],
        **{name: sums[name] for name in ("skipped", "all_right", "all_wrong", "undecided", "unfinished")},
    }
