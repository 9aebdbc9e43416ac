"""Polynomials and decompositions from what people have: text, SymPy expressions, polynomials of any ring."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from flint import fmpq, fmpq_mpoly, fmpz_mpoly

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.names import natural_key, numbered_name, outer_letter
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import (
    Polynomial,
    Ring,
    compose,
    degree,
    embed,
    names,
    names_used,
    ring,
    variables_used,
)
from polyctl.algebra.reading import read
from polyctl.algebra.verify import WorkBound, work_exceeds
from polyctl.errors import ParseError, UsageError
from polyctl.solving.outer_places import clashes, inner_names, notes_on_outer, outer_arguments, outer_places

if TYPE_CHECKING:
    import sympy

PolynomialLike: TypeAlias = "str | int | Polynomial | sympy.Expr | sympy.Poly"
_LISTED = re.compile(r"\{[^{}]*,[^{}]*\}|\[[^\[\]]*,[^\[\]]*\]")
_CHAIN = WorkBound(terms=10_000, digits=5_000)  # of a chain that is read
Names: TypeAlias = "str | Sequence[str | sympy.Symbol]"


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

    With `atoms`, functions, roots and quotients in text and SymPy expressions are variables too. Text may be
    a chain as answers show it, (b^2 - 2) ∘ (x^2 - 2).

    SymPy is not imported unless f is of it. Raises ParseError for text, UsageError for anything else that
    is not a polynomial over Q.
    """
    if isinstance(f, str):
        *outers, last = f.split("∘")
        value = read(last, variables, atoms=atoms).polynomial
        for outer in reversed(outers):
            value = _composed(outer, value)
        return value
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


@dataclass(frozen=True)
class Claim:
    """A decomposition of f as someone gave it, in one ring, and what was assumed in reading it.

    `named` are f's variables if they were given; `doubts` are what to say if the claim does not hold.
    Variables of f that the outer polynomial has, as rewriting leaves them, are further inner polynomials.
    """

    f: Polynomial
    decomposition: Decomposition
    notes: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def _composed(outer: str, inner: Polynomial) -> Polynomial:
    """One step of a chain, outer ∘ inner."""
    g = read(outer).polynomial
    if len(names(g)) > 1:
        raise UsageError(f"{outer.strip()} before ∘ has more than one variable", "use one, such as b")
    if not names(g):
        return inner.context().constant(g[()])
    if work_exceeds(g, (inner,), _CHAIN):
        raise UsageError("the chain is too large to be expanded", "give its last part as an inner polynomial")
    return compose(g, [inner])


def read_claim(
    f: PolynomialLike,
    outer: PolynomialLike | None,
    inner: PolynomialLike | Sequence[PolynomialLike],
    *,
    variables: Sequence[str] | None = None,
    atoms: bool = False,
) -> Claim:
    """f and its decomposition in one ring: f's own, with the variables that only inner polynomials have."""
    given = list(inner) if isinstance(inner, (list, tuple)) else [inner]
    whole = read_polynomial(f, variables, atoms=atoms)
    inners = [_read_inner(h, names(whole), atoms) for h in given]
    common = _common_ring([whole, *inners])
    whole, inners = _in_ring(whole, common), [_in_ring(h, common) for h in inners]
    own, named = names_used([whole, *inners]), tuple(variables or ())
    foreign = [name for name in own if name not in names_used([whole])]
    doubts: tuple[str, ...] = ()
    if foreign:
        doubts = (f"f has no {' and no '.join(foreign)}, unlike the inner polynomials",)
    if outer is None:
        return Claim(whole, Decomposition(None, tuple(inners)), (), named, doubts)
    g = _read_outer_with(outer, own, len(inners), atoms)
    arguments = outer_arguments(outer, atoms)
    places = outer_places(g, len(inners), own, arguments, inner_names(given, own))
    left = [name for name, place in places.items() if place >= len(inners)]
    generators = [common.gens()[common.names().index(name)] for name in left]
    found = embed(g, outer_ring(len(inners) + len(left)), [places.get(name, 0) for name in names(g)])
    notes = notes_on_outer(places, len(inners))
    doubts += clashes(places, len(inners), own)
    return Claim(whole, Decomposition(found, (*inners, *generators)), notes, named, doubts)


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


def read_several(
    polynomials: Sequence[PolynomialLike], variables: Sequence[str] | None = None, *, atoms: bool = False
) -> list[Polynomial]:
    """Two polynomials or more that vary, in one ring; UsageError for fewer."""
    if isinstance(polynomials, str) or len(polynomials) < 2:
        raise UsageError("two polynomials or more can share inner ones", "give a list of them")
    given = read_together(polynomials, variables, atoms=atoms)
    if sum(degree(f) > 0 for f in given) < 2:
        raise UsageError("two polynomials or more that are not constant can share inner ones")
    return given


def read_outer(outer: PolynomialLike, inners: int) -> Polynomial:
    """An outer polynomial in the ring of outers for so many inner polynomials.

    Its variables are b, or b0, b1, ... (also b_0 or h0), or as many as there are inner polynomials, in
    natural order. Raises UsageError if they are too many, or if it is not clear what one stands for.
    """
    g = read_polynomial(outer)
    places = outer_places(g, inners, (), outer_arguments(outer))
    return embed(g, outer_ring(inners), [places.get(name, 0) for name in names(g)])


def split_list(text: str) -> list[str]:
    """The polynomials in a list such as {x + y, x*y}; commas between digits or in brackets separate none.

    >>> split_list("{x + y, f(x, y)}"), split_list("1,5 x")
    (['x + y', 'f(x, y)'], ['1,5 x'])
    """
    inside, depth, cuts = text.strip(), 0, [-1]
    if _LISTED.fullmatch(inside):
        inside = inside[1:-1]
    for i, character in enumerate(inside):
        depth += (character in "([{") - (character in ")]}")
        between = inside[i - 1 : i].isdigit() and inside[i + 1 : i + 2].isdigit()
        if character == "," and depth == 0 and not between:
            cuts.append(i)
    if len(cuts) == 1 or depth:
        return [text]
    return [inside[start + 1 : end].strip() for start, end in pairwise([*cuts, len(inside)])]


def _read_outer_with(outer: PolynomialLike, own: Sequence[str], inners: int, atoms: bool) -> Polynomial:
    """Text is read with f's names if some are words, or else by itself."""
    if isinstance(outer, str) and any(is_plain(name) and numbered_name(name) is None for name in own):
        letters = {outer_letter(own), "b", "h"}.difference(own)
        numbered = [letter + number for letter in letters for number in ("", *map(str, range(inners)))]
        with contextlib.suppress(ParseError):
            g = parse(outer, list(dict.fromkeys([*own, *numbered])), atoms=atoms)
            return _in_ring(g, ring(names(g)[place] for place in variables_used(g)))
    return read_polynomial(outer, atoms=atoms)


def _read_inner(h: PolynomialLike, variables: Sequence[str], atoms: bool) -> Polynomial:
    """Text is read by itself, or else, if that gives other variables than f's or an error, with f's names."""
    try:
        found = read_polynomial(h, atoms=atoms)
    except ParseError:
        if isinstance(h, str) and variables:
            return read_polynomial(h, variables, atoms=atoms)
        raise
    if isinstance(h, str) and not set(names(found)) <= set(variables):
        with contextlib.suppress(ParseError):
            return read_polynomial(h, variables, atoms=atoms)
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
