"""Keys and values of a search: the prompt's once a problem, the suffix's once a hypothesis.

Legend: B problems, W hypotheses a problem, T prompt tokens, C capacity of the suffix, H heads, K head size.
"""

from __future__ import annotations

import torch

Pair = tuple[torch.Tensor, torch.Tensor]
GROW = 32


class Cache:
    """What one batch of searches has computed so far; the model writes it, the search reorders it.

    Prompts are right-padded to the longest of the batch. The token that a decode step feeds has position
    `lengths_B + steps`. The width is whatever the first decode step brings.
    """

    def __init__(self, lengths_B: torch.Tensor) -> None:
        self.lengths_B = lengths_B
        self.steps = 0
        self.padding_B11T: torch.Tensor | None = None
        self._prompt: list[Pair] = []
        self._keys: list[torch.Tensor] = []
        self._values: list[torch.Tensor] = []
        self._spare: torch.Tensor | None = None

    def add_prompt(self, key_BHTK: torch.Tensor, value_BHTK: torch.Tensor) -> None:
        """Store the next layer's keys and values of the prompts."""
        if not self._prompt:
            positions_T = torch.arange(key_BHTK.shape[2], device=key_BHTK.device)
            padding_BT = positions_T >= self.lengths_B[:, None]
            self.padding_B11T = padding_BT[:, None, None] if bool(padding_BT.any()) else None
        self._prompt.append((key_BHTK.contiguous(), value_BHTK.contiguous()))

    def append(self, layer: int, key_BHWK: torch.Tensor, value_BHWK: torch.Tensor) -> tuple[Pair, Pair]:
        """Add the fed tokens' keys and values of a layer; (prompt pair, suffix pair) to attend to.

        Shapes (B, H, T, K) and (B, W, H, steps + 1, K). `advance` follows when every layer has been served.
        """
        end = self.steps + 1
        if layer == 0:
            self._reserve(key_BHWK, end)
        key, value = self._keys[layer], self._values[layer]
        key[:, :, :, self.steps] = key_BHWK.transpose(1, 2)
        value[:, :, :, self.steps] = value_BHWK.transpose(1, 2)
        return self._prompt[layer], (key[:, :, :, :end], value[:, :, :, :end])

    def advance(self) -> None:
        """Close a decode step."""
        self.steps += 1

    def reorder(self, parents_BW: torch.Tensor) -> None:
        """Let hypothesis w of problem b continue hypothesis parents[b, w]; the prompts stay untouched."""
        if self.steps == 0:
            return
        problems, width = parents_BW.shape
        offset_B1 = torch.arange(problems, device=parents_BW.device)[:, None] * width
        rows = (parents_BW + offset_B1).flatten()
        for tensors in (self._keys, self._values):
            for layer, old in enumerate(tensors):
                new = torch.empty_like(old) if self._spare is None else self._spare
                used_old, used_new = (t.flatten(0, 1)[:, :, : self.steps] for t in (old, new))
                torch.index_select(used_old, 0, rows, out=used_new)
                tensors[layer] = new
                self._spare = old  # one spare buffer serves all layers in turn

    def keep(self, problems: torch.Tensor) -> None:
        """Drop every problem whose index is not in `problems` (ascending)."""
        self.lengths_B = self.lengths_B[problems]
        if self.padding_B11T is not None:
            self.padding_B11T = self.padding_B11T[problems]
        self._prompt = [(key[problems], value[problems]) for key, value in self._prompt]
        self._keys = [key[problems] for key in self._keys]
        self._values = [value[problems] for value in self._values]
        self._spare = None

    def _reserve(self, like_BHWK: torch.Tensor, steps: int) -> None:
        """Make room for `steps` suffix tokens, GROW at a time, since capacity costs memory in every layer."""
        problems, heads, width, size = like_BHWK.shape
        if not self._keys:
            shape = (problems, width, heads, GROW, size)
            self._keys = [like_BHWK.new_empty(shape) for _ in self._prompt]
            self._values = [like_BHWK.new_empty(shape) for _ in self._prompt]
        elif steps > self._keys[0].shape[3]:
            self._spare = None
            for tensors in (self._keys, self._values):
                for layer, old in enumerate(tensors):
                    shape = (problems, width, heads, old.shape[3] + GROW, size)
                    tensors[layer] = old.new_empty(shape)
                    tensors[layer][:, :, :, : self.steps] = old[:, :, :, : self.steps]
