"""Keys and values of a search: the prompt's once a problem, and what hypotheses have written since.

Two kinds: in a `RolloutCache` hypotheses grow side by side and never meet again; in a `TreeCache` they fork
and die, as in a beam, and share what they have in common.

Legend: B problems, W hypotheses a problem, T prompt tokens, P positions at which some prompt has ended,
C capacity behind the prompt, H heads, K head size.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch.nn import functional as F

from polyctl.model.attention import decode_attention
from polyctl.runtime.async_readback import AsyncReadback

GROW = 32
CALL = 2_000_000  # products of numbers in one call of attention, at least


class Cache(ABC):
    """What one batch of searches has computed so far; the model writes it.

    Prompts are right-padded to the longest of the batch. `positions_B` are those of the tokens that the next
    decode step feeds. The width is whatever the first decode step brings.
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        self.lengths_B = torch.tensor(lengths, device=device)
        self.positions_B = self.lengths_B
        self.longest = max(lengths)
        self._lengths = tuple(lengths)
        # (B, H, C, K) or (B, C, H, K): the layer's own keys and values
        self._prompt: list[tuple[torch.Tensor, torch.Tensor]] = []

    def add_prompt(self, key_BHTK: torch.Tensor, value_BHTK: torch.Tensor) -> None:
        """Store the next layer's keys and values of all prompts."""
        self._prompt.append((self._lay_out(key_BHTK), self._lay_out(value_BHTK)))

    @abstractmethod
    def attend(
        self, layer: int, query_BHWK: torch.Tensor, key_BHWK: torch.Tensor, value_BHWK: torch.Tensor
    ) -> torch.Tensor:
        """Add the fed tokens' keys and values of a layer; what their queries read, (B, H, W, K)."""

    def advance(self) -> None:
        """Close a decode step: every layer has been served."""
        self.positions_B = self.positions_B + 1

    def keep(self, problems: Sequence[int]) -> None:
        """Drop every problem whose index is not in `problems` (ascending)."""
        self._keep(torch.tensor(problems, dtype=torch.long, device=self.lengths_B.device))

    def _keep(self, kept: torch.Tensor) -> None:
        self.lengths_B, self.positions_B = self.lengths_B[kept], self.positions_B[kept]
        self._prompt = [(key[kept], value[kept]) for key, value in self._prompt]

    def _lay_out(self, x_BHTK: torch.Tensor) -> torch.Tensor:
        """Keys or values in the order in which decoding reads them."""
        return x_BHTK.contiguous()


class RolloutCache(Cache):
    """Each hypothesis has a separate suffix."""

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        super().__init__(lengths, device)
        self.steps = 0
        self._suffix: list[tuple[torch.Tensor, torch.Tensor]] = []  # pairs of (B, W, H, C, K)

    def attend(
        self, layer: int, query_BHWK: torch.Tensor, key_BHWK: torch.Tensor, value_BHWK: torch.Tensor
    ) -> torch.Tensor:
        """See Cache."""
        end = self.steps + 1
        if layer == 0:
            self._reserve(key_BHWK, end)
            ended_BP = self._ended_BP()
            padding_BP = None if ended_BP is None else torch.where(ended_BP, -torch.inf, 0.0)
            self._padding = None if padding_BP is None else padding_BP[:, None, None]
        key, value = self._suffix[layer]
        key[:, :, :, self.steps] = key_BHWK.transpose(1, 2)
        value[:, :, :, self.steps] = value_BHWK.transpose(1, 2)
        suffix = (key[:, :, :, :end], value[:, :, :, :end])
        return decode_attention(query_BHWK, self._prompt[layer], suffix, self._padding)

    def advance(self) -> None:
        """See Cache."""
        super().advance()
        self.steps += 1

    def _keep(self, kept: torch.Tensor) -> None:
        super()._keep(kept)
        self._suffix = [(key[kept], value[kept]) for key, value in self._suffix]

    def _ended_BP(self) -> torch.Tensor | None:
        """Where the last P prompt positions are padding; None if none are."""
        if min(self._lengths) == self.longest:
            return None
        positions_P = torch.arange(min(self._lengths), self.longest, device=self.lengths_B.device)
        return positions_P >= self.lengths_B[:, None]

    def _reserve(self, like_BHWK: torch.Tensor, steps: int) -> None:
        """Make room for `steps` suffix tokens, GROW at a time, since capacity costs memory in every layer."""
        problems, heads, width, size = like_BHWK.shape
        if not self._suffix:
            empty = like_BHWK.new_empty(problems, width, heads, 0, size)
            self._suffix = [(empty, empty) for _ in self._prompt]
        if steps > self._suffix[0][0].shape[3]:
            grown = (0, 0, 0, GROW)
            self._suffix = [(F.pad(key, grown), F.pad(value, grown)) for key, value in self._suffix]


class TreeCache(Cache):
    """Hypotheses as leaves of a tree a problem, whose nodes are tokens.

    A node's keys and values are stored once, in a slot behind the prompt, and are never moved: `visible` says
    which slots hold a hypothesis' ancestors (the prompt among them), so reordering permutes its rows. A slot
    that is no longer visible is written again. Beams of width 30 see about a third of the nodes that copies
    would hold, and one matrix product serves all hypotheses of a problem.

    How many slots a problem needs is read late (`AsyncReadback`): each step since adds a node a hypothesis
    at most.
    """

    def __init__(self, lengths: Sequence[int], device: torch.device) -> None:
        super().__init__(lengths, device)
        self._visible_BWC: torch.Tensor | None = None
        self._used = list(lengths)  # slots ever written, each problem; on a GPU as many at most
        self._needed = list(lengths)  # slots seen, as many at most
        self._seen = AsyncReadback.on(device)
        self._groups: list[tuple[slice, int, torch.Tensor]] = []
        self._rows = torch.empty(0)

    def attend(
        self, layer: int, query_BHWK: torch.Tensor, key_BHWK: torch.Tensor, value_BHWK: torch.Tensor
    ) -> torch.Tensor:
        """See Cache."""
        if layer == 0:
            self._open(query_BHWK)
        key_BCHK, value_BCHK = self._prompt[layer]
        # whole tokens are contiguous, so that a node is written in one piece
        key_BCHK.flatten(0, 1).index_copy_(0, self._rows, key_BHWK.transpose(1, 2).flatten(0, 1))
        value_BCHK.flatten(0, 1).index_copy_(0, self._rows, value_BHWK.transpose(1, 2).flatten(0, 1))
        query = query_BHWK.to(value_BHWK.dtype)
        parts = [
            F.scaled_dot_product_attention(
                query[some],
                key_BCHK[some, :end].transpose(1, 2),
                value_BCHK[some, :end].transpose(1, 2),
                attn_mask=bias.to(query.dtype),
            )
            for some, end, bias in self._groups
        ]
        return parts[0] if len(parts) == 1 else torch.cat([p.transpose(1, 2) for p in parts]).transpose(1, 2)

    def reorder(self, parents_BW: torch.Tensor) -> None:
        """Let hypothesis w of problem b continue hypothesis parents[b, w]; keys and values stay in place."""
        if self._visible_BWC is not None:
            slots = self._visible_BWC.shape[2]
            self._visible_BWC = self._visible_BWC.gather(1, parents_BW[:, :, None].expand(-1, -1, slots))

    def keep(self, problems: Sequence[int]) -> None:
        """See Cache."""
        super().keep(problems)
        self._used = [self._used[row] for row in problems]
        self._needed = [self._needed[row] for row in problems]
        self._seen.forget()

    def _keep(self, kept: torch.Tensor) -> None:
        super()._keep(kept)
        if self._visible_BWC is not None:
            self._visible_BWC = self._visible_BWC[kept]

    def join(self, other: TreeCache) -> None:
        """Take in the problems of a cache that has not decoded yet, behind its own."""
        if self._visible_BWC is not None:
            visible_BWC = other._visible_prompts(self._visible_BWC.shape[1])
            slots = max(self._visible_BWC.shape[2], visible_BWC.shape[2])
            both = (F.pad(x, (0, slots - x.shape[2])) for x in (self._visible_BWC, visible_BWC))
            self._visible_BWC = torch.cat(tuple(both))
        self._prompt = [
            (_join(key, other_key), _join(value, other_value))
            for (key, value), (other_key, other_value) in zip(self._prompt, other._prompt, strict=True)
        ]
        self.lengths_B = torch.cat((self.lengths_B, other.lengths_B))
        self.positions_B = torch.cat((self.positions_B, other.positions_B))
        self.longest = max(self.longest, other.longest)
        self._used += other._used
        self._needed += other._needed
        self._seen.forget()

    def _visible_prompts(self, width: int) -> torch.Tensor:
        """Before the first step only the problem's prompt is visible to all hypotheses, (B, W, C)."""
        prompt_BC = torch.arange(self.longest, device=self.lengths_B.device) < self.lengths_B[:, None]
        return prompt_BC[:, None].repeat(1, width, 1)

    def _open(self, query_BHWK: torch.Tensor) -> None:
        """Find a free slot for each hypothesis' new node, and record which slots are visible to it."""
        problems, heads, width, size = query_BHWK.shape
        if self._visible_BWC is None:
            self._visible_BWC = self._visible_prompts(width)
        taken_BC = self._visible_BWC.any(1)
        seen = self._seen.exchange(taken_BC.sum(1))
        if seen is None:
            self._needed = [needed + width for needed in self._needed]
        else:
            self._needed = [slots + width * (self._seen.steps + 1) for slots in seen]
        slots = self._visible_BWC.shape[2]
        if max(self._needed) > slots:
            more = max(max(self._needed) - slots, 4 * width, slots // 2)  # seldom, since it copies all
            self._grow(more)
            taken_BC = F.pad(taken_BC, (0, more))
        # slots that are not visible first, each in order of place, so that few slots serve for long
        free_BW = taken_BC.to(torch.uint8).sort(dim=1, stable=True).indices[:, :width]
        self._visible_BWC.scatter_(2, free_BW[:, :, None], True)
        row_B1 = torch.arange(problems, device=free_BW.device)[:, None] * self._visible_BWC.shape[2]
        self._rows = (row_B1 + free_BW).flatten()
        self._used = [max(pair) for pair in zip(self._used, self._needed, strict=True)]
        together = problems
        if query_BHWK.device.type == "cpu":
            # a call a problem spares padding; small problems share one, since a call has its price too
            together = max(1, CALL // (max(self._used) * width * heads * size))
        self._groups = []
        for start in range(0, problems, together):
            some = slice(start, start + together)
            end = max(self._used[some])
            bias_BWN = torch.where(self._visible_BWC[some, :, :end], 0.0, -torch.inf)
            self._groups.append((some, end, bias_BWN[:, None]))

    def _grow(self, slots: int) -> None:
        assert self._visible_BWC is not None
        self._visible_BWC = F.pad(self._visible_BWC, (0, slots))
        self._prompt = [(_lengthen(key, slots), _lengthen(value, slots)) for key, value in self._prompt]

    def _lay_out(self, x_BHTK: torch.Tensor) -> torch.Tensor:
        return x_BHTK.transpose(1, 2).contiguous()


def _join(one_BCHK: torch.Tensor, other_BCHK: torch.Tensor) -> torch.Tensor:
    """Both, one behind the other, with room for as many tokens as the longer one has."""
    slots = max(one_BCHK.shape[1], other_BCHK.shape[1])
    return torch.cat([_lengthen(x, slots - x.shape[1]) for x in (one_BCHK, other_BCHK)])


def _lengthen(x_BCHK: torch.Tensor, slots: int) -> torch.Tensor:
    """With so many slots more, of zeros, since even what is not visible must be finite."""
    return F.pad(x_BCHK, (0, 0, 0, 0, 0, slots))
