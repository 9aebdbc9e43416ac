"""The attention functions against plain formulas, and the way to flash-attn."""

import sys
import types

import pytest
import torch
from torch.nn import functional as F

from polyctl.model import attention


def test_causal_attention_is_a_masked_softmax():
    q, k, v = torch.randn(3, 2, 4, 7, 8).unbind(0)
    scores = (q @ k.transpose(-1, -2) / 8**0.5).masked_fill(~torch.ones(7, 7).tril().bool(), -torch.inf)
    torch.testing.assert_close(attention.causal_attention(q, k, v), scores.softmax(-1) @ v)


def test_decode_attention_is_one_softmax_over_prompt_and_suffix():
    problems, width, heads, prompt, suffix, size = 2, 3, 2, 5, 4, 8
    lengths = [5, 3]
    query = torch.randn(problems, heads, width, size)
    prompt_pair = (torch.randn(problems, heads, prompt, size), torch.randn(problems, heads, prompt, size))
    shape = (problems, width, heads, suffix, size)
    suffix_pair = (torch.randn(shape), torch.randn(shape))
    ended = torch.arange(min(lengths), prompt) >= torch.tensor(lengths)[:, None]
    padding = torch.where(ended, -torch.inf, 0.0)[:, None, None]
    out = attention.decode_attention(query, prompt_pair, suffix_pair, padding)
    for b in range(problems):
        for w in range(width):
            for h in range(heads):
                keys, values = (
                    torch.cat((p[b, h, : lengths[b]], s[b, w, h]))
                    for p, s in zip(prompt_pair, suffix_pair, strict=True)
                )
                weights = (keys @ query[b, h, w] / size**0.5).softmax(-1)
                torch.testing.assert_close(out[b, h, w], weights @ values)


@pytest.mark.parametrize(
    ("installed", "device", "dtype", "fits"),
    [
        (True, "cuda", torch.bfloat16, True),
        (True, "cuda", torch.float32, False),
        (True, "cpu", torch.bfloat16, False),
        (False, "cuda", torch.bfloat16, False),
    ],
)
def test_flash_takes_half_precision_on_a_gpu_only(monkeypatch, installed, device, dtype, fits):
    monkeypatch.setattr(attention, "FLASH_INSTALLED", installed)
    assert attention.flash_fits(device, dtype) is fits


def test_flash_is_called_with_tokens_before_heads(monkeypatch):
    def flash_attn_func(q, k, v, dropout_p, causal):
        assert q.shape == (2, 7, 4, 8)
        assert (dropout_p, causal) == (0.25, True)
        q, k, v = (x.transpose(1, 2) for x in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2)

    fake = types.ModuleType("flash_attn")
    fake.flash_attn_func = flash_attn_func
    monkeypatch.setitem(sys.modules, "flash_attn", fake)
    monkeypatch.setattr(attention, "flash_fits", lambda device, dtype: True)
    q, k, v = torch.randn(3, 2, 4, 7, 8).unbind(0)
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(attention.causal_attention(q, k, v, dropout=0.25), expected)


def test_bfloat16_on_a_processor_is_float32_rounded_once():
    q, k, v = (torch.randn(2, 3, 5, 8).bfloat16().requires_grad_() for _ in range(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        read = attention.causal_attention(q, k, v)
    exact = attention.causal_attention(q.float(), k.float(), v.float())
    assert read.dtype == torch.bfloat16
    assert torch.equal(read, exact.bfloat16())
    read.sum().backward()
    assert all(x.grad is not None and x.grad.isfinite().all() for x in (q, k, v))
