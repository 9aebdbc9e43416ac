"""Keys and values of a search: the prompt's once a problem, the suffix's once a hypothesis.

Legend: B problems, W hypotheses a problem, T prompt tokens, P positions where some prompt has ended,
C capacity of the suffix, H heads, K head size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

Pair = tuple[torch.Tensor, torch.Tensor]
GROW = 32


class Cache:
    """What one batch of searches has computed so far; the model writes it, the search reorders it.

    Prompts are right-padded to the longest of the batch. The token that a decode step feeds has position
    `lengths_B + steps`. The width is whatever the first decode step brings.
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        self.lengths_B = torch.tensor(lengths, device=device)
        self.steps = 0
        self.padding_B11P: torch.Tensor | None = None
        shortest, longest = min(lengths), max(lengths)
        if shortest < longest:
            padding_BP = torch.arange(shortest, longest, device=device) >= self.lengths_B[:, None]
            self.padding_B11P = torch.where(padding_BP, -torch.inf, 0.0)[:, None, None]
        self._lengths = tuple(lengths)
        self._prompt: list[Pair] = []
        # one tensor a layer, (B, W, H, C, 2, K): a hypothesis moves in one piece, and reads in two
        self._suffix: list[torch.Tensor] = []

    def add_prompt(self, key_1HNK: torch.Tensor, value_1HNK: torch.Tensor) -> None:
        """Store the next layer's keys and values of all prompts, which stand one behind the other."""

        def padded(x_1HNK: torch.Tensor) -> torch.Tensor:
            _, heads, _, size = x_1HNK.shape
            out = x_1HNK.new_zeros(len(self._lengths), heads, max(self._lengths), size)
            for row, part in enumerate(x_1HNK[0].split(self._lengths, dim=1)):
                out[row, :, : part.shape[1]] = part
            return out

        self._prompt.append((padded(key_1HNK), padded(value_1HNK)))

    def append(self, layer: int, key_BHWK: torch.Tensor, value_BHWK: torch.Tensor) -> tuple[Pair, Pair]:
        """Add the fed tokens' keys and values of a layer; (prompt pair, suffix pair) to attend to.

        Shapes (B, H, T, K) and (B, W, H, steps + 1, K). `advance` follows when every layer has been served.
        """
        end = self.steps + 1
        if layer == 0:
            self._reserve(key_BHWK, end)
        suffix = self._suffix[layer]
        suffix[:, :, :, self.steps, 0] = key_BHWK.transpose(1, 2)
        suffix[:, :, :, self.steps, 1] = value_BHWK.transpose(1, 2)
        return self._prompt[layer], (suffix[:, :, :, :end, 0], suffix[:, :, :, :end, 1])

    def advance(self) -> None:
        """Close a decode step."""
        self.steps += 1

    def reorder(self, parents_BW: torch.Tensor) -> None:
        """Let hypothesis w of problem b continue hypothesis parents[b, w].

        Only hypotheses with another parent than themselves are copied; the prompts stay untouched.
        """
        if self.steps == 0:
            return
        problems, width = parents_BW.shape
        offset_B1 = torch.arange(problems, device=parents_BW.device)[:, None] * width
        parents = (parents_BW + offset_B1).flatten()
        moved = torch.nonzero(parents != torch.arange(len(parents), device=parents.device)).flatten()
        origin = parents[moved]
        for suffix in self._suffix:
            used = suffix.flatten(0, 1)[:, :, : self.steps]
            used[moved] = used[origin]

    def keep(self, problems: torch.Tensor) -> None:
        """Drop every problem whose index is not in `problems` (ascending)."""
        self.lengths_B = self.lengths_B[problems]
        if self.padding_B11P is not None:
            self.padding_B11P = self.padding_B11P[problems]
        self._prompt = [(key[problems], value[problems]) for key, value in self._prompt]
        self._suffix = [suffix[problems] for suffix in self._suffix]

    def _reserve(self, like_BHWK: torch.Tensor, steps: int) -> None:
        """Make room for `steps` suffix tokens, GROW at a time, since capacity costs memory in every layer."""
        problems, heads, width, size = like_BHWK.shape
        capacity = self._suffix[0].shape[3] if self._suffix else 0
        if steps <= capacity:
            return
        for layer in range(len(self._prompt)):
            new = like_BHWK.new_empty(problems, width, heads, capacity + GROW, 2, size)
            if capacity:
                new[:, :, :, : self.steps] = self._suffix[layer][:, :, :, : self.steps]
                self._suffix[layer] = new
            else:
                self._suffix.append(new)
