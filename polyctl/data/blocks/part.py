"""Token pairs of many problems of one family."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import numpy as np

from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.blocks import bases
from polyctl.data.blocks.draws import Drawn, dense_pair, draw
from polyctl.data.blocks.frames import Frames, apply_signs, canonical_order, place, used_first
from polyctl.data.blocks.limits import DENSE, inner_degree, monomials_of
from polyctl.data.blocks.table import Table, table
from polyctl.data.blocks.terms import Terms, compose, compose_dense, digests, inner_rows
from polyctl.data.blocks.tokens import TokenWriter
from polyctl.data.blocks.verdicts import judge
from polyctl.data.blocks.words import Bools, Ints, Words
from polyctl.data.families import split_of
from polyctl.data.tokenizers.base import inner_count
from polyctl.data.tokenizers.compact import CompactTokenizer

_FEW = 4  # problems that are still trivial, which are sooner made one at a time
_ROUNDS = 16  # draws, after which those are left, too: the words that they take stay in memory


class Other(Enum):
    """What a problem has instead of a pair."""

    SKIPPED = "it is held out or excluded"
    ALONE = "it has to be made on its own"


def in_stream(terms: Terms, used_RV: Bools, monomials: Table, excluded: frozenset[bytes]) -> Bools:
    """Which problems are for training, by the digests of their normal forms."""
    named = digests(terms, used_RV, monomials)
    return np.array([split_of(digest) == "train" and digest not in excluded for digest in named])


def words_of(part: DataConfig, seed: int, indices: Ints) -> Words:
    """The words that problems are drawn from."""
    return Words([f"{part.family}:{seed}:{i}" for i in indices.tolist()])


def inner_columns(part: DataConfig, monomials: Table) -> slice:
    """The columns of inner polynomials without their constants."""
    degrees = monomials.degrees_D
    first = int(np.flatnonzero(degrees <= inner_degree(part))[0])
    return slice(first, len(degrees) - int(degrees[-1] == 0))


def draw_sensible(
    part: DataConfig, seed: int, indices: Ints, monomials: Table, columns: slice
) -> Iterator[tuple[Ints, Drawn, Terms, Ints]]:
    """Numbers of problems, what was drawn for them, f, and the used inner polynomials in these columns, RMC.

    Problems are drawn until they are not trivial. Those that have to be made alone are left out.
    """
    words, rows = words_of(part, seed, indices), np.arange(len(indices))
    for _ in range(_ROUNDS):
        drawn = draw(part, words, rows, monomials)
        f, inner_RMC = compose(drawn, monomials), inner_rows(drawn, columns)
        trivial, doubtful = judge(part.family, drawn, f, inner_RMC, columns, monomials)
        again = trivial | ~drawn.accepted_R
        done = ~again & ~doubtful
        yield rows[done], drawn.select(done), f.select(done), inner_RMC[done]
        rows = rows[again]
        if len(rows) <= _FEW:
            return


class PartWriter:
    """Draws, names and writes problems in a compact or terms vocabulary, as far as `limits` allows."""

    def __init__(
        self, part: DataConfig, tokenizer: CompactTokenizer, *, canonical: bool, by_name: bool
    ) -> None:
        self._part, self._canonical, self._by_name = part, canonical, by_name
        self._table = table(*monomials_of(part))
        self._columns = inner_columns(part, self._table)
        self._tokens = TokenWriter(tokenizer, self._table)
        self._count_token = tokenizer.count_token
        self.size = len(self._table)

    def pairs(
        self, seed: int, indices: Ints, hidden: Bools, excluded: frozenset[bytes]
    ) -> list[TokenPair | Other]:
        """For each problem its pair or why there is none; `hidden`: do not say how many inners there are."""
        terms, inner_RMC = self._draw(seed, indices)
        result: list[TokenPair | Other] = [Other.ALONE] * len(indices)
        rows = np.flatnonzero(terms.counts_R)
        if not len(rows):
            return result
        terms = terms.select(terms.counts_R > 0).normal_forms(self._table)
        used_RV = terms.variables_used(self._table)
        kept = in_stream(terms, used_RV, self._table, excluded)
        for row in rows[~kept].tolist():
            result[row] = Other.SKIPPED
        if kept.any():
            rows, terms = rows[kept], terms.select(kept)
            for number, pair in self._write(terms, used_RV[kept], inner_RMC[rows], hidden[rows]):
                result[rows[number]] = pair
        return result

    def _draw(self, seed: int, indices: Ints) -> tuple[Terms, Ints]:
        """f, and the inner polynomials that are used, RMC; f has no terms if it has to be made alone."""
        part, columns = self._part, self._columns
        inner_RMC = np.zeros((len(indices), inner_count(part), columns.stop - columns.start), dtype=np.int64)
        if part.family in DENSE:
            outer, inner = dense_pair(part, words_of(part, seed, indices), np.arange(len(indices)))
            inner_RMC[:, 0, inner_RMC.shape[2] - inner.shape[1] + 1 :] = inner[:, :0:-1]
            return Terms.of(compose_dense(outer, inner, self.size)[:, ::-1]), inner_RMC
        pieces = []
        for rows, _, f, inner in draw_sensible(part, seed, indices, self._table, columns):
            pieces.append((rows, f))
            inner_RMC[rows] = inner
        return Terms.joined(pieces, len(indices)), inner_RMC

    def _write(
        self, terms: Terms, used_RV: Bools, inner_RMC: Ints, hidden: Bools
    ) -> Iterator[tuple[int, TokenPair]]:
        """The pairs that can be written here, with the numbers of their problems."""
        if self._canonical:
            order = canonical_order(terms, used_RV, self._table)
        elif self._by_name:
            order = np.tile(np.arange(self._table.variables), (len(used_RV), 1))
        else:
            order = used_first(used_RV)
        terms, frames = place(terms, order, self._table)
        if self._canonical:
            apply_signs(terms, frames, used_RV, self._table)
        rows_RMC, fine = self._normal_inners(inner_RMC, frames)
        target = Terms.of(rows_RMC.reshape(len(rows_RMC), -1))
        first = None
        if self._count_token is not None:
            first = self._count_token + np.where(hidden, 0, inner_RMC.shape[1])
        prompts, known = self._tokens.prompts(terms, first)
        targets, also_known = self._tokens.targets(target, rows_RMC.shape[2], self._columns.start)
        for number in np.flatnonzero(fine & known & also_known).tolist():
            yield number, (prompts[number], targets[number])

    def _normal_inners(self, inner_RMC: Ints, frames: Frames) -> tuple[Ints, Bools]:
        """The inner polynomials in normal form, in f's frame, RMC, and whether they were found."""
        columns = self._columns
        came_from = np.argsort(frames.columns_UD[:, columns], axis=1)[frames.order_R]
        moved = np.take_along_axis(inner_RMC, came_from[:, None, :], axis=2)
        if self._canonical:
            odd = np.bitwise_count(self._table.parities_D[columns] & frames.flips_R[:, None]) & 1
            moved *= 1 - 2 * odd.astype(np.int64)[:, None, :]
        rows = bases.primitive(moved)
        if rows.shape[1] == 1:
            return rows, np.ones(len(rows), dtype=np.bool_)
        return bases.sparsest(rows)
