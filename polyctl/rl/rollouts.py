"""Groups: what one search finds for one problem, verified, with rewards and advantages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from polyctl.algebra.printing import plain
from polyctl.config.schema import Experiment, RewardName
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.evaluation.accuracy import JudgedHypothesis, judge
from polyctl.model.gpt import GPT
from polyctl.rl.rewards import Mark, advantages, has_signal, marks, rewards
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.search.hypothesis import Hypothesis, hypothesis_event
from polyctl.search.sampling import sample


@dataclass(frozen=True)
class Group:
    """A problem with its hypotheses, best first (bgrpo, boost) or by falling log-probability (grpo)."""

    problem: Problem
    prompt: tuple[int, ...]
    judged: tuple[JudgedHypothesis, ...]
    marks: tuple[Mark, ...]
    rewards: tuple[float, ...]
    advantages: tuple[float, ...]

    @property
    def signal(self) -> bool:
        """Whether it holds right and wrong answers."""
        return has_signal(self.marks)

    @property
    def first(self) -> int | None:
        """The place of the first right hypothesis, or None; places count every hypothesis, as in eval."""
        return next((place for place, mark in enumerate(self.marks) if mark.right), None)

    @property
    def share(self) -> float:
        """The share of right hypotheses."""
        return sum(mark.right is True for mark in self.marks) / max(len(self.marks), 1)

    def emitted(self, end: int) -> list[list[int]]:
        """The tokens that search emitted: with the end token where it came, without where it did not."""
        return [[*one.hypothesis.tokens, *([end] if one.hypothesis.finished else [])] for one in self.judged]

    def example(self, tokenizer: Tokenizer) -> dict[str, Any]:
        """The group for people, as an event's fields."""
        return {
            "input": plain(self.problem.f),
            "hypotheses": [
                {
                    **hypothesis_event(one.hypothesis, tokenizer, self.problem.f),
                    "finished": one.hypothesis.finished,
                    "status": one.status,
                    "rank": mark.rank,
                    "reward": reward,
                    "advantage": advantage,
                }
                for one, mark, reward, advantage in zip(
                    self.judged, self.marks, self.rewards, self.advantages, strict=True
                )
            ],
        }


def reward_kind(experiment: Experiment) -> RewardName:
    """The reward that rl.reward means; `auto` is rank for beams, and simple for samples."""
    rl = experiment.rl
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
    marked = marks(judged, completion=rl.completion)
    reward = rewards(marked, reward_kind(experiment), width=rl.group_size, wrong=rl.wrong_reward)
    advantage = advantages(marked, reward, scale_rewards=rl.scale_rewards)
    return Group(problem, tuple(prompt), tuple(judged), tuple(marked), tuple(reward), tuple(advantage))


def totals(groups: Sequence[Group], width: int) -> dict[str, float]:
    """Sums over groups, which processes can add: what `rates` divides."""
    firsts = [group.first for group in groups]
    found = [place for place in firsts if place is not None]
    hypotheses = [mark for group in groups for mark in group.marks]
    decided = [
        r for g in groups for mark, r in zip(g.marks, g.rewards, strict=True) if mark.right is not None
    ]
    return {
        "groups": len(groups),
        "hypotheses": len(hypotheses),
        "decided": len(decided),
        "reward": math.fsum(decided),
        "right": sum(mark.right is True for mark in hypotheses),
        "undecided": sum(mark.right is None for mark in hypotheses),
        "unfinished": sum(not one.hypothesis.finished for group in groups for one in group.judged),
        "pass_at_1": sum(place == 0 for place in found),
        "pass_at_w": len(found),
        "rank_score": math.fsum(math.exp(-place / width) for place in found),
        "all_right": sum(not g.signal and g.first is not None for g in groups),
        "all_wrong": sum(not g.signal and g.first is None for g in groups),
    }


def rates(sums: dict[str, float]) -> dict[str, float]:
    """The means that totals stand for; `skipped` counts the groups without signal."""
    groups, hypotheses = max(sums["groups"], 1), max(sums["hypotheses"], 1)
    return {
        "reward": sums["reward"] / max(sums["decided"], 1),
        "right": sums["right"] / hypotheses,
        **{name: sums[name] / groups for name in ("pass_at_1", "pass_at_w", "rank_score")},
        "skipped": sums["all_right"] + sums["all_wrong"],
        **{name: sums[name] for name in ("all_right", "all_wrong", "undecided", "unfinished")},
    }
