"""Event files that are written, and damaged, while they are read; the kinds of events as JSON and back."""

import json
import math
import pickle
import subprocess
import sys
import time

import pytest
from pydantic import ValidationError

from polyctl.errors import FileError
from polyctl.store.evaluation_report import ProblemSet
from polyctl.store.event_kinds import (
    KINDS,
    Beam,
    Checkpoint,
    End,
    Evaluation,
    EvaluationProgress,
    Failure,
    Other,
    Pool,
    Rollout,
    RunStarted,
    ShownHypothesis,
    Step,
    Validation,
    Verdicts,
    event_from_json,
)
from polyctl.store.events import EventReader, EventWriter, is_step, kind_in, parse_event
from tests.processes import ending

SHOWN = ShownHypothesis("x^2", -0.5, status="verified", rank=0, reward=0.25)
EVENTS = [
    RunStarted(state="resumed", algorithm="bgrpo", step=3, total_steps=9, device="cpu", processes=2),
    Step(step=4, loss=0.5, lr=1e-3, grad_norm=1.0, problems_seen=512, metrics={"kl": 0.25, "reward": 0.5}),
    Validation(step=4, metrics={"valid_loss": 0.5, "greedy_verified": 0.75}),
    Evaluation(
        step=4, data=ProblemSet("quick"), beam=2, problems=8, pass_at={"1": 0.5}, cells=[{"cell": "2∘3"}]
    ),
    EvaluationProgress(
        done=3,
        problems=8,
        verified=1,
        beam=4,
        counted=3,
        solved_first=1,
        solved=2,
        pid=12,
        began="345",
        host="here",
    ),
    Beam(problem=7, input="x^4", step=2, live=[SHOWN], finished=[]),
    Verdicts(problem=7, input="x^4", hypotheses=[SHOWN]),
    Pool(step=4, candidates=8, kept=0, share_right=0.5, first_right=0.25),
    Rollout(step=4, input="x^4", hypotheses=[SHOWN, SHOWN]),
    Checkpoint(step=4, which="best", path="checkpoints/best.safetensors"),
    Failure(message='"kind": "step" \udcff ∘\n', error="ValueError"),
    End(state="time limit", step=4, elapsed=1.5, metrics={"valid_loss": 0.5}),
]
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)


def written(path, *events):
    with EventWriter(path) as writer:
        for event in events:
            writer.write(event)
    return path.read_bytes().splitlines()


# -- kinds ---------------------------------------------------------------------------------------


def test_there_is_an_event_of_each_kind_here():
    assert [event.kind for event in EVENTS] == list(KINDS)


@every_event
def test_an_event_comes_back_as_it_was_written(tmp_path, event):
    (line,) = written(tmp_path / "events.jsonl", event)
    (found,) = EventReader(tmp_path / "events.jsonl")
    assert abs(found.time - time.time()) < 60
    assert found == type(event)(**{**vars(event), "time": found.time})
    assert json.loads(line).keys() >= {"v", "time", "kind"}
    assert pickle.loads(pickle.dumps(event)) == event  # it may go to another process


@every_event
def test_the_kind_of_a_line_is_seen_without_reading_it(tmp_path, event):
    (line,) = written(tmp_path / "events.jsonl", event)
    assert kind_in(line) == event.kind
    assert is_step(line) == isinstance(event, Step)


def test_fields_that_are_missing_or_unknown_do_no_harm():
    for word, kind in KINDS.items():
        assert event_from_json({"kind": word}) == kind()
        assert event_from_json({"kind": word, "new": [1], "time": 3.0}) == kind(time=3.0)
    assert event_from_json({"kind": "note", "x": 1}) == Other(name="note")


@pytest.mark.parametrize(
    "damaged",
    [
        {"kind": "step", "step": "x"},
        {"kind": "step", "step": True},
        {"kind": "step", "loss": []},
        {"kind": "step", "loss": 10**400},
        {"kind": "run", "time": "yesterday"},
        {"kind": "run", "state": "lost"},
        {"kind": "end", "state": 3},
        {"kind": "beam", "live": 3},
        {"kind": "beam", "live": [{"text": 5}]},
        {"kind": "evaluation", "data": 3},
        {"kind": "evaluation", "pass_at": {"1": "x"}},
        {"kind": 3},
        {},
    ],
    ids=str,
)
def test_an_event_of_the_wrong_shape_is_damaged(damaged):
    assert event_from_json(damaged) is None


def test_metrics_lie_flat_and_what_is_not_finite_is_null(tmp_path):
    step = Step(step=1, loss=math.nan, metrics={"kl": math.inf, "reward": 0.5})
    (line,) = written(tmp_path / "events.jsonl", step)
    found = json.loads(line)
    assert {name: found[name] for name in found if name not in ("v", "time")} == {
        "kind": "step", "step": 1, "loss": None, "kl": None, "reward": 0.5,
    }  # fmt: skip
    again = parse_event(line)
    assert math.isnan(again.loss)
    assert math.isnan(again.metrics["kl"])
    assert again.metrics["reward"] == 0.5
    assert again.lr is None


def test_old_events_of_both_kinds_of_evaluation_are_told_apart():
    old = {"kind": "eval", "step": 3, "greedy_verified": 0.25}
    assert event_from_json(old) == Validation(step=3, metrics={"greedy_verified": 0.25})
    told = {**old, "source": "eval", "data": "test problems of quick"}
    assert event_from_json(told) == Evaluation(step=3, greedy_verified=0.25, data=ProblemSet("quick"))


# -- files ---------------------------------------------------------------------------------------


def test_what_an_event_cannot_hold(tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="with"):
        writer.write(Step())
    with pytest.raises(ValidationError, match="loss"):
        Step(loss="much")
    with pytest.raises(ValidationError, match="nonsense"):
        Step(nonsense=3)
    assert not (tmp_path / "events.jsonl").exists()


def test_a_folder_is_made_for_the_file(tmp_path):
    assert len(written(tmp_path / "deep" / "events.jsonl", *EVENTS)) == len(EVENTS)


def test_readers_count_broken_lines_and_leave_an_unfinished_one(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'{"kind": "a"}\n{"kind"\n[1]\n\xff\xfe\n\n{"no": "kind"}\n{"kind": "step", "step": []}\n'
        b'{"kind": "b"}\n{"kind": "c"}'
    )
    reader = EventReader(path)
    assert [event.kind for event in reader] == ["a", "b"]
    assert (reader.broken, reader.partial) == (5, True)
    with pytest.raises(FileError, match="cannot be read"):
        list(EventReader(tmp_path / "none"))


def test_a_writer_starts_a_line_of_its_own_after_a_cut_off_one(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"kind": "a"}\n{"kind": "cut')
    written(path, Step())
    reader = EventReader(path)
    assert [event.kind for event in reader] == ["a", "step"]
    assert (reader.broken, reader.partial) == (1, False)


def test_several_programs_write_whole_lines_into_one_file(tmp_path):
    path = tmp_path / "events.jsonl"
    program = (
        "import sys; from pathlib import Path; from polyctl.store.events import EventWriter\n"
        "from polyctl.store.event_kinds import Checkpoint\n"
        "with EventWriter(Path(sys.argv[1])) as w:\n"
        "    for i in range(200): w.write(Checkpoint(step=i, which=sys.argv[2], path='x' * 3000))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, path, who]) for who in "ab"]
    for writer in writers:
        ending(writer)
    assert [writer.returncode for writer in writers] == [0, 0]
    reader = EventReader(path)
    events = list(reader)
    assert (reader.broken, reader.partial, len(events)) == (0, False, 400)
    for who in "ab":
        assert [e.step for e in events if e.which == who] == list(range(200))
