"""Batches for training, from an endless stream of fresh problems or from a data set's files.

A source is cut into chunks; chunk k is a pure function of (experiment, k), so worker processes, ranks and
a resumed run all see the same data whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Protocol

import numpy as np

from polyctl.config.as_typed import as_typed
from polyctl.config.schema import Experiment
from polyctl.data.batch import TokenPair, TrainingBatch, group_by_length
from polyctl.data.blocks.writer import BlockWriter
from polyctl.data.dataset import LineFile, read_digests
from polyctl.data.manifest import explain_unfinished
from polyctl.data.published_format import FormatError, read_line, split_line
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.data.tokenizers.prefix import PrefixTokenizer
from polyctl.errors import FileError, UsageError

CHUNK_BATCHES = 16
SMALL_SET_START = 1 << 62  # the small set's first index: no stream of fresh problems gets that far
PATIENCE = 20_000  # problems in a row without a new one, after which a family counts as exhausted


class BatchSource(Protocol):
    """Batches in chunks: optimizer step s takes batch s % chunk_batches of chunk s // chunk_batches."""

    chunk_batches: int
    total_steps: int | None

    def chunk(self, index: int) -> list[TrainingBatch]:
        """The batches of a chunk: `chunk_batches` of them, fewer in the last chunk of a source that ends."""
        ...


def open_source(experiment: Experiment, data: Path | None = None) -> BatchSource:
    """The training data of an experiment; if its source is files, they are in `data`.

    `data` is a data set's directory, or one file in the published format. Raises FileError if it does not
    exist.
    """
    if experiment.train.source == "stream":
        return StreamSource(experiment)
    data = data or Path("data") / experiment.name
    path = data if data.is_file() else data / "train.txt"
    if not path.is_file():
        if (unfinished := explain_unfinished(data)) is not None:
            raise FileError(*unfinished)
        usual = data == Path("data") / experiment.name
        command = f"polyctl gen {as_typed(experiment.name)}" + ("" if usual else f" --out {quote(str(data))}")
        raise FileError(
            f"no training data at {path}",
            f"generate it: {command}, or draw fresh problems: --set train.source=stream",
        )
    return FileSource(experiment, path)


def _shuffle(seed: int, index: int, batches: int) -> list[int]:
    return [int(i) for i in np.random.default_rng([seed, index, 1]).permutation(batches)]


def _shuffled_passes(seed: int, purpose: int, length: int, start: int) -> Iterator[int]:
    """Numbers below `length`, from a place in the endless sequence of shuffled passes on."""
    epoch, offset = divmod(start, length)
    while True:
        order = np.random.default_rng([seed, epoch, purpose]).permutation(length)
        yield from (int(i) for i in order[offset:])
        epoch, offset = epoch + 1, 0


@dataclass
class StreamSource:
    """Endless fresh problems of the training split.

    With train.repeat_size a share of each batch comes instead from a small set of the same split, in shuffled
    passes over it.
    """

    experiment: Experiment
    chunk_batches: int = CHUNK_BATCHES
    total_steps: int | None = None
    _writer: BlockWriter = field(init=False, repr=False)
    _small_set: list[TokenPair] = field(init=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        return StreamSource, (self.experiment,)

    def __post_init__(self) -> None:
        data = self.experiment.data
        excluded = read_digests(data.exclude)
        self._writer = BlockWriter(data, make_tokenizer(data), self.experiment.seed, excluded)
        self._small_set = self._draw_small_set(self.experiment.train.repeat_size)

    def chunk(self, index: int) -> list[TrainingBatch]:
        train, seed, batches = self.experiment.train, self.experiment.seed, self.chunk_batches
        repeated = max(1, round(train.repeat_share * train.batch)) if self._small_set else 0
        fresh = train.batch - repeated
        count = batches * fresh  # of twice as many numbers, none of which is in two chunks
        pairs = list(islice(self._draw_pairs(index * 2 * count, count, (index + 1) * 2 * count), count))
        if len(pairs) < count:
            raise UsageError(
                f"only {len(pairs) / (2 * count):.0%} of the problems can be trained on: of the training "
                f"split, not excluded, within model.context_length = "
                f"{self.experiment.model.context_length} tokens",
                "raise model.context_length or make the degrees smaller",
            )
        groups = group_by_length(pairs, fresh, batches, train.mixed_lengths)
        if repeated:
            drawn = batches * repeated
            numbers = islice(_shuffled_passes(seed, 3, len(self._small_set), index * drawn), drawn)
            small = [self._small_set[i] for i in numbers]
            again = group_by_length(small, repeated, batches, train.mixed_lengths)
            groups = [new + old for new, old in zip(groups, again, strict=True)]
        return [TrainingBatch.of(groups[i]) for i in _shuffle(seed, index, batches)]

    def _draw_small_set(self, size: int) -> list[TokenPair]:
        """Different problems to repeat. Raises UsageError if the family does not have that many."""
        found: dict[tuple[int, ...], TokenPair] = {}
        last = 0
        for number, drawn in enumerate(self._draw_pairs(SMALL_SET_START, size) if size else ()):
            prompt, target = (np.asarray(ids).tolist() for ids in drawn)
            pair = prompt, target
            if found.setdefault(tuple(prompt), pair) is pair:
                last = number
            if len(found) == size:
                break
            if number - last > PATIENCE:
                raise UsageError(
                    f"train.repeat_size = {size:,}, but only {len(found):,} different problems were found",
                    f"--set train.repeat_size={len(found)}, or widen the family in [data]",
                )
        return list(found.values())

    def _draw_pairs(self, start: int, wanted: int, stop: int | None = None) -> Iterator[TokenPair]:
        """Token pairs that fit the context, about as many as wanted; UsageError if almost none do."""
        block, misses = self.experiment.model.context_length, 0
        for pair in self._writer.pairs(start, wanted, stop):
            if len(pair[0]) + len(pair[1]) <= block:
                misses = 0
                yield pair
            elif (misses := misses + 1) >= 1000:
                raise UsageError(
                    f"1000 problems in a row are longer than model.context_length = {block} tokens",
                    "raise model.context_length or make the degrees smaller",
                )


@dataclass
class FileSource:
    """Passes over the lines of a file, each in its own order, without the problems of data.exclude."""

    experiment: Experiment
    path: Path
    chunk_batches: int = CHUNK_BATCHES
    total_steps: int | None = None
    _tokenizer: Tokenizer = field(init=False, repr=False)
    _lines: LineFile = field(init=False, repr=False)
    _excluded: frozenset[bytes] = field(init=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        return FileSource, (self.experiment, self.path)

    def __post_init__(self) -> None:
        self._tokenizer = make_tokenizer(self.experiment.data)
        self._lines = LineFile(self.path)
        self._excluded = read_digests(self.experiment.data.exclude)
        if not len(self._lines):
            raise FileError(
                f"{self.path} is empty",
                f"generate it again: polyctl gen {as_typed(self.experiment.name)} --force",
            )
        train = self.experiment.train
        if train.epochs:
            self.total_steps = max(1, len(self._lines) * train.epochs // train.batch)

    def chunk(self, index: int) -> list[TrainingBatch]:
        size, block = self.experiment.train.batch, self.experiment.model.context_length
        batches = self.chunk_batches
        if self.total_steps is not None:  # the last chunk ends with the last pass
            batches = min(batches, max(1, self.total_steps - index * batches))
        count = batches * size
        pairs: list[TokenPair] = []
        misses = 0
        for position in _shuffled_passes(
            self.experiment.seed, 2, len(self._lines), index * self.chunk_batches * size
        ):
            pair = self._read_pair(position)
            if pair is not None and len(pair[0]) + len(pair[1]) <= block:
                misses = 0
                pairs.append(pair)
                if len(pairs) == count:
                    break
            elif (misses := misses + 1) > len(self._lines):
                raise UsageError(
                    f"each line of {self.path} is excluded or longer than context_length = {block} tokens",
                    "raise model.context_length",
                )
        groups = group_by_length(pairs, size, batches, self.experiment.train.mixed_lengths)
        return [TrainingBatch.of(groups[i]) for i in _shuffle(self.experiment.seed, index, batches)]

    def _read_pair(self, number: int) -> TokenPair | None:
        """The token pair of a line, None if its problem is excluded."""
        line = self._lines[number]
        tokenizer = self._tokenizer
        try:
            if self._excluded and read_line(line).digest in self._excluded:
                return None
            if isinstance(tokenizer, PrefixTokenizer):
                left, right = split_line(line)
                return [*tokenizer.ids(left), tokenizer.end], [*tokenizer.ids(right), tokenizer.end]
            problem = read_line(line, number, self.experiment.data.family)
            return tokenizer.encode_prompt(problem), tokenizer.encode_target(problem)
        except (FormatError, UnwritableProblem) as error:
            raise FileError(
                f"{self.path}, line {number + 1}: {error}",
                "check that the file is of the experiment's family and target",
            ) from None
