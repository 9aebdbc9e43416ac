"""What an exact solver hands back."""

from __future__ import annotations

from dataclasses import dataclass

from polyctl.algebra.decomposition import Decomposition


@dataclass(frozen=True)
class Outcome:
    """Candidates of one method, and what the method proved.

    The candidates are for `verify` to judge; an outer of None is to be completed. `proof` is a sentence
    that says what kind of decomposition cannot exist, set only where the method is complete for it.
    """

    decompositions: tuple[Decomposition, ...] = ()
    proof: str | None = None
