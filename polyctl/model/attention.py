"""Attention over whole sequences, and of many hypotheses over a prompt that they share.

Legend: B problems, W beams, T tokens, P positions where some prompt has ended, S suffix tokens,
H heads, K head size.
"""

from __future__ import annotations

import importlib.util

import torch
from torch.nn import functional as F

FLASH_INSTALLED = importlib.util.find_spec("flash_attn") is not None  # looked up, not imported


def causal_attention(
    query_BHTK: torch.Tensor, key_BHTK: torch.Tensor, value_BHTK: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    """Each token attends to itself and all before it; (B, H, T, K).

    flash-attn computes it where it is installed and the tensors are half precision on a GPU, otherwise
    torch's scaled_dot_product_attention.
    """
    query, key = query_BHTK.to(value_BHTK.dtype), key_BHTK.to(value_BHTK.dtype)
    if flash_fits(value_BHTK.device.type, value_BHTK.dtype):
        return _flash(query, key, value_BHTK, dropout)
    if value_BHTK.device.type == "cpu" and value_BHTK.dtype == torch.bfloat16:
        # torch's bfloat16 kernel for processors takes ten times as long on the way back (docs/log.md)
        with torch.autocast("cpu", enabled=False):
            return causal_attention(query.float(), key.float(), value_BHTK.float(), dropout).bfloat16()
    return F.scaled_dot_product_attention(query, key, value_BHTK, dropout_p=dropout, is_causal=True)


def prompt_attention(
    query_BH1K: torch.Tensor, key_BHTK: torch.Tensor, value_BHTK: torch.Tensor, real_BT: torch.Tensor
) -> torch.Tensor:
    """The last token of each prompt attends to the prompt, where `real_BT` is true; (B, H, 1, K)."""
    query, key = query_BH1K.to(value_BHTK.dtype), key_BHTK.to(value_BHTK.dtype)
    return F.scaled_dot_product_attention(query, key, value_BHTK, attn_mask=real_BT[:, None, None])


def decode_attention(
    query_BHWK: torch.Tensor,
    prompt_BHTK: tuple[torch.Tensor, torch.Tensor],
    suffix_BWHSK: tuple[torch.Tensor, torch.Tensor],
    padding_B11P: torch.Tensor | None,
) -> torch.Tensor:
    """The newest token of W hypotheses a problem attends to their shared prompt and to each one's own suffix.

    Keys and values come as pairs. `padding_B11P` is added to the scores of the last P prompt positions: -inf
    where padding stands. The prompt is read once for all W queries (one matrix product), which is why this is
    not scaled_dot_product_attention. Returns (B, H, W, K).
    """
    prompt_key, prompt_value = prompt_BHTK
    suffix_key, suffix_value = suffix_BWHSK
    (problems, heads, width, size), length = query_BHWK.shape, prompt_key.shape[2]
    query = query_BHWK.to(prompt_key.dtype) * size**-0.5
    scores = query.new_empty(problems, heads, width, length + suffix_key.shape[3])
    # products straight into their part of the scores, since a concatenation would copy all of them
    torch.bmm(
        query.reshape(problems * heads, width, size),
        prompt_key.flatten(0, 1).transpose(1, 2),
        out=scores.flatten(0, 1)[..., :length],
    )
    if padding_B11P is not None:
        scores[..., length - padding_B11P.shape[-1] : length] += padding_B11P
    query_BWH1K = query.transpose(1, 2).unsqueeze(3)
    scores[..., length:] = (query_BWH1K @ suffix_key.transpose(-1, -2)).squeeze(3).transpose(1, 2)
    weights = scores.softmax(-1, dtype=torch.float32).to(prompt_value.dtype)
    own_BWH1S = weights[..., length:].transpose(1, 2).unsqueeze(3)
    own_BWHK = (own_BWH1S @ suffix_value).squeeze(3)
    # the sum lies in memory as (B, W, H, K), so that joining the heads copies nothing
    read_BWHK: torch.Tensor = own_BWHK + (weights[..., :length] @ prompt_value).transpose(1, 2)
    return read_BWHK.transpose(1, 2)


def flash_fits(device: str, dtype: torch.dtype) -> bool:
    """Whether flash-attn is there and can take tensors of this kind."""
    return FLASH_INSTALLED and device == "cuda" and dtype in (torch.float16, torch.bfloat16)


def _flash(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float) -> torch.Tensor:
    from flash_attn import flash_attn_func  # type: ignore[import-not-found, unused-ignore]

    # flash-attn wants tokens before heads
    out_BTHK = flash_attn_func(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), dropout_p=dropout, causal=True
    )
    return out_BTHK.transpose(1, 2)  # type: ignore[no-any-return]
