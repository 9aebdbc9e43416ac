"""Token pairs in the published format of many problems of one family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from polyctl.algebra.decomposition import outer_ring
from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.blocks.draws import Drawn, dense_pair
from polyctl.data.blocks.limits import DENSE, monomials_of
from polyctl.data.blocks.part import Other, draw_sensible, in_stream, inner_columns, words_of
from polyctl.data.blocks.table import Table, table
from polyctl.data.blocks.terms import Terms, compose_dense
from polyctl.data.blocks.tokens import split_numbers
from polyctl.data.blocks.words import Bools, Ints
from polyctl.data.published_format import write_terms
from polyctl.data.tokenizers.base import inner_count
from polyctl.data.tokenizers.prefix import PrefixTokenizer

# Whose terms, which monomials, which coefficients. A polynomial's number is that of its problem times the
# number of polynomials that each problem writes, plus its place among them.
Written = tuple[Ints, Ints, Ints]


class PrefixWriter:
    """Draws, names and writes problems.

    Monomials are numbered: those of f and of inner polynomials by their columns, those of outer ones in their
    own table after them.
    """

    def __init__(self, part: DataConfig, tokenizer: PrefixTokenizer) -> None:
        self._part, self._inners = part, inner_count(part)
        self._table = table(*monomials_of(part))
        self._outer_table = table(self._inners, tuple(range(max(part.outer_degrees) + 1)))
        self._outer_shown = part.target == "outer_inner"
        self._shown = self._inners + self._outer_shown  # polynomials of a target
        self._terms = _TermWriter(
            tokenizer,
            [
                (self._table, tuple(tokenizer.ring.names())),
                (self._outer_table, tuple(outer_ring(self._inners).names())),
            ],
        )
        self.size = len(self._table)

    def pairs(
        self, seed: int, indices: Ints, hidden: Bools, excluded: frozenset[bytes]
    ) -> list[TokenPair | Other]:
        """For each problem its pair, or why there is none. Nothing is `hidden` in the published format."""
        f, targets = self._draw(seed, indices)
        result: list[TokenPair | Other] = [Other.ALONE] * len(indices)
        rows = np.flatnonzero(f.counts_R)
        if not len(rows):
            return result
        normal = f.select(f.counts_R > 0).normal_forms(self._table)
        kept = in_stream(normal, normal.variables_used(self._table), self._table, excluded)
        for row in rows[~kept].tolist():
            result[row] = Other.SKIPPED
        rows = rows[kept]
        if len(rows):
            prompts = self._terms.write((f.row_E, f.column_E, f.value_E), 1, rows)
            written = zip(prompts, self._terms.write(targets, self._shown, rows), strict=True)
            for row, pair in zip(rows.tolist(), written, strict=True):
                result[row] = pair
        return result

    def _draw(self, seed: int, indices: Ints) -> tuple[Terms, Written]:
        """f, which has no terms if it has to be made alone, and the polynomials of targets."""
        part, every = self._part, np.arange(len(indices))
        if part.family in DENSE:
            outer, inner = dense_pair(part, words_of(part, seed, indices), every)
            f = Terms.of(compose_dense(outer, inner, self.size)[:, ::-1])
            polynomials = [(outer, self.size + len(self._outer_table))] if self._outer_shown else []
            polynomials.append((inner, self.size))
            pieces = []
            for place, (rising, end) in enumerate(polynomials):
                row, power = np.nonzero(rising)
                pieces.append((row * self._shown + place, end - 1 - power, rising[row, power]))
            return f, _joined(pieces)
        found, pieces = [], []
        columns = inner_columns(part, self._table)
        for rows, drawn, terms, _ in draw_sensible(part, seed, indices, self._table, columns):
            found.append((rows, terms))
            pieces += self._pieces(rows, drawn)
        return Terms.joined(found, len(indices)), _joined(pieces)

    def _pieces(self, rows: Ints, drawn: Drawn) -> Iterator[Written]:
        """The outer polynomials, if they are shown, and the inner ones."""
        if self._outer_shown:
            row, term = np.nonzero(drawn.outer_RO)
            exponents = (drawn.factors_ROF[row, term, :, None] == np.arange(self._inners)).sum(axis=1)
            numbers = self.size + self._outer_table.columns_of(exponents)
            yield rows[row] * self._shown, numbers, drawn.outer_RO[row, term]
        row, inner, term = np.nonzero(drawn.inner_RMT)
        place = inner + self._outer_shown
        at = row, inner, term
        yield rows[row] * self._shown + place, drawn.columns_RMT[at], drawn.inner_RMT[at]


def _joined(pieces: Sequence[Written]) -> Written:
    row, monomial, value = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return row, monomial, value


class _TermWriter:
    """Writes polynomials: a term is + * SIGN DIGITS MONOMIAL at most.

    The monomial 1 is not written, nor a coefficient of 1 if the format leaves it out.
    """

    def __init__(self, tokenizer: PrefixTokenizer, tables: Sequence[tuple[Table, tuple[str, ...]]]) -> None:
        self._ids = {token: tokenizer.ids(token)[0] for token in ("+", "*", "P", "N", "0", "&")}
        self._end = tokenizer.end
        spelled: list[list[int]] = []
        bare: list[bool] = []
        ranks: list[int] = []
        for monomials, names in tables:
            for monomial in map(tuple, monomials.exponents_DV.tolist()):
                text = write_terms(names, [(monomial, 1)]) if any(monomial) else ""
                bare.append(bool(text) and not text.startswith("* P 1 "))
                spelled.append(tokenizer.ids(text.removeprefix("* P 1 ")))
            order = np.lexsort(monomials.exponents_DV.T)  # the last variable first
            ranks += np.argsort(order).tolist()
        self._bare_N, self._ranks_N = np.array(bare), np.array(ranks)
        self._counts_N = np.array([len(ids) for ids in spelled])
        self._monomials_NS = np.zeros((len(spelled), int(self._counts_N.max())), dtype=np.int64)
        for number, ids in enumerate(spelled):
            self._monomials_NS[number, : len(ids)] = ids

    def write(self, polynomials: Written, each: int, problems: Ints) -> list[Ints]:
        """The ids of these problems, of which each has `each` polynomials; their numbers rise."""
        row, monomial, value = polynomials
        chosen = np.zeros(1 + max(int(row.max()) // each, int(problems[-1])), dtype=np.bool_)
        chosen[problems] = True
        inside = np.flatnonzero(chosen[row // each])
        order = inside[np.argsort(row[inside] * len(self._ranks_N) + self._ranks_N[monomial[inside]])]
        row, monomial, value = row[order], monomial[order], value[order]
        last = np.append(row[1:] != row[:-1], True)
        last_of_problem = np.append(row[1:] // each != row[:-1] // each, True)

        limbs, digits = split_numbers(value, 10)
        bare = self._bare_N[monomial] & (value == 1)
        spelled = self._counts_N[monomial]
        numbers = np.where(bare, 0, 1 + digits)
        star = ~bare & (spelled > 0)
        ends = np.cumsum(1 + star + numbers + spelled)  # with + before a term, or & or the end behind it
        ids = np.zeros(int(ends[-1]), dtype=np.int64)
        at = np.append(0, ends[:-1])
        ids[at[~last]] = self._ids["+"]
        at += ~last
        ids[at[star]] = self._ids["*"]
        at += star
        ids[at[~bare]] = np.where(value > 0, self._ids["P"], self._ids["N"])[~bare]
        for place, limb in enumerate(limbs):
            now = ~bare & (digits > place)
            ids[(at + digits - place)[now]] = self._ids["0"] + limb[now]
        at += numbers
        for place in range(self._monomials_NS.shape[1]):
            now = spelled > place
            ids[at[now] + place] = self._monomials_NS[monomial[now], place]
        ids[ends[last] - 1] = np.where(last_of_problem, self._end, self._ids["&"])[last]
        bounds = [0, *ends[last_of_problem].tolist()]
        return [ids[start:end] for start, end in pairwise(bounds)]
