"""Attention over whole sequences, and of many hypotheses over a prompt that they share.

Two packages bring faster kernels: flash-attn 2 (`from flash_attn import …`), and flash-attn-4, which puts
`flash_attn.cute` into the same name space and alone leaves `flash_attn` without functions. Which of them
works is tried out once for each device, type and head size (`flash_version`).

Legend: B problems, W beams, T tokens, P positions where some prompt has ended, S suffix tokens,
H heads, K head size.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from typing import Any

import torch
from torch.nn import functional as F

FLASH_MODULES = {2: "flash_attn", 4: "flash_attn.cute"}  # by version, where flash_attn_func lives
FLASH_CAPABILITY = (8, 0)


def causal_attention(
    query_BHTK: torch.Tensor, key_BHTK: torch.Tensor, value_BHTK: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    """Each token attends to itself and all before it; (B, H, T, K).

    flash-attn computes it if it is installed and works and the tensors are half precision on a GPU, otherwise
    torch's scaled_dot_product_attention.
    """
    query, key = query_BHTK.to(value_BHTK.dtype), key_BHTK.to(value_BHTK.dtype)
    version = flash_version(value_BHTK.device, value_BHTK.dtype, value_BHTK.shape[-1])
    if version == 2 or (version == 4 and dropout == 0):  # flash-attn-4 has no dropout
        return _flash(version, query, key, value_BHTK, dropout)
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


# -- flash-attn ------------------------------------------------------------------------------------

_functions: dict[int, Any] = {}  # by version flash_attn_func, or what its import raised
_versions: dict[tuple[torch.device, torch.dtype, int], int] = {}
_warned = False


def flash_version(device: torch.device, dtype: torch.dtype, size: int) -> int:
    """The version of flash-attn that computes attention with heads of that size there; 0 for torch's own.

    Warns once if flash-attn is installed and cannot be used.
    """
    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return 0
    if (device, dtype, size) not in _versions:
        _versions[device, dtype, size] = _find_version(device, dtype, size)
    return _versions[device, dtype, size]


def mark_constants() -> None:
    """Tell torch.compile that `flash_version` is a constant; call this before a model is compiled.

    It is no decorator because it imports the whole compiler, which takes as long as importing torch.
    """
    torch.compiler.assume_constant_result(flash_version)  # type: ignore[no-untyped-call, unused-ignore]


def _find_version(device: torch.device, dtype: torch.dtype, size: int) -> int:
    global _warned
    if importlib.util.find_spec("flash_attn") is None:
        return 0
    reasons = []
    if (capability := torch.cuda.get_device_capability(device)) < FLASH_CAPABILITY:
        reasons.append(f"{device} has compute capability {capability[0]}.{capability[1]}, below 8.0")
    else:
        for version, module in FLASH_MODULES.items():
            try:
                _try_out(version, device, dtype, size)
                return version
            except Exception as error:  # a wheel that does not fit torch or the card may raise anything
                reasons.append(f"{module}: {type(error).__name__}: {error}")
    if not _warned:
        _warned = True
        warnings.warn(
            "flash-attn is installed but cannot be used, scaled_dot_product_attention computes attention "
            f"instead: {'; '.join(reasons)}",
            RuntimeWarning,
            stacklevel=3,
        )
    return 0


def _load(version: int) -> None:
    """Import flash_attn_func of that version, once; raises what the import raised."""
    if version not in _functions:
        try:
            _functions[version] = importlib.import_module(FLASH_MODULES[version]).flash_attn_func
        except Exception as error:
            _functions[version] = error
    if isinstance(_functions[version], Exception):
        raise _functions[version]


def _try_out(version: int, device: torch.device, dtype: torch.dtype, size: int) -> None:
    """One small pass forward and back, which draws no random numbers; raises what flash-attn raises."""
    _load(version)
    with torch.inference_mode(False), torch.enable_grad():
        x_BHTK = torch.ones(1, 1, 8, size, device=device, dtype=dtype, requires_grad=True)
        _flash(version, x_BHTK, x_BHTK, x_BHTK, 0.0).sum().backward()  # type: ignore[no-untyped-call]


def _flash(
    version: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float
) -> torch.Tensor:
    # flash-attn wants tokens before heads
    query, key, value = (x_BHTK.transpose(1, 2) for x_BHTK in (query, key, value))
    options = {"dropout_p": dropout} if version == 2 else {}
    out_BTHK = _functions[version](query, key, value, causal=True, **options)
    if isinstance(out_BTHK, tuple):  # some releases of flash-attn-4 return the log-sum-exp as well
        out_BTHK = out_BTHK[0]
    return out_BTHK.transpose(1, 2)  # type: ignore[no-any-return]
