"""The examples of docs/solvers.md and of the README are what the command prints."""

import re
import shlex

import pytest

from polyctl.algebra.printing import plain
from polyctl.algebra.reading import read
from polyctl.cli.app import run
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "solvers.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^    \$ polyctl decompose '([^'\n]+)'([^'\n]*)\n((?:    .+\n)+)", re.MULTILINE)
OTHERS = re.compile(
    r"^    \$ polyctl (rewrite|verify|decompose .*--common)(.*)\n((?:    [^$\n].*\n)+)", re.MULTILINE
)
README = re.findall(
    r"^    \$ polyctl (decompose .*)\n((?:    [^$\n].*\n)+)",
    (ROOT / "README.md").read_text("utf-8"),
    re.MULTILINE,
)
EXACT = [found for found in EXAMPLE.findall(PAGE) if not found[0].startswith("24a^3")]
ROWS = re.findall(r"^\| (`+)(.+)\1 \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_method_has_an_example():
    assert len(EXACT) >= 8


@pytest.mark.parametrize(("ticks", "text", "meant"), ROWS, ids=[row[1] for row in ROWS])
def test_what_can_be_typed_is_read(ticks, text, meant):
    atoms = PAGE.index(f"{text}{ticks} |") > PAGE.index("With `--atoms`")
    assert plain(read(text, atoms=atoms).polynomial) == meant


def test_all_rows_are_seen():
    assert len(ROWS) > 20


@pytest.mark.parametrize(("command", "rest", "shown"), OTHERS.findall(PAGE))
def test_other_commands_print_what_is_shown(command, rest, shown, capsys):
    run(shlex.split(command + rest))
    assert capsys.readouterr().out.splitlines() == [line[4:] for line in shown.splitlines()]


@pytest.mark.parametrize(("text", "options", "shown"), EXACT, ids=[found[0][:24] for found in EXACT])
def test_the_example_is_what_is_printed(text, options, shown, capsys):
    assert run(["decompose", "--method", "exact", "--top", "1", text, *options.split()]) == 0
    printed = capsys.readouterr().out.splitlines()
    expected = [line[4:] for line in shown.splitlines()]
    assert printed[: len(expected)] == expected


@pytest.mark.parametrize(("command", "shown"), README)
def test_the_first_examples_of_the_readme_are_what_is_printed(command, shown, capsys):
    assert run(shlex.split(command)) == 0
    expected = [line[4:] for line in shown.splitlines()]
    assert capsys.readouterr().out.splitlines()[: len(expected)] == expected


def test_the_readme_has_examples():
    assert len(README) >= 2
