"""Hypotheses as people are shown them."""

from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.search.hypothesis import Hypothesis, known_tokens, shown_beam, token_words

DATA = DataConfig(outer_degrees=(2,), inner_degrees=(2,))
TOKENIZER = make_tokenizer(DATA)
PROBLEM = draw_problem(DATA, 1, 0)


def test_log_probabilities_are_given_of_the_tokens_that_none_before_shares():
    tokens = known_tokens(TOKENIZER, PROBLEM)
    each = tuple(-0.1234 * n for n in range(len(tokens)))
    several = [
        Hypothesis(tuple(tokens[:3]), -1.0, False, each[:3]),
        Hypothesis(tuple(tokens), -2.0, False, each),
        Hypothesis(tuple(tokens[:2]), -3.0, True, each[:2]),
    ]
    shown = shown_beam(several, TOKENIZER, PROBLEM.f)
    rounded = [round(value, 3) for value in each]
    assert [one.logprobs for one in shown] == [rounded[:3], rounded[3:], None]
    assert [one.tokens for one in shown] == [list(one.tokens) for one in several]


def test_words_spell_an_answer():
    tokens = known_tokens(TOKENIZER, PROBLEM)
    words = token_words(TOKENIZER, PROBLEM.f, [tokens, tokens[:2]])
    assert set(words) == {str(token) for token in tokens}
    assert " ".join(words[str(token)] for token in tokens) == TOKENIZER.text(tokens, PROBLEM.f)


def test_what_cannot_be_written_is_not_known():
    assert known_tokens(TOKENIZER, SparseProblem(PROBLEM.f, None, "file", 0)) is None
