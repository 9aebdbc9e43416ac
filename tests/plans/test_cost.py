"""Costs: counts are exact, times scaled from samples; what is done is free, a shared step is timed once."""

import pytest
import torch

from polyctl.data.dataset import generate
from polyctl.plans import cost
from polyctl.plans.cost import stage_costs, total
from polyctl.plans.runner import Options, perform
from polyctl.plans.stages import make_plan
from polyctl.training.cost import Cost
from tests.clock import Clock

CPU = torch.device("cpu")


def test_each_stage_has_its_cost(make, directories):
    experiment = make("files", source="files", epochs=5, rl=True)
    tasks = make_plan([experiment], [experiment], directories)
    found = list(stage_costs(tasks, directories, CPU))
    assert [stage.state for stage in found] == ["new"] * 5
    gen, train, evaluation, rl, after = (stage.cost for stage in found)
    assert gen.problems == 24 + 4 + 4
    written = generate(experiment, directories.data / "files")
    size = sum((directories.data / "files" / name).stat().st_size for name in written.counts)
    assert 0.7 < gen.data_bytes / size < 1.4
    assert train.problems == 24 * 5
    assert train.tokens > 20 * train.problems
    assert train.parameters == evaluation.parameters == rl.parameters == after.parameters
    assert train.flops == 6 * train.parameters * train.tokens
    assert evaluation.problems == 5
    assert rl.problems == 4
    summed = total(found).cost
    assert summed.disk_bytes == gen.disk_bytes + train.disk_bytes + rl.disk_bytes
    assert summed.parameters is None


def test_the_time_of_a_stage_is_scaled_from_a_sample(make, directories, monkeypatch):
    """200 problems are drawn in 50 seconds, a step takes 0.5, one of two searches of 12 tokens takes 3."""
    monkeypatch.setattr(cost.training_cost, "estimate", lambda *_: Cost("cpu", 0.5))
    monkeypatch.setattr(cost.rl_cost, "estimate", lambda *_: Cost("cpu", 7.0))
    cost._one_step.cache_clear()
    cost._one_search.cache_clear()
    monkeypatch.setattr(cost, "SEARCHED_TOKENS", 6)  # half of an answer's 12 tokens
    clock = Clock.intervals(50.0, 3.0)
    monkeypatch.setattr(cost, "time", clock)
    experiment = make("timed", source="files", epochs=5, rl=True)
    tasks = make_plan([experiment], [experiment], directories)
    found = list(stage_costs(tasks, directories, CPU, workers=2))
    gen, train, evaluation, rl, after = (stage.cost for stage in found)
    held_out = 4 + 4  # one in sixteen problems is a validation problem, one in sixteen a test problem
    assert gen.seconds == pytest.approx(50 / 200 * (24 * 16 / 14 + 16 * held_out) / 2)
    assert train.seconds == pytest.approx(24 * 5 // 4 * 0.5)
    assert evaluation.seconds == after.seconds == pytest.approx(5 * 3.0 / 2 * 12 / 6)
    assert rl.seconds == pytest.approx(7.0)
    assert total(found).cost.seconds == pytest.approx(
        gen.seconds + train.seconds + 2 * evaluation.seconds + 7.0
    )
    assert not clock.passed
    cost._one_step.cache_clear()
    cost._one_search.cache_clear()


def test_what_is_done_costs_nothing(make, directories):
    experiment = make()
    tasks = make_plan([experiment], [experiment], directories)
    perform(tasks[0], directories, Options(device="cpu"))
    train, evaluation = stage_costs(tasks, directories, CPU)
    assert (train.state, train.to_dict()["seconds"]) == ("done", None)
    assert (evaluation.state, evaluation.cost.problems) == ("new", 5)


def test_experiments_that_differ_in_length_are_timed_once(make, directories, monkeypatch):
    cost._one_step.cache_clear()
    calls = []
    estimate = cost.training_cost.estimate
    monkeypatch.setattr(cost.training_cost, "estimate", lambda *a: calls.append(a) or estimate(*a))
    experiments = [make("a", steps=10), make("b", steps=20)]
    tasks = make_plan(experiments, experiments, directories, ("train",))
    one, two = stage_costs(tasks, directories, CPU)
    assert len(calls) == 1
    assert two.cost.seconds == 2 * one.cost.seconds
