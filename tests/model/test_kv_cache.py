"""Cached decoding against whole forward passes, with ragged prompts, reordering and departures."""

import pytest
import torch

from polyctl.model.kv_cache import RolloutCache, TreeCache
from tests.model.test_gpt import ARCHITECTURES, lively

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


PROMPTS = [[1, 2, 3, 4, 5, 6, 7], [8, 9], [3, 1, 4, 1]]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", [RolloutCache, TreeCache])
@torch.inference_mode()
def test_prefill_gives_the_logits_behind_each_prompt(architecture, kind):
    model = lively(architecture)
    logits_BV, cache = model.prefill(PROMPTS, kind)
    for row, prompt in enumerate(PROMPTS):
        torch.testing.assert_close(logits_BV[row], model(torch.tensor([prompt]))[0, -1], **TOLERANCE)
    assert torch.equal(cache.positions_B, cache.lengths_B)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("width", [1, 5])
@pytest.mark.parametrize("kind", [RolloutCache, TreeCache])
@torch.inference_mode()
def test_decode_equals_an_uncached_pass(architecture, width, kind):
    """Random parents each step in a tree; problem 1 leaves after step 3; more steps than one growth."""
    model, steps = lively(architecture, context_length=60), 40
    generator = torch.Generator().manual_seed(1)
    prompts = [list(p) for p in PROMPTS]
    answers = [[[] for _ in range(width)] for _ in prompts]
    _, cache = model.prefill(prompts, kind)
    for step in range(steps):
        tokens = torch.randint(13, (len(prompts), width), generator=generator)
        logits = model.decode(tokens, cache)
        for row, prompt in enumerate(prompts):
            for w in range(width):
                answers[row][w] = [*answers[row][w], int(tokens[row, w])]
            whole = torch.tensor([prompt + answer for answer in answers[row]])
            torch.testing.assert_close(logits[row], model(whole)[:, -1], **TOLERANCE)
        if step == 3:
            cache.keep([0, 2])
            prompts, answers = [prompts[0], prompts[2]], [answers[0], answers[2]]
        if kind is TreeCache:
            parents = torch.randint(width, (len(prompts), width), generator=generator)
            cache.reorder(parents)
            answers = [[answers[b][p] for p in row] for b, row in enumerate(parents.tolist())]
    assert torch.equal(cache.positions_B, cache.lengths_B + steps)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("steps_before", [0, 1, 6])
@torch.inference_mode()
def test_problems_that_join_later_are_decoded_as_if_alone(architecture, steps_before):
    """Each at its own position; the late ones are longer than all before, or shorter."""
    model, width, late = lively(architecture, context_length=60), 3, [[7] * 12, [4]]
    generator = torch.Generator().manual_seed(2)
    prompts, answers = [list(p) for p in PROMPTS], [[[] for _ in range(width)] for _ in PROMPTS]
    _, cache = model.prefill(prompts, TreeCache)
    for step in range(steps_before + 5):
        if step == steps_before:
            cache.keep([0, 2])
            _, other = model.prefill(late, TreeCache)
            cache.join(other)
            prompts = [prompts[0], prompts[2], *late]
            answers = [answers[0], answers[2], *([[] for _ in range(width)] for _ in late)]
        tokens = torch.randint(13, (len(prompts), width), generator=generator)
        logits = model.decode(tokens, cache)
        for row, prompt in enumerate(prompts):
            answers[row] = [[*a, t] for a, t in zip(answers[row], tokens[row].tolist(), strict=True)]
            whole = torch.tensor([prompt + answer for answer in answers[row]])
            torch.testing.assert_close(logits[row], model(whole)[:, -1], **TOLERANCE)
        parents = torch.randint(width, (len(prompts), width), generator=generator)
        cache.reorder(parents)
        answers = [[answers[b][p] for p in row] for b, row in enumerate(parents.tolist())]


@torch.inference_mode()
def test_reordering_moves_no_keys_and_values():
    model = lively("modern")
    _, cache = model.prefill(PROMPTS, TreeCache)
    model.decode(torch.zeros(3, 4, dtype=torch.long), cache)
    before = [(k.data_ptr(), v.data_ptr(), k.clone(), v.clone()) for k, v in cache._prompt]
    cache.reorder(torch.tensor([[3, 3, 1, 0]] * 3))
    for (k, v), (k_at, v_at, k_was, v_was) in zip(cache._prompt, before, strict=True):
        assert (k.data_ptr(), v.data_ptr()) == (k_at, v_at)
        assert torch.equal(k, k_was)
        assert torch.equal(v, v_was)


@torch.inference_mode()
def test_slots_of_dead_hypotheses_are_written_again():
    """All hypotheses descend from the first each time: a step's shared ancestor and its leaves, no more."""
    model, steps, width = lively("modern"), 20, 8
    _, cache = model.prefill(PROMPTS, TreeCache)
    for _ in range(steps):
        model.decode(torch.zeros(3, width, dtype=torch.long), cache)
        cache.reorder(torch.zeros(3, width, dtype=torch.long))
    assert cache._used == [len(prompt) + steps - 1 + width for prompt in PROMPTS]
    assert cache._prompt[0][0].shape[1] < 7 + steps * width


@torch.inference_mode()
def test_small_problems_share_a_call_and_large_ones_do_not(monkeypatch):
    model = lively("modern")
    for call, calls in ((0, 3), (10**9, 1)):
        monkeypatch.setattr("polyctl.model.kv_cache.CALL", call)
        _, cache = model.prefill(PROMPTS, TreeCache)
        logits = model.decode(torch.full((3, 4), 5), cache)
        assert len(cache._groups) == calls
        whole = torch.stack([model(torch.tensor([[*prompt, 5]]))[0, -1] for prompt in PROMPTS])
        torch.testing.assert_close(logits, whole[:, None].expand(-1, 4, -1), **TOLERANCE)


@torch.inference_mode()
def test_prompts_of_equal_length_need_no_padding_mask():
    model = lively("modern")
    assert model.prefill([[1, 2], [3, 4]], RolloutCache)[1]._ended_BP() is None
    assert model.prefill(PROMPTS, RolloutCache)[1]._ended_BP().shape == (3, 5)
