"""Polynomials and decompositions from what people have: text, SymPy expressions, polynomials of any ring."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from flint import fmpq, fmpq_mpoly, fmpz_mpoly

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.names import natural_key
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, Ring, embed, names, ring
from polyctl.algebra.reading import read
from polyctl.errors import ParseError, UsageError

if TYPE_CHECKING:
    import sympy

PolynomialLike: TypeAlias = "str | int | Polynomial | sympy.Expr | sympy.Poly"
Names: TypeAlias = "str | Sequence[str | sympy.Symbol]"
_OUTER = re.compile(r"[bh]_?(\d*)$")


def read_names(given: Names) -> list[str]:
    """Names of variables from text such as "x, y", or from a list of names or SymPy symbols."""
    listed = (
        re.split(r"[,\s]+(?![^()]*\))", given) if isinstance(given, str) else [str(name) for name in given]
    )
    return [_spelled(name) for name in listed if name]


def _spelled(name: str) -> str:
    """The name as rings spell it; an atom's, and what is no name, as it stands."""
    try:
        return canonical_name(name)
    except UsageError:
        return name


def read_polynomial(
    f: PolynomialLike, variables: Sequence[str] | None = None, *, atoms: bool = False
) -> Polynomial:
    """f as a polynomial over Q, in the ring of `variables` or else of those that occur.

    With `atoms`, functions, roots and quotients in text and SymPy expressions are variables too.

    SymPy is not imported unless f is of it. Raises ParseError for text, UsageError for anything else that
    is not a polynomial over Q.
    """
    if isinstance(f, str):
        return read(f, variables, atoms=atoms).polynomial
    if isinstance(f, int):
        return ring(variables or ()).constant(fmpq(f))
    if isinstance(f, (fmpq_mpoly, fmpz_mpoly)):
        return _in_ring(f, ring(f.context().names() if variables is None else variables))
    if "sympy" in sys.modules and isinstance(f, (sys.modules["sympy"].Basic, sys.modules["sympy"].Poly)):
        from polyctl.algebra.sympy_form import from_sympy

        found = from_sympy(f, atoms=atoms)
        return found if variables is None else _in_given_ring(found, variables, atoms)
    raise UsageError(
        f"cannot read a polynomial from a {type(f).__name__}",
        "give text such as 'x^2 + 1', a SymPy expression, or what polyctl.parse returns",
    )


def read_decomposition(
    f: PolynomialLike,
    outer: PolynomialLike | None,
    inner: PolynomialLike | Sequence[PolynomialLike],
    *,
    atoms: bool = False,
) -> tuple[Polynomial, Decomposition]:
    """f and its decomposition in one ring: f's own, with the variables that only inner polynomials have."""
    given = list(inner) if isinstance(inner, (list, tuple)) else [inner]
    whole = read_polynomial(f, atoms=atoms)
    inners = [_read_inner(h, names(whole), atoms) for h in given]
    common = _common_ring([whole, *inners])
    found = None if outer is None else read_outer(outer, len(inners))
    return _in_ring(whole, common), Decomposition(found, tuple(_in_ring(h, common) for h in inners))


def read_inners(
    inner: PolynomialLike | Sequence[PolynomialLike], *, atoms: bool = False
) -> tuple[Polynomial, ...]:
    """Inner polynomials in one ring; UsageError if there is none."""
    given = inner if isinstance(inner, (list, tuple)) else [inner]
    if not given:
        raise UsageError("there is no inner polynomial", "give one or more")
    return tuple(read_together(given, atoms=atoms))


def read_together(
    texts: Sequence[PolynomialLike], variables: Sequence[str] | None = None, *, atoms: bool = False
) -> list[Polynomial]:
    """Polynomials in the ring of all their variables."""
    given = [read_polynomial(f, variables, atoms=atoms) for f in texts]
    common = _common_ring(given)
    return [_in_ring(f, common) for f in given]


def read_outer(outer: PolynomialLike, inners: int) -> Polynomial:
    """An outer polynomial in the ring of outers for so many inner polynomials.

    Its variables are b, or b0, b1, ... (also b_0 or h0), or as many as there are inner polynomials, in
    natural order. Raises UsageError if they are too many, or if it is not clear what one stands for.
    """
    g = read_polynomial(outer)
    own = names(g)
    numbered = [_OUTER.match(name) for name in own]
    if inners > 1 and any(match is None or not match[1] for match in numbered) and len(own) < inners:
        raise UsageError(
            f"the outer polynomial uses {', '.join(own)}, but the number of inner polynomials is {inners}",
            "write b0 for the first inner polynomial, b1 for the second, and so on",
        )
    if own and all(numbered):
        places = [int(match[1] or 0) for match in numbered if match]
    else:
        places = [sorted(own, key=natural_key).index(name) for name in own]
    if len(set(places)) < len(places):
        raise UsageError(
            f"two of {', '.join(own)} stand for the same inner polynomial",
            "call the variables b0, b1, b2 and so on",
        )
    if places and max(places) >= inners:
        raise UsageError(
            f"the outer polynomial uses {', '.join(own)}, but the number of inner polynomials is {inners}",
            "give one inner polynomial for each of its variables: b0 stands for the first, b1 for the second",
        )
    return embed(g, outer_ring(inners), places)


def _read_inner(h: PolynomialLike, variables: Sequence[str], atoms: bool) -> Polynomial:
    """Text is read by itself, or else, if that gives other variables than f's or an error, with f's names."""
    try:
        found = read_polynomial(h, atoms=atoms)
    except ParseError:
        if isinstance(h, str) and variables:
            return parse(h, variables, atoms=atoms)
        raise
    if isinstance(h, str) and not set(names(found)) <= set(variables):
        with contextlib.suppress(ParseError):
            return parse(h, variables, atoms=atoms)
    return found


def _common_ring(polynomials: Sequence[Polynomial]) -> Ring:
    """The ring of the first polynomial if it has all variables, or else that of all of them, sorted."""
    first, every = names(polynomials[0]), {name for f in polynomials for name in names(f)}
    return ring(first if every <= set(first) else sorted(every, key=natural_key))


def _in_given_ring(f: Polynomial, variables: Sequence[str], atoms: bool) -> Polynomial:
    """f in the ring of `variables` and, if atoms are read, of its own that are functions or quotients."""
    own = [name for name in names(f) if atoms and not is_plain(name) and name not in variables]
    return _in_ring(f, ring([*variables, *own]))


def _in_ring(f: Any, target: Ring) -> Polynomial:
    if f.context() == target:
        found: Polynomial = f
        return found
    known = {name: place for place, name in enumerate(target.names())}
    unknown = [
        name for name, degree in zip(names(f), f.degrees(), strict=True) if name not in known and degree
    ]
    if unknown:
        raise UsageError(f"the variables {', '.join(unknown)} are not among {', '.join(known)}")
    return embed(f, target, [known.get(name, 0) for name in names(f)])
