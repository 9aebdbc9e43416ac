"""The transformer, in two architectures: `gpt2` is minGPT's, as published, `modern` is polyctl's.

gpt2: LayerNorm before each part, learned positions, GELU, biases, dropout, separate head.
modern: RMSNorm, rotary positions, normalized queries and keys, squared ReLU, no biases, no dropout, tied
head; matrices start at a scale of 1/sqrt(inputs), so that narrow models learn as early as wide ones.

Legend: B problems, W beams, T tokens, D width, H heads, K head size, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from polyctl.config.schema import Experiment, ModelConfig
from polyctl.data.tokenizers.base import END, FIRST_LIMB, MINUS, TokenLayout, token_layout
from polyctl.errors import UsageError
from polyctl.model.attention import causal_attention, prompt_attention
from polyctl.model.kv_cache import Cache
from polyctl.model.number_features import START, NumberFeatures, RatioFeatures
from polyctl.model.onednn import linear, linear_gelu

INIT_STD = 0.02
ROTARY_BASE = 10_000.0

# attend(layer, query, key, value) -> what the heads read, all (B, H, T, K)
Attend = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
Rotation = tuple[torch.Tensor, torch.Tensor] | None
C = TypeVar("C", bound=Cache)


class GPT(nn.Module):
    """A decoder-only transformer with whole-sequence and cached forward passes.

    `tokens` is their layout, or the size of a vocabulary with one token a position.
    """

    def __init__(self, config: ModelConfig, tokens: TokenLayout | int) -> None:
        super().__init__()
        self.config = config
        self.tokens = TokenLayout(tokens) if isinstance(tokens, int) else tokens
        self.vocabulary = vocabulary = self.tokens.vocabulary
        self.is_gpt2 = config.architecture == "gpt2"
        self.head_size = config.width // config.heads
        if not self.is_gpt2 and self.head_size % 2:
            raise UsageError(
                "the modern architecture needs an even head size, "
                f"not width {config.width} / heads {config.heads}",
                "change model.width or model.heads",
            )
        self.embedding = nn.Embedding(vocabulary, config.width)
        if self.is_gpt2:
            self.positions = nn.Embedding(config.context_length, config.width)
            self.head = nn.Linear(config.width, vocabulary, bias=False)
        self.places = nn.ModuleList(
            nn.Linear(config.width, config.width, bias=False)
            for _ in range(self.tokens.tokens_per_position - 1)
        )
        if config.residues:
            self.numbers = NumberFeatures(config.residues, config.width)
        if config.ratios:
            self.ratios = RatioFeatures(config.residues, config.width)
        self.dropout = nn.Dropout(config.dropout if self.is_gpt2 else 0.0)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = _norm(config, config.width)
        self._initialize()

    @classmethod
    def of(cls, experiment: Experiment, vocabulary: int) -> GPT:
        """A fresh model for an experiment, over the tokens of its tokenizer."""
        return cls(experiment.model, token_layout(experiment.data, vocabulary))

    def _initialize(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue  # biases start at zero and norms at one, see below and in torch
            std = INIT_STD
            if not self.is_gpt2 and name.startswith(("blocks", "places")):
                std = parameter.shape[1] ** -0.5
            elif name.startswith(("numbers", "ratios")):
                std = START
            if name.endswith("project.weight"):
                std /= math.sqrt(2 * self.config.layers)  # the stream's size does not grow with depth
            nn.init.normal_(parameter, std=std)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, ids_BT: torch.Tensor) -> torch.Tensor:
        """logits_BTV of every position."""
        return self.logits(self.hidden(ids_BT))

    def hidden(self, ids_BT: torch.Tensor) -> torch.Tensor:
        """hidden_BTD behind the last norm. Causal, so padding on the right needs no mask."""
        dropout = self.dropout.p if self.training else 0.0

        def attend(_: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            return causal_attention(q, k, v, dropout)

        tokens = ids_BT.shape[1]
        if self.is_gpt2 and tokens > self.config.context_length:
            raise ValueError(f"{tokens} tokens exceed the context length of {self.config.context_length}")
        return self.run_blocks(self.embed(ids_BT), torch.arange(tokens, device=ids_BT.device), attend)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """The head, over any leading dimensions: (…, D) to (…, V)."""
        logits: torch.Tensor = self.head(hidden) if self.is_gpt2 else F.linear(hidden, self.embedding.weight)
        return logits

    def prefill(self, prompts: Sequence[Sequence[int]], kind: type[C]) -> tuple[torch.Tensor, C]:
        """(logits_BV after each prompt's last token, the cache to decode with, of that kind).

        The prompts run one behind the other, without padding; only attention sees them side by side. In the
        last layer only their last tokens continue after the keys and values.
        """
        device, lengths_B = self.embedding.weight.device, np.array([len(prompt) for prompt in prompts])
        real_BT = np.arange(lengths_B.max()) < lengths_B[:, None]
        ends_B = lengths_B.cumsum() - 1
        # the place of each token; padding repeats the last one, since what is not visible must be finite
        place_BT = np.minimum(real_BT.cumsum(1), lengths_B[:, None]) + (ends_B - lengths_B)[:, None]
        real, ends, place = (torch.from_numpy(x).to(device) for x in (real_BT, ends_B, place_BT))
        row_N, position_N = (torch.from_numpy(x).to(device) for x in real_BT.nonzero())
        cache = kind(lengths_B.tolist(), device)

        def side_by_side(x_1HNK: torch.Tensor) -> torch.Tensor:
            return x_1HNK[0].transpose(0, 1)[place].transpose(1, 2)

        def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            key_BHTK, value_BHTK = side_by_side(k.to(v.dtype)), side_by_side(v)
            cache.add_prompt(key_BHTK, value_BHTK)
            if layer == self.config.layers - 1:
                query_BH1K = q[0].transpose(0, 1)[ends][:, :, None]
                return prompt_attention(query_BH1K, key_BHTK, value_BHTK, real).permute(2, 1, 0, 3)
            read_BHTK = causal_attention(side_by_side(q), key_BHTK, value_BHTK)
            return read_BHTK.transpose(1, 2)[row_N, position_N].transpose(0, 1)[None]

        ids_1N = torch.from_numpy(np.concatenate([np.array(prompt) for prompt in prompts])[None]).to(device)
        return self.logits(self.run_blocks(self.embed(ids_1N), position_N, attend, ends)[0]), cache

    def decode(self, ids_BW: torch.Tensor, cache: Cache) -> torch.Tensor:
        """logits_BWV after one more token of each of the W hypotheses of each of the B problems."""

        def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            return cache.attend(layer, q, k.to(v.dtype), v)

        positions_B1 = cache.positions_B[:, None]
        if self.is_gpt2:  # a problem that has ended may be fed until it leaves
            positions_B1 = positions_B1.clamp(max=self.config.context_length - 1)
        hidden_BWD = self.run_blocks(self.embedding(ids_BW), positions_B1, attend)
        cache.advance()
        return self.logits(hidden_BWD)

    def parameter_count(self) -> int:
        """The number of weights; a tied head counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Vectors (…, D) of positions that may hold several tokens each, as digits in base V, lowest first.

        Further tokens go through a matrix of their place and are added to the first one; 0 is an empty place.
        The limbs, from the third place on, show what number they make, too, and its ratio to the first one.
        """
        if self.tokens.tokens_per_position == 1:
            alone: torch.Tensor = self.embedding(ids)
            return alone
        x: torch.Tensor = self.embedding(ids % self.vocabulary)
        ends, value, negative = ids == END, torch.zeros_like(ids), torch.zeros_like(ids, dtype=torch.bool)
        for place, matrix in enumerate(self.places.children(), start=1):
            ids = ids // self.vocabulary
            token = ids % self.vocabulary
            assert isinstance(matrix, nn.Linear)
            x = x + linear(matrix, self.embedding(token) * (token > 0)[..., None])
            if place == 1:
                negative = token == MINUS
            else:
                value = value * self.tokens.base + (token - FIRST_LIMB).clamp(min=0)
        if self.config.residues:
            x = x + self.numbers(value)
        if self.config.ratios:
            x = x + self.ratios(value, negative, _leading(value, ends))
        return x

    def run_blocks(
        self, x: torch.Tensor, positions: torch.Tensor, attend: Attend, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        """All blocks; `positions` is (T,) or, one for all hypotheses of a problem, (B, 1).

        `kept`: the only tokens that are wanted, which are all that the last layer's `attend` returns then.
        """
        rotation: Rotation = None
        if self.is_gpt2:
            x = self.dropout(x + self.positions(positions))
        else:
            x = F.rms_norm(x, (x.shape[-1],))  # the stream starts at unit size, whatever the head wants
            rotation = _rotation(positions, self.head_size)
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            x = block(x, layer, rotation, attend, kept if layer == last else None)
        out: torch.Tensor = self.norm(x)
        return out


class Block(nn.Module):
    """Attention, then a perceptron four times as wide, each behind a norm and added to the stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        is_gpt2, width = config.architecture == "gpt2", config.width
        self.heads = config.heads
        self.attention_norm = _norm(config, width)
        self.qkv = nn.Linear(width, 3 * width, bias=is_gpt2)
        self.attention_project = nn.Linear(width, width, bias=is_gpt2)
        self.query_norm: nn.Module = nn.Identity()
        self.key_norm: nn.Module = nn.Identity()
        if not is_gpt2:
            self.query_norm = _norm(config, width // config.heads)
            self.key_norm = _norm(config, width // config.heads)
        self.mlp_norm = _norm(config, width)
        self.expand = nn.Linear(width, 4 * width, bias=is_gpt2)
        self.mlp_project = nn.Linear(4 * width, width, bias=is_gpt2)
        self.activation = partial(linear_gelu, form=config.gelu) if is_gpt2 else _squared_relu
        self.dropout = nn.Dropout(config.dropout if is_gpt2 else 0.0)

    def forward(
        self,
        x_BTD: torch.Tensor,
        layer: int,
        rotation: Rotation,
        attend: Attend,
        kept: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """x_BTD after this block; `attend` decides what the tokens see. Of `kept` tokens alone, if given."""
        rows, tokens, _ = x_BTD.shape
        qkv = linear(self.qkv, self.attention_norm(x_BTD)).view(rows, tokens, 3, self.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, T, K)
        query, key = _rotate(self.query_norm(query), rotation), _rotate(self.key_norm(key), rotation)
        read_BHTK = attend(layer, query, key, value)
        if kept is not None:
            x_BTD = x_BTD[:, kept]
        read_BTD = read_BHTK.transpose(1, 2).reshape(x_BTD.shape)
        x_BTD = x_BTD + self.dropout(linear(self.attention_project, read_BTD))
        inside = self.activation(self.expand, self.mlp_norm(x_BTD))
        out: torch.Tensor = x_BTD + self.dropout(linear(self.mlp_project, inside))
        return out


class RMSNorm(nn.Module):
    """Root-mean-square norm with a gain; takes inputs in half precision without a detour."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x scaled to unit size over its last dimension, in its own dtype."""
        # torch's fused kernel wants gain and input of one dtype, which autocast does not provide
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), 1e-6)


def _norm(config: ModelConfig, width: int) -> nn.Module:
    return nn.LayerNorm(width) if config.architecture == "gpt2" else RMSNorm(width)


def _squared_relu(module: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    positive = F.relu(linear(module, x))
    return positive * positive  # autocast on a GPU would take a power to float32


def _leading(value: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """The first positive number of each prompt, at the prompt's positions from that number on.

    Prompts may stand one behind the other, each up to its end token.
    """
    seen = (value > 0).cumsum(-1)
    before = F.pad(torch.where(ends, seen, 0).cummax(-1).values[..., :-1], (1, 0))
    first = (value > 0) & (seen == before + 1)
    places = torch.arange(value.shape[-1], device=value.device).expand_as(value)
    return value.gather(-1, torch.where(first, places, 0).cummax(-1).values)


def _rotation(positions: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines for `_rotate`: (T, K/2), or (B, 1, 1, K/2) for positions (B, 1)."""
    frequencies = ROTARY_BASE ** (-torch.arange(0, size, 2, device=positions.device) / size)
    angles = positions[..., None] * frequencies
    if positions.dim() == 2:
        angles = angles[:, None]
    return angles.cos(), angles.sin()


def _rotate(x_BHTK: torch.Tensor, rotation: Rotation) -> torch.Tensor:
    """Turn each pair (k, k + K/2) of a head by its position's angle."""
    if rotation is None:
        return x_BHTK
    cos, sin = (r.to(x_BHTK.dtype) for r in rotation)
    a, b = x_BHTK.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)
