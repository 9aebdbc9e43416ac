"""Bills: counts are exact, what is done costs nothing, and a shared step is timed once."""

import torch

from polyctl.data.dataset import generate
from polyctl.plans import cost
from polyctl.plans.cost import bills, total
from polyctl.plans.runner import Options, perform
from polyctl.plans.stages import make_plan

CPU = torch.device("cpu")


def test_each_stage_has_its_bill(make, places):
    experiment = make("files", source="files", epochs=5, rl=True)
    tasks = make_plan([experiment], [experiment], places)
    found = list(bills(tasks, places, CPU))
    gen, train, evaluation, rl, after = found
    assert [bill.state for bill in found] == ["new"] * 5
    assert gen.problems == 24 + 4 + 4
    written = generate(experiment, places.data / "files")
    size = sum((places.data / "files" / name).stat().st_size for name in written.counts)
    assert 0.7 < gen.data_bytes / size < 1.4
    assert train.problems == 24 * 5
    assert train.tokens > 20 * train.problems
    assert train.parameters == evaluation.parameters == rl.parameters == after.parameters
    assert train.flops == 6 * train.parameters * train.tokens
    assert evaluation.problems == 5
    assert rl.problems == 4
    assert all(bill.seconds > 0 for bill in found)
    summed = total(found)
    assert summed.disk_bytes == gen.disk_bytes + train.disk_bytes + rl.disk_bytes
    assert summed.parameters is None


def test_what_is_done_costs_nothing(make, places):
    experiment = make()
    tasks = make_plan([experiment], [experiment], places)
    perform(tasks[0], places, Options(device="cpu"))
    train, evaluation = bills(tasks, places, CPU)
    assert (train.state, train.seconds) == ("done", None)
    assert (evaluation.state, evaluation.problems) == ("new", 5)


def test_experiments_that_differ_in_length_are_timed_once(make, places, monkeypatch):
    cost._one_step.cache_clear()
    calls = []
    estimate = cost.training_cost.estimate
    monkeypatch.setattr(cost.training_cost, "estimate", lambda *a: calls.append(a) or estimate(*a))
    experiments = [make("a", steps=10), make("b", steps=20)]
    tasks = make_plan(experiments, experiments, places, ("train",))
    one, two = bills(tasks, places, CPU)
    assert len(calls) == 1
    assert two.seconds == 2 * one.seconds
