"""A polynomial that is asked again at each checkpoint of a training."""

import os

import pytest
from textual.widgets import Input

from polyctl.store.runs import Run
from polyctl.tui.panes import pin_pane
from polyctl.tui.pinned import WIDTH, Pin, PinnedAnswer
from polyctl.tui.views.pinned import format_pinned
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, heard, make_run, until, until_focused, until_listed, until_shown
from tests.tui.test_screens import TEXT, answers

NAME = "quick/20251009-085320"


@pytest.fixture(autouse=True)
def looking_often(monkeypatch):
    monkeypatch.setattr(pin_pane, "LOOK_SECONDS", 0.02)


def write_checkpoint(run: Run, step: int) -> None:
    run.checkpoints.mkdir(exist_ok=True)
    path = run.checkpoint("last")
    path.write_text("weights")
    os.utime(path, (step, step))


def done(step: int | None, *, right: bool = True) -> dict:
    """The last message of a search: with an answer, or without."""
    if right:
        return {**answers(TEXT)[-1], "step": step}
    return {
        "kind": "done",
        "solutions": [],
        "seconds": 0.5,
        "stopped": None,
        "indecomposable": None,
        "expanded": 15,
        "tried": [["neural", 0.5, 0, "no answer is well-formed"]],
        "step": step,
    }


def test_the_best_answer_of_a_checkpoint_is_kept():
    one = PinnedAnswer.of_message(done(100))
    assert (one.step, one.status, one.right, one.of, one.text) == (
        100,
        "verified",
        1,
        1,
        "g = b^2 + 4; h = x^2 + x + 1",
    )
    one = PinnedAnswer.of_message(done(200, right=False))
    assert (one.step, one.status, one.text) == (200, "none", "no answer is well-formed")
    one = PinnedAnswer.of_message({"kind": "error", "message": "it is no polynomial", "hint": None})
    assert (one.step, one.status, one.text) == (None, "not asked", "it is no polynomial")


def test_a_checkpoint_is_seen_once(tmp_path):
    run = make_run(tmp_path)
    pin = Pin(TEXT, run)
    assert not pin.look()
    write_checkpoint(run, 1)
    assert [pin.look(), pin.look()] == [True, False]
    write_checkpoint(run, 2)
    assert [pin.look(), pin.look()] == [True, False]


def test_answers_are_listed_by_step_the_newest_first(tmp_path, monkeypatch):
    monkeypatch.setattr("polyctl.tui.pinned.MOST", 2)
    pin = Pin("x^2 +\n x", Run.at(tmp_path / NAME))
    assert "waiting for the first checkpoint" in format_pinned(pin)
    for number, message in enumerate((done(100, right=False), done(1200), done(1200), done(2000))):
        pin.begin(number)
        assert "… asking" in format_pinned(pin)
        assert not pin.receive({"kind": "solution"})
        assert pin.receive(message)
        assert not pin.receive(message), "it was answered"
    assert format_pinned(pin).splitlines() == [
        "f = x^2 + x",
        f"{NAME} answers with a beam of {WIDTH} at each of its checkpoints; p unpins f",
        "     step  status       rank  log-prob right  best answer",
        "    2,000  ✓ verified      -         -   1/1  g = b^2 + 4; h = x^2 + x + 1",
        "    1,200  ✓ verified      -         -   1/1  g = b^2 + 4; h = x^2 + x + 1",
    ]


def test_each_checkpoint_of_the_run_is_asked(tmp_path, dashboard, monkeypatch):
    run, solver = Run.at(tmp_path / "runs" / NAME), dashboard.solver
    said = heard(dashboard, monkeypatch)

    async def script(pilot):
        await until_listed(pilot, 1)
        pane = dashboard.pane("decompose")
        entry = pane.query_one("#question Input", Input)
        await until_focused(pilot, entry)
        await pilot.press("escape", "p")
        assert said == ["there is no polynomial to pin: type one first"]
        entry.value = TEXT
        await pilot.press("p")
        await until_shown(pilot, "Pinned", "waiting for the first checkpoint")
        write_checkpoint(run, 1)
        await until(pilot, lambda: solver.asked, "the first checkpoint is asked")
        assert solver.asked == [
            (
                TEXT,
                {
                    "method": "neural",
                    "inners": None,
                    "width": WIDTH,
                    "limit": 10.0,
                    "run": NAME,
                    "checkpoint": "last",
                },
            )
        ]
        solver.say({**done(100, right=False), "id": solver.request})
        await until_shown(pilot, "100  ○ none")
        assert not pane.search.solutions, "the table is that of the tab's own search"
        write_checkpoint(run, 2)
        await until(pilot, lambda: len(solver.asked) == 2, "the second one is asked")
        solver.say({**done(200), "id": solver.request})
        await until_shown(pilot, "200  ✓ verified", "100  ○ none")
        await pilot.press("y")
        assert "200  ✓ verified" in dashboard.clipboard
        await pilot.press("p")
        assert (pane.pin, pane.shown, said[-1]) == (None, "proof", "unpinned")
        write_checkpoint(run, 3)
        await pilot.pause(0.1)
        assert len(solver.asked) == 2

    drive(dashboard, script)


def test_a_search_of_ones_own_goes_first(tmp_path, dashboard):
    run, solver = Run.at(tmp_path / "runs" / NAME), dashboard.solver
    write_checkpoint(run, 1)

    async def script(pilot):
        await until_listed(pilot, 1)
        pane = dashboard.pane("decompose")
        pane.query_one("#question Input", Input).value = TEXT
        pane.query_one(Table).focus()
        await pilot.press("p")
        await until(pilot, lambda: len(solver.asked) == 1, "the checkpoint is asked")
        pane.solve("x^4 + 1")
        assert (solver.cancelled, pane.pin.due, pane.pin.request) == (1, True, None)
        assert solver.asked[1][0] == "x^4 + 1"
        write_checkpoint(run, 2)
        await pilot.pause(0.1)
        assert len(solver.asked) == 2
        solver.say({**done(None, right=False), "id": solver.request})
        await until(pilot, lambda: len(solver.asked) == 3, "the checkpoint is asked again")
        assert solver.asked[2][0] == TEXT
        pane.solve("x^4 + 2")
        await pilot.press("escape")
        assert solver.asked[-1][0] == TEXT, "a search that was given up is over, too"
        solver.say({"kind": "died", "message": "the solving process ended with code -9"})
        await until_shown(pilot, "! not asked", "the solving process ended with code -9")

    drive(dashboard, script)


def test_without_a_run_there_is_nothing_to_ask(empty, monkeypatch):
    said = heard(empty, monkeypatch)

    async def script(pilot):
        pane = empty.pane("decompose")
        pane.query_one("#question Input", Input).value = TEXT
        pane.query_one(Table).focus()
        await pilot.press("p")
        assert said == ["no run is chosen whose checkpoints could be asked: o chooses one"]
        assert pane.pin is None

    drive(empty, script)


def test_a_run_that_has_gone_is_not_asked(tmp_path):
    assert not Pin(TEXT, Run.at(tmp_path / "gone" / "20250101-000000")).look()
