"""A decomposition in words: equations as text, LaTeX or SymPy, and the proof that it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, compose, names
from polyctl.algebra.printing import latex, plain, plain_composition
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.algebra.verify import Verdict
from polyctl.formatting import cut_text
from polyctl.solving.attempt import Attempt
from polyctl.solving.methods import METHODS

if TYPE_CHECKING:
    import sympy

_EXACT = frozenset(m.name for m in METHODS if m.kind == "exact")


def name_inners(count: int) -> list[str]:
    """The names of so many inner polynomials: h, or h0, h1, …"""
    return ["h"] if count == 1 else [f"h{i}" for i in range(count)]


def equations(decomposition: Decomposition) -> list[tuple[str, Polynomial]]:
    """The left and right sides: ("g(b)", the outer) if there is one, then ("h", an inner) for each."""
    outer, inners = decomposition.outer, decomposition.inners
    sides = list(zip(name_inners(len(inners)), inners, strict=True))
    return sides if outer is None else [(f"g({', '.join(names(outer))})", outer), *sides]


def write_plain(decomposition: Decomposition, write: Callable[[Polynomial], str] = plain) -> str:
    """The equations as text, one a line; `write` turns a polynomial into text."""
    return "\n".join(f"{left} = {write(right)}" for left, right in equations(decomposition))


def write_latex(decomposition: Decomposition) -> str:
    """The equations in LaTeX, one a line."""
    return write_plain(decomposition, latex)


def write_aligned(decomposition: Decomposition) -> str:
    """The equations as one LaTeX formula, for notebooks."""
    lines = [f"{_subscripted(left)} &= {latex(right)}" for left, right in equations(decomposition)]
    return "$\\displaystyle \\begin{aligned} " + " \\\\ ".join(lines) + " \\end{aligned}$"


def _subscripted(left: str) -> str:
    """h0 as h_{0}, and g(b0, b1) as g(b_{0}, b_{1})."""
    return re.sub(r"([a-z])([0-9]+)", r"\1_{\2}", left)


def write_sympy(decomposition: Decomposition) -> str:
    """The equations as Python code for SymPy, one a line."""
    sides = equations(decomposition)
    return "\n".join(f"{left.partition('(')[0]} = {plain(p).replace('^', '**')}" for left, p in sides)


def to_sympy(decomposition: Decomposition) -> tuple[sympy.Expr | None, tuple[sympy.Expr, ...]]:
    """The outer, or None, and the inner polynomials as SymPy expressions."""
    outer, inners = decomposition.outer, decomposition.inners
    return None if outer is None else sympy_expression(outer), tuple(map(sympy_expression, inners))


def write_proof(f: Polynomial, decomposition: Decomposition, verdict: Verdict) -> str:
    """What was compared with what, a line a step; long polynomials are cut."""
    outer, inners = decomposition.outer, decomposition.inners
    lines = [write_plain(decomposition, lambda p: cut_text(plain(p)))]
    if outer is not None:
        applied = f"g({', '.join(name_inners(len(inners)))})"
        lines.append(f"{applied} = {cut_text(plain_composition(outer, inners))}")
        if verdict.status in ("verified", "trivial"):
            same = compose(outer, inners) == f
            lines.append(f"expanded = {cut_text(plain(f))}")
            equal = "equal, coefficient by coefficient over Q"
            lines.append(f"compared with f: {equal}" if same else "not equal to f")
        elif verdict.method == "composition":  # else expanding was too much work
            lines.append(f"f - {applied} = {cut_text(plain(f - compose(outer, inners)))}")
    lines.append(f"{verdict.status}: {verdict.reason}, by {verdict.method}")
    return "\n".join(lines)


def write_tried(tried: Sequence[Attempt]) -> list[str]:
    """What a search in vain tried, and how far, a line each: proofs first, what was not tried last.

    The exact methods that proved nothing share a line, and methods that were not tried for the same reason.
    """
    lines = [f"proved by {a.method}: {a.note}" for a in tried if a.ending == "proved"]
    finished = [a for a in tried if a.ending == "finished"]
    exact = [a for a in finished if a.method in _EXACT]
    if exact:
        methods = "1 exact method" if len(exact) == 1 else f"{len(exact)} exact methods"
        listed = ", ".join(a.method for a in exact)
        lines.append(f"nothing by {methods} in {sum(a.seconds for a in exact):.2g} s: {listed}")
    lines += [f"nothing by {a.method} in {a.seconds:.2g} s" for a in finished if a.method not in _EXACT]
    lines += [f"out of time: {a.method}, after {a.seconds:.2g} s" for a in tried if a.ending == "out of time"]
    reasons: dict[str, list[str]] = {}
    for a in tried:
        if a.ending == "not tried":
            reasons.setdefault((a.note or "").removeprefix("not tried: "), []).append(a.method)
    return lines + [f"not tried: {', '.join(methods)} ({reason})" for reason, methods in reasons.items()]
