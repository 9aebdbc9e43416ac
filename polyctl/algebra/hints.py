"""What is said of characters, words and LaTeX commands that no polynomial has, but that people paste."""

from __future__ import annotations

import re
import unicodedata

from polyctl.algebra.tokens import ATOM_HINT

_ALONE = "give the polynomial alone, or an equation with ="
_RELATION = "only equations are read: write = or give the polynomial alone"
_DOTS = "write out the terms that are left out"
_SPECIAL = "write this polynomial out; SymPy's expand(…) or Mathematica's Expand[…] prints it"
_SUMS = "write the terms out; SymPy's expand(….doit()) or Mathematica's Expand[…] prints them"
_MATRIX = "a matrix is no polynomial: give one of its entries, or its determinant written out"
_SEVERAL = "give one polynomial at a time"
_BARS = "leave the bars of a table out; write abs(x) for |x|, which needs --atoms (atoms=True in Python)"
_RESULT = "give the polynomial that comes out"
_MODULO = "polynomials are read over the rational numbers: leave the modulus out"
_DECORATED = "write a letter with an index for this variable, such as x_1 or x_{bar}"
_ROOT = r"write \sqrt{x} with --atoms (atoms=True in Python)"
_COMPOSED = "write one polynomial in place of the variable of the other: (x^3)^2 + 1"
_CONSTANT = "this is no number of a polynomial"

_FUNCTION = re.compile(r"(?:arc)?(?:sin|cos|tan|cot)h?(?=[a-z]|$)|(?:ln|log|exp|sqrt)(?=[a-z]?$)")

_CHARACTERS = {
    "<>≤≥≠≈≡≅≃∼~⩽⩾": _RELATION,
    "…⋯⋮": _DOTS,
    "|‖∣": _BARS,
    "%": "this stands for a comment, an earlier result or a remainder: leave it out",
    "#": "the argument of a pure function stands alone, as # or #1, with & at the end; comments are left out",
    "&": "this joins columns, conditions or a pure function: leave it out",
    ";": "give one polynomial, and what defines it in one line",
    ":": "a definition is written f(x) = … or f := …",
    "'\"“”‘’„«»": "quotes may only enclose the whole polynomial; f'(x) = … names a derivative",
    "′″": _DECORATED,
    "@": "functions are applied with brackets: Expand[(x + 1)^2]",
    "?": "leave the question out",
    "!": "a factorial stands behind a whole number: 4!",
    "±∓": "give one polynomial for each sign",
    "∑Σ∏Π": _SUMS,
    "∫∂∇": _RESULT,
    "∞": _CONSTANT,
    "∘": _COMPOSED,
    "∈∉∀∃⊂→⇒⇔↦↔∧∨": _ALONE,
    "∛∜": "write x^(1/3) with --atoms (atoms=True in Python)",
    "°": "leave the unit out",
    "⟨⟩〈〉⌊⌋⌈⌉": "brackets are ( ), [ ] and { }",
}
_BY_CHARACTER = {c: hint for characters, hint in _CHARACTERS.items() for c in characters}

_WORDS = {
    "chebyshevt chebyshevu chebyshev legendrep legendre hermiteh hermite laguerrel laguerre gegenbauerc "
    "gegenbauer jacobip jacobi cyclotomic cyclotomicpoly polcyclo polchebyshev pollegendre polhermite "
    "bernoullib bernoulli eulere euler bell fibonacci lucas swinnerton interpolatingpolynomial": _SPECIAL,
    "sum product prod nsum seq table array summation": _SUMS,
    "matrix vector": _MATRIX,
    "resultant discriminant charpoly characteristicpolynomial minpoly minimalpolynomial": _RESULT,
    "integrate int diff derivative lim limit series taylor coeff subs resolve grobner groebner": _RESULT,
    "mod mods pmod bmod": _MODULO,
    "if else when otherwise": "give one case at a time",
    "rootof piecewise conjugate": ATOM_HINT,
    "nan inf infinity none null true false undefined": _CONSTANT,
    "polyval polyfit polynomial": "give the polynomial itself, or its coefficients with --coefficients",
    "symbol symbols var": "write the variable alone, and name it with --variables if it is a word",
}
_BY_WORD = {word: hint for words, hint in _WORDS.items() for word in words.split(" ")}

_COMMANDS = {
    "sum prod coprod": _SUMS,
    "int iint oint partial nabla lim": _RESULT,
    "ldots cdots dots dotsc dotsb vdots ddots": _DOTS,
    "leq le geq ge neq ne lt gt ll gg approx sim simeq cong leqslant geqslant": _RELATION,
    "equiv pmod bmod mod": _MODULO,
    "pm mp": "give one polynomial for each sign",
    "lvert rvert vert mid lVert rVert Vert |": _BARS,
    "dot ddot bar hat tilde vec overline underline widehat widetilde prime check acute breve": _DECORATED,
    "underbrace overbrace underset overset stackrel": "leave this and what it adds out",
    "circ": _COMPOSED,
    "dagger ast top": "write a variable of its own for this, such as y",
    "infty": _CONSTANT,
    "mathbb mathcal mathfrak mathscr": r"name the variable \mathrm{R}, or leave the set out",
    "in notin forall exists implies iff to rightarrow Rightarrow Leftrightarrow mapsto land lor": _ALONE,
    "begin end": _MATRIX,
    "sqrt": _ROOT,
}
_BY_COMMAND = {name: hint for names, hint in _COMMANDS.items() for name in names.split(" ")}


def hint_on_character(character: str) -> str:
    """What to write in place of a character that is not read."""
    if unicodedata.combining(character):
        return _DECORATED
    return _BY_CHARACTER.get(
        character, "polynomials are made of letters, digits 0-9, and + - * / ^ ( ) [ ] { }"
    )


def hint_on_word(word: str) -> str | None:
    """What to write in place of a word that other systems know.

    >>> hint_on_word("Sum") == hint_on_word("prod")
    True
    """
    return _BY_WORD.get(re.sub(r"_.*", "", word).lower())


def hint_on_joined_word(word: str) -> str | None:
    """What to write in place of sinx, or of a function without its argument.

    >>> hint_on_joined_word("sinx").partition(":")[0]
    'write sin(x)'
    """
    function = _FUNCTION.match(word.lower())
    return None if function is None else f"write {function.group()}(x): {ATOM_HINT}"


def hint_on_command(name: str) -> str:
    """What to write in place of a LaTeX command that is not read."""
    return _BY_COMMAND.get(
        name, "polyctl reads +, -, *, /, powers, brackets, \\frac and names such as \\alpha"
    )
