"""Problems kept as integers are those made of polynomials."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyctl.algebra.polynomial import compose, digest, polynomial, ring
from polyctl.config.schema import DataConfig
from polyctl.data.dense import DenseProblem, compose_integers
from polyctl.data.families import draw_problem
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.published_format import write_decomposition, write_line
from polyctl.data.tokenizers import make_tokenizer

RING = ring(["a"])
coefficients = st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=6).filter(lambda c: c[-1] != 0)


def of(numbers):
    return polynomial(RING, {(k,): c for k, c in enumerate(numbers)})


def plain(dense: DenseProblem) -> Problem:
    return SparseProblem(dense.f, dense.decomposition, dense.family, dense.index)


@given(coefficients, coefficients)
def test_composition_by_one_large_number_is_composition(outer, inner):
    found = compose_integers(outer, inner)
    assert len(found) == (len(outer) - 1) * (len(inner) - 1) + 1
    assert of(found) == compose(polynomial(ring(["b"]), {(k,): c for k, c in enumerate(outer)}), [of(inner)])


@pytest.mark.parametrize("size", [2**30, 2**31, 2**62, 2**63, 2**64, 10**40])
def test_coefficients_at_the_edge_of_a_word_keep_their_sign(size):
    for sign in (1, -1):
        for near in (size - 1, size, size + 1):
            found = compose_integers([0, sign * near], [sign, -1, 3])
            assert of(found) == of([near, -sign * near, 3 * sign * near])


@given(coefficients.filter(lambda c: len(c) > 2), coefficients.filter(lambda c: len(c) > 2))
def test_it_is_named_and_written_as_its_polynomials_are(outer, inner):
    dense = DenseProblem.of(outer, inner, RING, "univariate", 3)
    assert dense.digest == digest(dense.f)
    assert dense.decomposition.expanded == dense.f
    for tokens in ("prefix", "compact"):
        for target in ("inner", "outer_inner"):
            tokenizer = make_tokenizer(
                DataConfig(tokenizer=tokens, target=target, outer_degrees=(2, 5), inner_degrees=(2, 5))
            )
            assert tokenizer.encode_prompt(dense) == tokenizer.encode_prompt(plain(dense))
            assert tokenizer.encode_target(dense) == tokenizer.encode_target(plain(dense))


@pytest.mark.parametrize("family", ["univariate", "monic"])
def test_the_families_draw_them(family):
    drawn = draw_problem(DataConfig(family=family), 5, 7)
    assert isinstance(drawn, DenseProblem)
    assert drawn == draw_problem(DataConfig(family=family), 5, 7)
    assert (drawn.cell, drawn.written) == (plain(drawn).cell, None)
    assert write_line(drawn, write_decomposition(drawn.decomposition)) == write_line(
        plain(drawn), write_decomposition(drawn.decomposition)
    )


def test_a_tokenizer_of_more_variables_writes_it_as_the_polynomial():
    tokenizer = make_tokenizer(
        DataConfig(family="separable", tokenizer="prefix", inner_variables=3, inners=3, target="outer_inner")
    )
    drawn = draw_problem(DataConfig(), 5, 7)
    assert tokenizer.encode_prompt(drawn) == tokenizer.encode_prompt(plain(drawn))
