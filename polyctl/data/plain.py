"""Token pairs of a stream's problems, one problem at a time."""

from __future__ import annotations

from dataclasses import dataclass

from polyctl.config.schema import DataConfig
from polyctl.data.batch import TokenPair
from polyctl.data.families import draw_problem, split_of
from polyctl.data.problem import SparseProblem
from polyctl.data.tokenizers.base import Tokenizer

HIDDEN = 4  # one in so many prompts of a mixture does not say how many inners there are


@dataclass(frozen=True)
class PlainWriter:
    """Draws and writes any problem; `blocks.BlockWriter` gives the same pairs, most of them faster."""

    data: DataConfig
    tokenizer: Tokenizer
    seed: int
    excluded: frozenset[bytes]

    def pair(self, index: int) -> TokenPair | None:
        """The pair of a problem, None if it is held out or excluded. Raises UnwritableProblem."""
        problem = draw_problem(self.data, self.seed, index)
        digest = problem.digest
        if split_of(digest) != "train" or digest in self.excluded:
            return None
        shown = problem
        if self.data.parts and index % HIDDEN == 0:
            shown = SparseProblem(problem.f, None, problem.family, index, problem.written)
        return self.tokenizer.encode_prompt(shown), self.tokenizer.encode_target(problem)
