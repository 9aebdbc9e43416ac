"""Which polynomials could be problems of a family."""

import pytest

from polyctl.algebra.parse import parse
from polyctl.config.registry import PACKAGED, load_registry
from polyctl.data.families import draw_problem
from polyctl.data.likeness import resembles
from tests.data.test_families import FAMILIES

GENERAL = load_registry(PACKAGED).get("general").data


@pytest.mark.parametrize("family", FAMILIES)
def test_every_problem_resembles_its_family(family):
    for i in range(30):
        assert resembles(draw_problem(FAMILIES[family], 3, i).f, FAMILIES[family])


def test_problems_of_a_mixture_resemble_it():
    assert all(resembles(draw_problem(GENERAL, 3, i).f, GENERAL) for i in range(60))


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("x^4 + 2x^2 + 3", True),
        ("3x^9 + 6x^3 + 1", True),
        ("x^5 + x", False),
        ("(x^2 + 3x y + y + 1)^2 + x", False),
        ("(x^3 + y^3)^3 + x^9", True),
        ("(x y + z)^3 + x y + z", False),
        ("(x^2 + x)^2 + (y^2 + y)", True),
        ("(x^2 + y^2)^2 + x^2 + y^2 + 5", True),
    ],
)
def test_what_people_type_is_like_the_mixture_or_not(text, known):
    assert resembles(parse(text), GENERAL) == known
