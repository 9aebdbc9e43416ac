from __future__ import annotations

import numpy as np
import pytest

from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.errors import MalformedTarget
from polyctl.search.grammar import make_grammar
from tests.data.test_families import FAMILIES

both = pytest.mark.parametrize("tokenizer", ["prefix", "compact"])
every_family = pytest.mark.parametrize("data", FAMILIES.values(), ids=FAMILIES)


@every_family
@both
def test_true_targets_are_allowed(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    grammar = make_grammar(tok)
    for i in range(20):
        state = grammar.start()
        for token in tok.encode_target(draw_problem(data, 1, i)):
            assert grammar.allowed(state)[token], tok.vocabulary[token]
            state = grammar.advance(state, token)


@pytest.mark.parametrize("tokenizer", ["compact", "terms"])
@pytest.mark.parametrize("inners", [1, 2, 3])
def test_inners_alone_may_be_as_many_as_the_family_has(tokenizer, inners):
    data = DataConfig(
        family="homogeneous", tokenizer=tokenizer, target="inner", inner_variables=3, inners=inners,
        outer_degrees=(2,), inner_degrees=(2,), outer_bound=3, inner_bound=3,
    )  # fmt: skip
    tok = make_tokenizer(data)
    grammar = make_grammar(tok)
    for i in range(10):
        state = grammar.start()
        target = tok.encode_target(draw_problem(data, 1, i))
        for token in target:
            assert grammar.allowed(state)[token], tok.vocabulary[token]
            before, state = state, grammar.advance(state, token)
        another = tok.vocabulary.index("&")
        assert grammar.allowed(before)[another] == (target.count(another) < inners - 1)


@every_family
@both
def test_whatever_the_grammar_lets_end_is_well_formed(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    grammar = make_grammar(tok)
    rng = np.random.default_rng(0)
    ended, sizes = 0, []
    for _ in range(300):
        state, ids = grammar.start(), []
        while len(ids) < 250:
            allowed = np.flatnonzero(grammar.allowed(state))
            assert len(allowed), tok.text(ids)
            token = int(rng.choice(allowed))
            for preferred in (tok.vocabulary.index("&"), tok.end):
                if preferred in allowed and rng.random() < 0.4:
                    token = preferred
            if token == tok.end:
                break
            ids.append(token)
            state = grammar.advance(state, token)
        else:
            continue
        ended += 1
        try:
            tok.decode(ids)
        except MalformedTarget as error:
            sizes.append(str(error))  # exponents, and a denominator of zero, are beyond an automaton
    assert ended > 20
    assert all("above" in size or "zero" in size or "terms" in size for size in sizes), sizes


@both
def test_padding_and_the_wrong_variables_are_never_allowed(tokenizer):
    data = FAMILIES["homogeneous_3_2"].model_copy(update={"tokenizer": tokenizer})
    tok = make_tokenizer(data)
    grammar = make_grammar(tok)
    allowed = {tok.vocabulary[i] for i in np.flatnonzero(grammar.allowed(grammar.start()))}
    assert "□" not in allowed
    assert "a0" not in allowed
    assert tok.vocabulary[tok.end] not in allowed
