"""Prompts with one position a term."""

import pytest

from polyctl.algebra.parse import parse
from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import TERM_TOKENS
from polyctl.data.tokenizers.terms import TermsTokenizer
from polyctl.errors import UsageError
from tests.data.test_families import FAMILIES


def both(data):
    return [make_tokenizer(data.model_copy(update={"tokenizer": name})) for name in ("compact", "terms")]


@pytest.mark.parametrize("data", FAMILIES.values(), ids=FAMILIES)
def test_the_tokens_are_those_of_the_compact_format_in_fewer_positions(data):
    compact, terms = both(data)
    assert terms.vocabulary == compact.vocabulary
    for i in range(50):
        drawn = draw_problem(data, 4, i)
        prompt = terms.encode_prompt(drawn)
        assert terms.text(prompt) == compact.text(compact.encode_prompt(drawn))
        assert terms.encode_target(drawn) == compact.encode_target(drawn)
        assert prompt[-1] == terms.end
        if data.family != "on_singlet":  # whose monomials are spelled
            assert len(prompt) == sum(word in "+-" for word in terms.text(prompt).split()) + 1


def digits(position, radix):
    found = []
    for _ in range(TERM_TOKENS):
        position, digit = divmod(position, radix)
        found.append(digit)
    assert not position
    return found


def positions(f, **settings):
    tokenizer = make_tokenizer(DataConfig(tokenizer="terms", inner_variables=1, **settings))
    prompt = tokenizer.encode_prompt(SparseProblem(parse(f), None, "typed", 0))
    radix, words = len(tokenizer.vocabulary), (None, *tokenizer.vocabulary[1:])
    return [[words[d] for d in digits(p, radix)] for p in prompt]


def test_places_are_monomial_sign_and_limbs_from_the_right():
    assert positions("a^3 - 12345a^2 + 7000001a") == [
        ["a^3", "+", None, None, "1"],
        ["a^2", "-", None, "12", "345"],
        ["a", "+", "7", "0", "1"],
        ["⁇", None, None, None, None],
    ]


def test_a_number_of_many_limbs_goes_on_behind_its_highest_one():
    assert positions("a^2 - 12345678901234a")[1:3] == [
        ["a", "-", None, "12", "345"],
        [None, None, "678", "901", "234"],
    ]
    assert positions("a^2 + 1000000000a")[1:3] == [
        ["a", "+", None, None, "1"],
        [None, None, "0", "0", "0"],
    ]


def test_a_vocabulary_too_large_to_pack_is_refused():
    with pytest.raises(UsageError, match="too many for a position") as error:
        TermsTokenizer(DataConfig(tokenizer="terms", base=10_000))
    assert "data.base=1000" in error.value.hint
