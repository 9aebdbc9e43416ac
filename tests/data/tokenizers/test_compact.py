"""Compact tokens: normal forms, numbers in a base, malformed answers."""

from statistics import median

import pytest
from flint import fmpq

from polyctl.algebra.decomposition import Decomposition, normal_form
from polyctl.algebra.polynomial import ring
from polyctl.algebra.verify import verify
from polyctl.data.families import draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.published_format import read_line
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for, variable_names
from polyctl.data.tokenizers.errors import MalformedTarget, UnwritableProblem
from tests.data.test_families import FAMILIES, every_family
from tests.data.tokenizers.helpers import data_of_set
from tests.shared import EVERY_SET, every_source


@every_family
def test_compact_targets_are_in_normal_form_and_shorter(data):
    prefix, compact = (
        make_tokenizer(data.model_copy(update={"tokenizer": t})) for t in ("prefix", "compact")
    )
    lengths = []
    for i in range(100):
        drawn = draw_problem(data, 2, i)
        lengths.append([len(t.encode_prompt(drawn)) + len(t.encode_target(drawn)) for t in (prefix, compact)])
        again = compact.decode(compact.encode_target(drawn)[:-1])
        assert again.inners == normal_form(again).inners
    ratio = median(p for p, _ in lengths) / median(c for _, c in lengths)
    assert ratio > (2.2 if data.family in ("separable", "split") else 2.7)


@pytest.mark.parametrize("base", [2, 10, 32, 100])
def test_compact_numbers_in_another_base(base):
    data = FAMILIES["univariate"].model_copy(update={"base": base})
    tok, thousand = make_tokenizer(data), make_tokenizer(FAMILIES["univariate"])
    assert len(thousand.vocabulary) - len(tok.vocabulary) == 1000 - base
    assert tok.kinds().count("limb") == base
    (a,) = tok.ring.gens()
    f = a**4 - 12345 * a**3 + 999 * a**2 + a
    words = tok.text(tok.encode_prompt(SparseProblem(f, None, "typed", 0))).split()
    second, third = words.index("a^3"), words.index("a^2")
    digits = [int(word) for word in words[second + 2 : third]]
    assert words[second + 1] == "-"
    assert all(d < base for d in digits)
    assert int(sum(d * base**i for i, d in enumerate(reversed(digits)))) == 12345
    for i in range(20):
        drawn = draw_problem(data, 3, i)
        found = tok.decode(tok.encode_target(drawn)[:-1])
        assert found == thousand.decode(thousand.encode_target(drawn)[:-1])


def test_compact_does_not_see_scaling_or_constant_of_f_where_targets_are_inners():
    data = FAMILIES["univariate"]
    tok = make_tokenizer(data)
    drawn = draw_problem(data, 1, 4)
    moved = SparseProblem(drawn.f * fmpq(-3, 7) + 5, drawn.decomposition, "typed", 0)
    assert tok.encode_prompt(moved) == tok.encode_prompt(drawn)


def test_compact_outer_fits_a_scaled_f():
    data = FAMILIES["homogeneous_3_2"]
    tok = make_tokenizer(data)
    drawn = draw_problem(data, 1, 4)
    f = drawn.f * fmpq(10, 3)
    scaled = SparseProblem(
        f, Decomposition(drawn.decomposition.outer * fmpq(10, 3), drawn.decomposition.inners), "typed", 0
    )
    assert tok.encode_prompt(scaled) == tok.encode_prompt(drawn)
    assert verify(f, decode_for(tok, f, tok.encode_target(scaled)[:-1])).verified


def test_a_degree_beyond_the_compact_table_cannot_be_written():
    tok = make_tokenizer(FAMILIES["univariate"])
    (a,) = tok.ring.gens()
    with pytest.raises(UnwritableProblem, match="no token"):
        tok.encode_prompt(SparseProblem(a**17 + a, None, "typed", 0))


@pytest.mark.parametrize("text", ["", "a", "a +", "+ 5 a", "a + 5 /", "a + 5 / 0", "a + 5 & ", "⁇"])
def test_malformed_compact_answers(text):
    tok = make_tokenizer(FAMILIES["univariate"])
    ids = [tok.vocabulary.index(token) for token in text.split()]
    with pytest.raises(MalformedTarget):
        tok.decode(ids)


def test_an_inner_in_a_variable_that_f_lacks_is_malformed():
    tok = make_tokenizer(FAMILIES["homogeneous_3_2"])
    x, y = ring(["a0", "a1"]).gens()
    target = "b0^3 + 1 & a0·a2^2 + 1 & a0^3 + 1"
    ids = [tok.vocabulary.index(token) for token in target.split()]
    with pytest.raises(MalformedTarget, match="does not have"):
        decode_for(tok, x**9 + y**9, ids)


@every_source
@pytest.mark.parametrize("name", [n for n in EVERY_SET if "sign_bug" not in n])
def test_targets_of_a_file_survive_the_compact_ids(source, name):
    data = data_of_set(name, "compact")
    tok = make_tokenizer(data)
    for line in source.lines(name)[:60]:
        read = read_line(line, variables=variable_names(data))
        found = decode_for(tok, read.f, tok.encode_target(read)[:-1])
        assert verify(read.f, found).status in ("verified", "trivial")
