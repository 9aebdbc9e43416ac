"""Greedy decoding and sampling against plain ones and against the model's own distribution."""

import collections

import numpy as np
import pytest

from polyctl.errors import UsageError
from polyctl.search.batching import Decoding
from polyctl.search.hypothesis import Hypothesis
from polyctl.search.sampling import greedy, sample
from tests.search.models import END, assert_same, next_logp, prompts_of, tiny
from tests.search.test_beam import Alternating


def plain_greedy(model, prompt, max_tokens, grammar=None):
    model.eval()
    tokens, total, state = [], 0.0, grammar.start() if grammar else None
    for _ in range(max_tokens):
        logp = next_logp(model, prompt, tokens)
        masked = np.where(grammar.allowed(state), logp.numpy(), -np.inf) if grammar else logp.numpy()
        token = int(masked.argmax())
        total += float(masked[token])
        if token == END:
            return Hypothesis(tuple(tokens), total, True)
        tokens.append(token)
        state = grammar.advance(state, token) if grammar else None
    return Hypothesis(tuple(tokens), total, False)


@pytest.mark.parametrize("architecture", ["gpt2", "modern"])
@pytest.mark.parametrize("grammar", [None, Alternating()])
def test_greedy_equals_a_plain_one(architecture, grammar):
    for seed in range(3):
        model, prompts = tiny(architecture, seed, end_bias=1.0), prompts_of([7, 1, 4, 4, 9], seed=seed)
        found = greedy(model, prompts, Decoding(8, END, grammar=grammar, batch=2))
        assert_same(found, [plain_greedy(model, p, 8, grammar) for p in prompts])


def probabilities(model, prompt, max_tokens, temperature):
    """Every answer's probability at a temperature, by going through all of them."""
    model.eval()
    finished, live = {}, {(): 1.0}
    for _ in range(max_tokens):
        longer = {}
        for tokens, p in live.items():
            q = (next_logp(model, prompt, tokens) / temperature).softmax(-1).double().tolist()
            finished[tokens] = p * q[END]
            longer |= {(*tokens, t): p * q[t] for t in range(len(q)) if t != END}
        live = longer
    return finished | live


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_answers_come_as_often_as_the_model_says(temperature):
    model, prompts, n = tiny("modern", 1, vocabulary=4), [[1, 2], [3]], 4000
    found = sample(model, prompts, Decoding(3, END), n=n, temperature=temperature, seed=5)
    for prompt, answers in zip(prompts, found, strict=True):
        expected = probabilities(model, prompt, 3, temperature)
        assert sum(expected.values()) == pytest.approx(1, abs=1e-5)
        counts = collections.Counter(h.tokens for h in answers)
        assert counts.keys() <= expected.keys()
        # five standard deviations for each answer
        for tokens, p in expected.items():
            assert abs(counts[tokens] / n - p) < 5 * (p * (1 - p) / n) ** 0.5 + 1 / n


def test_log_probabilities_are_the_models_own_at_any_temperature():
    model, prompt = tiny("modern", 2), prompts_of([5])[0]
    for h in sample(model, [prompt], Decoding(5, END), n=6, temperature=3.0, seed=1)[0]:
        ids = [*h.tokens, END] if h.finished else list(h.tokens)
        total = sum(float(next_logp(model, prompt, ids[:n])[t]) for n, t in enumerate(ids))
        assert h.logprob == pytest.approx(total, abs=1e-4)
        assert h.finished or len(h.tokens) == 5


def test_the_seed_decides_the_draws_and_the_batch_does_not():
    model, prompts = tiny("gpt2", 1, end_bias=1.0), prompts_of([6, 2, 9, 4])
    drawing = {"n": 5, "temperature": 1.0}
    first = sample(model, prompts, Decoding(8, END), seed=3, **drawing)
    for batch in (1, 3):
        again = sample(model, prompts, Decoding(8, END, batch=batch), seed=3, **drawing)
        for one, other in zip(first, again, strict=True):
            assert_same(one, other)
    assert sample(model, prompts, Decoding(8, END), seed=4, **drawing) != first


def test_a_low_temperature_is_greedy():
    model, prompts = tiny("modern", 3), prompts_of([6, 2])
    drawn = sample(model, prompts, Decoding(6, END), n=3, temperature=1e-4, seed=0)
    for answers, best in zip(drawn, greedy(model, prompts, Decoding(6, END)), strict=True):
        assert_same(answers, [best] * 3)


def test_samples_obey_the_grammar():
    drawn = sample(
        tiny("gpt2", 0, end_bias=1.0),
        prompts_of([3, 5]),
        Decoding(9, END, grammar=Alternating()),
        n=20,
        temperature=2.0,
        seed=0,
    )
    for h in (h for answers in drawn for h in answers):
        assert all((t in (1, 2)) == (i % 2 == 0) for i, t in enumerate(h.tokens))
        assert not h.finished or len(h.tokens) % 2 == 0
    assert any(h.finished and h.tokens for answers in drawn for h in answers)


def test_where_nothing_is_allowed_the_answer_stops_unfinished():
    class Short(Alternating):
        def advance(self, state, token):
            return state + 1

        def allowed(self, state):
            return np.arange(7) == (2 if state < 2 else -1)

    for h in greedy(tiny(), prompts_of([3, 4]), Decoding(9, END, grammar=Short())):
        assert (h.tokens, h.finished) == ((2, 2), False)
        assert np.isfinite(h.logprob)


@pytest.mark.parametrize(
    ("n", "temperature", "batch"), [(0, 1.0, 16), (1, 0.0, 16), (1, float("nan"), 16), (1, 1.0, 0)]
)
def test_impossible_requests_are_user_errors(n, temperature, batch):
    with pytest.raises(UsageError):
        sample(tiny(), [[1]], Decoding(3, END, batch=batch), n=n, temperature=temperature, seed=0)
