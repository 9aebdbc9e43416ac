"""What is true of functions, roots and quotients, as polynomials that vanish: x*(1/x) − 1, sqrt(2)^2 − 2.

An atom is a variable like any other (`atoms`), so that an equation that needs these relations is not seen
to hold. Modulo the relations that are written down here it is:

    1/h, sqrt(h), h^(1/n)    h*(1/h) = 1, (h^(1/n))^n = h, and sqrt(h) = (h^(1/4))^2
    exp(h), e^h, 2^h         all are monomials in exp(h1), exp(h2), … for a basis h1, h2, … of the lattice
                             that the exponents generate
    sin, cos, tan of h       the addition theorems, for a basis of the lattice of the arguments, and
                             sin^2 + cos^2 = 1; so too sinh, cosh and tanh

    sqrt(2), sqrt(6), …      products of the square roots of primes

Others, as between log(x) and log(x^2), are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm, prod

from flint import fmpq_mat, fmpz, fmpz_mat

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.names import is_single
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, Ring, embed, names, ring, variables_used
from polyctl.errors import ParseError

_FAMILIES = (("sin", "cos", "tan"), ("sinh", "cosh", "tanh"))
_FUNCTION = re.compile(r"([a-z]+)\((.*)\)")
_ROOT = re.compile(r"\(1/([0-9]+)\)")
_SPARE = 12  # auxiliary variables
_DIGITS = 15  # of whole numbers that are factored
_LARGEST = 24  # multiples of basis elements that an argument may be


@dataclass(frozen=True)
class Identities:
    """Polynomials that vanish if the atoms are what they are called.

    `ring` has auxiliary variables first, then those that were asked about. `sentences` say what is used;
    `complete` means that there are no other relations.
    """

    ring: Ring
    relations: tuple[Polynomial, ...]
    sentences: tuple[str, ...]
    complete: bool

    def lift(self, f: Polynomial) -> Polynomial:
        """f, whose ring is that of the variables that were asked about, in this ring."""
        count, all_of_them = f.context().nvars(), self.ring.nvars()
        return embed(f, self.ring, range(all_of_them - count, all_of_them))


def find_identities(own: Sequence[str]) -> Identities | None:
    """The identities between the variables of these names; None if there are none, or too many.

    >>> found = find_identities(["x", "1/x"])
    >>> found.sentences, found.complete
    (('x*(1/x) = 1',), True)
    """
    atoms = [name for name in own if not is_plain(name)]
    if not atoms:
        return None
    relations = _Relations(own)
    try:
        for name in atoms:
            relations.add_algebraic(name)
        for name in relations.auxiliary:  # which may grow
            relations.add_algebraic(name)
        inside = [name for name in relations.auxiliary if not is_plain(name)]
        relations.add_roots([*atoms, *inside])
        relations.add_powers([*atoms, *inside])
        for functions in _FAMILIES:
            relations.add_angles([*atoms, *inside], functions)
    except (ParseError, _TooMany):
        return None
    return relations.found(all(name.startswith("1/") for name in atoms))


def note_on_atoms(f: Polynomial) -> list[str]:
    """What a reader of f may not expect: that its functions count as independent, if they are not."""
    used = [names(f)[place] for place in variables_used(f)]
    found = find_identities(used) if len(used) > 1 else None
    if found is None:
        return []
    return [f"functions count as independent variables here, without {', '.join(found.sentences)}"]


class _TooMany(Exception):
    """The atoms need more auxiliary variables, or larger multiples, than there may be."""


class _Relations:
    """The relations found so far, in the ring of the own variables after spare ones."""

    def __init__(self, own: Sequence[str]) -> None:
        self.own = list(own)
        self.auxiliary: list[str] = []
        self.ring = ring([*(f" {i}" for i in range(_SPARE)), *own])
        self.relations: list[Polynomial] = []
        self.sentences: list[str] = []

    def found(self, complete: bool) -> Identities | None:
        """What was found, without the spare variables that are not used."""
        if not self.relations:
            return None
        used = len(self.auxiliary)
        target = ring([*(f" {i}" for i in range(used)), *self.own])
        places = [*range(used), *[0] * (_SPARE - used), *range(used, target.nvars())]
        relations = tuple(embed(r, target, places) for r in self.relations)
        complete = complete and all(map(is_plain, self.auxiliary))
        return Identities(target, relations, tuple(dict.fromkeys(self.sentences)), complete)

    def variable(self, name: str) -> Polynomial:
        """The variable of this name, a spare one if it is not among the own."""
        if name in self.own:
            return self.ring.gens()[_SPARE + self.own.index(name)]
        if name not in self.auxiliary:
            if len(self.auxiliary) == _SPARE:
                raise _TooMany
            self.auxiliary.append(name)
        return self.ring.gens()[self.auxiliary.index(name)]

    def read(self, text: str) -> Polynomial:
        """The part of an atom's name inside it."""
        inside = parse(text, atoms=True)
        variables = [self.variable(name) for name in names(inside)]
        return inside.compose(*variables, ctx=self.ring) if variables else self.ring.constant(inside[()])

    def add(self, vanishing: Polynomial, sentence: str) -> None:
        """A relation, and how people say it."""
        self.relations.append(vanishing)
        self.sentences.append(sentence)

    def add_algebraic(self, name: str) -> None:
        """The relation of an inverse or a root to what is inside it."""
        if name.startswith("1/"):
            inside = name[2:]
            self.add(self.read(inside) * self.variable(name) - 1, f"{inside}*({name}) = 1")
        elif name.startswith("sqrt(") and _is_small(name[5:-1]):
            self.add_square_root(int(name[5:-1]))
        elif (root := _root(name)) is not None:
            n, inside = root
            shown = name if is_single(name) else f"({name})"
            self.add(self.variable(name) ** n - self.read(inside), f"{shown}^{n} = {_bare(inside)}")

    def add_roots(self, atoms: Sequence[str]) -> None:
        """Roots of one radicand as powers of its root whose order is their least common multiple."""
        orders: dict[str, dict[int, str]] = {}
        for name in atoms:
            if (root := _root(name)) is not None:
                order, inside = root
                orders.setdefault(_bare(inside), {})[order] = name
        for radicand, names_by_order in orders.items():
            whole = lcm(*names_by_order)
            if len(names_by_order) > 1 and whole <= _LARGEST:
                base = radicand if is_single(radicand) else f"({radicand})"
                smallest = self.variable(names_by_order.get(whole, f"{base}^(1/{whole})"))
                for n, name in names_by_order.items():
                    if n != whole:
                        sentence = f"{name} = ({base}^(1/{whole}))^{whole // n}"
                        self.add(self.variable(name) - smallest ** (whole // n), sentence)

    def add_square_root(self, n: int) -> None:
        """The square root of a whole number by those of primes."""
        name, product = f"sqrt({n})", self.ring.constant(1)
        factors = [(int(p), int(e)) for p, e in fmpz(n).factor()]
        if factors == [(n, 1)]:
            self.add(self.variable(name) ** 2 - n, f"{name}^2 = {n}")
            return
        for p, e in factors:
            root = self.variable(f"sqrt({p})") if e % 2 else self.ring.constant(1)
            product *= root * p ** (e // 2)
        self.add(self.variable(name) - product, "sqrt(a)*sqrt(b) = sqrt(a*b)")

    def add_powers(self, atoms: Sequence[str]) -> None:
        """Powers of one base, and values of exp, as monomials in those of a basis of their exponents."""
        by_base: dict[str, dict[str, str]] = {}  # the exponents of each base, by the atoms' names
        for name in atoms:
            function = _FUNCTION.fullmatch(name)
            base, exponent = _power(name)
            if function is not None and function[1] == "exp":
                by_base.setdefault("exp", {})[name] = function[2]
            elif exponent and not _ROOT.fullmatch(exponent):
                root, k = _whole_root(base)
                by_base.setdefault(root, {})[name] = f"{k}*({exponent})"
        for base, exponents in by_base.items():
            multiples = _in_lattice(list(exponents.values()))
            if multiples is None:
                continue
            for name, row in zip(exponents, multiples, strict=True):
                left, right = self.variable(name), self.ring.constant(1)
                for i, k in enumerate(row):
                    power = self.variable(f"{base} {i}") ** abs(k)
                    left, right = (left * power, right) if k < 0 else (left, right * power)
                self.add(
                    left - right, f"{base}(a)*{base}(b) = {base}(a + b)" if base == "exp" else _law(base)
                )

    def add_angles(self, atoms: Sequence[str], functions: tuple[str, str, str]) -> None:
        """Values of sin, cos and tan, or the hyperbolic ones, by the addition theorems."""
        found = {name: m for name in atoms if (m := _FUNCTION.fullmatch(name)) and m[1] in functions}
        multiples = _in_lattice([m[2] for m in found.values()])
        if multiples is None:
            return
        sine, cosine, tangent = functions
        sign = -1 if sine == "sin" else 1
        pairs = []
        for i in range(len(multiples[0])):
            c, s = (self.variable(f"{name} {i}") for name in (cosine, sine))
            self.add(c**2 - sign * s**2 - 1, f"the addition theorems of {sine} and {cosine}")
            pairs.append((c, s))
        for (name, m), row in zip(found.items(), multiples, strict=True):
            cos, sin = self.ring.constant(1), self.ring.constant(0)
            for (c, s), k in zip(pairs, row, strict=True):
                for _ in range(abs(k)):
                    step = s if k > 0 else -s
                    cos, sin = cos * c + sign * sin * step, sin * c + cos * step
            atom = self.variable(name)
            value = {sine: atom - sin, cosine: atom - cos, tangent: atom * cos - sin}
            self.relations.append(value[m[1]])


def _power(name: str) -> tuple[str, str]:
    """The base and the exponent of an atom that is a power, else two empty texts."""
    depth = 0
    for i, character in enumerate(name):
        depth += (character == "(") - (character == ")")
        if character == "^" and depth == 0 and not name.startswith("1/"):
            return name[:i], name[i + 1 :]
    return "", ""


def _root(name: str) -> tuple[int, str] | None:
    """The order and the radicand of an atom that is a root."""
    base, exponent = _power(name)
    root = _ROOT.fullmatch(exponent)
    if root is not None:
        return int(root[1]), base
    return (2, name[4:]) if name.startswith("sqrt(") else None


def _is_small(text: str) -> bool:
    """Whether it is a whole number above 1 that is factored at once."""
    return text.isdecimal() and len(text) <= _DIGITS and int(text) > 1


def _whole_root(base: str) -> tuple[str, int]:
    """(b, k) with base = b^k for the smallest whole b; (base, 1) for what is no whole number."""
    if not _is_small(base):
        return base, 1
    factors = [(int(p), int(e)) for p, e in fmpz(int(base)).factor()]
    k = gcd(*(e for _, e in factors))
    return str(prod(p ** (e // k) for p, e in factors)), k


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


def _law(base: str) -> str:
    return f"{base}^a*{base}^b = {base}^(a + b)"


def _in_lattice(texts: Sequence[str]) -> list[list[int]] | None:
    """Arguments as whole multiples of the elements of a basis of the lattice that they generate.

    None if they are independent; _TooMany for large multiples.
    """
    if not texts:
        return None
    parsed = [parse(text, atoms=True) for text in texts]
    every = ring(sorted({name for p in parsed for name in names(p)}))
    placed = [embed(p, every, [every.names().index(name) for name in names(p)]) for p in parsed]
    monomials = sorted({m for p in placed for m in p.monoms()})
    scale = lcm(*(int(c.q) for p in placed for c in p.coeffs()))
    whole = fmpz_mat([[int((p[m] * scale).p) for m in monomials] for p in placed]) if monomials else None
    if whole is None or whole.rank() == len(placed):
        return None
    basis = [row for row in whole.hnf().tolist() if any(row)]
    columns = fmpq_mat(fmpz_mat(basis)).transpose()
    gram = columns.transpose() * columns
    solved = gram.solve(columns.transpose() * fmpq_mat(whole).transpose()).transpose().tolist()
    multiples = [[int(c.p) for c in row] for row in solved]
    if max(sum(map(abs, row)) for row in multiples) > _LARGEST:
        raise _TooMany
    return multiples
