"""Many decompositions of one f: the same verdicts as one at a time, most of them from a prime."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from polyctl.algebra.completion import TooLarge, completion_is_final, weighted_exponents
from polyctl.algebra.decomposition import Decomposition, DecompositionTerms, equivalence_key, outer_ring
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, compose, degree, names, polynomial
from polyctl.algebra.screening import MOST_UNKNOWNS, Screen, Screened, Unusable
from polyctl.algebra.verify import (
    CONSTANT_INNER,
    NO_OUTER,
    Checked,
    Status,
    Verdict,
    WorkBound,
    completion_method,
    verify_or_complete,
    weigh,
)

BOUND = WorkBound()
LEAST = 2  # decompositions of a kind; a lone one is verified faster by itself


@dataclass(frozen=True)
class Kind:
    """What decompositions that are tried together have in common, as it says which products may occur."""

    degrees: tuple[int, ...]  # of the inner polynomials
    homogeneous: bool  # whether all of them are


@dataclass(frozen=True)
class CheckedAnswers:
    """The verdicts on decompositions of one f, and where the first one with equivalent inners is."""

    checked: tuple[Checked, ...]
    first: tuple[int, ...]


def verify_each(f: Polynomial, claims: Sequence[DecompositionTerms]) -> CheckedAnswers:
    """verify_or_complete of every decomposition of f, with the same verdicts, and which are equivalent.

    Wrong inner polynomials are refuted modulo a prime, many lists of them together, if that is a proof
    (`screening`). Outers come from there, too; they hold over Q, or else are looked for the exact way.
    """
    checked: dict[int, Checked] = {}
    kinds: dict[Kind, list[int]] = defaultdict(list)
    own = names(f)
    for at, claim in enumerate(claims):
        if claim.outer is not None or claim.names != own or degree(f) < 1:
            continue
        degrees = [set(map(sum, inner)) for inner in claim.inners]
        tops = tuple([max(several, default=0) for several in degrees])
        if min(tops, default=0) < 1:
            checked[at] = CONSTANT
        else:
            kinds[Kind(tops, all(len(several) == 1 for several in degrees))].append(at)
    spans = _screen_kinds(f, claims, kinds, checked)
    every = tuple(
        [
            checked[at] if at in checked else verify_or_complete(f, claim.decomposition, BOUND)
            for at, claim in enumerate(claims)
        ]
    )
    return CheckedAnswers(every, _first_equivalents(claims, spans))


def _checked(status: Status, reason: str, method: str, outer: Polynomial | None = None) -> Checked:
    verdict = Verdict(status, reason, method, 0.0, outer)
    return Checked(verdict, verdict)


CONSTANT = _checked("trivial", CONSTANT_INNER, "inspection")
NONE_FITS = {
    (final, single): _checked(*NO_OUTER[final], completion_method(1 if single else 2))
    for final in (True, False)
    for single in (True, False)
}


def _screen_kinds(
    f: Polynomial,
    claims: Sequence[DecompositionTerms],
    kinds: Mapping[Kind, Sequence[int]],
    checked: dict[int, Checked],
) -> list[Hashable | None]:
    """Fill in the verdicts that a prime leads to; the spans of the inner polynomials as it knows them."""
    spans: list[Hashable | None] = [None] * len(claims)
    own = frozenset([int(sum(m)) for m in f.monoms()])
    products = {kind: _exponents(kind, degree(f), own) for kind in kinds if len(kinds[kind]) >= LEAST}
    products = {kind: e for kind, e in products.items() if 0 < len(e) <= MOST_UNKNOWNS}
    if not products:
        return spans
    members = [at for kind in products for at in kinds[kind]]
    try:
        screen = Screen(f, [claims[at].inners for at in members], max(map(len, products.values())))
    except Unusable:
        return spans
    sizes: dict[int, list[int]] = defaultdict(list)
    place = 0
    for kind, exponents in products.items():
        places = range(place, place := place + len(kinds[kind]))
        sizes[len(kind.degrees)] += places
        for at, screened in zip(kinds[kind], screen.solve(places, len(kind.degrees), exponents), strict=True):
            found = _from_screening(f, claims[at], kind, screened)
            if found is not None:
                checked[at] = found
    for size, places_of_size in sizes.items():
        for at, span in zip(places_of_size, screen.spans(places_of_size, size), strict=True):
            spans[members[at]] = span
    return spans


@lru_cache(maxsize=256)
def _exponents(kind: Kind, degree_of_f: int, degrees_in_f: frozenset[int]) -> tuple[Monomial, ...]:
    """The products that may occur in f; none if there are too many."""
    wanted = degrees_in_f if kind.homogeneous and len(kind.degrees) > 1 else None
    try:
        return tuple(weighted_exponents(kind.degrees, degree_of_f, wanted, BOUND.unknowns))
    except TooLarge:
        return ()


def _from_screening(
    f: Polynomial, claim: DecompositionTerms, kind: Kind, screened: Screened
) -> Checked | None:
    """The verdict that screening leads to, None if the exact way must decide."""
    count = len(claim.inners)
    if screened.refuted:
        context = outer_ring(count)
        if any(compose(polynomial(context, r), claim.decomposition.inners) for r in screened.relations):
            return None
        final = count == 1 or kind.homogeneous or completion_is_final(claim.decomposition.inners)
        return NONE_FITS[final, count == 1]
    if screened.outer is None:
        return None
    inners, outer = claim.decomposition.inners, polynomial(outer_ring(count), screened.outer)
    if compose(outer, inners) != f:
        return None
    return _checked(*weigh(f, Decomposition(outer, inners)), completion_method(count), outer)


def _first_equivalents(
    claims: Sequence[DecompositionTerms], spans: Sequence[Hashable | None]
) -> tuple[int, ...]:
    """For each decomposition the first one with the same equivalence key.

    Spans that differ modulo a prime differ over Q as well, so the key is found only for those that have a
    span in common, for those whose span is not known, and for those with as many independent inners.
    """
    count = Counter(spans)
    keys = {
        at: equivalence_key(claims[at].decomposition)
        for at, span in enumerate(spans)
        if span is None or count[span] > 1
    }
    sizes = {len(keys[at][1]) for at, span in enumerate(spans) if span is None}
    seen: dict[Hashable, int] = {}
    first = []
    for at, claim in enumerate(claims):
        if at not in keys and len(claim.inners) in sizes:
            keys[at] = equivalence_key(claim.decomposition)
        first.append(seen.setdefault(keys[at], at) if at in keys else at)
    return tuple(first)
