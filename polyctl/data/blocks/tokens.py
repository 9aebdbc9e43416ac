"""Terms of many problems as tokens, in the vocabulary of a compact or terms tokenizer."""

from __future__ import annotations

import numpy as np

from polyctl.data.blocks.table import Table
from polyctl.data.blocks.terms import Terms
from polyctl.data.blocks.words import Bools, Ints
from polyctl.data.tokenizers.base import END, FIRST_LIMB, MINUS, PLUS, SEPARATOR
from polyctl.data.tokenizers.compact import CompactTokenizer
from polyctl.data.tokenizers.errors import UnwritableProblem
from polyctl.data.tokenizers.terms import LIMBS, TermsTokenizer


class _Spelling:
    """The tokens of each column's monomial, DS, how many there are, and whether it can be written."""

    def __init__(self, tokenizer: CompactTokenizer, monomials: Table) -> None:
        spell = tokenizer.spelling(tuple(range(monomials.variables)))
        spelled: list[list[int]] = []
        for monomial in monomials.exponents_DV.tolist():
            try:
                spelled.append(spell(tuple(monomial)))
            except UnwritableProblem:
                spelled.append([])
        self.known_D = np.array([bool(tokens) for tokens in spelled])
        self.counts_D: Ints = np.array([max(1, len(tokens)) for tokens in spelled])
        self.tokens_DS = np.zeros((len(spelled), int(self.counts_D.max())), dtype=np.int64)
        for column, tokens in enumerate(spelled):
            self.tokens_DS[column, : len(tokens)] = tokens


class TokenWriter:
    """The ids of prompts and of targets, and which of them have tokens for all their monomials."""

    def __init__(self, tokenizer: CompactTokenizer, monomials: Table) -> None:
        self._spelling = _Spelling(tokenizer, monomials)
        self._base = tokenizer.base
        self._radix = tokenizer.radix if isinstance(tokenizer, TermsTokenizer) else None

    def prompts(self, terms: Terms, first_R: Ints | None) -> tuple[list[Ints], Bools]:
        """The ids of prompts, each of which begins with its first token if there is one."""
        lead = np.zeros(len(terms.row_E), dtype=np.int64)
        if first_R is not None:
            lead[terms.starts_R] = first_R
        tail = np.zeros_like(lead)
        tail[terms.starts_R + terms.counts_R - 1] = END
        write = self._plain if self._radix is None else self._packed
        return _cut(*write(terms, lead, tail), terms), self._known(terms)

    def targets(self, rows: Terms, width: int, start: int) -> tuple[list[Ints], Bools]:
        """The ids of targets: their inner polynomials' coefficients follow one another, `width` for each.

        The first of those stands for column `start`.
        """
        inner, column = np.divmod(rows.column_E, width)
        terms = Terms(rows.row_E, column + start, rows.value_E, rows.counts_R)
        tail = np.zeros(len(inner), dtype=np.int64)
        tail[:-1][inner[1:] != inner[:-1]] = SEPARATOR
        tail[terms.starts_R + terms.counts_R - 1] = END
        return _cut(*self._plain(terms, np.zeros_like(tail), tail), terms), self._known(terms)

    def _known(self, terms: Terms) -> Bools:
        known: Bools = np.logical_and.reduceat(self._spelling.known_D[terms.column_E], terms.starts_R)
        return known

    def _plain(self, terms: Terms, lead: Ints, tail: Ints) -> tuple[Ints, Ints]:
        """MONOMIAL SIGN LIMBS of each term, one token a place."""
        limbs, digits = split_numbers(terms.value_E, self._base)
        spelled = self._spelling.counts_D[terms.column_E]
        lengths = (lead > 0) + spelled + 1 + digits + (tail > 0)
        ids, at = _room(lengths, lead, tail)
        self._factors(ids, at, terms, spelled)
        at += spelled
        ids[at] = np.where(terms.value_E > 0, PLUS, MINUS)
        for place, limb in enumerate(limbs):
            now = digits > place
            ids[(at + digits - place)[now]] = FIRST_LIMB + limb[now]
        return ids, lengths

    def _packed(self, terms: Terms, lead: Ints, tail: Ints) -> tuple[Ints, Ints]:
        """A position a term, more for factors of its monomial and for a long number."""
        assert self._radix is not None
        limbs, digits = split_numbers(terms.value_E, self._base)
        spelled = self._spelling.counts_D[terms.column_E]
        groups = -(-digits // LIMBS)
        lengths = (lead > 0) + spelled - 1 + groups + (tail > 0)
        ids, at = _room(lengths, lead, tail)
        self._factors(ids, at, terms, spelled - 1)
        at += spelled - 1
        signs = np.where(terms.value_E > 0, PLUS, MINUS)
        ids[at] = self._spelling.tokens_DS[terms.column_E, spelled - 1] + signs * self._radix
        for place, limb in enumerate(limbs):
            now = digits > place
            group, within = divmod(place, LIMBS)
            ids[(at + groups - 1 - group)[now]] += (FIRST_LIMB + limb[now]) * self._radix ** (
                LIMBS + 1 - within
            )
        return ids, lengths

    def _factors(self, ids: Ints, at: Ints, terms: Terms, counts: Ints) -> None:
        """Write the first tokens of each monomial, as many as are counted."""
        for place in range(int(counts.max(initial=0))):
            now = counts > place
            ids[at[now] + place] = self._spelling.tokens_DS[terms.column_E[now], place]


def split_numbers(values: Ints, base: int) -> tuple[list[Ints], Ints]:
    """The limbs of all numbers without their signs, the lowest first, and how many each number has."""
    rest = np.abs(values)
    counts = np.ones_like(rest)
    limbs = []
    while True:
        rest, limb = np.divmod(rest, base)
        limbs.append(limb)
        more = rest > 0
        if not more.any():
            return limbs, counts
        counts += more


def _room(lengths: Ints, lead: Ints, tail: Ints) -> tuple[Ints, Ints]:
    """Room for all ids, with the tokens before and behind terms; and where each term begins."""
    ends = np.cumsum(lengths)
    ids = np.zeros(int(ends[-1]), dtype=np.int64)
    starts = ends - lengths
    ids[starts[lead > 0]] = lead[lead > 0]
    ids[ends[tail > 0] - 1] = tail[tail > 0]
    return ids, starts + (lead > 0)


def _cut(ids: Ints, lengths: Ints, terms: Terms) -> list[Ints]:
    """The ids of each problem."""
    ends = np.cumsum(np.add.reduceat(lengths, terms.starts_R)).tolist()
    return [ids[start:end] for start, end in zip([0, *ends], ends, strict=False)]
