"""What a terminal shows of a text that is not a polynomial."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.parse import parse
from polyctl.cli.caret import show_caret
from polyctl.errors import ParseError


def _caret_lines(text: str) -> list[str]:
    with pytest.raises(ParseError) as caught:
        parse(text)
    return show_caret(caught.value).split("\n")


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@settings(max_examples=300, deadline=None)
@given(
    st.text("xyz019+-*/^(){}[]_.,=\\ acdfort$²₁−·α\n", max_size=30) | st.text(max_size=12),
    st.integers(-1, 31),
)
def test_any_text_is_shown_on_one_line_with_a_caret_below(text: str, position: int) -> None:
    message, _, caret = show_caret(ParseError("m", text, position)).split("\n")
    assert message == "m"
    assert caret.lstrip(" ") == "^"


def test_caret_is_under_the_character() -> None:
    message, line, caret = _caret_lines("x + y @ 2")
    assert message == "unexpected character '@'"
    assert line[len(caret) - 1] == "@"


def test_caret_shows_the_line_of_a_long_text() -> None:
    _, line, caret = _caret_lines("x +\ny + @ z\n+ 1")
    assert (line, caret) == ("y + @ z", "    ^")


@pytest.mark.parametrize(("before", "after"), [(500, 500), (500, 0), (0, 500), (74, 0), (75, 0), (76, 1)])
def test_caret_crops_to_76_columns(before: int, after: int) -> None:
    _, line, caret = _caret_lines("x " * (before // 2) + "x" * (before % 2) + "@" + "y" * after)
    assert _columns(line) <= 76
    assert line[len(caret) - 1] == "@"


def test_caret_counts_wide_characters_and_hides_control_characters() -> None:
    error = ParseError("m", "日本\x1b\tx @", 6)
    _, line, caret = show_caret(error).split("\n")
    assert "\x1b" not in line
    assert caret.index("^") == _columns(line[: line.index("@")])


def test_caret_at_the_end_of_the_text() -> None:
    assert _caret_lines("x +")[1:] == ["x +", "   ^"]
