"""Stepping through the inputs of a session."""

from polyctl.tui.input_history import InputHistory


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
