"""Beam search against a plain, uncached one, element by element."""

import numpy as np
import pytest
import torch

from polyctl.errors import UsageError
from polyctl.model.kv_cache import TreeCache
from polyctl.runtime.async_readback import STEPS
from polyctl.search import beam
from polyctl.search.batching import Decoding, Queue
from polyctl.search.beam import _Beams, beam_search
from polyctl.search.hypothesis import Observer
from polyctl.search.sampling import greedy
from tests.search.models import END, assert_same, next_logp, plain_beam, prompts_of, tiny

LENGTHS = [9, 2, 5, 5, 1]


class Recorder(Observer):
    """Keeps what it is shown: the beams of the keys named, or of all, and every result."""

    def __init__(self, *watched):
        self.watched, self.steps, self.results = watched, [], {}

    def wants(self, key):
        return not self.watched or key in self.watched

    def step(self, step):
        self.steps.append(step)

    def result(self, key, hypotheses):
        self.results[key] = hypotheses


class Alternating:
    """Tokens 1 and 2 must take turns with the others; the answer may end after an even number of them."""

    def start(self):
        return 0

    def advance(self, state, token):
        assert self.allowed(state)[token]
        assert token != END
        return 1 - state

    def allowed(self, state):
        mask = np.zeros(7, dtype=np.bool_)
        mask[[1, 2] if state == 0 else [3, 4, 5, 6]] = True
        mask[END] = state == 0
        return mask


@pytest.mark.parametrize("architecture", ["gpt2", "modern"])
@pytest.mark.parametrize("width", [1, 3, 20])  # 20 is wider than the vocabulary, and than its double
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_the_plain_search(architecture, width, seed):
    model, prompts = tiny(architecture, seed), prompts_of(LENGTHS, seed=seed)
    found = beam_search(model, prompts, Decoding(8, END, batch=3), width=width)
    for prompt, hypotheses in zip(prompts, found, strict=True):
        assert_same(hypotheses, plain_beam(model, prompt, width, 8)[0])


@pytest.mark.parametrize("batch", [16, 4, 3, 1])
@pytest.mark.parametrize(
    ("architecture", "end_bias", "grammar"),
    [("gpt2", 0.0, None), ("modern", 0.5, None), ("modern", 0.5, Alternating())],
)
def test_equals_the_plain_search_where_answers_end_at_different_times(architecture, end_bias, grammar, batch):
    """In small batches the places of problems that have ended are taken by others that have waited."""
    model, prompts = tiny(architecture, 0, end_bias=end_bias), prompts_of([9, 2, 5, 7, 7, 3])
    seen = Recorder()
    found = beam_search(
        model, prompts, Decoding(30, END, grammar=grammar, batch=batch), width=4, observer=seen
    )
    lengths = set()
    for i, (prompt, hypotheses) in enumerate(zip(prompts, found, strict=True)):
        expected, shown = plain_beam(model, prompt, 4, 30, grammar)
        assert_same(hypotheses, expected)
        assert all(h.finished for h in hypotheses)
        own = [s for s in seen.steps if s.key == i]
        assert [s.step for s in own] == list(range(1, len(shown) + 1))
        for step, live in zip(own, shown, strict=True):
            assert_same(step.live, live)
        assert_same(own[-1].finished, expected)
        lengths.add(len(own))
    assert len(lengths) > 1  # the problems did leave the batch at different times
    assert max(lengths) < 30


@pytest.mark.parametrize("late", [1, 2, 5])
@pytest.mark.parametrize("batch", [16, 3])
@pytest.mark.parametrize(
    ("architecture", "end_bias", "tokens"),
    [("gpt2", 0.0, 60), ("gpt2", 1.0, 40), ("modern", 0.5, 30), ("modern", 0.0, 4)],
)
def test_reading_the_device_late_changes_nothing(monkeypatch, architecture, end_bias, tokens, late, batch):
    """As on a GPU; problems that have ended, by the limit, the block or their pool, go on for some steps."""
    model, prompts = tiny(architecture, 0, end_bias=end_bias), prompts_of([9, 2, 5, 7, 7, 3, 4])
    decoding = Decoding(tokens, END, batch=batch)
    expected = beam_search(model, prompts, decoding, width=4)
    fed = []
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda ids, cache: fed.append(len(ids)) or decode(ids, cache))
    beam_search(model, prompts, decoding, width=4)
    at_once = sum(fed)
    monkeypatch.setitem(STEPS, "cpu", late)
    for found, hypotheses in zip(beam_search(model, prompts, decoding, width=4), expected, strict=True):
        assert_same(found, hypotheses)
    assert sum(fed) > 2 * at_once  # some were fed on


@torch.inference_mode()
def test_a_step_needs_no_number_from_the_device(monkeypatch):
    """On the meta device there are none: whoever asks for one gets an error."""
    monkeypatch.setitem(STEPS, "meta", 4)
    monkeypatch.setattr("polyctl.runtime.async_readback._send", lambda values: (values, None))
    model = tiny("modern", 0).to("meta")
    prompts = prompts_of([9, 2, 5])
    batch = Queue(model, prompts, 30).take(3)
    beams = _Beams(batch, 4, END)
    logits_BV, cache = model.prefill(batch.prompts, TreeCache)
    beams.step(logits_BV[:, None], None)
    for _ in range(4):
        cache.reorder(beams.parents_BW)
        done_B = beams.step(model.decode(beams.tokens_BW, cache), None)
    assert done_B.shape == (3,)
    with pytest.raises(NotImplementedError, match="meta"):
        done_B.tolist()


def test_new_problems_take_the_places_of_those_that_have_ended(monkeypatch):
    model, prompts = tiny("modern", 0, end_bias=0.5), prompts_of([9, 2, 5, 7, 7, 3, 4, 4] * 3)
    rows = []
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda ids, cache: rows.append(len(ids)) or decode(ids, cache))
    beam_search(model, prompts, Decoding(30, END, batch=4), width=4)
    refilled = rows
    monkeypatch.setattr(beam, "REFILL", 1.0)  # when all of a batch have ended
    rows = []
    beam_search(model, prompts, Decoding(30, END, batch=4), width=4)
    assert sum(refilled) == sum(rows)  # the same work in
    assert len(refilled) < len(rows)  # fewer steps
    assert max(refilled) == max(rows) == 4


@pytest.mark.parametrize("seed", range(3))
def test_stopping_early_changes_nothing(seed):
    model, prompts = tiny("modern", seed, end_bias=3.0), prompts_of([4, 7, 2], seed=seed)
    seen = Recorder()
    found = beam_search(model, prompts, Decoding(14, END), width=3, observer=seen)
    last = {s.key: s.step for s in seen.steps}
    assert min(last.values()) < 14
    for prompt, hypotheses in zip(prompts, found, strict=True):
        assert_same(hypotheses, plain_beam(model, prompt, 3, 14, early_stop=False)[0])


def test_log_probabilities_are_those_of_the_answers():
    model, prompt = tiny("modern", 5), prompts_of([6])[0]
    for hypothesis in beam_search(model, [prompt], Decoding(6, END), width=5)[0]:
        ids = [*hypothesis.tokens, END] if hypothesis.finished else list(hypothesis.tokens)
        total = sum(float(next_logp(model, prompt, ids[:n])[t]) for n, t in enumerate(ids))
        assert hypothesis.logprob == pytest.approx(total, abs=1e-4)
        assert END not in hypothesis.tokens


def test_a_beam_wide_enough_finds_every_answer_once():
    """Vocabulary 3, at most 3 tokens: 1 + 2 + 4 finished answers and 8 cut off, and no more."""
    model = tiny("modern", 1, vocabulary=3)
    found = beam_search(model, [[1, 2]], Decoding(3, END), width=50)[0]
    assert len({h.tokens for h in found if h.finished}) == sum(h.finished for h in found) == 7
    assert len({h.tokens for h in found if not h.finished}) == sum(not h.finished for h in found) == 8
    assert sum(np.exp(h.logprob) for h in found) == pytest.approx(1, abs=1e-4)


def test_the_order_of_prompts_and_the_batch_size_do_not_matter():
    model, prompts = tiny("modern", 2), prompts_of([3, 8, 1, 5, 5, 2, 9])
    whole = beam_search(model, prompts, Decoding(6, END), width=4)
    for batch in (1, 2, 7):
        for found, expected in zip(
            beam_search(model, prompts[::-1], Decoding(6, END, batch=batch), width=4),
            whole[::-1],
            strict=True,
        ):
            assert_same(found, expected)


@pytest.mark.parametrize("seed", range(3))
def test_width_one_is_greedy(seed):
    model, prompts = tiny("gpt2", seed, end_bias=1.0), prompts_of(LENGTHS, seed=seed)
    beams = beam_search(model, prompts, Decoding(10, END), width=1)
    assert_same([beam[0] for beam in beams], greedy(model, prompts, Decoding(10, END)))


def test_the_published_form_stops_where_its_block_is_full():
    model, prompts = tiny("gpt2"), prompts_of([45, 40])
    found = beam_search(model, prompts, Decoding(20, END), width=3)
    for prompt, hypotheses in zip(prompts, found, strict=True):
        assert_same(hypotheses, plain_beam(model, prompt, 3, 20)[0])
        assert max(len(prompt) + len(h.tokens) for h in hypotheses) <= 48


def test_the_modern_form_goes_on_behind_its_block():
    model = tiny("modern", end_bias=-9.0)
    found = beam_search(model, prompts_of([47]), Decoding(9, END), width=2)[0]
    assert [len(h.tokens) for h in found] == [9, 9]


def test_a_grammar_that_allows_nothing_ends_the_search():
    class Stuck(Alternating):
        def allowed(self, state):
            mask = super().allowed(state)
            mask[END] = False
            return mask & (state == 0)

    found = beam_search(tiny(), prompts_of([3, 4]), Decoding(9, END, grammar=Stuck()), width=3)
    assert found == [[], []]


def test_a_grammar_masks_but_does_not_renormalize():
    model, prompt = tiny("modern", 4), prompts_of([4])[0]
    for h in beam_search(model, [prompt], Decoding(4, END, grammar=Alternating()), width=3)[0]:
        ids = [*h.tokens, END] if h.finished else list(h.tokens)
        total = sum(float(next_logp(model, prompt, ids[:n])[t]) for n, t in enumerate(ids))
        assert h.logprob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("late", [0, 3])
def test_what_is_watched_is_shown_and_results_arrive_one_by_one(monkeypatch, late):
    monkeypatch.setitem(STEPS, "cpu", late)
    seen, keys = Recorder(20), [0, 10, 20]
    prompts = prompts_of([5, 3, 4])
    found = beam_search(tiny(), prompts, Decoding(3, END, batch=2), width=2, observer=seen, keys=keys)
    assert {s.key for s in seen.steps} == {20}
    assert [s.step for s in seen.steps] == [1, 2, 3]
    assert [seen.results[key] for key in keys] == found


@pytest.mark.parametrize("late", [0, 3])
def test_what_is_shown_has_the_log_probability_of_each_token(monkeypatch, late):
    monkeypatch.setitem(STEPS, "cpu", late)
    model, recorder, prompts = tiny("modern", 5), Recorder(), prompts_of(LENGTHS)
    beam_search(model, prompts, Decoding(5, END, batch=2), width=3, observer=recorder)
    assert recorder.steps
    for step in recorder.steps:
        for one in (*step.live, *step.finished):
            assert len(one.each) == len(one.tokens)
            for at, token in enumerate(one.tokens):
                logp = next_logp(model, prompts[step.key], one.tokens[:at])
                assert one.each[at] == pytest.approx(float(logp[token]), abs=1e-4)
    assert all(one.each == () for found in recorder.results.values() for one in found)


def test_the_model_keeps_its_mode_and_its_gradients():
    model = tiny("gpt2").train()
    model.dropout.p = 0.9
    for block in model.blocks:
        block.dropout.p = 0.9
    beams = [beam_search(model, [[1, 2, 3]], Decoding(4, END), width=3) for _ in range(2)]
    assert beams[0] == beams[1]  # no dropout while searching
    assert model.training
    model(torch.tensor([[1, 2]])).sum().backward()


@pytest.mark.parametrize(
    ("prompts", "width", "decoding", "message"),
    [
        ([[1], []], 2, Decoding(3, END), "prompt 1 is empty"),
        ([[1] * 48], 2, Decoding(3, END), "no room in a block of 48"),
        ([[1]], 0, Decoding(3, END), "beam width 0"),
        ([[1]], 2, Decoding(0, END), "max_tokens 0"),
        ([[1]], 2, Decoding(3, END, batch=0), "batch of 0"),
    ],
)
def test_impossible_requests_are_user_errors(prompts, width, decoding, message):
    with pytest.raises(UsageError, match=message):
        beam_search(tiny("gpt2"), prompts, decoding, width=width)


def test_no_prompts_give_no_results():
    assert beam_search(tiny(), [], Decoding(3, END), width=3) == []
