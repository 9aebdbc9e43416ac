"""Polynomials from and to SymPy expressions; with atoms, functions and roots become variables and back.

SymPy reads no text here: an atom's name is taken apart by our own parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flint import fmpq

from polyctl.algebra.atoms import is_plain, parse_atoms
from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.name_reader import short
from polyctl.algebra.names import is_single, natural_key
from polyctl.algebra.polynomial import (
    Polynomial,
    compose,
    embed,
    names,
    polynomial,
    ring,
    terms,
    variables_used,
)
from polyctl.algebra.tokens import FUNCTIONS, Limits
from polyctl.errors import ParseError, UsageError

if TYPE_CHECKING:
    import sympy

_APPLIED = re.compile(r"([a-z]+)(?:_(\w+))?\((.*)\)")
_NAMES = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_(?:\{\w+\}|[A-Za-z0-9]+))*(?![A-Za-z0-9_{(])")
_INVERSE = re.compile(r"(?:arc|ar|a)((?:sin|cos|tan|cot|sec|csc)h?)")
_SYMPY_NAMES = {"ln": "log", "abs": "Abs"}
_ATOMS_HINT = "with atoms=True functions, roots and quotients are variables"


# -- to SymPy ------------------------------------------------------------------------------------


def sympy_expression(f: Polynomial) -> sympy.Expr:
    """The polynomial as a SymPy expression: symbols of the same names, and functions for atoms."""
    import sympy

    values = [_sympy_variable(name) for name in names(f)]
    return sympy.Add(
        *(
            sympy.Mul(
                sympy.Rational(int(c.p), int(c.q)),
                *(value**exponent for value, exponent in zip(values, monomial, strict=True)),
            )
            for monomial, c in terms(f)
        )
    )


def _sympy_variable(name: str) -> sympy.Expr:
    """A symbol, or for an atom what its name says; a symbol if that cannot be read."""
    import sympy

    if not is_plain(name):
        try:
            return _sympy_atom(name)
        except UsageError:
            pass
    return sympy.Symbol(name)


def _sympy_atom(name: str) -> sympy.Expr:
    """1/h, sqrt(h), sin(h) or g^h; ParseError if the name is none of these."""
    import sympy

    if name.startswith("1/"):
        return 1 / _sympy_part(name[2:])
    if not is_single(name):
        base, exponent = _split_power(name)
        return _sympy_part(base) ** _sympy_part(exponent)
    applied = _APPLIED.fullmatch(name)
    if applied is None:
        raise ParseError("no function", name, 0)
    function, index, argument = applied.groups()
    function = _INVERSE.sub(r"a\1", _SYMPY_NAMES.get(function, function))
    known = getattr(sympy, function, None)
    value = _sympy_part(argument)
    if function == "log" and index is not None:
        return sympy.log(value, _sympy_part(index))
    if index is not None or known is None or function in {"det", "gcd", "mod"}:
        return sympy.Function(name.partition("(")[0])(value)
    result: sympy.Expr = known(value)
    return result


def _sympy_part(text: str) -> sympy.Expr:
    own = dict.fromkeys(canonical_name(match.group()) for match in _NAMES.finditer(text))
    return sympy_expression(parse_atoms(text, list(own), Limits()))


def _split_power(name: str) -> tuple[str, str]:
    """The base and the exponent of an atom such as x^(1/3)."""
    depth = 0
    for at, character in enumerate(name):
        depth += (character == "(") - (character == ")")
        if depth == 0 and character == "^":
            return name[:at], name[at + 1 :]
    raise ParseError("no power", name, 0)


# -- from SymPy ----------------------------------------------------------------------------------


def from_sympy(f: sympy.Expr | sympy.Poly, *, atoms: bool = False) -> Polynomial:
    """The polynomial in the ring of its symbols or, with `atoms`, of these and its functions and quotients.

    SymPy chooses what it is a polynomial in: exp(2*a) + exp(a) becomes exp(a)^2 + exp(a). Raises UsageError
    for what is not a polynomial over Q.
    """
    import sympy

    _refuse_inexact(f)
    if atoms and isinstance(f, sympy.Poly):
        f = f.as_expr()
    elif isinstance(f, sympy.Equality):
        f = f.lhs - f.rhs
    symbols = sorted(f.free_symbols, key=lambda symbol: natural_key(symbol.name))
    generators: Sequence[Any] = symbols
    try:
        if atoms and isinstance(f, sympy.Expr) and not f.is_Rational:
            whole = sympy.Poly(f)
            generators, listed = whole.gens, whole.terms()
        else:
            listed = sympy.Poly(f, *symbols).terms() if symbols else [((), sympy.sympify(f))]
    except sympy.polys.polyerrors.BasePolynomialError as error:
        raise UsageError(
            f"{f} is not a polynomial", f"SymPy says: {error}" if atoms else _ATOMS_HINT
        ) from None
    outer = polynomial(
        ring([f"g{i}" for i in range(len(generators))]),
        {tuple(monomial): _rational(coefficient, atoms) for monomial, coefficient in listed},
    )
    own = [_name_of(symbol) for symbol in symbols]
    twice = next((name for name in own if own.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two symbols are called {twice}", "give them different names")
    values = [_read_generator(generator, own) for generator in generators]
    every = ring(sorted({name for value in values for name in names(value)}, key=natural_key))
    if not values:
        return embed(outer, every, ())
    places = {name: place for place, name in enumerate(every.names())}
    return compose(outer, [embed(h, every, [places[name] for name in names(h)]) for h in values])


def _refuse_inexact(f: Any) -> None:
    """UsageError for what is no expression, for decimals, which SymPy rounds, and for finite fields."""
    import sympy

    if not isinstance(f, (sympy.Expr, sympy.Poly, sympy.Equality)):
        raise UsageError(
            f"{short(str(f))} is of the type {type(f).__name__}", "give an expression or an equation"
        )
    if isinstance(f, sympy.Poly) and f.domain.is_FiniteField:
        raise UsageError(
            f"{short(str(f), 60)} is over a finite field",
            "polynomials are decomposed over Q: give one over ZZ or QQ",
        )
    decimals = sorted((f.as_expr() if isinstance(f, sympy.Poly) else f).atoms(sympy.Float))
    if decimals:
        first = next((value for value in decimals if value != int(value)), decimals[0])
        shown = short(sympy.sstr(first, full_prec=False))
        raise UsageError(
            f"the decimal {shown} in a SymPy expression is not exact",
            f"write sympy.Rational('{shown}'), or give polyctl the text, in which decimals are exact",
        )


def _name_of(symbol: Any) -> str:
    """The symbol's name, or what it is called here if it is not one in ASCII: lambda for λ."""
    name: str = symbol.name
    return name if is_plain(name) else canonical_name(name)


def _rational(coefficient: Any, atoms: bool) -> fmpq:
    if coefficient.is_Rational:
        return fmpq(int(coefficient.p), int(coefficient.q))
    hint = "put a symbol in its place" + ("" if atoms else f"; {_ATOMS_HINT}")
    raise UsageError(f"the coefficient {coefficient} is not a rational number", hint)


def _read_generator(generator: Any, symbols: Sequence[str]) -> Polynomial:
    """A symbol, or a function of symbols as `parse` with atoms reads it; UsageError for anything else."""
    import sympy

    if generator.is_Symbol:
        return ring([_name_of(generator)]).gens()[0]
    for part in sympy.preorder_traversal(generator):
        known = part.is_Symbol or part.is_Rational or part.is_Add or part.is_Mul or part.is_Pow
        if not known and not (part.is_Function and str(part.func).lower() in FUNCTIONS):
            raise UsageError(
                f"{part} is neither a symbol nor a function that polyctl knows", "put a symbol in its place"
            )
    try:
        whole = parse_atoms(str(generator), symbols, Limits())
    except ParseError as error:
        raise UsageError(
            f"{generator} cannot be read: {error.message}", "put a symbol in its place"
        ) from None
    used = variables_used(whole)
    own = ring([names(whole)[i] for i in used])
    return polynomial(own, {tuple(m[i] for i in used): c for m, c in terms(whole)})
