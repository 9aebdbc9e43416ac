"""Log-probabilities of whole groups in one differentiable pass, each prompt encoded once for its group.

The prompts run through the model by themselves and leave keys and values; every hypothesis then attends to
its prompt's and to its own earlier tokens. Gradients flow through both, so they equal those of the plain way
(prompt and hypothesis as one row each), at a fraction of its tokens.

Legend: G groups, W hypotheses a group, P prompt tokens, L hypothesis tokens, N of them that are no padding,
V vocabulary, D width, H heads, K head size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from polyctl.model.attention import causal_attention
from polyctl.model.gpt import GPT


@dataclass(frozen=True)
class GroupBatch:
    """Groups as tensors: the tokens that search emitted, the end token of finished hypotheses included.

    `mask_GWL` is 1 where a token was emitted; groups with fewer than W hypotheses have empty rows.
    """

    prompt_GP: torch.Tensor
    lengths_G: torch.Tensor
    tokens_GWL: torch.Tensor
    mask_GWL: torch.Tensor
    advantage_GW: torch.Tensor

    @classmethod
    def of(
        cls,
        prompts: Sequence[Sequence[int]],
        emitted: Sequence[Sequence[Sequence[int]]],
        advantages: Sequence[Sequence[float]],
        device: torch.device | str = "cpu",
    ) -> GroupBatch:
        """The batch of these prompts, emitted token sequences and advantages."""
        groups, width = len(prompts), max(map(len, emitted))
        longest = max(len(tokens) for group in emitted for tokens in group)
        prompt_GP = torch.zeros(groups, max(map(len, prompts)), dtype=torch.long)
        tokens_GWL = torch.zeros(groups, width, longest, dtype=torch.long)
        mask_GWL = torch.zeros(groups, width, longest)
        advantage_GW = torch.zeros(groups, width)
        for g, (prompt, group) in enumerate(zip(prompts, emitted, strict=True)):
            prompt_GP[g, : len(prompt)] = torch.tensor(prompt)
            advantage_GW[g, : len(group)] = torch.tensor(advantages[g])
            for w, tokens in enumerate(group):
                tokens_GWL[g, w, : len(tokens)] = torch.tensor(tokens)
                mask_GWL[g, w, : len(tokens)] = 1.0
        lengths_G = torch.tensor([len(prompt) for prompt in prompts])
        tensors = (prompt_GP, lengths_G, tokens_GWL, mask_GWL, advantage_GW)
        return cls(*(tensor.to(device) for tensor in tensors))

    @property
    def tokens(self) -> int:
        """Tokens that the model reads in one pass."""
        return int(self.lengths_G.sum()) + int(self.mask_GWL.sum())


@dataclass(frozen=True)
class Scores:
    """Log-probability of each token, and the distribution it was judged by with its entropy (no gradient).

    `wanted_GWL` is true at the N tokens that are no padding.
    """

    logp_GWL: torch.Tensor
    entropy_GWL: torch.Tensor
    logp_NV: torch.Tensor
    wanted_GWL: torch.Tensor


def score(model: GPT, batch: GroupBatch) -> Scores:
    """Log-probabilities of a batch's tokens given prompt and earlier tokens; what is masked is arbitrary."""
    hidden_GWLD = hidden_of_groups(model, batch.prompt_GP, batch.lengths_G, batch.tokens_GWL)
    wanted_GWL = batch.mask_GWL > 0
    # the head is applied only where there are tokens: it is the costliest part of a small model
    logits_NV = model.logits(hidden_GWLD[wanted_GWL])
    logp_NV = torch.log_softmax(logits_NV, dim=-1, dtype=_full(logits_NV.dtype))
    logp_N = logp_NV.gather(1, batch.tokens_GWL[wanted_GWL][:, None]).squeeze(1)
    detached_NV = logp_NV.detach()
    entropy_N = -(detached_NV.exp() * detached_NV).sum(-1)
    zeros_GWL = torch.zeros_like(batch.mask_GWL, dtype=logp_N.dtype)
    return Scores(
        zeros_GWL.masked_scatter(wanted_GWL, logp_N),
        zeros_GWL.masked_scatter(wanted_GWL, entropy_N),
        logp_NV,
        wanted_GWL,
    )


def hidden_of_groups(
    model: GPT, prompt_GP: torch.Tensor, lengths_G: torch.Tensor, tokens_GWL: torch.Tensor
) -> torch.Tensor:
    """hidden_GWLD from which each token of each hypothesis is predicted.

    Prompts are right-padded to P, lengths_G says where they end. Dropout is off: run the model in eval mode.
    """
    groups, width, longest = tokens_GWL.shape
    kept: list[tuple[torch.Tensor, torch.Tensor]] = []

    def read_prompt(_: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        kept.append((k.to(v.dtype), v))
        return causal_attention(q, k, v)

    positions_P = torch.arange(prompt_GP.shape[1], device=prompt_GP.device)
    prompt_GPD = model.run_blocks(model.embed(prompt_GP), positions_P, read_prompt)
    rows_G = torch.arange(groups, device=prompt_GP.device)
    last_G1D = prompt_GPD[rows_G, lengths_G - 1][:, None]
    first_GW1D = last_G1D[:, :, None].expand(-1, width, -1, -1)
    if longest == 1:
        return first_GW1D

    inputs = tokens_GWL[:, :, :-1].flatten(0, 1)
    steps = torch.arange(longest - 1, device=inputs.device)
    positions = (lengths_G[:, None] + steps).repeat_interleave(width, dim=0)
    if model.is_gpt2:  # padding may stand beyond the block; its positions are never used
        positions = positions.clamp(max=model.config.context_length - 1)
    padding_G11P = (positions_P >= lengths_G[:, None])[:, None, None]
    later_SS = torch.ones(longest - 1, longest - 1, dtype=torch.bool, device=inputs.device).triu(1)

    def read_both(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return shared_attention(q, k, v, kept[layer], padding_G11P, later_SS)

    hidden = model.run_blocks(model.embedding(inputs), positions, read_both)
    rest_GWSD = hidden.view(groups, width, longest - 1, -1)
    return torch.cat((first_GW1D, rest_GWSD), dim=2)


def shared_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    prompt: tuple[torch.Tensor, torch.Tensor],
    padding_G11P: torch.Tensor,
    later_SS: torch.Tensor,
) -> torch.Tensor:
    """Hypotheses (G·W, H, S, K) attend to the prompt of their group (G, H, P, K) and to themselves.

    All queries of a group meet the prompt's keys in one product, so nothing is copied per hypothesis. True in
    `padding_G11P` and `later_SS` hides a key.
    """
    prompt_key, prompt_value = prompt
    groups, heads, length, size = prompt_key.shape
    steps = query.shape[2]
    query = query.to(value.dtype) * size**-0.5

    def gathered(x: torch.Tensor) -> torch.Tensor:  # (G·W, H, S, ·) -> (G, H, W·S, ·)
        return x.view(groups, -1, heads, steps, x.shape[-1]).transpose(1, 2).flatten(2, 3)

    scores_prompt = gathered(query) @ prompt_key.transpose(-1, -2)
    scores_prompt = scores_prompt.masked_fill(padding_G11P, -torch.inf)
    scores_own = (query @ key.to(value.dtype).transpose(-1, -2)).masked_fill(later_SS, -torch.inf)
    scores = torch.cat((scores_prompt, gathered(scores_own)), dim=-1)
    weights = scores.softmax(-1, dtype=_full(scores.dtype)).to(value.dtype)
    read = weights[..., :length] @ prompt_value

    def scattered(x: torch.Tensor) -> torch.Tensor:  # (G, H, W·S, ·) -> (G·W, H, S, ·)
        return x.reshape(groups, heads, -1, steps, x.shape[-1]).transpose(1, 2).flatten(0, 1)

    return scattered(read) + scattered(weights[..., length:]) @ value


def _full(dtype: torch.dtype) -> torch.dtype:
    """At least single precision, for sums of exponentials."""
    return torch.promote_types(dtype, torch.float32)
