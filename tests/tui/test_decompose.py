"""The tab Decompose, driven by its keys and by what the solving process says."""

from textual.events import Key, Paste
from textual.widgets import Input

from polyctl.tui.screens.choose import ChooseScreen
from polyctl.tui.search_state import SearchState
from polyctl.tui.views.decompose import EXAMPLES, describe_detail, format_reading, read_input
from polyctl.tui.widgets.table import Table
from tests.tui.shared import (
    drive,
    event,
    heard,
    make_run,
    screen_text,
    until,
    until_focused,
    until_listed,
    until_open,
    until_shown,
)
from tests.tui.test_screens import TEXT, answers


def solve(pane, text: str = TEXT) -> None:
    """Ask for a text and let the solver answer at once as it would for TEXT."""
    pane.solve(text)
    for message in answers(TEXT):
        pane.receive(message)


def test_the_caret_stands_under_the_mistake(dashboard):
    async def script(pilot):
        await until_focused(pilot, dashboard.pane("decompose").query_one("#question Input", Input))
        await pilot.press(*"x^2+)")
        await until_shown(pilot, "✗")
        lines = screen_text(dashboard).splitlines()
        assert lines[3].index("^") == lines[2].index(")")

    drive(dashboard, script)


def test_enter_asks_and_the_beam_is_seen_growing(dashboard):
    async def script(pilot):
        solver, entry = dashboard.solver, dashboard.pane("decompose").query_one("#question Input", Input)
        await until_focused(pilot, entry)
        entry.value = TEXT
        await pilot.press("enter")
        assert solver.asked[-1][0] == TEXT
        await until_shown(pilot, "searching")
        frame = [{"text": "x^2 + [b]x", "logprob": -0.5}]
        solver.say({"kind": "beam", "step": 3, "live": frame, "finished": []})
        await until_shown(pilot, "Beam, step 3", "[b]x")

    drive(dashboard, script)


def test_answers_come_with_their_proof(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve(TEXT)
        for message in answers(TEXT):
            dashboard.solver.say(message)
        await until_shown(pilot, "1 verified", "✓ verified  b^2 + 4  x^2 + x + 1")
        assert "compared with f: equal" in pane.detail_text()

    drive(dashboard, script)


def test_each_detail_can_be_copied(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        await until_focused(pilot, pane.query_one("#question Input", Input))
        solve(pane)
        await pilot.press("escape")  # leaves the input
        assert pane.query_one(Table).has_focus
        copied = []
        for _ in range(4):
            await pilot.press("y")
            copied.append(dashboard.clipboard)
            await pilot.press("d")
        assert "compared" in copied[0]
        assert "x^{2} + x" in copied[1]
        assert "h = x**2 + x" in copied[2]
        assert "univariate: 1 found" in copied[3]

    drive(dashboard, script)


def test_keys_set_what_the_next_search_is_asked(dashboard):
    async def script(pilot):
        pane, solver = dashboard.pane("decompose"), dashboard.solver
        entry = pane.query_one("#question Input", Input)
        await until_focused(pilot, entry)
        await pilot.press("escape")
        await pilot.press(
            "right_square_bracket", "right_square_bracket", "left_square_bracket", "plus", "plus", "minus"
        )
        assert (pane.settings.inners, pane.settings.width) == (1, 20)
        await pilot.press("m")
        assert pane.settings.method == "exact"
        await pilot.press("slash", "f7")
        assert entry.value == EXAMPLES[0] == solver.asked[-1][0]
        assert solver.asked[-1][1] == {
            "method": "exact",
            "inners": 1,
            "width": 20,
            "limit": 10.0,
            "run": None,
            "main": [],
        }
        assert solver.cancelled == 0

    drive(dashboard, script)


def test_what_was_probably_meant_otherwise_is_asked_before_enter():
    def said(text: str) -> str:
        return format_reading(read_input(text), 0).plain.strip()

    assert "do you mean x^4+5x^2+6?" in said("x4+5x2+6")
    assert said("x4+5*x2+6") == "? degree 1, 3 terms, 2 variables; do you mean x^4+5*x^2+6?"
    assert said("x^2 y + x2") == "? degree 3, 2 terms, 3 variables; do you mean x^2 y + x^2?"
    assert said("x + 1") == "? degree 1, 2 terms, 1 variable: too low to be decomposed"
    assert said("x1^2 + x2^2") == "✓ degree 2, 2 terms, 2 variables"


def test_an_error_is_told_whole(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        await until_focused(pilot, pane.query_one("#question Input", Input))
        pane.solve("x4+5x2+6")
        hint = "do you mean x^4+5x^2+6? write ^ for a power"
        dashboard.solver.say({"kind": "error", "message": "a polynomial of degree 1", "hint": hint})
        await until_shown(pilot, "│a polynomial of degree 1 (do you mean x^4+5x^2+6? write ^")
        assert pane.detail_text() == f"a polynomial of degree 1 ({hint})"

    drive(dashboard, script, (60, 24))


def test_the_main_variables_are_named(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        await until_focused(pilot, pane.query_one("#question Input", Input))
        pane.enter("f(x) = a x^4 + 1")
        await until_shown(pilot, "2 variables: in x, parameters a")
        await pilot.press("escape", "v", *"x, y x", "enter", "f7")
        await until_shown(pilot, "in x, y")
        assert dashboard.solver.asked[-1][1]["main"] == ["x", "y"]
        await pilot.press("escape", "escape", "v", "ctrl+u", "enter")
        assert pane.settings.main == ()

    drive(dashboard, script)


def test_chains_nested_and_other_forms_are_part_of_the_proof():
    search = SearchState.begin(TEXT)
    *_, done = answers(TEXT)
    (solution,) = done["solutions"]
    chain = {**solution, "forms": ["f = (b^2) ∘ (b^2 + 1) ∘ (x^2)", "f = g(k(x))"]}
    search.receive({**done, "solutions": [chain], "forms": ["2 complete chains, by degree: 2∘4, 4∘2"]})
    text = describe_detail(search, search.solutions[0], "proof")
    assert "f = (b^2) ∘ (b^2 + 1) ∘ (x^2)\nf = g(k(x))\n" in text
    assert text.endswith("2 complete chains, by degree: 2∘4, 4∘2")


def test_the_solver_sends_the_forms_of_an_answer():
    *_, done = answers("(x^2 - 2)^2 - 2")
    assert done["solutions"][0]["forms"] == ["f = (b^2 - 2) ∘ (x^2 - 2)"]


def test_a_search_is_stopped_by_escape_or_by_the_next_one(dashboard):
    async def script(pilot):
        solver = dashboard.solver
        await until_focused(pilot, dashboard.pane("decompose").query_one("#question Input", Input))
        await pilot.press("f7")
        assert solver.cancelled == 0
        await pilot.press("f7")  # while the one before still runs
        assert solver.cancelled == 1
        await pilot.press("escape")
        assert solver.cancelled == 2
        await until_shown(pilot, "stopped")

    drive(dashboard, script)


def test_arrows_go_through_what_was_entered(dashboard):
    async def script(pilot):
        entry = dashboard.pane("decompose").query_one("#question Input", Input)
        await until_focused(pilot, entry)
        await pilot.press("f7", "f7", "up")
        assert entry.value == EXAMPLES[0]
        await pilot.press("up", "down")
        assert entry.value == EXAMPLES[1]

    drive(dashboard, script)


def test_the_model_of_another_run(tmp_path, dashboard):
    old, bare = "alpha/20250101-000000", "beta/20250102-000000"
    for name in (old, bare, "gamma/20240101-000000"):
        run = make_run(tmp_path / "runs", name, [event(0, "run", step=0)])
        if name != bare:
            run.checkpoints.mkdir()
            run.checkpoint("best").write_bytes(b"")

    async def script(pilot):
        pane = dashboard.pane("decompose")
        await until_listed(pilot, 4)
        dashboard.solver.say({"kind": "ready"})
        dashboard.solver.say({"kind": "loading"})
        await until_shown(pilot, f"model {old}, loading")
        dashboard.solver.say({"kind": "loaded", "run": old})
        await until_shown(pilot, f"model {old}, loaded")
        await pilot.press("ctrl+o")
        await until_open(pilot, ChooseScreen)
        await until_shown(pilot, "gamma/20240101-000000")
        assert bare not in screen_text(dashboard)
        await pilot.press("j", "k", "j", "enter")
        await until_shown(pilot, "model gamma/20240101-000000")
        pane.solve("x^4")
        assert dashboard.solver.asked[-1][1]["run"] == "gamma/20240101-000000"
        await pilot.press("ctrl+o")
        await until_open(pilot, ChooseScreen)
        await pilot.press("k", "escape")
        assert pane.settings.run == "gamma/20240101-000000"
        await pilot.press("ctrl+o")
        await until_open(pilot, ChooseScreen)
        await pilot.press("home", "enter")
        await until_shown(pilot, f"model {old}")
        assert pane.settings.run == old

    drive(dashboard, script)


def test_no_model_to_choose(empty, monkeypatch):
    said = []
    monkeypatch.setattr(empty, "notify", lambda message, **more: said.append(message))

    async def script(pilot):
        await pilot.press("ctrl+o")
        assert said == ["no run has a model yet: `polyctl train quick` makes one"]

    drive(empty, script)


def test_longer_answers_that_come_later_are_not_cut(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve("x^4")
        solution = next(m for m in answers(TEXT) if m["kind"] == "solution")
        for length in range(1, 12):
            pane.receive({**solution, "inners": ["y" * length], "rank_key": [0, 0, 40 - length, 0]})
            screen_text(dashboard)  # drawn before the table has been idle
        dashboard.solver.say({**answers(TEXT)[-1], "solutions": pane.search.solutions})
        await until_shown(pilot, "11 verified")
        text = screen_text(dashboard)
        assert [s["inners"] for s in pane.search.solutions] == [["y" * n] for n in range(11, 0, -1)]
        assert "y" * 11 in text
        assert " 11  ✓ verified" in text
        assert pane.query_one(Table).keys == [str(i) for i in range(11)]

    drive(dashboard, script)


def test_decompose_says_what_went_wrong(empty):
    async def script(pilot):
        pane = empty.pane("decompose")
        pane.solve("x")
        empty.solver.say({"kind": "error", "message": "degree 1 [red]has none", "hint": "type more"})
        await until_shown(pilot, "degree 1 [red]has none (type more)")
        pane.solve("x^2")
        empty.solver.say({"kind": "died", "message": "the solving process ended with code 9"})
        await until_shown(pilot, "code 9")
        assert not pane.search.busy, "a search whose process died is over"

    drive(empty, script)


def test_what_a_search_that_was_given_up_still_says_is_not_heard(dashboard):
    async def script(pilot):
        pane, solver = dashboard.pane("decompose"), dashboard.solver
        pane.solve("x^4")
        old = solver.request
        pane.solve("x^6")
        pane.receive({**answers(TEXT)[-1], "id": old})
        assert pane.search.busy
        pane.receive({**answers(TEXT)[-1], "id": solver.request})
        assert not pane.search.busy

    drive(dashboard, script)


def test_lines_that_are_pasted_become_one(dashboard):
    async def script(pilot):
        entry = dashboard.pane("decompose").query_one("#question Input", Input)
        await until_focused(pilot, entry)
        entry.post_message(Paste("x^4 + 2x^2\n  + 3\n"))
        await until(pilot, lambda: entry.value, "the text is pasted")
        assert entry.value == "x^4 + 2x^2 + 3", "the lines are joined by single spaces"

    drive(dashboard, script)


def test_answers_name_their_polynomial_once_another_is_typed(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve(TEXT)
        for message in answers(TEXT):
            pane.receive(message)
        await until_shown(pilot, "1 verified")
        await pilot.press("plus", "1")
        await until_shown(pilot, f"below: {TEXT[:20]}")
        assert "1 verified in" not in screen_text(dashboard)

    drive(dashboard, script)


def test_a_small_terminal_shows_the_proof_once_the_beam_has_ended(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve(TEXT)
        pane.receive({"kind": "beam", "step": 3, "live": [], "finished": []})
        await until_shown(pilot, "Beam, step 3")
        for message in answers(TEXT):
            pane.receive(message)
        await until_shown(pilot, "compared with f: equal")
        assert "Beam, step 3" not in screen_text(dashboard)

    drive(dashboard, script, (80, 24))


def test_long_answers_are_copied_whole(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve(TEXT)
        solution = next(m for m in answers(TEXT) if m["kind"] == "solution")
        pane.receive({**solution, "latex": "x" * 5000})
        pane.receive({**answers(TEXT)[-1], "solutions": pane.search.solutions})
        await pilot.press("escape")
        await until_focused(pilot, pane.query_one(Table))
        await pilot.press("d", "y")
        assert dashboard.clipboard == "x" * 5000

    drive(dashboard, script)


def test_the_shipped_model_can_be_chosen_wherever_runs_are_kept(tmp_path, empty, monkeypatch):
    shipped = make_run(tmp_path / "box", "general/shipped", [])
    shipped.checkpoints.mkdir()
    shipped.checkpoint("best").write_bytes(b"")
    monkeypatch.setenv("POLYCTL_SHIPPED", str(shipped.path))

    async def script(pilot):
        empty.solver.say({"kind": "ready"})
        await until_shown(pilot, "model general/shipped")
        await pilot.press("ctrl+o")
        await until_shown(pilot, "bundled with polyctl")
        await pilot.press("enter")
        wanted = empty.pane("decompose").settings
        await until(pilot, lambda: wanted.run == "general/shipped", "the bundled model is chosen")

    drive(empty, script)


def test_the_line_being_typed_is_kept_while_older_ones_are_looked_at(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        entry = pane.query_one("#question Input", Input)
        await until_focused(pilot, entry)
        pane.solve("x^4")
        entry.value = "x^4 + 2"
        await pilot.press("up")
        assert entry.value == "x^4"
        await pilot.press("down")
        assert entry.value == "x^4 + 2"
        await pilot.press("f3", "f2")
        await until_focused(pilot, entry)
        await pilot.press("plus", "x")
        assert entry.value == "x^4 + 2+x"

    drive(dashboard, script)


def test_the_best_answer_is_chosen_though_it_comes_later_and_the_table_has_the_focus(dashboard):
    async def script(pilot):
        pane = dashboard.pane("decompose")
        pane.solve(TEXT)
        solution = next(m for m in answers(TEXT) if m["kind"] == "solution")
        pane.query_one(Table).focus()
        await until_focused(pilot, pane.query_one(Table))
        refuted = {"status": "refuted", "complexity": None, "rank_key": [1, 0, 0, 0]}
        pane.receive({**solution, **refuted, "proof": "worse"})
        pane.receive({**solution, "proof": "better"})
        await until(pilot, lambda: pane.chosen is not None, "an answer is chosen")
        assert pane.chosen["proof"] == "better", "the cursor is on the best answer"

    drive(dashboard, script)


def test_text_control_u_and_enter_in_one_burst_lose_nothing(dashboard):
    async def script(pilot):
        entry = dashboard.pane("decompose").query_one("#question Input", Input)
        await until_focused(pilot, entry)
        keys = [*"x^4", "enter", "ctrl+u", *"x^6+x", "enter", *"^3"]
        for key in keys:
            sent = Key({"^": "circumflex_accent", "+": "plus"}.get(key, key), key if len(key) == 1 else None)
            sent.set_sender(dashboard)
            dashboard._driver.send_message(sent)
        await until(pilot, lambda: entry.value == "x^6+x^3", "all is typed")
        assert [text for text, _ in dashboard.solver.asked] == ["x^4", "x^6+x"]

    drive(dashboard, script)


def test_answers_are_written_to_a_file(tmp_path, dashboard, monkeypatch):
    said = heard(dashboard, monkeypatch)

    async def script(pilot):
        pane = dashboard.pane("decompose")
        await pilot.press("escape")
        await until_focused(pilot, pane.query_one(Table))
        await pilot.press("w")
        await until(pilot, lambda: "no answers to write yet" in str(said), "there is nothing to write")
        pane.solve(TEXT)
        for message in answers(TEXT):
            pane.receive(message)
        await pilot.press("escape", "w", "ctrl+u", *"out.doc", "enter")
        await until(pilot, lambda: "cannot end in '.doc'" in str(said), "the form is refused")
        await pilot.press("w", "ctrl+u", *"out.tex", "enter")
        await until(pilot, lambda: (tmp_path / "out.tex").exists(), "the file is written")
        assert (tmp_path / "out.tex").read_text().startswith("% f = ")

    drive(dashboard, script)
