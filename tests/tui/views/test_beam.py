"""Which frame of a beam is shown."""

from polyctl.tui.views.beam import BeamView, format_answer, format_movement, frame_before


def frames(*inputs: str) -> list[dict]:
    return [{"kind": "beam", "input": text, "step": step} for step, text in enumerate(inputs)]


def test_it_follows_until_it_is_paused():
    view = BeamView()
    view.toggle_pause()
    assert view.at is None  # there is nothing to pause at
    view.update(frames("a", "a"), same_run=False)
    assert (view.here, view.describe()) == (1, "frame 2 of 2, following")
    view.toggle_pause()
    view.update([*view.frames, *frames("b")], same_run=True)
    assert (view.here, view.describe()) == (1, "frame 2 of 3, paused, 1 newer")
    view.toggle_pause()
    assert view.here == 2


def test_a_frame_that_was_dropped_gives_way_to_the_oldest():
    view = BeamView()
    view.update(frames("a", "b"), same_run=False)
    view.go_to(0)
    view.update(frames("c", "d"), same_run=True)
    assert view.at == 0
    view.update(frames("e", "f"), same_run=False)
    assert view.at is None  # another run is followed


def test_steps_end_at_the_ends_and_problems_are_skipped():
    view = BeamView()
    view.go_to_problem(1)
    assert view.at is None
    view.update(frames("a", "a", "b", "b", "c"), same_run=False)
    view.go_to(-3)
    assert view.at == 0
    view.go_to(9)
    assert view.at == 4
    view.go_to_problem(-1)
    assert view.at == 3
    view.go_to_problem(-1)
    view.go_to_problem(-1)
    assert view.at == 1  # there is no problem before a
    view.go_to_problem(1)
    assert view.at == 2


def test_the_frame_before_is_of_the_same_search():
    some = frames("a", "a", "b")
    assert frame_before(some, 1) is some[0]
    assert frame_before(some, 2) is None
    assert frame_before(some, 0) is None


def test_ranks_move():
    before = [{"tokens": [1]}, {"tokens": [2]}, {"tokens": [3]}]
    assert format_movement({"tokens": [3, 4]}, 0, before) == "↑2"
    assert format_movement({"tokens": [1, 1]}, 1, before) == "↓1"
    assert format_movement({"tokens": [2]}, 1, before) == "="
    assert format_movement({"tokens": [30]}, 1, before) == "new"
    assert format_movement({"tokens": [4]}, 1, None) == ""


def test_the_words_of_tokens_are_marked_where_older_versions_wrote_nothing_else():
    assert format_answer({"text": "x^2 + 1 x + 3"}) == "⟨x^2 + 1 x + 3⟩"
    assert format_answer({"text": "x^2 + 3*x", "tokens": [5, 2, 7]}) == "x^2 + 3*x"
    before = [{"text": "x^2 + 1"}]
    assert format_movement({"text": "x^2 + 1 x"}, 0, before) == "="
