"""Token ids of the published format: one id a token of a line."""

from __future__ import annotations

from collections.abc import Sequence

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
    write_polynomial,
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
        self._pieces: dict[tuple[str, ...], dict[Monomial, tuple[bytes, bytes, bytes, bytes]]] = {}
        self._plus = bytes([self._ids["+"]])
        self._signs = (self._ids["P"], self._ids["N"])
        self._digits = bytes.maketrans(b"0123456789", bytes(self._ids[str(d)] for d in range(10)))

    def ids(self, text: str) -> list[int]:
        """The ids of a text in prefix notation. Raises UnwritableProblem for unknown tokens."""
        try:
            return [self._ids[token] for token in text.split()]
        except KeyError as error:
            raise UnwritableProblem(f"token {error} is not in the vocabulary") from None

    def _polynomial_ids(self, f: Polynomial) -> bytes:
        """The ids of an integer polynomial, what `ids(write_polynomial(f))` gives, several times faster.

        All ids are below 256, so that a sequence is a bytes object and digits are a translation.
        """
        context = f.context()
        pieces = self._pieces.setdefault(context.names(), {})
        numbers = [str(int(c.p)) for c in f.coeffs()]  # fmpz to text by way of int is ten times faster
        terms = list(zip(f.monoms(), numbers, strict=True))
        if context.nvars() == 1:
            terms.reverse()
        else:
            terms.sort(key=lambda term: term[0][::-1])
        parts = []
        for monomial, number in terms:
            piece = pieces.get(monomial)
            if piece is None:
                piece = pieces[monomial] = self._pieces_of(monomial, context)
            plain, positive, negative, after = piece
            if number == "1" and plain:
                parts.append(plain)
            elif number[0] == "-":
                parts.append(negative + number[1:].encode().translate(self._digits) + after)
            else:
                parts.append(positive + number.encode().translate(self._digits) + after)
        if not parts:
            return bytes(self.ids(write_polynomial(f)))
        parts[:-1] = [self._plus + part for part in parts[:-1]]
        return b"".join(parts)

    def _pieces_of(self, monomial: Monomial, context: Ring) -> tuple[bytes, bytes, bytes, bytes]:
        """What stands for a monomial with coefficient 1 (or nothing), and before and after other digits."""
        variables = context.names()
        one, two = (bytes(self.ids(write_terms(variables, [(monomial, c)]))) for c in (1, 2))
        if one[0] in self._signs or (one[0] == self._ids["*"] and one[1] in self._signs):
            one = b""  # a constant, or the convention that writes coefficient 1
        at = two.index(self._ids["2"])
        before, after = two[: at - 1], two[at + 1 :]
        return one, before + bytes([self._ids["P"]]), before + bytes([self._ids["N"]]), after

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
        if not _is_integral(f):
            f = primitive_part(f)[0]
        return [*self._polynomial_ids(embed(f, self.ring)), self.end]

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
    return all(c.q == 1 for c in f.coeffs())
