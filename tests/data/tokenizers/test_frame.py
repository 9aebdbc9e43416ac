"""The canonical frame: renamed variables and other signs give the same prompt, and answers come back."""

import random

import pytest
from pydantic import ValidationError

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import normal_terms, polynomial, ring, terms
from polyctl.algebra.verify import verify
from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_held_out, draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for
from polyctl.data.tokenizers.frame import canonical_frame, canonical_terms

MIXTURE = load_registry(PACKAGED).get("general").data.model_copy(update={"canonical": True})
HOMOGENEOUS = DataConfig(
    family="homogeneous", inner_variables=4, inners=3, outer_degrees=(3,), inner_degrees=(3,),
    outer_bound=5, inner_bound=5, canonical=True,
)  # fmt: skip


def changed(f, order, signs, factor=1):
    """factor * f with variable i renamed to order[i] and multiplied by signs[i]."""
    result = {}
    for monomial, coefficient in terms(f):
        moved = [0] * len(order)
        for i, exponent in enumerate(monomial):
            moved[order[i]] = exponent
            coefficient *= signs[i] ** exponent
        result[tuple(moved)] = coefficient * factor
    return polynomial(f.context(), result)


def written(tokenizer, f):
    return tokenizer.encode_prompt(SparseProblem(f, None, "typed", 0))


@pytest.mark.parametrize("kind", ["compact", "terms"])
def test_renamings_and_signs_do_not_change_the_prompt(kind):
    tokenizer = make_tokenizer(HOMOGENEOUS.model_copy(update={"tokenizer": kind}))
    draws, alike = random.Random(5), 0
    for index in range(40):
        f = draw_problem(HOMOGENEOUS, 3, index).f
        order = draws.sample(range(4), 4)
        signs = [draws.choice([1, -1]) for _ in range(4)]
        alike += written(tokenizer, changed(f, order, signs, -3)) == written(tokenizer, f)
    assert alike >= 36  # variables of equal weights keep their order


def test_signs_alone_never_change_the_prompt():
    tokenizer = make_tokenizer(HOMOGENEOUS)
    draws = random.Random(6)
    for index in range(40):
        f = draw_problem(HOMOGENEOUS, 4, index).f
        signs = [draws.choice([1, -1]) for _ in range(4)]
        assert written(tokenizer, changed(f, range(4), signs)) == written(tokenizer, f)


def test_targets_read_back_as_proofs_in_the_variables_of_f():
    tokenizer = make_tokenizer(MIXTURE)
    moved = 0
    for p in draw_held_out(MIXTURE, 0, "valid", 80):
        answer = decode_for(tokenizer, p.f, tokenizer.encode_target(p)[:-1])
        assert verify(p.f, answer).verified, p
        moved += not tokenizer.frame(p.f).identical
    assert moved > 40


def test_the_problem_behind_a_prompt_is_the_same_one():
    """f in its frame and f itself have the same decompositions, moved."""
    (x, y) = ring(["x", "y"]).gens()
    f = (x**2 - 3 * x * y**3) ** 2 - 5 * (x**2 - 3 * x * y**3)
    tokenizer = make_tokenizer(MIXTURE)
    p = SparseProblem(f, Decomposition(None, (x**2 - 3 * x * y**3,)), "typed", 0)
    (inner,) = decode_for(tokenizer, f, tokenizer.encode_target(p)[:-1]).inners
    assert inner in (x**2 - 3 * x * y**3, 3 * x * y**3 - x**2)
    assert written(tokenizer, f) == written(tokenizer, parse("(q^2 + 3*q*p^3)^2 - 5*(q^2 + 3*q*p^3)"))


def test_more_variables_than_are_ordered_stay_as_they_are():
    f = parse("a - b*c^9 + d + e - g*h")
    frame, monomials, numbers = canonical_terms(f, MIXTURE_NAMES)
    assert frame.identical
    assert (monomials, numbers) == normal_terms(f)


MIXTURE_NAMES = make_tokenizer(MIXTURE).ring.names()


def test_constants_have_a_frame():
    assert canonical_frame(parse("7", ["x"]), ["a"]).identical


def test_text_names_a_variable_with_its_sign():
    tokenizer = make_tokenizer(MIXTURE)
    f = parse("x^4 - x^3")
    assert "(-x)^3" in tokenizer.text(written(tokenizer, f)[1:2], f) + tokenizer.text(
        tokenizer.encode_target(SparseProblem(f, Decomposition(None, (parse("x^3"),)), "typed", 0)), f
    )


def test_the_published_format_has_no_canonical_order():
    with pytest.raises(ValidationError, match="canonical needs tokenizer compact or terms"):
        DataConfig(tokenizer="prefix", canonical=True)
