"""The loop: what it minimizes, what it leaves behind, and that stopping and resuming change nothing."""

import json
import math
import os
import signal
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError, UsageError
from polyctl.model.serialization import load_model
from polyctl.runtime.processes import ALONE
from polyctl.store.event_kinds import Step
from polyctl.training import checkpoint, echo, loop, supervised
from polyctl.training.journal import Journal
from polyctl.training.loop import DivergedError
from polyctl.training.supervised import SupervisedTrainer, train
from tests.training.helpers import Recorder, tiny


def trainer_file(run):
    return run.path / "checkpoints" / "trainer.safetensors"


def saved(trainer):
    """Where a trainer's weights lie, once it has written them."""
    trainer.save()
    return trainer.run.checkpoint("last")


def assert_same_state(one, other):
    first, second = load_file(trainer_file(one)), load_file(trainer_file(other))
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


def stop_at(step, number=signal.SIGINT):
    """A recorder that sends this process a signal when `step` is reported."""

    class Stopper(Recorder):
        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, Step) and event.step == step:
                os.kill(os.getpid(), number)

    return Stopper()


def test_loss_falls_and_the_run_is_written(new_run, recorder):
    experiment = tiny(steps=40, eval_every=20)
    run = new_run(experiment)
    result = train(experiment, run, ALONE, on_event=recorder)
    assert (result.step, result.state) == (40, "complete")
    losses = recorder.losses
    assert sorted(losses) == list(range(1, 41))
    assert sum(losses[i] for i in range(36, 41)) < 0.8 * sum(losses[i] for i in range(1, 6))
    assert [e["step"] for e in recorder.of("validation")] == [20, 40]
    assert result.metrics.keys() == {"valid_loss", "greedy_exact", "greedy_verified"}
    assert result.metrics["valid_loss"] < recorder.of("validation")[0]["valid_loss"]
    last = recorder.of("step")[-1]
    assert last["problems_seen"] == 320
    assert last["lr"] == pytest.approx(3e-4)
    assert recorder.of("end")[0]["state"] == "complete"
    written = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in written if line["kind"] == "step"] == list(losses.values())
    loaded = load_model(run.path / "checkpoints" / "last.safetensors", torch.device("cpu"))
    assert (loaded.step, loaded.metrics) == (40, result.metrics)
    assert result.checkpoint == run.path / "checkpoints" / "best.safetensors"
    assert load_model(result.checkpoint, torch.device("cpu")).step == result.best["step"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_and_resume_equal_one_training_bit_for_bit(new_run, number):
    """Dropout is on, so this also shows that its random numbers are those of the unstopped run."""
    experiment = tiny()
    whole, parts = new_run(experiment), new_run(experiment)
    straight = Recorder()
    train(experiment, whole, ALONE, on_event=straight)
    first, second = stop_at(3, number), Recorder()
    result = train(experiment, parts, ALONE, on_event=first)
    assert (result.state, result.step) == ("interrupted", 3)
    assert first.of("end")[0]["state"] == "interrupted"
    assert checkpoint.read_facts(trainer_file(parts))["step"] == 3
    result = train(experiment, parts, ALONE, resume=True, on_event=second)
    assert (result.state, result.step) == ("complete", 8)
    assert {**first.losses, **second.losses} == straight.losses
    assert first.of("validation") + second.of("validation") == straight.of("validation")
    assert_same_state(whole, parts)


def test_an_ignored_signal_stays_ignored(new_run):
    """As under nohup, where a closed terminal must not end the training."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        experiment = tiny(steps=3)
        result = train(experiment, new_run(experiment), ALONE, on_event=stop_at(1, signal.SIGHUP))
        assert (result.state, result.step) == ("complete", 3)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signal_handlers_are_put_back(new_run):
    before = signal.getsignal(signal.SIGINT)
    experiment = tiny(steps=2)
    train(experiment, new_run(experiment), ALONE, on_event=stop_at(1))
    assert signal.getsignal(signal.SIGINT) is before


def test_accumulation_and_workers_change_nothing(new_run):
    plain, split, worked = Recorder(), Recorder(), Recorder()
    for changes, recorder in (({}, plain), ({"accumulate": 3}, split), ({"workers": 2}, worked)):
        experiment = tiny(dropout=0.0, **changes)
        train(experiment, new_run(experiment), ALONE, on_event=recorder)
    assert worked.losses == plain.losses
    assert split.losses == pytest.approx(plain.losses, rel=1e-4)
    norms = [[e["grad_norm"] for e in r.of("step")] for r in (plain, split)]
    assert norms[1] == pytest.approx(norms[0], rel=1e-3)


def test_gradient_is_the_mean_over_target_tokens_only(new_run):
    """A plain twin: full logits, a loss for each token by hand, prompt and padding ignored."""
    experiment = tiny(dropout=0.0, accumulate=2)
    trainer = make_trainer(experiment, new_run(experiment))
    batch = trainer.source.chunk(0)[0]
    ids_BT = torch.from_numpy(batch.ids_BT)
    logp_BTV = trainer.model.logits(trainer.model.hidden(ids_BT)).log_softmax(-1)
    terms = [
        -logp_BTV[b, t - 1, ids_BT[b, t]]
        for b in range(ids_BT.shape[0])
        for t in range(1, ids_BT.shape[1])
        if batch.loss_BT[b, t]
    ]
    assert 0 < len(terms) < int((ids_BT != 0).sum())
    expected = torch.stack(terms).mean()
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in trainer.model.named_parameters()}
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients.values()]))
    loss, found_norm, _ = trainer.train_on(batch)
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert found_norm == pytest.approx(norm.item(), rel=1e-4)
    scale = min(1.0, experiment.train.max_grad_norm / norm.item())
    for name, parameter in trainer.model.named_parameters():
        torch.testing.assert_close(parameter.grad, scale * gradients[name], rtol=1e-3, atol=1e-6)


def make_trainer(experiment, run):
    return SupervisedTrainer(experiment, run, ALONE, Journal(run.events, main=False))


def test_time_limit_stops_gently_saves_and_validates(new_run, recorder):
    experiment = tiny(steps=10**6, eval_every=10**6, schedule="wsd")
    run = new_run(experiment)
    result = train(experiment, run, ALONE, max_minutes=0.5 / 60, on_event=recorder)
    assert result.state == "time limit"
    assert 0 < result.step < 10**6
    assert result.metrics
    assert checkpoint.read_facts(trainer_file(run))["step"] == result.step


def test_an_echoed_training_is_resumed_bit_for_bit(new_run, monkeypatch, recorder):
    monkeypatch.setattr(echo, "ECHO_CHUNKS", 1)
    experiment = tiny(echo_factor=2, steps=16 * 4, eval_every=64)
    whole, parts = new_run(experiment), new_run(experiment)
    train(experiment, whole, ALONE, on_event=recorder)
    train(experiment, parts, ALONE, on_event=stop_at(40))  # of 0, 1, 0, 2, the chunks, within the third
    train(experiment, parts, ALONE, resume=True)
    assert_same_state(whole, parts)
    fresh = tiny(steps=16 * 4, eval_every=64)
    other = Recorder()
    train(fresh, new_run(fresh), ALONE, on_event=other)
    same = [step for step, loss in recorder.losses.items() if loss == other.losses[step]]
    assert same == list(range(1, 33))  # two chunks pass before one comes back


@pytest.mark.parametrize("follows", [True, False])
def test_the_learning_rate_comes_down_with_the_clock(new_run, monkeypatch, recorder, follows):
    seconds = iter(range(100))  # each look at the clock, one before every step, takes a second
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    changes = {"lr": 1e-3, "schedule": "wsd", "decay_fraction": 0.5, "warmup": 2, "final_lr_ratio": 0.0}
    experiment = tiny(steps=10**6, eval_every=10**6, end_with_clock=follows, **changes)
    result = train(experiment, new_run(experiment), ALONE, max_minutes=10 / 60, on_event=recorder)
    assert (result.state, result.step) == ("time limit", 9)
    falling = [0.8, 0.6, 0.4, 0.2] if follows else [1.0] * 4
    rates = [1000 * event["lr"] for event in recorder.of("step")]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 1.0, 1.0, *falling], rel=1e-3)


def test_a_failing_validation_loses_nothing(new_run, monkeypatch, recorder):
    experiment = tiny()
    whole, run = new_run(experiment), new_run(experiment)
    train(experiment, whole, ALONE)

    def fail(*_args, **_kwargs):
        raise RuntimeError("validation broke")

    with monkeypatch.context() as patch:
        patch.setattr(supervised, "greedy_accuracy", fail)
        with pytest.raises(RuntimeError, match="validation broke"):
            train(experiment, run, ALONE, on_event=recorder)
    assert recorder.of("error")[0]["message"] == "validation broke"
    assert load_model(run.path / "checkpoints" / "last.safetensors", torch.device("cpu")).step == 4
    train(experiment, run, ALONE, resume=True)
    assert_same_state(whole, run)


def test_best_is_by_verified_accuracy_then_by_loss(new_run, monkeypatch):
    experiment = tiny(steps=4, eval_every=1)
    measured = iter(
        [
            {"valid_loss": 2.0, "greedy_exact": 0.0, "greedy_verified": 0.5},
            {"valid_loss": 1.5, "greedy_exact": 0.0, "greedy_verified": 0.5},
            {"valid_loss": 1.0, "greedy_exact": 0.9, "greedy_verified": 0.4},
            {"valid_loss": math.nan, "greedy_exact": 0.0, "greedy_verified": 0.5},
        ]
    )
    monkeypatch.setattr(SupervisedTrainer, "measure", lambda self: next(measured))
    run = new_run(experiment)
    result = train(experiment, run, ALONE)
    assert result.best["step"] == 2
    assert load_model(run.path / "checkpoints" / "best.safetensors", torch.device("cpu")).step == 2
    assert load_model(run.path / "checkpoints" / "last.safetensors", torch.device("cpu")).step == 4


def test_divergence_names_step_and_rate_and_keeps_the_good_weights(new_run, monkeypatch, recorder):
    experiment = tiny()
    run = new_run(experiment)
    forward = supervised.TargetLoss.forward
    calls = []

    def spoiled(self, *args):
        calls.append(1)
        return forward(self, *args) * (math.nan if len(calls) == 3 else 1.0)

    monkeypatch.setattr(supervised.TargetLoss, "forward", spoiled)
    with pytest.raises(DivergedError, match=r"step 3: loss nan.* learning rate 0\.003") as raised:
        train(experiment, run, ALONE, on_event=recorder)
    assert "--resume" in raised.value.hint
    assert "step 3" in recorder.of("error")[0]["message"]
    saved = load_file(trainer_file(run))
    assert checkpoint.read_facts(trainer_file(run))["step"] == 2
    assert all(torch.isfinite(tensor).all() for tensor in saved.values())


def test_init_from_starts_from_the_weights_of_a_checkpoint(new_run):
    experiment = tiny(steps=2, eval_every=2)
    first = new_run(experiment)
    train(experiment, first, ALONE)
    path = first.path / "checkpoints" / "last.safetensors"
    tuned = tiny(steps=2, init_from=str(path))
    trainer = make_trainer(tuned, new_run(tuned))
    trainer.start_from(str(path))
    loaded = load_model(path, torch.device("cpu")).model.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in trainer.model.state_dict().items())
    wider = tuned.model_copy(update={"model": tuned.model.model_copy(update={"width": 32})})
    with pytest.raises(UsageError, match="shape"):
        train(wider, new_run(wider), ALONE)


def test_a_start_that_was_not_shown_ratios_begins_as_it_ended(new_run):
    experiment = tiny(dropout=0.0, steps=2, eval_every=2)
    terms = experiment.data.model_copy(update={"tokenizer": "terms", "base": 10})
    shape = experiment.model.model_copy(update={"residues": 5})
    experiment = experiment.model_copy(update={"data": terms, "model": shape})
    run = new_run(experiment)
    train(experiment, run, ALONE)
    wider = experiment.model_copy(update={"model": shape.model_copy(update={"ratios": True})})
    trainer = make_trainer(wider, new_run(wider))
    path = run.checkpoint("last")
    trainer.start_from(str(path))
    ids = torch.from_numpy(trainer.source.chunk(0)[0].ids_BT)
    with torch.no_grad():
        torch.testing.assert_close(
            trainer.model(ids), load_model(path, torch.device("cpu")).model(ids), atol=1e-5, rtol=1e-5
        )
    back = make_trainer(experiment, new_run(experiment))
    trainer.save()
    with pytest.raises(UsageError, match="shape"):
        back.start_from(str(trainer.run.checkpoint("last")))


def test_a_start_may_know_fewer_tokens(new_run):
    small = tiny(dropout=0.0, steps=2, eval_every=2)
    small = small.model_copy(update={"data": small.data.model_copy(update={"tokenizer": "terms"})})
    run = new_run(small)
    train(small, run, ALONE)
    large = small.model_copy(
        update={"data": small.data.model_copy(update={"outer_degrees": (2, 4), "inner_degrees": (2, 4)})}
    )
    trainer, before = make_trainer(large, new_run(large)), load_model(run.checkpoint("last"), "cpu")
    fresh = trainer.model.embedding.weight.detach().clone()
    trainer.start_from(str(run.checkpoint("last")))
    known, tokens = before.vocabulary, trainer.tokenizer.vocabulary
    assert len(known) < len(tokens)
    problem = trainer.problems[0]
    seen = make_tokenizer(small.data).encode_prompt(problem)
    same = trainer.tokenizer.encode_prompt(problem)
    with torch.no_grad():
        logits = trainer.model.eval()(torch.tensor([same]))[0]
        wanted = before.model(torch.tensor([seen]))[0]
    rows = [tokens.index(token) for token in known if known.count(token) == 1]
    columns = [known.index(token) for token in known if known.count(token) == 1]
    torch.testing.assert_close(logits[:, rows], wanted[:, columns], atol=1e-5, rtol=1e-5)
    new = [place for place, token in enumerate(tokens) if token not in known]
    assert torch.equal(trainer.model.embedding.weight[new], fresh[new])
    with pytest.raises(UsageError, match="tokens"):
        make_trainer(small, new_run(small)).start_from(str(saved(trainer)))


def test_what_cannot_be_done_is_said(new_run):
    experiment = tiny()
    run = new_run(experiment)
    with pytest.raises(FileError, match="no trainer state"):
        train(experiment, run, ALONE, resume=True)
    with pytest.raises(UsageError, match=r"train\.batch 8 is too small"):
        train(tiny(accumulate=9), run, ALONE)
    train(tiny(steps=1), run, ALONE)
    other = experiment.model_copy(update={"seed": 4})
    with pytest.raises(UsageError, match="other seed settings"):
        train(other, run, ALONE, resume=True)


def test_the_average_of_the_weights_is_measured_saved_and_resumed(new_run, recorder):
    experiment = tiny(ema=0.9)
    whole, parts = new_run(experiment), new_run(experiment)
    train(experiment, whole, ALONE, on_event=recorder)
    train(experiment, parts, ALONE, on_event=stop_at(3))
    train(experiment, parts, ALONE, resume=True)
    assert_same_state(whole, parts)
    average, last = (load_file(whole.checkpoint(which)) for which in ("average", "last"))
    resumed = load_file(parts.checkpoint("average"))
    assert all(torch.equal(resumed[name], tensor) for name, tensor in average.items())
    assert any(not torch.equal(last[name], tensor) for name, tensor in average.items())
    metrics = recorder.of("validation")[-1]
    assert metrics["average_valid_loss"] != metrics["valid_loss"]


@pytest.mark.parametrize(("losses", "kept"), [((2.0, 1.0), "average"), ((1.0, 2.0), "last")])
def test_the_better_of_weights_and_average_is_the_best(new_run, monkeypatch, losses, kept):
    experiment = tiny(ema=0.9, steps=4)
    run, loss = new_run(experiment), iter(losses)
    found = {"greedy_exact": 0.0, "greedy_verified": 0.0}
    monkeypatch.setattr(
        SupervisedTrainer, "_measured", lambda self, model: {"valid_loss": next(loss), **found}
    )
    train(experiment, run, ALONE)
    best, expected, other = (
        load_file(run.checkpoint(which))
        for which in ("best", kept, "last" if kept == "average" else "average")
    )
    assert all(torch.equal(best[name], tensor) for name, tensor in expected.items())
    assert any(not torch.equal(best[name], tensor) for name, tensor in other.items())
