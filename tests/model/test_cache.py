"""Cached decoding against whole forward passes, with ragged prompts, reordering and departures."""

import pytest
import torch

from tests.model.test_gpt import FORMS, lively

TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


PROMPTS = [[1, 2, 3, 4, 5, 6, 7], [8, 9], [3, 1, 4, 1]]


@pytest.mark.parametrize("form", FORMS)
@torch.inference_mode()
def test_prefill_gives_the_logits_behind_each_prompt(form):
    model = lively(form)
    logits_BV, cache = model.prefill(PROMPTS)
    for row, prompt in enumerate(PROMPTS):
        torch.testing.assert_close(logits_BV[row], model(torch.tensor([prompt]))[0, -1], **TOLERANCE)
    assert cache.steps == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("width", [1, 5])
@torch.inference_mode()
def test_decode_equals_an_uncached_pass(form, width):
    """Random parents each step; problem 1 leaves after step 3; more steps than one growth of the suffix."""
    model, steps = lively(form, block=60), 40
    generator = torch.Generator().manual_seed(1)
    prompts = [list(p) for p in PROMPTS]
    answers = [[[] for _ in range(width)] for _ in prompts]
    _, cache = model.prefill(prompts)
    for step in range(steps):
        tokens = torch.randint(13, (len(prompts), width), generator=generator)
        logits = model.decode(tokens, cache)
        for row, prompt in enumerate(prompts):
            for w in range(width):
                answers[row][w] = [*answers[row][w], int(tokens[row, w])]
            whole = torch.tensor([prompt + answer for answer in answers[row]])
            torch.testing.assert_close(logits[row], model(whole)[:, -1], **TOLERANCE)
        if step == 3:
            cache.keep(torch.tensor([0, 2]))
            prompts, answers = [prompts[0], prompts[2]], [answers[0], answers[2]]
        parents = torch.randint(width, (len(prompts), width), generator=generator)
        cache.reorder(parents)
        answers = [[answers[b][p] for p in row] for b, row in enumerate(parents.tolist())]
    assert cache.steps == steps


@torch.inference_mode()
def test_reordering_leaves_the_prompt_where_it_is():
    model = lively("modern")
    _, cache = model.prefill(PROMPTS)
    model.decode(torch.zeros(3, 4, dtype=torch.long), cache)
    before = [(k.data_ptr(), v.data_ptr()) for k, v in cache._prompt]
    cache.reorder(torch.tensor([[3, 3, 1, 0]] * 3))
    assert [(k.data_ptr(), v.data_ptr()) for k, v in cache._prompt] == before
    assert cache._prompt[0][0].shape == (3, 2, 7, 8)  # once a problem, not once a hypothesis


@torch.inference_mode()
def test_prompts_of_equal_length_need_no_padding_mask():
    model = lively("modern")
    assert model.prefill([[1, 2], [3, 4]])[1].padding_B11P is None
    assert model.prefill(PROMPTS)[1].padding_B11P is not None
