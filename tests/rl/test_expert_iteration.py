"""Expert iteration: what is learnt was verified, from the beam or from the solver, never from the key."""

import pytest

from polyctl.algebra.verify import verify
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for
from polyctl.rl.curriculum import ProblemMix
from polyctl.rl.expert_iteration import expert_answers
from polyctl.rl.rollouts import judged_group
from polyctl.search.hypothesis import Hypothesis
from tests.rl.helpers import tiny


def group_of(experiment, answer):
    """A group with one answer, made from a problem without its key: answer(target) gives the tokens."""
    tokenizer = make_tokenizer(experiment.data)
    problem = ProblemMix(experiment, tokenizer).problem(3)
    target = tokenizer.encode_target(problem)
    blind = SparseProblem(problem.f, None, problem.family, problem.index)
    hypothesis = Hypothesis(tuple(answer(target[:-1])), -1.0, True)
    return judged_group(blind, tokenizer.encode_prompt(blind), [hypothesis], tokenizer, experiment), tokenizer


def test_a_right_hypothesis_is_learnt_as_it_was_emitted():
    experiment = tiny(algorithm="boost")
    group, tokenizer = group_of(experiment, lambda target: target)
    (answer,) = expert_answers([group], tokenizer, experiment, 0)
    assert answer.source == "beam"
    assert answer.pair == (list(group.prompt), [*group.judged[0].hypothesis.tokens, tokenizer.end])


@pytest.mark.parametrize("solver", ["polish", "solve"])
def test_a_wrong_hypothesis_is_mended_by_the_solver(solver):
    experiment = tiny(algorithm="boost", solver=solver, solver_seconds=60.0)
    group, tokenizer = group_of(experiment, lambda target: [*target[:-1], target[-1] + 3])
    assert group.first_correct is None
    (answer,) = expert_answers([group], tokenizer, experiment, 0)
    assert answer.source == "solver"
    assert answer.pair[1][-1] == tokenizer.end
    assert verify(group.problem.f, decode_for(tokenizer, group.problem.f, answer.pair[1][:-1])).verified


def test_without_a_solver_a_wrong_group_teaches_nothing():
    experiment = tiny(algorithm="boost", solver="off")
    group, tokenizer = group_of(experiment, lambda target: [*target[:-1], target[-1] + 3])
    assert expert_answers([group], tokenizer, experiment, 0) == []


def test_boost_runs_and_says_who_found_what(run_rl):
    _, result, recorder = run_rl(tiny(algorithm="boost", steps=2, solver="off"))
    assert result.state == "complete"
    steps = recorder.of("step")
    assert all(e["from_beam"] == e["trained_groups"] and e["from_solver"] == 0 for e in steps)
    assert sum(e["from_beam"] for e in steps) > 0
