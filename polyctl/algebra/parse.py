"""Polynomials from text: see parser.py for the grammar, lexer.py for names and atoms.py for functions."""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.algebra.atoms import parse_atoms
from polyctl.algebra.lexer import Lexer, canonical_name
from polyctl.algebra.names import natural_key
from polyctl.algebra.parser import Parser
from polyctl.algebra.polynomial import Polynomial, ring
from polyctl.algebra.tokens import Limits
from polyctl.errors import ParseError, UsageError

__all__ = ["Limits", "parse"]


def parse(
    text: str,
    names: Sequence[str] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    *,
    atoms: bool = False,
) -> Polynomial:
    """The polynomial that a text stands for, in the ring of `names`, or of the variables that occur.

    Variables that occur are sorted naturally (x2 before x10); a text without variables gives a polynomial of
    the ring of no variables. Raises ParseError, with the position, for a text that is not a polynomial or is
    above a limit, and UsageError for names that are not valid.

    With `atoms`, what is no polynomial is a variable named by its text, such as `sin(x)` or `1/x`; see
    atoms.py.

    >>> parse("(x + 1)^2 - 1/2 x")
    x^2 + 3/2*x + 1
    >>> parse("xy + y_1", ["x", "y", "y1"])
    x*y + y1
    >>> parse("exp(2a + a)^2 - exp(3a)/x", atoms=True)
    exp(3*a)^2 - exp(3*a)*1/x
    """
    if atoms:
        return parse_atoms(text, names, limits)
    if names is not None:
        names = [canonical_name(name) for name in names]
        if len(set(names)) < len(names):
            raise UsageError(f"a variable is listed twice: {', '.join(names)}")
    tokens = Lexer(text, names, limits).tokens()
    occurring = sorted({token.text for token in tokens if token.kind == "name"}, key=natural_key)
    used = occurring if names is None else names
    if len(used) > limits.variables:
        position = 0 if not occurring else next(t.position for t in tokens if t.text == occurring[-1])
        raise ParseError(f"more than {limits.variables} variables", text, position)
    return Parser(text, tokens, ring(used), limits).polynomial()
