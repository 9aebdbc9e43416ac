"""Polynomials as text, highest degree first: plain (which parse reads back) and LaTeX.

Variables that stand for functions, such as `sin(x)` or `1/x` (atoms.py), are written as these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from flint import fmpq

from polyctl.algebra.monomials import Monomial
from polyctl.algebra.names import GREEK_NAMES, is_single
from polyctl.algebra.polynomial import Polynomial, names, terms
from polyctl.algebra.tokens import FUNCTIONS

_INDEXED = re.compile(r"([A-Za-z]+)([0-9]*)((?:_[A-Za-z0-9]+)*)")
_FUNCTIONS = "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan exp log ln min max gcd det"
_LATEX_FUNCTIONS = frozenset(_FUNCTIONS.split(" "))
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_{}]*")


def plain(f: Polynomial) -> str:
    """The polynomial as text, like `3*x^2*y - 1/2*x + 5`; parse(plain(f), names(f)) is f.

    Names that are a letter or a Greek letter with indices need not be given to parse.

    >>> from polyctl.algebra.parse import parse
    >>> plain(parse("3x²y − ½x"))
    '3*x^2*y - 1/2*x'
    """
    return _plain_terms(terms(f), [_plain_name(name) for name in names(f)])


def plain_composition(outer: Polynomial, inners: Sequence[Polynomial]) -> str:
    """The outer with the inner polynomials in place of its variables, unexpanded.

    >>> from polyctl.algebra.parse import parse
    >>> plain_composition(parse("b^2 - 3b + 1"), [parse("x^2 + x")])
    '(x^2 + x)^2 - 3*(x^2 + x) + 1'
    """
    return compose_text(outer, [plain(inner) for inner in inners])


def compose_text(outer: Polynomial, texts: Sequence[str]) -> str:
    """The outer with these texts, in brackets where they need them, in place of its variables."""
    if terms(outer) == terms(outer.context().gens()[0]) and len(texts) == 1:
        return texts[0]
    return _plain_terms(terms(outer), [t if is_single(t) else f"({t})" for t in texts])


def latex(f: Polynomial) -> str:
    """The polynomial in LaTeX, like `3 x^{2} y - \\frac{1}{2} x + 5`; x1 becomes x_{1}, and so does x_1.

    If both occur they are written as upright words.

    >>> from polyctl.algebra.parse import parse
    >>> print(latex(parse("3x^2 - x_12/2")))
    3 x^{2} - \\frac{1}{2} x_{12}
    """
    spelled = _latex_names(names(f))

    def power(i: int, exponent: int, alone: bool) -> str:
        name, text = names(f)[i], spelled[i]
        number_first = name[0].isdigit() and not name.startswith("1/")
        if not is_single(name) and (exponent > 1 or (number_first and not alone)):
            text = f"\\left({text}\\right)"
        return text if exponent == 1 else f"{text}^{{{exponent}}}"

    return _signed_sum(terms(f), power, " ", lambda c: str(c.p) if c.q == 1 else f"\\frac{{{c.p}}}{{{c.q}}}")


def _plain_terms(listed: Sequence[tuple[Monomial, fmpq]], spelled: Sequence[str]) -> str:
    def power(i: int, exponent: int, alone: bool) -> str:
        name = spelled[i]
        if not is_single(name) and (exponent > 1 or (name.startswith("1/") and not alone)):
            name = f"({name})"
        return name if exponent == 1 else f"{name}^{exponent}"

    return _signed_sum(listed, power, "*", str)


def _signed_sum(
    listed: Sequence[tuple[Monomial, fmpq]],
    power: Callable[[int, int, bool], str],
    times: str,
    number: Callable[[fmpq], str],
) -> str:
    """The terms joined by their signs.

    `power` spells variable i to an exponent, as a factor or alone, and `number` a number > 0.
    """
    text = ""
    for monomial, coefficient in listed:
        size = abs(coefficient)
        used = [(i, exponent) for i, exponent in enumerate(monomial) if exponent]
        factors = [power(i, exponent, size == 1 and len(used) == 1) for i, exponent in used]
        if size != 1 or not factors:
            factors.insert(0, number(size))
        negative = coefficient < 0
        sign = (" - " if negative else " + ") if text else ("-" if negative else "")
        text += sign + times.join(factors)
    return text or "0"


@lru_cache(maxsize=1024)
def _plain_name(name: str) -> str:
    """The name as parse reads it: an index of several characters that are not all digits is put in braces."""
    match = _INDEXED.fullmatch(name)
    if match is None:
        return name
    letters, digits, indices = match.groups()
    if len(letters) > 1 and letters not in GREEK_NAMES:
        return name
    parts = indices.split("_")[1:]
    return letters + digits + "".join(f"_{p}" if p.isdigit() or len(p) == 1 else f"_{{{p}}}" for p in parts)


def _latex_names(variables: Sequence[str]) -> list[str]:
    spelled = [_latex_name(name) for name in variables]
    return [s if spelled.count(s) == 1 else _word(name) for name, s in zip(variables, spelled, strict=True)]


def _word(name: str) -> str:
    escaped = name.replace("_", "\\_")
    return f"\\mathrm{{{escaped}}}"


def _latex_name(name: str) -> str:
    match = _INDEXED.fullmatch(name)
    if match is None:
        return _word(name) if re.fullmatch(r"\w+", name) else _latex_atom(name)
    letters, digits, indices = match.groups()
    base = (
        letters
        if len(letters) == 1
        else f"\\{letters}"
        if letters in GREEK_NAMES
        else f"\\mathrm{{{letters}}}"
    )
    parts = ([digits] if digits else []) + indices.split("_")[1:]
    return f"{base}_{{{','.join(parts)}}}" if parts else base


def _latex_atom(name: str) -> str:
    """The name of an atom in LaTeX: \\sin(x) for sin(x), \\sqrt{2} for sqrt(2), \\frac{1}{x} for 1/x."""
    if name.startswith("1/"):
        return f"\\frac{{1}}{{{_latex_atom(_inside(name[2:]))}}}"
    text, at = "", 0
    while at < len(name):
        word = _WORD.match(name, at)
        if word is not None:
            at = word.end()
            base, _, index = word.group().partition("_")
            if base not in FUNCTIONS or name[at : at + 1] != "(":
                text += _latex_name(re.sub(r"[{}]", "", word.group()))
                continue
            end = _end(name, at)
            argument = _latex_atom(name[at + 1 : end - 1])
            known = f"\\{base}" if base in _LATEX_FUNCTIONS else f"\\operatorname{{{base}}}"
            head = f"{known}_{{{index}}}" if index else known
            text += f"\\sqrt{{{argument}}}" if base == "sqrt" else f"{head}({argument})"
            at = end
        elif name[at] == "^":
            end = _end(name, at + 1)
            text += f"^{{{_latex_atom(_inside(name[at + 1 : end]))}}}"
            at = end
        else:
            text += " " if name[at] == "*" else name[at]
            at += 1
    return text


def _inside(text: str) -> str:
    """The text without the brackets that enclose it all."""
    return text[1:-1] if text.startswith("(") and _end(text, 0) == len(text) else text


def _end(text: str, start: int) -> int:
    """Where the bracket, or else the word or number, that starts here ends, with its own brackets."""
    at = start
    if text[at] != "(":
        while at < len(text) and (text[at].isalnum() or text[at] in "_{}"):
            at += 1
        if at == len(text) or text[at] != "(":
            return at
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if depth == 0:
            return end + 1
    return len(text)
