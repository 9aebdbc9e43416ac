"""The loop: its events and files, exact resuming, interrupts, groups without signal, errors."""

import itertools
import json
import os
import signal

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from polyctl.errors import UsageError
from polyctl.model.serialization import load_model
from polyctl.rl import rollouts, trainer
from polyctl.rl.trainer import ReinforcementTrainer, reference_file
from polyctl.runtime.processes import ALONE
from polyctl.store.event_kinds import Step
from polyctl.store.events import EventReader
from polyctl.store.runs import list_runs
from tests.rl.helpers import tiny
from tests.training.helpers import Recorder

STEP_FIELDS = {
    "loss", "lr", "grad_norm", "reward", "pass_at_1", "pass_at_w", "rank_score", "kl", "entropy",
    "skipped", "all_right", "all_wrong", "clip_share", "trained_groups", "problems_seen", "undecided",
    "copies", "mass", "searched",
}  # fmt: skip


trainer_file = ReinforcementTrainer.state_path


def assert_same_state(one, other):
    first, second = load_file(trainer_file(one)), load_file(trainer_file(other))
    assert first.keys() == second.keys()
    assert not [name for name in first if not torch.equal(first[name], second[name])]


@pytest.mark.parametrize("algorithm", ["bgrpo", "grpo"])
def test_a_run_leaves_events_checkpoints_and_a_changed_model(run_rl, start, algorithm):
    run, result, recorder = run_rl(tiny(algorithm=algorithm, pool_candidates=12, pool_refresh_every=2))
    assert (result.state, result.step) == ("complete", 4)
    steps = recorder.of("step")
    assert len(steps) == 4
    assert steps[0].keys() >= STEP_FIELDS
    assert sum(event["trained_groups"] for event in steps) > 0
    assert all(event["skipped"] + event["trained_groups"] == 4 for event in steps)
    validations = recorder.of("validation")
    assert [event["step"] for event in validations] == [0, 2, 4]
    assert {"mass", "copies", "sample_kl", "sample_entropy"} <= validations[0].keys()
    assert validations[0]["sample_kl"] == 0  # still its own reference
    assert validations[-1]["sample_kl"] > 0
    pools = recorder.of("pool")
    assert [event["step"] for event in pools] == [0, 2]
    assert pools[0]["uses"] == pytest.approx(2 * 4 / (pools[0]["kept"] or 12))
    (example, *_) = recorder.of("rollout")
    assert {"text", "logprob", "status", "rank", "reward", "advantage"} <= example["hypotheses"][0].keys()
    assert [event.kind for event in EventReader(run.events)][-1] == "end"
    assert run.experiment == f"tiny_{algorithm}"
    last = load_model(run.checkpoint("last"), "cpu").model.state_dict()
    first = load_model(start, "cpu").model.state_dict()
    kept = load_model(reference_file(run), "cpu").model.state_dict()
    assert any(not torch.equal(last[name], first[name]) for name in first)
    assert all(torch.equal(kept[name], first[name]) for name in first)


@pytest.mark.parametrize(
    ("algorithm", "source"),
    [
        ("bgrpo", {"pool_candidates": 12, "pool_refresh_every": 3}),
        ("grpo", {"pool_candidates": 12, "pool_refresh_every": 3}),
        ("bgrpo", {"max_redraws": 2, "weighting": "reward"}),
    ],
)
def test_a_resumed_run_is_the_run_that_was_never_stopped(run_rl, algorithm, source):
    experiment = tiny(algorithm=algorithm, **source)
    whole, _, expected = run_rl(experiment)

    class Stopper(Recorder):
        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, Step) and event.step == 1:
                os.kill(os.getpid(), signal.SIGINT)

    halved, result, first = run_rl(experiment, recorder=Stopper())
    assert (result.state, result.step) == ("interrupted", 1)
    _, result, second = run_rl(experiment, run=halved)
    assert (result.state, result.step) == ("complete", 4)
    assert_same_state(whole, halved)
    watched = [{k: e[k] for k in ("step", "loss", "reward", "kl")} for e in expected.of("step")]
    again = [
        {k: e[k] for k in ("step", "loss", "reward", "kl")} for e in first.of("step") + second.of("step")
    ]
    assert again == watched


def test_problems_without_a_signal_are_replaced_by_fresh_ones(run_rl, monkeypatch):
    asked, groups = [], ReinforcementTrainer._groups
    monkeypatch.setattr(
        ReinforcementTrainer,
        "_groups",
        lambda self, numbers, stream: asked.append(list(numbers)) or groups(self, numbers, stream),
    )
    judged_groups, verdicts = itertools.count(), rollouts.rank_verdicts

    def third_wrong(judged, completion):
        wrong = next(judged_groups) % 3 == 0
        return _all_wrong(judged) if wrong else verdicts(judged, completion=completion)

    monkeypatch.setattr(rollouts, "rank_verdicts", third_wrong)
    _, _, recorder = run_rl(tiny(max_redraws=3))
    steps = recorder.of("step")
    numbers = [number for several in asked for number in several]
    assert numbers == list(range(len(numbers)))  # each once, none left out
    assert len(numbers) == sum(step["searched"] for step in steps) == steps[-1]["problems_seen"]
    assert any(step["searched"] > 4 for step in steps)
    for step in steps:
        assert step["trained_groups"] <= 4
        assert step["trained_groups"] + step["skipped"] == step["searched"] <= 4 * (1 + 3)


def test_drawing_again_has_a_bound(run_rl, monkeypatch):
    monkeypatch.setattr(rollouts, "rank_verdicts", lambda judged, completion: _all_wrong(judged))
    _, _, recorder = run_rl(tiny(max_redraws=2, steps=2))
    assert [step["searched"] for step in recorder.of("step")] == [12, 12]
    _, _, recorder = run_rl(tiny(algorithm="boost", solver="off", max_redraws=2, steps=2))
    assert [step["searched"] for step in recorder.of("step")] == [4, 4]  # the solver may find an answer


def test_a_state_that_does_not_know_what_was_drawn_goes_on_behind_its_steps(run_rl):
    run, _, _ = run_rl(tiny(steps=2))
    path = trainer_file(run)
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["polyctl"])
    del facts["drawn"]
    save_file(load_file(path), path, {"polyctl": json.dumps(facts)})
    _, _, recorder = run_rl(tiny(steps=3), run=run)
    assert [step["problems_seen"] for step in recorder.of("step")] == [12]


def test_the_learning_rate_falls_at_the_end_or_with_the_clock(run_rl):
    _, _, recorder = run_rl(tiny(steps=10, decay_fraction=0.4, final_lr_ratio=0.1))
    rates = [step["lr"] for step in recorder.of("step")]
    assert rates[:7] == [pytest.approx(1e-3)] * 7
    assert rates[6:] == [pytest.approx(1e-3 * share) for share in (1.0, 0.7, 0.4, 0.1)]


def test_the_time_limit_ends_gently(run_rl):
    run, result, _ = run_rl(tiny(), max_minutes=0)
    assert (result.state, result.step) == ("time limit", 0)
    assert trainer_file(run).is_file()


def test_without_signal_nothing_moves(run_rl, start, monkeypatch):
    monkeypatch.setattr(rollouts, "rank_verdicts", lambda judged, completion: _all_wrong(judged))
    run, result, recorder = run_rl(tiny(weight_decay=0.1))
    assert result.state == "complete"
    assert [event["skipped"] for event in recorder.of("step")] == [4.0] * 4
    assert [event["all_wrong"] for event in recorder.of("step")] == [4.0] * 4
    last, first = (load_model(p, "cpu").model.state_dict() for p in (run.checkpoint("last"), start))
    assert all(torch.equal(last[name], first[name]) for name in first)


def _all_wrong(judged):
    from polyctl.rl.rewards import RankedVerdict

    return [RankedVerdict(False, one.rank) for one in judged]


def test_an_error_of_the_verifier_is_an_error(run_rl, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("the verifier is broken")

    monkeypatch.setattr(rollouts, "judge", broken)
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError, match="the verifier is broken"):
        run_rl(tiny(), recorder=recorder)
    assert recorder.of("error")[0]["message"] == "the verifier is broken"


def test_a_failing_validation_loses_nothing(run_rl, monkeypatch, tmp_path):
    """The state is saved before it, so that the steps since the last validation need not be repeated."""
    experiment = tiny()
    whole, _, _ = run_rl(experiment)
    evaluate = trainer.evaluate_problems

    def fail_later(model, tokenizer, problems, config):
        if recorder.of("step"):
            raise ZeroDivisionError("validation broke")
        return evaluate(model, tokenizer, problems, config)

    recorder = Recorder()
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "evaluate_problems", fail_later)
        with pytest.raises(ZeroDivisionError, match="validation broke"):
            run_rl(experiment, recorder=recorder)
    assert recorder.of("error")[0]["message"] == "validation broke"
    run = next(run for run in list_runs(tmp_path / "runs") if run.id != whole.id)
    assert load_model(run.checkpoint("last"), "cpu").step == 2
    _, result, second = run_rl(experiment, run=run)
    assert (result.state, result.step) == ("complete", 4)
    assert [event["step"] for event in second.of("validation")] == [2, 4]
    assert_same_state(whole, run)


def test_a_state_with_facts_that_are_no_longer_kept_resumes(run_rl):
    """Earlier versions counted skipped groups and updates there."""
    run, _, _ = run_rl(tiny(steps=2))
    path = trainer_file(run)
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["polyctl"])
    save_file(load_file(path), path, {"polyctl": json.dumps({**facts, "skipped": 1, "updates": 2})})
    _, result, _ = run_rl(tiny(steps=3), run=run)
    assert (result.state, result.step) == ("complete", 3)


def test_another_shape_or_other_data_is_refused(run_rl):
    other = tiny()
    with pytest.raises(UsageError, match="another shape"):
        run_rl(other.model_copy(update={"model": other.model.model_copy(update={"layers": 2})}))
    run, _, _ = run_rl(tiny(steps=1))
    with pytest.raises(UsageError, match="other seed settings"):
        run_rl(tiny(steps=2).model_copy(update={"seed": 9}), run=run)
    with pytest.raises(UsageError, match=r"other rl\.algorithm settings"):
        run_rl(tiny(steps=2, algorithm="grpo"), run=run)


def test_dropout_of_the_published_form_stays_off(tmp_path, monkeypatch):
    from polyctl.data.tokenizers import make_tokenizer
    from polyctl.model.gpt import GPT
    from polyctl.model.serialization import save_model
    from polyctl.rl.trainer import reinforce, with_algorithm_name
    from polyctl.store.runs import create_run

    experiment = tiny(architecture="gpt2", dropout=0.5, steps=1, updates_per_step=1, kl_weight=0.0)
    tokenizer = make_tokenizer(experiment.data)
    path = tmp_path / "published.safetensors"
    save_model(path, GPT.of(experiment, len(tokenizer.vocabulary)), experiment, tokenizer.vocabulary, 0, {})
    modes, update = [], trainer.update

    def recorded(model, *rest):
        modes.append(model.training)
        return update(model, *rest)

    monkeypatch.setattr(trainer, "update", recorded)
    experiment = with_algorithm_name(experiment)
    run = create_run(experiment, tmp_path / "runs")
    reinforce(experiment, run, ALONE, start=path, on_event=Recorder())
    assert modes == [False]
