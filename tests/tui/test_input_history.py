"""Stepping through the inputs of a session."""

from polyctl.tui.input_history import KEPT, InputHistory


def entered(*texts: str) -> InputHistory:
    inputs = InputHistory()
    for text in texts:
        inputs.add(text)
    return inputs


def test_back_and_forward_and_the_line_being_typed():
    inputs = entered("a", "b")
    assert inputs.at_draft
    assert inputs.back("draft") == "b"
    assert not inputs.at_draft
    assert inputs.back("b") == "a"
    assert inputs.back("a") is None
    assert inputs.forward("a") == "b"
    assert inputs.forward("b") == "draft"
    assert inputs.at_draft


def test_what_stands_in_the_input_is_skipped():
    assert entered("a", "b").back("b") == "a"


def test_the_same_text_twice_is_one_entry():
    inputs = entered("a", "a", "b", "a")
    assert inputs.entries == ["a", "b", "a"]


def test_nothing_was_entered():
    assert InputHistory().back("x") is None


def test_entries_are_there_in_the_next_session(tmp_path):
    path = tmp_path / "new" / "history"
    first = InputHistory(path)
    for text in ("x^4", "y^2 + 1", "x^4 \u2212 1"):
        first.add(text)
    second = InputHistory(path)
    assert second.entries == first.entries
    assert second.at_draft
    assert second.back("") == "x^4 \u2212 1"
    path.write_bytes(b'"a"\n{broken\n5\n"b"\n')
    assert InputHistory(path).entries == ["a", "b"]
    path.write_bytes(b"\xff")
    assert InputHistory(path).entries == []
    (tmp_path / "file").write_text("")
    InputHistory(tmp_path / "file" / "history").add("x")  # cannot be kept


def test_only_the_newest_entries_are_kept(tmp_path):
    inputs = InputHistory(tmp_path / "history")
    for number in range(KEPT + 5):
        inputs.add(str(number))
    again = InputHistory(tmp_path / "history").entries
    assert (len(again), again[-1]) == (KEPT, str(KEPT + 4))
