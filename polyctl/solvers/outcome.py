"""What a solver hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from polyctl.algebra.budget import Budget, OutOfTime
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial


@dataclass(frozen=True)
class Outcome:
    """Candidates of one method, and what the method proved.

    The candidates are for `verify` to judge; an outer of None is to be completed. Exact methods have them
    ready, the numeric one searches while they are taken. `proof` is a sentence that says what kind of
    decomposition cannot exist, set only if the method is complete for it and had the time.
    """

    decompositions: Iterable[Decomposition] = ()
    proof: str | None = None


Solver = Callable[[Polynomial, Budget], Outcome]


def gather(found: Iterable[Decomposition]) -> tuple[tuple[Decomposition, ...], bool]:
    """All of these, and True; or those that come before time is up, and False."""
    kept: list[Decomposition] = []
    try:
        kept.extend(found)
    except OutOfTime:
        return tuple(kept), False
    return tuple(kept), True
