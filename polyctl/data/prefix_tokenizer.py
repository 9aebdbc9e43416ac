"""Token ids of the published format: one id a token of a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flint import fmpq

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Monomial, Polynomial, Ring, primitive_part, ring
from polyctl.config import DataConfig
from polyctl.data.prefix import (
    SEPARATOR,
    FormatError,
    read_decomposition,
    write_dot_products,
    write_input,
    write_terms,
)
from polyctl.data.problem import Problem
from polyctl.data.tokenizer import MalformedTarget, UnwritableProblem, embed, family_names, inner_count

SIMPLE = (
    *("□", "a", "b", "c", "d", "e", "x", "y", "z", SEPARATOR, "?", "a0", "a1", "b0", "b1", "N", "P", "&"),
    *("+", "*", "^", *map(str, range(10))),
)
EXTENDED = (
    *SIMPLE,
    *(f"a{i}" for i in range(2, 21)),
    *(f"b{i}" for i in range(2, 19)),
    *(f"n{i}" for i in range(1, 19)),
    *(str(i) for i in range(10, 101)),
)


_FIRST = 128  # the first character that stands for a token other than a digit


class _Piece(NamedTuple):
    """A monomial in prefix notation: its place among the terms, and what stands around its coefficient.

    `alone` is the term with coefficient 1, or empty where that is written like any other.
    """

    order: Monomial
    alone: str
    positive: str
    negative: str
    after: str


class PrefixTokenizer:
    """The published vocabulary: 31 tokens for one inner variable, else the extended one."""

    pad = 0

    def __init__(self, data: DataConfig) -> None:
        self.ring = ring(family_names(data))
        self.vocabulary = SIMPLE if len(self.ring.names()) == 1 else EXTENDED
        self.end = self.vocabulary.index(SEPARATOR)
        self._dot_products = data.family == "on_singlet"
        self.inners = inner_count(data)
        self.outer_targets = data.target == "outer_inner"
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self._pieces: dict[tuple[str, ...], dict[str, _Piece]] = {}
        used = [t for t in self.vocabulary if t in "+*^PN&" or t[0] in "ab" or (len(t) == 1 and t.isdigit())]
        self._order = {token: i for i, token in enumerate(used)}
        table = bytearray(256)
        for token, i in self._order.items():
            table[ord(token) if token.isdigit() else _FIRST + i] = self._ids[token]
        self._to_ids = bytes(table)

    def ids(self, text: str) -> list[int]:
        """The ids of a text in prefix notation. Raises UnwritableProblem for unknown tokens."""
        try:
            return [self._ids[token] for token in text.split()]
        except KeyError as error:
            raise UnwritableProblem(f"token {error} is not in the vocabulary") from None

    def _polynomial_ids(self, f: Polynomial, text: str | None = None) -> bytes:
        """The ids of an integer polynomial, what `ids(write_polynomial(f))` gives, several times faster.

        `text` is str(f) where that is known.

        FLINT's own text of f is the fastest way to its terms. They are put together with one character a
        token, digits as they are and other tokens as characters above them, so that one translation of
        their bytes gives the ids (all are below 256).
        """
        context = f.context()
        known = self._pieces.setdefault(context.names(), {})
        words = (text or str(f)).split(" ")
        first = words[0]
        signs = ["-", *words[1::2]] if first[0] == "-" else ["+", *words[1::2]]
        words[0] = first.removeprefix("-")
        terms = []
        for sign, word in zip(signs, words[::2], strict=True):
            number, _, monomial = word.partition("*") if word[0].isdigit() else ("1", "", word)
            piece = known.get(monomial) or self._learn(monomial, context, known)
            if sign == "-":
                terms.append((piece.order, piece.negative + number + piece.after))
            elif number == "1" and piece.alone:
                terms.append((piece.order, piece.alone))
            else:
                terms.append((piece.order, piece.positive + number + piece.after))
        terms.sort()
        parts = [part for _, part in terms]
        parts[-1] = parts[-1][1:]  # the last term has no +
        return "".join(parts).encode("latin-1").translate(self._to_ids)

    def _learn(self, monomial: str, context: Ring, known: dict[str, _Piece]) -> _Piece:
        """How the monomial with this text is written in prefix notation."""
        variables = context.names()
        exponents = dict.fromkeys(variables, 0)
        for factor in filter(None, monomial.split("*")):
            name, _, power = factor.partition("^")
            exponents[name] = int(power or 1)
        m = tuple(exponents.values())
        one, two = (self._spelled(write_terms(variables, [(m, c)])) for c in (1, 2))
        plus, p, n = (self._spelled(token) for token in "+PN")
        at = two.index("2")
        before, after = two[: at - 1], two[at + 1 :]
        if one == before + p + "1" + after:
            one = ""  # a constant, or the convention that writes coefficient 1
        alone = plus + one if one else ""
        piece = _Piece(m[::-1], alone, plus + before + p, plus + before + n, after)
        known[monomial] = piece
        return piece

    def _spelled(self, text: str) -> str:
        """A text in prefix notation with one character a token."""
        return "".join(t if t.isdigit() else chr(_FIRST + i) for t in text.split() for i in (self._order[t],))

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids stand for."""
        return " ".join(self.vocabulary[i] for i in ids)

    def scale(self, f: Polynomial) -> fmpq:
        """1 for integer coefficients; otherwise f is shown as its primitive part."""
        return fmpq(1) if _is_integral(f) else primitive_part(f)[1]

    def encode_prompt(self, problem: Problem) -> list[int]:
        """f in the order written; a rational f is shown as its primitive part."""
        f = problem.f
        if f.context() == self.ring and problem.written is not None:
            return [*self.ids(write_input(problem)), self.end]
        text = str(f)
        if "/" in text:
            f = primitive_part(f)[0]
        shown = embed(f, self.ring)
        return [*self._polynomial_ids(shown, text if shown is problem.f else None), self.end]

    def encode_target(self, problem: Problem) -> list[int]:
        """The decomposition as written in its file, or else as drawn."""
        if problem.target_text is not None:
            return [*self.ids(problem.target_text), self.end]
        decomposition = problem.decomposition
        assert decomposition is not None
        if self._dot_products:
            return [*self.ids(write_dot_products(decomposition.inners[0])), self.end]
        parts = [self._polynomial_ids(h) for h in decomposition.inners]
        if self.outer_targets and decomposition.outer is not None:
            parts.insert(0, self._polynomial_ids(decomposition.outer))
        return [*bytes([self._ids["&"]]).join(parts), self.end]

    def decode(self, target: Sequence[int]) -> Decomposition:
        """Read the ids as `inner` or `outer & inner ...`. Raises MalformedTarget."""
        try:
            return read_decomposition(self.text(target), self.ring)
        except FormatError as error:
            raise MalformedTarget(str(error)) from None


def _is_integral(f: Polynomial) -> bool:
    return "/" not in str(f)
