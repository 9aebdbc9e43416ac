"""Token ids of the published format: one id a token of a line."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, primitive_part, ring
from polyctl.config import DataConfig
from polyctl.data.prefix import (
    SEPARATOR,
    FormatError,
    read_decomposition,
    write_decomposition,
    write_dot_products,
    write_input,
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

    def ids(self, text: str) -> list[int]:
        """The ids of a text in prefix notation. Raises UnwritableProblem for unknown tokens."""
        try:
            return [self._ids[token] for token in text.split()]
        except KeyError as error:
            raise UnwritableProblem(f"token {error} is not in the vocabulary") from None

    def text(self, ids: Sequence[int]) -> str:
        """The text that ids stand for."""
        return " ".join(self.vocabulary[i] for i in ids)

    def scale(self, f: Polynomial) -> fmpq:
        """1 for integer coefficients; otherwise f is shown as its primitive part."""
        return fmpq(1) if all(c.q == 1 for c in f.coeffs()) else primitive_part(f)[1]

    def encode_prompt(self, problem: Problem) -> list[int]:
        """f in the order written; a rational f is shown as its primitive part."""
        f, factor = problem.f, self.scale(problem.f)
        if f.context() != self.ring or factor != 1:
            problem = Problem(embed(f / factor, self.ring), None, problem.family, problem.index)
        return [*self.ids(write_input(problem)), self.end]

    def encode_target(self, problem: Problem) -> list[int]:
        """The decomposition as written in its file, or else as drawn."""
        if problem.target_text is not None:
            return [*self.ids(problem.target_text), self.end]
        decomposition = problem.decomposition
        assert decomposition is not None
        if self._dot_products:
            return [*self.ids(write_dot_products(decomposition.inners[0])), self.end]
        if not self.outer_targets:
            decomposition = Decomposition(None, decomposition.inners)
        return [*self.ids(write_decomposition(decomposition)), self.end]

    def decode(self, target: Sequence[int]) -> Decomposition:
        """Read the ids as `inner` or `outer & inner ...`. Raises MalformedTarget."""
        try:
            return read_decomposition(self.text(target), self.ring)
        except FormatError as error:
            raise MalformedTarget(str(error)) from None
