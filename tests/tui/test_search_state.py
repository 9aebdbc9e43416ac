"""A search as its messages build it, and the settings of the next one."""

import json

import pytest

from polyctl.errors import UsageError
from polyctl.tui.search_state import BEAM_WIDTHS, FRAMES, MOST_INNERS, SearchSettings, SearchState
from polyctl.tui.views.decompose import (
    WELCOME,
    Model,
    describe_detail,
    describe_settings,
    describe_tried,
    export_answers,
    format_state,
)
from polyctl.tui.views.solutions import format_solutions
from tests.tui.test_screens import TEXT, answers


def finished() -> SearchState:
    search = SearchState.begin(TEXT)
    for message in answers(TEXT):
        search.receive(message)
    return search


def test_a_search_from_begin_to_end():
    search = SearchState.begin("x^4")
    assert search.busy
    assert describe_tried(search) == "still searching"
    search = finished()
    assert not search.busy
    assert search.verified == 1
    assert format_state(search, TEXT).plain == "✓ 1 verified in 0.5 s"
    assert format_state(search, "x").plain.startswith("below: x^4")
    assert search.find("0") is search.solutions[0]
    assert search.find(None) is None


def test_a_better_answer_that_comes_later_is_first():
    search = SearchState.begin(TEXT)
    (solution, _) = answers(TEXT)
    search.receive({**solution, "status": "refuted", "complexity": None, "rank_key": [1, 0, 0, 0]})
    search.receive(solution)
    assert [s["number"] for s in search.solutions] == [1, 0]


def test_the_end_brings_the_simplified_answers():
    search = SearchState.begin(TEXT)
    (solution, done) = answers(TEXT)
    search.receive({**solution, "outer": "b^2 + 2*b + 5", "logprob": -0.5})
    search.receive(done)
    assert [s["outer"] for s in search.solutions] == ["b^2 + 4"]
    assert search.find("0") is search.solutions[0]
    assert search.verdicts == {-0.5: "verified"}


def test_an_error_and_a_dead_process_end_it():
    for kind in ("error", "died"):
        search = SearchState.begin("x")
        search.receive({"kind": kind, "message": "no", "hint": "type more"})
        assert (search.busy, search.problem) == (False, "no (type more)")
        assert format_state(search, "x").plain == "✗ no (type more)"
        assert describe_detail(search, None, "proof") == search.problem


def test_stopped_says_whether_there_are_answers():
    search = SearchState.begin("x^4")
    search.stop()
    assert format_state(search, "x^4").plain == "■ stopped"
    search = finished()
    search.stop()
    assert format_state(search, TEXT).plain == "■ stopped; what was found is below"


def test_the_beam_shows_verdicts_as_they_come():
    search = SearchState.begin("x^4")
    assert search.judged_frame() is None
    done = [{"text": "x^2", "logprob": -0.5}, {"text": "x", "logprob": -2.0}]
    search.receive({"kind": "beam", "step": 1, "live": [], "finished": []})
    search.receive({"kind": "beam", "step": 2, "live": [], "finished": done})
    assert search.before["step"] == 1
    assert [h["status"] for h in search.judged_frame()["finished"]] == ["waiting", "waiting"]
    search.receive({**answers(TEXT)[0], "logprob": -0.5})
    search.receive(answers(TEXT)[-1])
    assert [h["status"] for h in search.judged_frame()["finished"]] == ["verified", "left out"]


def test_the_beam_is_stepped_through():
    search = SearchState.begin("x^4")
    search.step_by(-1)
    for step in range(1, FRAMES + 3):
        search.receive({"kind": "beam", "step": step, "live": [], "finished": []})
    assert len(search.frames) == FRAMES
    assert search.judged_frame()["step"] == FRAMES + 2
    search.step_by(-2)
    assert (search.judged_frame()["step"], search.before["step"]) == (FRAMES, FRAMES - 1)
    search.receive({"kind": "beam", "step": FRAMES + 3, "live": [], "finished": []})
    assert search.judged_frame()["step"] == FRAMES  # it stands while newer ones come
    assert search.describe_frame() == f"Beam, step {FRAMES}, 3 newer"
    search.step_by(-9999)
    assert (search.judged_frame()["step"], search.before) == (1, None)
    search.step_by(9999)
    assert search.at is None


def test_the_welcome_is_seen_before_the_first_search():
    assert describe_detail(SearchState(), None, "proof") == WELCOME
    assert describe_detail(SearchState.begin("x"), None, "proof") == ""


def test_settings_stay_within_bounds():
    settings = SearchSettings()
    assert settings.to_request() == {
        "method": "auto",
        "inners": None,
        "width": 10,
        "limit": 10.0,
        "run": None,
        "main": [],
    }
    settings.allow_fewer_inners()
    assert settings.inners == 0
    for _ in range(MOST_INNERS + 3):
        settings.allow_more_inners()
        settings.widen()
    assert (settings.inners, settings.width) == (MOST_INNERS, BEAM_WIDTHS[-1])
    for _ in range(len(BEAM_WIDTHS) + 1):
        settings.narrow()
    assert settings.width == BEAM_WIDTHS[0]
    methods = []
    for _ in range(4):
        settings.next_method()
        methods.append(settings.method)
    assert methods == ["exact", "neural", "numeric", "auto"]


def test_the_models_name_is_shortened_in_its_middle_before_other_settings_go():
    settings, shipped = SearchSettings(), "general/shipped"
    long = Model("d2_arch_modern_deep_8_12/20251009-085320", True, False, None)
    full = "method auto · inners any · beam 10 · model general/shipped"
    assert describe_settings(settings, Model(shipped, True, False, None), 60) == full
    assert describe_settings(settings, Model(shipped, True, False, None), 50) == (
        "method auto · beam 10 · model general/shipped"
    )
    shown = describe_settings(settings, long, 66)
    assert len(shown) == 66
    assert shown.startswith("method auto · inners any · beam 10 · model d2_arch_mod")
    assert shown.endswith("…1009-085320")
    assert describe_settings(settings, Model(shipped, False, False, None), 100).endswith("solver is starting")
    assert describe_settings(settings, Model(shipped, True, True, None), 100).endswith(
        f"model {shipped}, loading"
    )
    loaded = Model(shipped, True, False, shipped)
    assert describe_settings(settings, loaded, 100).endswith(f"model {shipped}, loaded")
    assert describe_settings(settings, Model(None, True, False, None), 56).endswith("beam 10 · no model")


def test_weak_answers_are_told_from_the_others():
    search = SearchState.begin(TEXT)
    (solution, *_, done) = answers(TEXT)
    weak = {**solution, "weak": True}
    search.receive({**done, "solutions": [solution, weak]})
    assert (search.verified, search.weak) == (1, 1)
    assert format_state(search, TEXT).plain == "✓ 1 verified, 1 weak, in 0.5 s"
    search.receive({**done, "solutions": [weak]})
    assert format_state(search, TEXT).plain == "✓ 1 verified, but weak, in 0.5 s"
    _, ((_, cells),) = format_solutions([{**weak, "number": 0}], 80)
    assert str(cells[1]) == "✓ weak"


def test_a_mistake_in_the_input_is_described_once():
    search = SearchState.begin("x^4 + )")
    search.receive({"kind": "error", "message": "a term is missing", "hint": None, "position": 6})
    assert format_state(search, "x^4 + )").plain == "✗ the input cannot be read, see above"


def test_it_is_said_that_the_model_is_loading():
    search = SearchState.begin(TEXT)
    assert format_state(search, TEXT).plain == "… searching, Esc stops"
    assert format_state(search, TEXT, loading=True).plain == "… the model is loading, Esc stops"


def test_notes_on_how_the_input_was_read_stand_below_the_proof():
    search = SearchState.begin(TEXT)
    (solution, *_, done) = answers(TEXT)
    search.receive({**done, "solutions": [solution], "notes": ["ab is a*b"]})
    assert describe_detail(search, search.find("0"), "proof").endswith("note: ab is a*b")
    assert describe_tried(search).endswith("note: ab is a*b")


def test_answers_are_exported_in_four_forms():
    search = finished()
    found = json.loads(export_answers(search, ".json"))
    assert (found["input"], len(found["solutions"])) == (TEXT, 1)
    assert found["solutions"][0]["inners"] == ["x^2 + x + 1"]
    assert "rank_key" not in found["solutions"][0]
    latex, sympy, text = (export_answers(search, suffix) for suffix in (".tex", ".py", ".txt"))
    assert latex.startswith(f"% f = {TEXT}\n\n% 1. verified, exact: univariate\n")
    assert "x^{2}" in latex
    assert "h = x**2 + x + 1" in sympy
    assert compile(sympy, "answers.py", "exec")
    assert "compared with f: equal" in text
    with pytest.raises(UsageError, match=r"\.doc"):
        export_answers(search, ".doc")
