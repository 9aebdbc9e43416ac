"""Token ids of the published format: one id a token of a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter

from flint import fmpq

from polyctl.algebra.decomposition import Decomposition, DecompositionTerms, outer_ring
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, integer_content, names, primitive_part, ring
from polyctl.config.schema import DataConfig
from polyctl.data.dense import DenseProblem, dense_monomials, positions_of
from polyctl.data.problem import Problem
from polyctl.data.published_format import (
    SEPARATOR,
    FormatError,
    collect,
    read_decomposition,
    read_polynomial,
    read_unfinished,
    write_dot_products,
    write_input,
    write_open_term,
    write_terms,
)
from polyctl.data.tokenizers.base import Written, inner_count, move, own_names, variable_names
from polyctl.data.tokenizers.errors import MalformedTarget, UnwritableProblem, too_many_variables
from polyctl.data.tokenizers.frame import Frame, plain_frame

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


# One character a token, so that one translation of bytes turns a text into ids: digits and the signs of
# numbers stand for themselves, other tokens for characters from 128 on. All ids are below 256.
_IDS = {token: i for i, token in enumerate(EXTENDED)}
_CHARACTERS = {
    token: chr(128 + i)
    for i, token in enumerate(t for t in EXTENDED if not t[-1].isdigit() or t[0] in "ab")
    if not token.isdigit()
} | {str(d): str(d) for d in range(10)}
_TO_IDS = bytearray(256)
for _token, _character in [*_CHARACTERS.items(), ("P", "+"), ("N", "-")]:
    _TO_IDS[ord(_character)] = _IDS[_token]


_Chosen = Callable[[Sequence[int]], tuple[int, ...]]


@lru_cache(maxsize=10_000)
def _template(
    variables: tuple[str, ...], monomials: tuple[Monomial, ...], ones: tuple[int, ...]
) -> tuple[str, _Chosen]:
    """The polynomials with these monomials, one character a token, with `%+d` for their coefficients.

    Those at the places `ones` are 1, which is not always written. The second result
    chooses the coefficients for each `%+d` in turn: terms are written in canonical order.
    """
    order = sorted(range(len(monomials)), key=lambda i: monomials[i][::-1])
    places, texts = [], []
    for i in order:
        text = write_terms(variables, [(monomials[i], 2)])
        if i in ones and (one := write_terms(variables, [(monomials[i], 1)])) != text.replace(
            "P 2", "P 1", 1
        ):
            text = one
        else:
            text = text.replace("P 2", "%+d", 1)
            places.append(i)
        texts.append("".join(_CHARACTERS.get(token, token) for token in text.split()))
    plus = _CHARACTERS["+"]
    chosen = itemgetter(*places) if len(places) > 1 else lambda numbers: tuple(numbers[i] for i in places)
    return "".join([*(plus + text for text in texts[:-1]), *texts[-1:]]), chosen


def _dense_ids(coefficients: Sequence[int], variables: tuple[str, ...]) -> bytes:
    """The ids of a polynomial in one variable: what `_polynomial_ids` gives, from coefficients alone.

    They come by rising power, the last one not zero.
    """
    falling = coefficients[::-1]
    numbers = [c for c in falling if c] if 0 in falling else falling
    template, chosen = _template(variables, dense_monomials(falling), positions_of(numbers, 1))
    return (template % chosen(numbers)).encode("latin-1").translate(_TO_IDS)


def _integers(f: Polynomial) -> list[int] | None:
    """The coefficients of f, or None if one is not an integer."""
    coefficients = f.coeffs()
    numbers = [int(c.p) for c in coefficients if c.q == 1]
    return numbers if len(numbers) == len(coefficients) else None


def _polynomial_ids(f: Polynomial, numbers: list[int], variables: tuple[str, ...]) -> bytes:
    """The ids of the polynomial with the monomials of f, in these variables, and these coefficients.

    What `ids(write_polynomial(f))` gives, several times faster.
    """
    template, chosen = _template(variables, tuple(f.monoms()), positions_of(numbers, 1))
    return (template % chosen(numbers)).encode("latin-1").translate(_TO_IDS)


class PrefixTokenizer:
    """The published vocabulary: 31 tokens for one inner variable, else the extended one."""

    pad = 0

    def __init__(self, data: DataConfig) -> None:
        self.ring = ring(variable_names(data))
        self._names = variable_names(data)
        self.vocabulary = SIMPLE if len(self.ring.names()) == 1 else EXTENDED
        self.end = self.vocabulary.index(SEPARATOR)
        self.numbers = (self.vocabulary.index("0"), 10)
        self._dot_products = data.family == "on_singlet"
        self.inners = inner_count(data)
        self.outer_targets = data.target == "outer_inner"
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}

    def ids(self, text: str) -> list[int]:
        """The ids of a text in prefix notation. Raises UnwritableProblem for unknown tokens."""
        try:
            return [self._ids[token] for token in text.split()]
        except KeyError as error:
            raise UnwritableProblem(f"token {error} is not in the vocabulary") from None

    def text(self, ids: Sequence[int], f: Polynomial | None = None) -> str:
        """The text that ids stand for; with f in the names that f gives its variables."""
        own = self._names if f is None else own_names(f, self._names, self.frame(f))
        named = dict(zip(self._names, own, strict=True))
        return " ".join(named.get(token, token) for token in (self.vocabulary[i] for i in ids))

    def unfinished(self, ids: Sequence[int], names: Sequence[str]) -> list[Written]:
        parts = " ".join(self.vocabulary[i] for i in ids).split("&")
        found = []
        for at, text in enumerate(parts):
            outer = at == 0 and self.outer_targets
            context = outer_ring(self.inners) if outer else self.ring
            try:
                if at < len(parts) - 1:
                    found.append(Written(read_polynomial(text.split(), context), outer))
                    continue
                written, rest = read_unfinished(text.split(), context.names())
            except FormatError as error:
                raise MalformedTarget(str(error)) from None
            spelled = dict(zip(context.names(), context.names() if outer else names, strict=True))
            opened = write_open_term(rest, spelled) if rest else None
            minus = opened is not None and opened.startswith("-")
            found.append(
                Written(
                    collect(context, written),
                    outer,
                    opened.removeprefix("-") if opened else None,
                    "-" if minus else "+",
                )
            )
        return found

    def scale(self, f: Polynomial) -> fmpq:
        """1 for integer coefficients; otherwise f is shown as its primitive part."""
        return fmpq(1) if _integers(f) else primitive_part(f)[1]

    def frame(self, f: Polynomial) -> Frame:
        """Variables by name, else in order."""
        return plain_frame(f, self._names)

    def encode_prompt(self, problem: Problem) -> list[int]:
        """f in the order written; a rational f is shown as its primitive part."""
        if isinstance(problem, DenseProblem) and len(self._names) == 1:
            return [*_dense_ids(problem.coefficients, self._names), self.end]
        f = problem.f
        if f.context() == self.ring and problem.written is not None:
            return [*self.ids(write_input(problem)), self.end]
        shown = move(f, self.ring, self.frame(f))
        return [*_polynomial_ids(shown, _integers(shown) or integer_content(shown)[0], self._names), self.end]

    def encode_target(self, problem: Problem) -> list[int]:
        """The decomposition as written in its file, or else as drawn."""
        if problem.target_text is not None:
            return [*self.ids(problem.target_text), self.end]
        if isinstance(problem, DenseProblem) and len(self._names) == 1:
            inner = _dense_ids(problem.inner, self._names)
            outer = [*_dense_ids(problem.outer, ("b",)), self._ids["&"]] if self.outer_targets else []
            return [*outer, *inner, self.end]
        decomposition = problem.decomposition
        assert decomposition is not None
        if self._dot_products:
            return [*self.ids(write_dot_products(decomposition.inners[0])), self.end]
        parts = [self._part(h, self._names) for h in decomposition.inners]
        if self.outer_targets and decomposition.outer is not None:
            parts.insert(0, self._part(decomposition.outer, names(decomposition.outer)))
        return [*bytes([self._ids["&"]]).join(parts), self.end]

    def _part(self, f: Polynomial, variables: tuple[str, ...]) -> bytes:
        numbers = _integers(f)
        if numbers is None:
            raise UnwritableProblem("the prefix format has no fractions")
        if f.context().nvars() > len(variables):
            raise too_many_variables(len(variables))
        return _polynomial_ids(f, numbers, variables)

    def decode(self, target: Sequence[int]) -> Decomposition:
        """Read the ids as `inner` or `outer & inner ...`. Raises MalformedTarget."""
        try:
            return read_decomposition(self.text(target), self.ring)
        except FormatError as error:
            raise MalformedTarget(str(error)) from None

    def read(self, target: Sequence[int]) -> DecompositionTerms:
        return DecompositionTerms.of(self.decode(target))
