"""The examples of docs/solvers.md are what the command prints."""

import re

import pytest

from polyctl.cli.app import run
from tests.shared import ROOT

PAGE = (ROOT / "docs" / "solvers.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^    \$ polyctl decompose '(.+)'\n((?:    .+\n)+)", re.MULTILINE)
EXACT = [(text, shown) for text, shown in EXAMPLE.findall(PAGE) if not text.startswith("24a^3")]


def test_every_method_has_an_example():
    assert len(EXACT) >= 8


@pytest.mark.parametrize(("text", "shown"), EXACT, ids=[text[:24] for text, _ in EXACT])
def test_the_example_is_what_is_printed(text, shown, capsys):
    assert run(["decompose", "--method", "exact", "--top", "1", text]) == 0
    printed = capsys.readouterr().out.splitlines()
    expected = [line[4:] for line in shown.splitlines()]
    assert printed[: len(expected)] == expected
