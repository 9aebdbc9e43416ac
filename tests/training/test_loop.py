"""The loop that both kinds of training share, driven by a training that only counts."""

from types import SimpleNamespace

import pytest

from polyctl.errors import FileError, UsageError
from polyctl.model.gpt import GPT
from polyctl.model.serialization import load_model
from polyctl.runtime.processes import ALONE
from polyctl.store.event_kinds import Step
from polyctl.training import checkpoint, loop
from polyctl.training.journal import Journal
from polyctl.training.loop import Loop, Progress, TrainResult, run_loop
from polyctl.training.optim import make_optimizer
from tests.training.helpers import tiny

SCORES = {2: 0.5, 4: 0.7, 6: 0.6}


class Counting(Loop):
    """Six steps that only count, validated at every second; the score is the best at step 4."""

    state_file = "counting.safetensors"
    locked = ("seed", "rl.algorithm")

    def __init__(self, experiment, run, journal):
        super().__init__(experiment, run, ALONE, journal)
        self.total_steps, self.eval_every = 6, 2
        self.model = GPT.of(experiment, len(self.tokenizer.vocabulary))
        self.optimizer = make_optimizer(self.model, experiment.train)
        self.progress = Progress()

    def advance(self):
        self.progress.step += 1
        self.journal.write(Step(self.step))

    def measure(self):
        return {"score": SCORES[self.step]}

    def rank(self, metrics):
        return (metrics["score"],)


@pytest.fixture
def count(new_run, recorder):
    """count(resume=False, experiment=tiny(), kind=Counting, …): the result, in one run."""
    run = new_run(tiny())

    def count(resume=False, experiment=None, kind=Counting, **options):
        def make(journal):
            counting = kind(experiment or tiny(), run, journal)
            if resume:
                counting.resume()
            return counting

        return run_loop(make, run, ALONE, on_event=recorder, **options)

    count.run = run
    return count


def told(recorder):
    """The events in short: their kind, and of a checkpoint which one it is."""
    return [fields.get("which", kind) for kind, fields in recorder.events]


def test_it_saves_then_validates_then_keeps_the_best_then_saves(count, recorder):
    result = count()
    first, second = (
        ["step", "step", "last", "validation", "best", "last"],
        ["step", "step", "last", "validation", "last"],
    )
    assert told(recorder) == ["run", *first, *first, *second, "end"]
    path = count.run.checkpoint("best")
    assert result == TrainResult(6, {"score": 0.6}, "complete", {"step": 4, "score": 0.7}, path)
    assert load_model(path, "cpu").metrics == {"score": 0.7}
    assert load_model(count.run.checkpoint("last"), "cpu").metrics == {"score": 0.6}


def test_it_saves_between_validations_when_that_takes_long(count, recorder, monkeypatch):
    monkeypatch.setattr(loop, "FIRST_SAVE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    count()
    assert told(recorder)[:5] == ["run", "step", "last", "step", "last"]


def test_it_saves_early_and_then_seldom(count, recorder, monkeypatch):
    monkeypatch.setattr(loop, "FIRST_SAVE_SECONDS", 0.0)

    class Unvalidated(Counting):
        def __init__(self, experiment, run, journal):
            super().__init__(experiment, run, journal)
            self.eval_every = 6

    count(kind=Unvalidated)
    steps = ["step"] * 5
    assert told(recorder) == ["run", "step", "last", *steps, "last", "validation", "best", "last", "end"]
    assert loop.FIRST_SAVE_SECONDS < 60


def test_a_training_that_dies_before_its_first_step_can_be_resumed(count):
    class Doomed(Counting):
        def advance(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        count(kind=Doomed)
    assert not count.run.has_checkpoint  # weights that have learnt nothing are no model
    assert count(resume=True).state == "complete"


def test_a_training_that_broke_off_resumes_where_it_saved(count, recorder):
    class Breaking(Counting):
        def advance(self):
            if self.step == 3:
                raise RuntimeError("out of memory")
            super().advance()

    with pytest.raises(RuntimeError, match="out of memory"):
        count(kind=Breaking)
    assert recorder.events[-1] == ("error", {"message": "out of memory", "error": "RuntimeError"})
    recorder.events.clear()
    result = count(resume=True)
    assert recorder.of("run")[0]["state"] == "resumed"
    assert [event["step"] for event in recorder.of("step")] == [3, 4, 5, 6]
    assert (result.step, result.best) == (6, {"step": 4, "score": 0.7})


def test_the_time_limit_leaves_what_resuming_needs(count):
    assert count(max_minutes=0).state == "time limit"
    assert not count.run.has_checkpoint  # no step was taken
    assert count(resume=True).step == 6


def test_a_run_without_a_trainer_state_cannot_be_resumed(count):
    with pytest.raises(FileError, match="no trainer state"):
        count(resume=True)


@pytest.mark.parametrize(
    ("limit", "shares"), [(0.4, [0.0, 0.25, 0.5, 0.75]), (None, [0.0] * 6), (100, [0, 0.001, 0.002, 0.003])]
)
def test_the_clock_shows_the_share_of_the_limit_that_has_passed(count, monkeypatch, limit, shares):
    now, seen = [5.0], []
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Timed(Counting):
        def advance(self):
            seen.append(self.clock)
            now[0] += 6
            super().advance()

    assert count(kind=Timed, max_minutes=limit).state == ("time limit" if limit == 0.4 else "complete")
    assert seen[:4] == pytest.approx(shares[:4])


def test_the_clock_is_that_of_the_main_process(count):
    class Second:
        main = False

        def sum(self, values):
            return [a + b for a, b in zip(values, [0.0, 0.0, 0.25], strict=True)]

    second = Counting(tiny(), count.run, Journal(count.run.events, main=False))
    second.processes = Second()
    assert second._agree(False, 0.26) is None
    assert second.clock == 0.25
    assert second._agree(False, 1.0) == "time limit"


def test_locked_settings_are_named_by_their_keys(count):
    count()
    other = tiny().model_copy(update={"seed": 9})
    with pytest.raises(UsageError, match="other seed settings"):
        count(resume=True, experiment=other)
    rl = tiny().rl.model_copy(update={"algorithm": "grpo"})
    with pytest.raises(UsageError, match=r"other rl\.algorithm settings"):
        count(resume=True, experiment=tiny().model_copy(update={"rl": rl}))
    longer = tiny().train.model_copy(update={"steps": 9})
    assert count(resume=True, experiment=tiny().model_copy(update={"train": longer})).step == 6


def test_divergence_saves_the_weights_and_suggests_a_third_of_the_rate(count, recorder):
    class Diverging(Counting):
        def advance(self):
            if self.step == 1:
                raise self.diverged("loss nan", 0.003, "train.lr")
            super().advance()

    with pytest.raises(loop.DivergedError, match=r"step 2: loss nan at learning rate 0\.003") as raised:
        count(kind=Diverging)
    assert "--set train.lr=0.001" in raised.value.hint
    assert checkpoint.read_facts(Diverging.state_path(count.run))["step"] == 1
    assert told(recorder)[-2:] == ["last", "error"]


def test_results_are_written_as_json_without_nan():
    result = TrainResult(3, {"loss": float("nan"), "right": 0.5}, "time limit")
    assert result.to_dict() == {
        "state": "time limit",
        "step": 3,
        "metrics": {"loss": None, "right": 0.5},
        "best": {},
        "checkpoint": None,
    }
