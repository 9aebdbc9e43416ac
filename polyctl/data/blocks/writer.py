"""Token pairs of a stream's problems in the order of their numbers, most of them written in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.blocks.limits import can_write, places_by_name
from polyctl.data.blocks.part import Other, PartWriter
from polyctl.data.blocks.prefix import PrefixWriter
from polyctl.data.blocks.words import Ints, Words
from polyctl.data.plain import HIDDEN, PlainWriter
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.data.tokenizers.compact import CompactTokenizer
from polyctl.data.tokenizers.prefix import PrefixTokenizer

_MOST, _LEAST = 20_000, 32  # problems of a block
_CELLS = 1 << 19  # coefficients of polynomials that are in memory at once
_FEWEST = 8  # problems of a part that are worth arrays


class BlockWriter:
    """Gives the pairs that `PlainWriter` gives; a pair does not depend on what is written beside it."""

    def __init__(
        self, data: DataConfig, tokenizer: Tokenizer, seed: int, excluded: frozenset[bytes] = frozenset()
    ) -> None:
        self._plain = PlainWriter(data, tokenizer, seed, excluded)
        self._mixed = bool(data.parts)
        parts = data.parts or (data,)
        self._weights = [part.weight for part in parts]
        self._parts = [_part_writer(data, part, tokenizer) for part in parts]

    def pairs(self, start: int, wanted: int = _MOST, stop: int | None = None) -> Iterator[TokenPair]:
        """The pairs of the problems from `start` on, before `stop` if given; about `wanted` will be taken."""
        made = 0
        while stop is None or start < stop:
            left = max(0, wanted - made)
            count = min(_MOST, left + left // 6 + _LEAST)  # one in eight is held out
            if stop is not None:
                count = min(count, stop - start)
            for index, found in enumerate(self._block(start, count), start):
                pair = self._plain.pair(index) if found is Other.ALONE else found
                if pair is not None and pair is not Other.SKIPPED:
                    made += 1
                    yield pair
            start += count

    def _block(self, start: int, count: int) -> list[TokenPair | Other]:
        """What each of `count` problems has: a pair, or a reason why not."""
        result: list[TokenPair | Other] = [Other.ALONE] * count
        if not any(self._parts):
            return result
        indices = np.arange(start, start + count)
        hidden = (indices % HIDDEN == 0) & self._mixed
        chosen = self._choose_parts(indices)
        for number, part in enumerate(self._parts):
            rows = np.flatnonzero(chosen == number)
            if part is None or len(rows) < _FEWEST:
                continue
            for piece in np.array_split(rows, -(-len(rows) * part.size // _CELLS)):
                pairs = part.pairs(self._plain.seed, indices[piece], hidden[piece], self._plain.excluded)
                for row, pair in zip(piece.tolist(), pairs, strict=True):
                    result[row] = pair
        return result

    def _choose_parts(self, indices: Ints) -> Ints:
        """The part that each problem comes from: what `draw_problem` chooses."""
        if not self._mixed:
            return np.zeros(len(indices), dtype=np.int64)
        words = Words([f"mixed:{self._plain.seed}:{i}" for i in indices.tolist()])
        left = words.below(np.arange(len(indices)), 1 << 32) / (1 << 32) * sum(self._weights)
        chosen = np.full(len(indices), -1)
        for number, weight in enumerate(self._weights):
            left -= weight
            chosen[(chosen < 0) & (left < 0)] = number
        return np.where(chosen < 0, len(self._weights) - 1, chosen)


def _part_writer(
    data: DataConfig, part: DataConfig, tokenizer: Tokenizer
) -> PartWriter | PrefixWriter | None:
    """The writer for a part of the data, None if its problems have to be made one at a time."""
    if not can_write(data, part, tokenizer):
        return None
    if isinstance(tokenizer, PrefixTokenizer):
        return PrefixWriter(part, tokenizer)
    assert isinstance(tokenizer, CompactTokenizer)
    return PartWriter(part, tokenizer, canonical=data.canonical, by_name=places_by_name(data, part))
