"""Hypotheses as people read them: polynomials, as far as they go."""

import random
import re

import pytest

from polyctl.algebra.parse import parse
from polyctl.algebra.printing import plain
from polyctl.data.families import draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for
from polyctl.data.tokenizers.errors import MalformedTarget
from polyctl.data.tokenizers.readable import write_answer
from tests.data.test_families import FAMILIES, every_family

every_tokenizer = pytest.mark.parametrize("tokenizer", ["prefix", "compact", "terms"])


def named(family: str, tokenizer: str, **more):
    return make_tokenizer(FAMILIES[family].model_copy(update={"tokenizer": tokenizer, **more}))


@every_family
@every_tokenizer
def test_every_begin_of_a_target_is_polynomials(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    for i in range(3):
        drawn = draw_problem(data, 5, i)
        ids = tok.encode_target(drawn)[:-1]
        found = decode_for(tok, drawn.f, ids)
        for length in range(len(ids) + 1):
            text = write_answer(tok, ids[:length], drawn.f, False)
            assert text.endswith("…")
            assert "⟨" not in text
        text = write_answer(tok, ids, drawn.f, True)
        assert [part.split(" = ")[-1] for part in text.split("; ")] == [
            plain(p) for p in (found.outer, *found.inners) if p is not None
        ]


@every_tokenizer
def test_what_is_written_is_in_the_names_of_f(tokenizer):
    tok = named("univariate", tokenizer)
    f = parse("y^4 + 6y^3 + 9y^2 + 2")
    inner = SparseProblem(f, None, "typed", 0)
    h = parse("y^2 + 3y")
    ids = tok.encode_prompt(SparseProblem(h, None, "typed", 0))[:-1]
    if tokenizer == "terms":
        ids = named("univariate", "compact").encode_prompt(SparseProblem(h, None, "typed", 0))[:-1]
    assert write_answer(tok, ids, inner.f, True) == "y^2 + 3*y"
    seen = {write_answer(tok, ids[:n], f, False) for n in range(len(ids))}
    assert not any("a" in text for text in seen)
    assert any("□" in text for text in seen)


def test_an_open_term_shows_what_is_known_of_it():
    tok = named("univariate", "compact")
    words = {word: i for i, word in reversed(list(enumerate(tok.vocabulary)))}

    def begin(text: str) -> str:
        return write_answer(tok, [words[w] for w in text.split()], parse("x^4 + 1"), False)

    assert begin("") == "…"
    assert begin("a^2") == "±□*x^2 + …"
    assert begin("a^2 -") == "-□*x^2 + …"
    assert begin("a^2 + 1 a") == "x^2 ± □*x + …"
    assert begin("a^2 + 1 a - 3 /") == "x^2 - □*x + …"
    assert begin("a^2 + 1 a - 3 / 2") == "x^2 - 3/2*x + …"
    assert begin("a^2 + 1 a + 12 345") == "x^2 + 12345*x + …"


def test_signs_of_a_canonical_frame_are_those_of_f():
    tok = named("univariate", "compact", canonical=True)
    f = parse("x^4 - 6x^3 + 9x^2")
    words = {word: i for i, word in reversed(list(enumerate(tok.vocabulary)))}
    ids = [words[w] for w in ("a^2", "+", "1", "a", "+", "3")]
    assert tok.frame(f).negated == (True,)
    assert write_answer(tok, ids, f, True) == "x^2 - 3*x"
    assert write_answer(tok, ids, f, False) == "x^2 - 3*x + …"
    assert write_answer(tok, ids[:4], f, False) == "x^2 ± □*(-x) + …"


def test_prefix_notation_is_never_shown_as_mathematics():
    tok = named("univariate", "prefix")
    f = parse("x^4 + 1")
    ids = tok.ids("+ * P 3 a * P 2 ^ a P")
    assert write_answer(tok, ids, f, False) == "3*x + 2*x^□ + …"
    assert write_answer(tok, ids, f, True) == "⟨+ * P 3 x * P 2 ^ x P⟩"


@every_family
@every_tokenizer
def test_any_tokens_can_be_shown(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    f = draw_problem(data, 5, 0).f
    chance = random.Random(1)
    for _ in range(300):
        ids = [chance.randrange(len(tok.vocabulary)) for _ in range(chance.randrange(9))]
        for finished in (False, True):
            text = write_answer(tok, ids, f, finished)
            if finished:
                try:
                    decode_for(tok, f, ids)
                except MalformedTarget:
                    assert re.fullmatch(r"⟨.*⟩", text)
                else:
                    assert "⟨" not in text
