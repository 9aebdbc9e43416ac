"""From problems to token ids and from a model's token ids to decompositions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flint import fmpq

from polyctl.algebra.decomposition import Decomposition, DecompositionTerms, Terms
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, Ring, names, polynomial, terms
from polyctl.config.schema import DataConfig
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.errors import MalformedTarget, too_many_variables
from polyctl.data.tokenizers.frame import Frame

PAD, END, SEPARATOR, PLUS, MINUS, FRACTION = range(6)  # the fixed tokens of `compact` and `terms`
FIRST_LIMB = 6  # the token of 0 in `compact` and `terms`; those of 1, 2, … follow
TERM_TOKENS = 5  # monomial, sign and three limbs: what a position of a `terms` prompt holds


@dataclass(frozen=True)
class TokenLayout:
    """What a model must know of its tokens: how many there are, and how positions of a prompt hold them."""

    vocabulary: int
    tokens_per_position: int = 1
    base: int = 1000  # of the limbs


def token_layout(data: DataConfig, vocabulary: int) -> TokenLayout:
    """The layout of a data set's tokens, which follows from its configuration."""
    return TokenLayout(vocabulary, TERM_TOKENS if data.tokenizer == "terms" else 1, data.base)


@dataclass(frozen=True)
class Written:
    """A polynomial of an unfinished answer, in the tokenizer's own ring: the terms that are complete.

    `open` is the text of a term whose number is still missing, `sign` is "+", "-", or "" if that is open too.
    """

    polynomial: Polynomial
    is_outer: bool
    open: str | None = None
    sign: str = "+"


class Tokenizer(Protocol):
    """Token ids of problems; id 0 pads, `end` separates prompt from target and ends the target.

    `numbers` is the token of 0 and how many tokens, from it on, stand for 0, 1, 2, ...
    """

    vocabulary: tuple[str, ...]
    ring: Ring
    pad: int
    end: int
    numbers: tuple[int, int]

    def frame(self, f: Polynomial) -> Frame:
        """How the variables of f are written. Raises UnwritableProblem."""
        ...

    def encode_prompt(self, problem: Problem) -> list[int]:
        """f and the separator. Raises UnwritableProblem."""
        ...

    def encode_target(self, problem: Problem) -> list[int]:
        """The known decomposition and the end token. Raises UnwritableProblem."""
        ...

    def decode(self, target: Sequence[int]) -> Decomposition:
        """The decomposition, of the f that the prompt shows, that target ids (without end token) stand for.

        Raises MalformedTarget.
        """
        ...

    def unfinished(self, ids: Sequence[int], names: Sequence[str]) -> list[Written]:
        """The polynomials of an unfinished answer; `names` are what an open term calls the ring's variables.

        Raises MalformedTarget if no continuation is an answer.
        """
        ...

    def read(self, target: Sequence[int]) -> DecompositionTerms:
        """The same by its terms, which takes much less time. Raises MalformedTarget."""
        ...

    def scale(self, f: Polynomial) -> fmpq:
        """The factor of f over what the prompt shows of it; 1 if targets have no outer."""
        ...

    def text(self, ids: Sequence[int], f: Polynomial | None = None) -> str:
        """The tokens that ids stand for, for people; with f in the names that f gives its variables."""
        ...


def variable_names(data: DataConfig) -> tuple[str, ...]:
    """The variables of f in a family, as the published files name them."""
    if data.family == "mixed":  # names that no f has, so that variables are always placed in their order
        return tuple(f"v{i}" for i in range(1, 1 + max(len(variable_names(part)) for part in data.parts)))
    if data.family == "univariate":
        return ("a",)
    if data.family in ("monic", "split"):
        return ("a1",)
    if data.family == "on_singlet":
        return tuple(f"a{i}" for i in range(1, 21))
    return tuple(f"a{i}" for i in range(data.inner_variables))


def inner_count(data: DataConfig) -> int:
    """How many inner polynomials a family's problems have; in a mixture at most."""
    if data.parts:
        return max(inner_count(part) for part in data.parts)
    counts = {"separable": data.inner_variables, "homogeneous": data.inners, "sparse": data.inners}
    return counts.get(data.family, 1)


def own_names(f: Polynomial, others: Sequence[str], frame: Frame) -> tuple[str, ...]:
    """What f calls each variable of another ring; a variable that f does not have keeps its name."""
    result = list(others)
    negated = frame.negated or (False,) * len(frame.where)
    for name, place, negative in zip(names(f), frame.where, negated, strict=True):
        if place < len(result):
            result[place] = f"(-{name})" if negative else name
    return tuple(result)


def move(f: Polynomial, target: Ring, frame: Frame) -> Polynomial:
    """f in the tokenizer's ring, its variables placed by the frame; or UnwritableProblem."""
    if f.context() == target and frame.identical:
        return f
    size = max(target.nvars(), *(place + 1 for place in frame.where))
    result = {}
    for monomial, coefficient in terms(f):
        exponents = [0] * size
        for place, exponent in zip(frame.where, monomial, strict=True):
            exponents[place] = exponent
        if any(exponents[target.nvars() :]):
            raise too_many_variables(target.nvars())
        result[tuple(exponents[: target.nvars()])] = coefficient * frame.sign(monomial)
    return polynomial(target, result)


def decode_for(tokenizer: Tokenizer, f: Polynomial, target: Sequence[int]) -> Decomposition:
    """The decomposition of f, in f's own variables, that a model's answer to its prompt stands for.

    Raises MalformedTarget, also if an inner polynomial uses a variable that f does not have.
    """
    return AnswerReader(tokenizer, f).read(target).decomposition


class AnswerReader:
    """Reads answers to the prompt of one f, as decompositions in f's own variables."""

    def __init__(self, tokenizer: Tokenizer, f: Polynomial) -> None:
        self._tokenizer, self._names = tokenizer, names(f)
        self._scale = tokenizer.scale(f)
        self._frame = frame = tokenizer.frame(f)
        self._stays = f.context() == tokenizer.ring and frame.identical
        self._moved: dict[Monomial, tuple[Monomial, int]] = {}
        self._inners: dict[int, tuple[Terms, Terms]] = {}  # by identity, with what keeps that

    def read(self, target: Sequence[int]) -> DecompositionTerms:
        """The decomposition that target ids (without end token) stand for, by its terms.

        Raises MalformedTarget.
        """
        found = self._tokenizer.read(target)
        outer, inners = found.outer, found.inners
        if outer is not None and self._scale != 1:
            outer = {m: c * self._scale for m, c in outer.items()}
        if not self._stays:
            inners = tuple([self._move(inner) for inner in inners])
        return DecompositionTerms(self._names, outer, inners)

    def _move(self, inner: Terms) -> Terms:
        known = self._inners.get(id(inner))
        if known is not None:
            return known[1]
        moved, result = self._moved, {}
        for monomial, coefficient in inner.items():
            if monomial not in moved:
                moved[monomial] = _move_back(monomial, self._frame)
            kept, sign = moved[monomial]
            result[kept] = coefficient * sign
        self._inners[id(inner)] = inner, result
        return result


def move_back(inner: Polynomial, context: Ring, frame: Frame) -> Polynomial:
    """An inner polynomial of the tokenizer's ring in the variables of f; or MalformedTarget."""
    result = {}
    for monomial, coefficient in terms(inner):
        kept, sign = _move_back(monomial, frame)
        result[kept] = coefficient * sign
    return polynomial(context, result)


def _move_back(monomial: Monomial, frame: Frame) -> tuple[Monomial, int]:
    """A monomial in f's variables, and the factor -1 or 1. Raises MalformedTarget if f lacks one of them."""
    kept = tuple(monomial[place] if place < len(monomial) else 0 for place in frame.where)
    if sum(kept) != sum(monomial):
        raise MalformedTarget("an inner polynomial uses a variable that f does not have")
    return kept, frame.sign(kept)
