"""Groups: the tokens that are trained are those that search emitted, with the probabilities it reported."""

import math

import pytest
import torch

from polyctl.data.tokenizers import make_tokenizer
from polyctl.model.serialization import load_model
from polyctl.rl import update
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.policy import GroupBatch, score
from polyctl.rl.rollouts import judged_group, make_groups, rates, totals
from polyctl.search.hypothesis import Hypothesis
from tests.rl.helpers import tiny


@pytest.mark.parametrize("algorithm", ["bgrpo", "grpo"])
def test_the_policy_scores_the_emitted_tokens_as_search_did(start, algorithm):
    experiment = tiny(algorithm=algorithm)
    model, tokenizer = load_model(start, "cpu").model, make_tokenizer(experiment.data)
    mix = ProblemMix(experiment, tokenizer)
    groups = make_groups(model, tokenizer, [mix.problem(n) for n in range(4)], experiment, 5)
    hypotheses = [[one.hypothesis for one in group.judged] for group in groups]
    assert any(h.finished for group in hypotheses for h in group)
    batch = GroupBatch.of(
        [g.prompt for g in groups], [g.emitted(tokenizer.end) for g in groups], [g.advantages for g in groups]
    )
    with torch.no_grad():
        sums = score(model, batch).logp_GWL.sum(-1)
    for g, group in enumerate(hypotheses):
        for w, hypothesis in enumerate(group):
            assert float(sums[g, w]) == pytest.approx(hypothesis.logprob, abs=1e-3)


def test_the_end_token_is_trained_where_it_was_emitted_and_nowhere_else():
    experiment = tiny(weighting="reward")
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(0)
    target = tokenizer.encode_target(problem)
    right = Hypothesis(tuple(target[:-1]), -1.0, True)
    cut_off = Hypothesis(tuple(target[:-1]), -1.5, False)
    group = judged_group(problem, tokenizer.encode_prompt(problem), [right, cut_off], tokenizer, experiment)
    assert group.emitted(tokenizer.end) == [target, target[:-1]]
    assert [verdict.right for verdict in group.verdicts] == [True, False]
    assert group.rewards == (1.0, -0.1)
    assert group.advantages == pytest.approx((0.55, -0.55))
    assert group.signal


def test_rates_are_means_over_groups_and_hypotheses():
    experiment = tiny()
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(0)
    right = Hypothesis(tuple(tokenizer.encode_target(problem)[:-1]), -1.0, True)
    wrong = Hypothesis((tokenizer.end + 1,), -2.0, True)
    prompt = tokenizer.encode_prompt(problem)
    groups = [
        judged_group(problem, prompt, found, tokenizer, experiment)
        for found in ([right, wrong], [wrong, right], [wrong, wrong], [right, right])
    ]
    found = rates(totals(groups, 4))
    assert found["pass_at_1"] == 0.5
    assert found["pass_at_w"] == 0.75
    assert found["rank_score"] == pytest.approx((2 + 2.718281828**-0.25) / 4)
    assert (found["skipped"], found["all_right"], found["all_wrong"]) == (2, 1, 1)
    assert groups[3].verdicts[1].rank == 0  # the same answer twice ranks once


def hypotheses_of(tokenizer, problem, *logprobs):
    """The right answer and as many wrong ones, with these log-probabilities."""
    right = tuple(tokenizer.encode_target(problem)[:-1])
    wrong = [(tokenizer.end + 1,) * n for n in range(1, len(logprobs))]
    return [Hypothesis(t, logp, True) for t, logp in zip([right, *wrong], logprobs, strict=True)]


def test_hypotheses_without_weight_are_left_out_of_the_update():
    experiment = tiny(weighting="probability", probability_baseline=0.8)
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(0)
    prompt = tokenizer.encode_prompt(problem)
    found = hypotheses_of(tokenizer, problem, -3.0, -1.0, -9.0)
    group = judged_group(problem, prompt, found, tokenizer, experiment)
    assert group.advantages[0] == pytest.approx(1 - 0.8 / (1 + math.exp(2) + math.exp(-6)))
    assert group.signal
    assert group.trained == [0, 1]
    assert group.mass == pytest.approx(math.exp(-3) + math.exp(-1) + math.exp(-9))
    (batch,) = update.batches_of([group], 16, tokenizer.end, torch.device("cpu"))
    assert batch.tokens_GWL.shape[1] == 2
    assert batch.advantage_GW.tolist() == [pytest.approx(group.advantages[:2])]


def test_a_group_in_which_the_right_answer_has_all_probability_is_skipped():
    experiment = tiny(weighting="probability", probability_baseline=1.0)
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(0)
    found = hypotheses_of(tokenizer, problem, -0.001, -12.0)
    group = judged_group(problem, tokenizer.encode_prompt(problem), found, tokenizer, experiment)
    assert group.trained == []
    assert not group.signal
    sums = rates(totals([group], 4))
    assert (sums["skipped"], sums["all_right"], sums["all_wrong"]) == (1, 1, 0)


def test_equal_samples_are_counted_once_and_told():
    experiment = tiny(algorithm="grpo")
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(0)
    right, wrong = hypotheses_of(tokenizer, problem, -1.0, -2.0)
    samples = [right, right, right, wrong]
    group = judged_group(problem, tokenizer.encode_prompt(problem), samples, tokenizer, experiment)
    assert group.trained == [0, 3]
    assert group.advantages == pytest.approx((0.55, 0.0, 0.0, -0.55))
    assert rates(totals([group], 4))["copies"] == 0.5
    assert group.mass == pytest.approx(math.exp(-1) + math.exp(-2))
