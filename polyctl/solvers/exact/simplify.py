"""A simpler decomposition of the same f, by moves that change g and the inner polynomials together.

Every move is a substitution h ↦ T(h), g ↦ g∘T⁻¹, so f = g(h) holds afterwards as it did before:

* unwrap: h_i = u(v) becomes v;
* shift: h_i + c, where c makes the second coefficient of g in b_i vanish, or the constant of h_i;
* mix: h_i + c·h_j, and triangular: h_i + c·h_j^e, where c makes a coefficient of h_i vanish;
* scale: λ·h_i, for small λ and signs; add: h_i ± h_j, where h_j is a variable that h_i does not have;
* absorb: h_i·h_j^e in place of h_i, where each power of b_i stands beside that power of b_j.

A beam of the simplest by `complexity` is kept; what comes back is never more complex than what went in, and
has no more fractions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from flint import fmpq

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.complexity import Complexity, Read, complexity
from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import (
    Polynomial,
    Ring,
    coefficients_of,
    constant_term,
    degree,
    primitive_part,
    terms,
    variables_used,
)
from polyctl.solvers.exact.uni_multivariate import uni_multivariate
from polyctl.solvers.exact.univariate import univariate

WIDTH, ROUNDS, PATIENCE = 3, 8, 2
MIXES, POWERS = 5, 3
SCALES = (fmpq(-1), fmpq(2), fmpq(3), fmpq(4), fmpq(6), fmpq(-2), fmpq(1, 2), fmpq(1, 3))
SHIFTS = (fmpq(1), fmpq(-1), fmpq(2), fmpq(-2), fmpq(3), fmpq(-3))
MAX_TERMS = 400

Entry = tuple[Complexity, Decomposition]


def simplify(decomposition: Decomposition, budget: Budget = UNLIMITED) -> Decomposition:
    """The simplest decomposition that a beam of moves finds; the outer polynomial must be there."""
    start = _without_powers(used_inners(decomposition))
    outer = start.outer
    if outer is None or any(degree(h) < 1 for h in start.inners):
        return start
    if len(outer) + sum(map(len, start.inners)) > MAX_TERMS:
        return start
    return _with_small_changes(_best_of_beam(start, budget), budget)


def _without_powers(d: Decomposition) -> Decomposition:
    """The same without inner polynomials that are a power of another one's single term, c^2 beside c."""
    if d.outer is None:
        return d
    terms_alone = [(i, h) for i, h in enumerate(d.inners) if len(h) == 1 and degree(h) > 0]
    for i, h in terms_alone:
        for j, other in terms_alone:
            exponent, rest = divmod(degree(h), degree(other))
            if i == j or rest or (exponent == 1 and j > i):
                continue
            power = other**exponent
            factor = h.coeffs()[0] / power.coeffs()[0]
            if power * factor == h:
                arguments = list(_context(d).gens())
                arguments[i] = arguments[j] ** exponent * factor
                outer = d.outer.compose(*arguments, ctx=_context(d))
                return _without_powers(used_inners(Decomposition(outer, d.inners)))
    return d


def _best_of_beam(start: Decomposition, budget: Budget) -> Decomposition:
    best: Entry = (complexity(start), start)
    beam, seen, stale, allowed = [best], _Seen(), 0, _fractions(start)
    read: Read = {}
    seen.add(start)
    for _ in range(ROUNDS):
        found: list[Entry] = []
        for _, entry in beam:
            for moved in _moves(entry):
                if budget.expired:
                    return best[1]
                candidate = _primitive(moved)
                if candidate is not None and seen.add(candidate):
                    found.append((complexity(candidate, read), candidate))
        if not found:
            break
        beam = sorted(found, key=lambda entry: entry[0])[:WIDTH]
        whole = [entry for entry in beam if _fractions(entry[1]) <= allowed]
        stale = 0 if whole and whole[0][0] < best[0] else stale + 1
        best = min([best, *whole], key=lambda entry: entry[0])
        if stale >= PATIENCE:
            break
    return best[1]


def _moves(d: Decomposition) -> Iterator[Decomposition]:
    for i, h in enumerate(d.inners):
        if len(h) > 1:
            yield from _unwrapped(d, i)
        yield from (_shifted(d, i, c) for c in sorted(_vanishing_shifts(d, i), key=_size))
        for j, other in enumerate(d.inners):
            if i != j and (len(h) > 1 or len(other) > 1):
                yield from _mixed(d, i, j)


def _unwrapped(d: Decomposition, i: int) -> Iterator[Decomposition]:
    h = d.inners[i]
    outcome = univariate(h) if len(variables_used(h)) == 1 else uni_multivariate(h)
    for part in outcome.decompositions:
        assert part.outer is not None
        variable = _context(d).gens()[i]
        yield _replaced(d, i, part.outer.compose(variable, ctx=_context(d)), part.inners[0])


def _vanishing_shifts(d: Decomposition, i: int) -> set[fmpq]:
    """The c with which h_i + c has no constant, or g no second coefficient in b_i."""
    shifts = {-constant_term(d.inners[i])}
    c = coefficients_of(_outer(d), i)
    top = max(c)
    if top > 1 and top - 1 in c:
        quotient, rest = divmod(c[top - 1], c[top])
        if rest.is_zero() and quotient.is_constant():
            shifts.add(quotient.leading_coefficient() / top)
    return shifts - {fmpq(0)}


def _mixed(d: Decomposition, i: int, j: int) -> Iterator[Decomposition]:
    """h_i + c·h_j^e for the c that make a coefficient vanish."""
    h, other = d.inners[i], d.inners[j]
    own = dict(terms(h))
    most = 1 if len(h) == 1 else min(POWERS, max(1, degree(h) // degree(other)))
    for e in range(1, most + 1):
        power = other**e
        candidates = {-own[m] / c for m, c in terms(power) if m in own}
        if e == 1 and len(h) > 1 and len(other) > 1 and degree(h) == degree(other):
            candidates |= {fmpq(1), fmpq(-1)}
        for c in islice(sorted(candidates, key=_size), MIXES):
            changed = h + power * c
            if not changed.is_constant():
                b = _context(d).gens()
                yield _replaced(d, i, b[i] - b[j] ** e * c, changed)


def _with_small_changes(current: Decomposition, budget: Budget) -> Decomposition:
    """Scales, shifts and absorbed factors of single inner polynomials, as long as they make it simpler."""
    value, improved = complexity(current), True
    while improved and not budget.expired:
        improved = False
        for candidate in _small_changes(current):
            if _fractions(candidate) <= _fractions(current) and (found := complexity(candidate)) < value:
                value, current, improved = found, candidate, True
                break
    return current


def _small_changes(d: Decomposition) -> Iterator[Decomposition]:
    for i, h in enumerate(d.inners):
        if len(h) < 2:
            continue
        b = _context(d).gens()
        for scale in SCALES:
            yield _replaced(d, i, b[i] / scale, h * scale)
        for c in sorted({*SHIFTS, -constant_term(h)} - {fmpq(0)}, key=_size):
            yield _shifted(d, i, c)
        for j, other in enumerate(d.inners):
            if i == j or len(other) > 1:
                continue
            if degree(other) == 1 and not set(variables_used(other)) & set(variables_used(h)):
                yield from (_replaced(d, i, b[i] - b[j] * sign, h + other * sign) for sign in (1, -1))
            yield from (_absorbed(d, i, j, e) for e in (1, 2) if _absorbs(_outer(d), i, j, e))


def _absorbs(outer: Polynomial, i: int, j: int, e: int) -> bool:
    return all(m[j] >= e * m[i] for m in outer.monoms())


def _absorbed(d: Decomposition, i: int, j: int, e: int) -> Decomposition:
    changed: dict[Monomial, fmpq] = {}
    for m, c in terms(_outer(d)):
        changed[tuple(x - e * m[i] if at == j else x for at, x in enumerate(m))] = c
    inners = list(d.inners)
    inners[i] = inners[i] * inners[j] ** e
    return used_inners(Decomposition(_context(d).from_dict(changed), tuple(inners)))


def _shifted(d: Decomposition, i: int, c: fmpq) -> Decomposition:
    return _replaced(d, i, _context(d).gens()[i] - c, d.inners[i] + c)


def _replaced(d: Decomposition, i: int, argument: Polynomial, inner: Polynomial) -> Decomposition:
    """g with an argument in place of b_i, and another inner polynomial in place of h_i."""
    arguments = list(_context(d).gens())
    arguments[i] = argument
    inners = (*d.inners[:i], inner, *d.inners[i + 1 :])
    return used_inners(Decomposition(_outer(d).compose(*arguments, ctx=_context(d)), inners))


def _primitive(d: Decomposition) -> Decomposition | None:
    """The same with primitive inner polynomials; None if g or one of them is constant."""
    if _outer(d).is_constant() or any(h.is_constant() for h in d.inners):
        return None
    arguments, inners = list(_context(d).gens()), []
    for i, h in enumerate(d.inners):
        primitive, factor = primitive_part(h)
        inners.append(primitive)
        arguments[i] = arguments[i] * factor
    if tuple(inners) == d.inners:
        return d
    return Decomposition(_outer(d).compose(*arguments, ctx=_context(d)), tuple(inners))


def _fractions(d: Decomposition) -> int:
    """How many coefficients are not whole numbers; a simpler form must not have more of them."""
    return sum(c.q != 1 for p in (_outer(d), *d.inners) for c in p.coeffs())


def _outer(d: Decomposition) -> Polynomial:
    assert d.outer is not None
    return d.outer


def _context(d: Decomposition) -> Ring:
    return _outer(d).context()


class _Seen:
    """The decompositions that were met, compared only with those that have the same numbers of terms."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], list[tuple[Polynomial, ...]]] = {}

    def add(self, d: Decomposition) -> bool:
        """Whether it is new; then it is remembered."""
        parts = (_outer(d), *d.inners)
        alike = self._known.setdefault(tuple(map(len, parts)), [])
        if parts in alike:
            return False
        alike.append(parts)
        return True


def _size(c: fmpq) -> tuple[int, int, bool]:
    """Small fractions first, so that nothing depends on the order of a set."""
    return int(c.q), abs(int(c.p)), c < 0
