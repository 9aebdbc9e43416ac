"""Random polynomials and decompositions for property tests."""

from __future__ import annotations

from flint import fmpq
from hypothesis import strategies as st

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import monomials_up_to
from polyctl.algebra.polynomial import Polynomial, Ring, polynomial, ring

rationals = st.builds(fmpq, st.integers(-12, 12), st.integers(1, 6))
integers = st.builds(fmpq, st.integers(-20, 20))


def polynomials(
    context: Ring, degree: int, terms: int = 5, coefficients: st.SearchStrategy[fmpq] = rationals
) -> st.SearchStrategy[Polynomial]:
    """Polynomials of at most this degree in a ring."""
    available = monomials_up_to(context.nvars(), degree)
    return st.dictionaries(st.sampled_from(available), coefficients, max_size=terms).map(
        lambda d: polynomial(context, {m: c for m, c in d.items() if c})
    )


@st.composite
def decompositions(draw, variables: int = 2, inners: int = 2, outer_degree: int = 3, inner_degree: int = 3):
    """A decomposition with nonconstant inners and a nonconstant outer."""
    context = ring([f"x{i}" for i in range(variables)])

    def nonconstant(where: Ring, degree: int, terms: int) -> Polynomial:
        f = draw(polynomials(where, degree, terms))
        return f + draw(st.sampled_from(where.gens())) * 13 if f.is_constant() else f

    outer = nonconstant(outer_ring(inners), outer_degree, 5)
    return Decomposition(outer, tuple(nonconstant(context, inner_degree, 3) for _ in range(inners)))
