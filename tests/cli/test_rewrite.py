"""polyctl rewrite."""

import json

import pytest

from polyctl.cli.app import run


def test_what_is_left_decides_the_exit_code(capsys):
    assert run(["rewrite", "x^3 + y^3", "--in", "x + y", "--in", "x y"]) == 0
    assert capsys.readouterr().out == "b0^3 - 3*b0*b1\n"
    assert run(["rewrite", "x^4 + x", "--in", "x^2", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["normal_form"], found["complete"]) == ("b0^2 + x", False)


def test_a_note_says_what_is_a_variable(capsys):
    assert run(["rewrite", "e^4", "--in", "e^2"]) == 0
    assert "note: e is a variable" in capsys.readouterr().err


def test_functions_are_put_back(capsys):
    assert run(["rewrite", "sin(x)^2 + exp(a) + y", "--in", "sin x", "--atoms"]) == 1
    assert capsys.readouterr().out == "b0^2 + exp(a) + y\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["x^2"], "--in"), (["x^2 + )", "--in", "x"], "')'"), (["x", "--in", ""], "empty")],
)
def test_mistakes_are_told(arguments, words, capsys):
    assert run(["rewrite", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_letter_that_f_does_not_have_stands_for_what_is_given(capsys):
    assert run(["rewrite", "b0^4 + b0 + x", "--in", "b0^2"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "h0^2 + b0 + x\n"
    assert "h0 stands for the first" in shown.err
    assert run(["rewrite", "x^3 + y", "--in", "x^2 + y^2", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["notes"] == []
    assert run(["rewrite", "x^3", "--in", "z^2"]) == 1
    assert "nothing could be rewritten" in capsys.readouterr().err


def test_words_can_be_variables(capsys):
    assert run(["rewrite", "rate^4 + c", "--in", "rate^2", "--in", "c", "--variables", "rate,c"]) == 0
    assert capsys.readouterr().out == "b0^2 + b1\n"


def test_limits_that_are_reached_are_reported(capsys):
    assert run(["rewrite", "x^20000", "--in", "x^2 + x y + 1", "--time-limit", "0.1"]) == 1
    shown = capsys.readouterr()
    assert "limits on work and time" in shown.out
    assert "polyctl verify" in shown.err
