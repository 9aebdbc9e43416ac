"""What an evaluation writes to a run's events while it runs."""

import pytest

from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.evaluation import spotlight as spotlight_module
from polyctl.evaluation.accuracy import judge
from polyctl.evaluation.spotlight import Spotlight
from polyctl.search.hypothesis import BeamStep, Hypothesis
from polyctl.store.events import EventReader, EventWriter

DATA = DataConfig(outer_degrees=(2,), inner_degrees=(2,))
TOKENIZER = make_tokenizer(DATA)
PROBLEMS = [draw_problem(DATA, 1, i) for i in range(3)]


def result(number: int) -> tuple[int, list[Hypothesis], list[str]]:
    found = Hypothesis(tuple(TOKENIZER.encode_target(PROBLEMS[number])[:-1]), -0.5, True)
    return number, [found], [one.status for one in judge(PROBLEMS[number], [found], TOKENIZER, None)]


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_each_problem_shown_gets_its_verdicts_and_no_other(tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(spotlight_module, "SPOTLIGHT_SECONDS", seconds)
    with EventWriter(tmp_path / "events.jsonl") as writer:
        spotlight = Spotlight(writer, TOKENIZER, PROBLEMS)
        spotlight.result(*result(2))  # never shown
        for shown in (1, 0):
            assert spotlight.wants(shown) == (seconds == 0 or shown == 1)
            assert not spotlight.wants(2)  # one problem at a time
            spotlight.step(BeamStep(shown, 1, (Hypothesis((), -1.0, False),), ()))
            spotlight.result(*result(2))
            spotlight.result(*result(shown))
            spotlight.result(*result(shown))
    events = list(EventReader(tmp_path / "events.jsonl"))
    for event in events:
        assert event.known == TOKENIZER.encode_target(PROBLEMS[event.problem])[:-1]
        assert " ".join(event.words[str(token)] for token in event.known) == TOKENIZER.text(event.known)
    written = [(event.kind, event.problem) for event in events]
    assert written == [("beam", 1), ("verdict", 1), ("beam", 0), ("verdict", 0)]
