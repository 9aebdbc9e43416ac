"""Whether two decompositions are the same, as tests see it."""

from __future__ import annotations

from polyctl.algebra.decomposition import Decomposition, equivalence_key


def equivalent(first: Decomposition, second: Decomposition) -> bool:
    """Whether two decompositions of the same f differ only by an affine change of their inner polynomials."""
    return equivalence_key(first) == equivalence_key(second)
