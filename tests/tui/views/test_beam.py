"""Which frame of a beam is shown."""

from polyctl.tui.views.beam import BeamView, format_movement, frame_before


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
    before = [{"text": "x"}, {"text": "y"}, {"text": "z"}]
    assert format_movement({"text": "z + 1"}, 0, before) == "↑2"
    assert format_movement({"text": "x^2"}, 1, before) == "↓1"
    assert format_movement({"text": "y"}, 1, before) == "="
    assert format_movement({"text": "w"}, 1, before) == "new"
    assert format_movement({"text": "w"}, 1, None) == ""
