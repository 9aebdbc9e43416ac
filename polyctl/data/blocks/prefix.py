"""Token pairs in the published format of many problems in one variable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.blocks.draws import dense_pair
from polyctl.data.blocks.limits import monomials_of
from polyctl.data.blocks.part import Other, in_stream
from polyctl.data.blocks.table import table
from polyctl.data.blocks.terms import Terms, compose_dense, falling
from polyctl.data.blocks.tokens import split_numbers
from polyctl.data.blocks.words import Bools, Ints, Words
from polyctl.data.published_format import write_terms
from polyctl.data.tokenizers.prefix import PrefixTokenizer


class DensePrefixWriter:
    """Draws, names and writes problems of a dense family: a term is + * SIGN DIGITS MONOMIAL at most."""

    def __init__(self, part: DataConfig, tokenizer: PrefixTokenizer) -> None:
        self._part = part
        self._table = table(*monomials_of(part))
        self.size = len(self._table)
        self._ids = {token: tokenizer.ids(token)[0] for token in ("+", "*", "P", "N", "0", "&")}
        self._end, self._outer = tokenizer.end, part.target == "outer_inner"
        self._outer_at = self.size  # powers of the outer's variable follow those of f's
        powers = [*((name, k) for name in (tokenizer.ring.names()[0], "b") for k in range(self.size))]
        spelled, bare = [], []
        for name, power in powers:
            text = write_terms((name,), [((power,), 1)]) if power else ""
            bare.append(bool(power) and not text.startswith("*"))  # a coefficient of 1 is not written
            spelled.append(tokenizer.ids(text if not power or bare[-1] else text.removeprefix("* P 1 ")))
        self._bare_N = np.array(bare)
        self._counts_N = np.array([len(ids) for ids in spelled])
        self._monomials_NS = np.zeros((len(spelled), int(self._counts_N.max())), dtype=np.int64)
        for number, ids in enumerate(spelled):
            self._monomials_NS[number, : len(ids)] = ids

    def pairs(
        self, seed: int, indices: Ints, hidden: Bools, excluded: frozenset[bytes]
    ) -> list[TokenPair | Other]:
        """For each problem its pair, or why there is none. Nothing is `hidden` in the published format."""
        words = Words([f"{self._part.family}:{seed}:{i}" for i in indices.tolist()])
        outer, inner = dense_pair(self._part, words, np.arange(len(indices)))
        f = compose_dense(outer, inner, self.size)
        terms = Terms.of(falling(f))
        terms.to_normal_form()
        kept = in_stream(terms, terms.variables_used(self._table), self._table, excluded)
        result: list[TokenPair | Other] = [Other.SKIPPED] * len(indices)
        if kept.any():
            prompts = self._write([(f[kept], 0)])
            shown = [(outer[kept], self._outer_at)] if self._outer else []
            targets = self._write([*shown, (inner[kept], 0)])
            for row, prompt, target in zip(np.flatnonzero(kept).tolist(), prompts, targets, strict=True):
                result[row] = prompt, target
        return result

    def _write(self, polynomials: list[tuple[Ints, int]]) -> list[Ints]:
        """The ids of polynomials one after another, by rising power; each comes with the number of its 1."""
        dense = np.concatenate([coefficients for coefficients, _ in polynomials], axis=1)
        monomial_C = np.concatenate([first + np.arange(c.shape[1]) for c, first in polynomials])
        polynomial_C = np.repeat(np.arange(len(polynomials)), [c.shape[1] for c, _ in polynomials])
        row, column = np.nonzero(dense)
        value, monomial = dense[row, column], monomial_C[column]
        last_of_row = np.append(row[1:] != row[:-1], True)
        last = last_of_row | np.append(polynomial_C[column[1:]] != polynomial_C[column[:-1]], True)

        limbs, digits = split_numbers(value, 10)
        bare = self._bare_N[monomial] & (value == 1)
        spelled = self._counts_N[monomial]
        numbers = np.where(bare, 0, 1 + digits)
        star = ~bare & (spelled > 0)
        lengths = (
            1 + star + numbers + spelled
        )  # each term has a token of its place: + before it or & behind it
        ends = np.cumsum(lengths)
        ids = np.zeros(int(ends[-1]), dtype=np.int64)
        at = ends - lengths
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
        ids[ends[last] - 1] = np.where(last_of_row, self._end, self._ids["&"])[last]
        bounds = [0, *ends[last_of_row].tolist()]
        return [ids[start:end] for start, end in pairwise(bounds)]
