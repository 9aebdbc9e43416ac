from __future__ import annotations

from statistics import median

import pytest
from flint import fmpq

from polyctl.algebra.decomposition import Decomposition, equivalent, normal_form
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.algebra.verify import verify
from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.published_format import read_line, split_line
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import MalformedTarget, UnwritableProblem, decode_for, variable_names
from tests.data.test_families import FAMILIES
from tests.shared import EVERY_SET, every_source

both = pytest.mark.parametrize("tokenizer", ["prefix", "compact"])
every_family = pytest.mark.parametrize("data", FAMILIES.values(), ids=FAMILIES)


def data_of_set(name: str, tokenizer: str = "prefix") -> DataConfig:
    """The configuration of the family that a file belongs to."""
    base = FAMILIES[{"u": "univariate", "s": "separable"}.get(name[0], name)]
    return base.model_copy(update={"tokenizer": tokenizer})


@every_family
@both
def test_targets_decode_to_the_decomposition(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    for i in range(25):
        drawn = draw_problem(data, 11, i)
        target = tok.encode_target(drawn)
        assert target[-1] == tok.end
        assert tok.pad not in target
        found = decode_for(tok, drawn.f, target[:-1])
        assert verify(drawn.f, found).verified
        known = (
            drawn.decomposition
            if found.outer is not None
            else Decomposition(None, drawn.decomposition.inners)
        )
        assert equivalent(found, known)


@both
def test_text_is_in_the_variables_of_f(tokenizer):
    tok = make_tokenizer(FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer}))
    f = parse("x^4 + 3*x^2 + 1")
    target = tok.encode_prompt(SparseProblem(f, None, "typed", 0))[:-1]
    assert tok.text(target, f) == tok.text(target).replace("a", "x")


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


@both
def test_other_variable_names_are_placed_in_order(tokenizer):
    data = FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer})
    tok = make_tokenizer(data)
    (x,) = ring(["x"]).gens()
    f = (x**2 + x) ** 2 * fmpq(1, 2) + 7
    typed = SparseProblem(f, Decomposition(None, (x**2 + x,)), "typed", 0)
    found = decode_for(tok, f, tok.encode_target(typed_as(typed, tok))[:-1])
    assert found.inners == (x**2 + x,)
    assert tok.encode_prompt(typed)[-1] == tok.end


def typed_as(problem: Problem, tok) -> Problem:
    """The problem with its inners in the tokenizer's ring."""
    from polyctl.data.tokenizers.base import align_variables

    inners = tuple(align_variables(h, tok.ring) for h in problem.decomposition.inners)
    return SparseProblem(align_variables(problem.f, tok.ring), Decomposition(None, inners), problem.family, 0)


@both
def test_too_many_variables_cannot_be_written(tokenizer):
    tok = make_tokenizer(FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer}))
    x, y = ring(["x", "y"]).gens()
    with pytest.raises(UnwritableProblem, match="variables"):
        tok.encode_prompt(SparseProblem(x * y, None, "typed", 0))


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
@pytest.mark.parametrize("name", EVERY_SET)
def test_every_line_of_a_file_survives_the_prefix_ids_byte_for_byte(source, name):
    data = data_of_set(name)
    tok = make_tokenizer(data)
    for line in source.lines(name):
        left, right = split_line(line)
        read = read_line(line, variables=variable_names(data))
        prompt, target = tok.encode_prompt(read), tok.encode_target(read)
        assert (tok.text(prompt[:-1]), tok.text(target[:-1])) == (left, right)


@every_source
@pytest.mark.parametrize("name", [n for n in EVERY_SET if "sign_bug" not in n])
def test_targets_of_a_file_survive_the_compact_ids(source, name):
    data = data_of_set(name, "compact")
    tok = make_tokenizer(data)
    for line in source.lines(name)[:60]:
        read = read_line(line, variables=variable_names(data))
        found = decode_for(tok, read.f, tok.encode_target(read)[:-1])
        assert verify(read.f, found).status in ("verified", "trivial")
