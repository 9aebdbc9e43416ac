"""The examples in the docstrings of algebra/ give what they show."""

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest

from polyctl import algebra

MODULES = [module.name for module in iter_modules(algebra.__path__, "polyctl.algebra.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_the_functions_that_everyone_uses_have_examples() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    shown = {test.name for name in MODULES for test in finder.find(import_module(name)) if test.examples}
    wanted = {
        "completion.complete_outer",
        "complexity.complexity",
        "decomposition.normal_form",
        "parse.parse",
        "printing.plain",
        "printing.latex",
        "polynomial.compose",
        "polynomial.normal_form",
        "verify.verify",
    }
    assert {f"polyctl.algebra.{name}" for name in wanted} <= shown
