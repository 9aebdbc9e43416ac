"""Many decompositions of one f: the same verdicts as one at a time, most of them from a prime."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from polyctl.algebra.completion import TooLarge, completion_is_final, weighted_exponents
from polyctl.algebra.decomposition import (
    Decomposition,
    DecompositionTerms,
    Terms,
    equivalence_key,
    outer_ring,
)
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial, compose, degree, names, polynomial
from polyctl.algebra.screening import MOST_PRODUCTS, Screen, Screened, Span, Unusable
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


class _Inner:
    """An inner polynomial, looked at once however many decompositions have it."""

    def __init__(self, terms: Terms, place: int) -> None:
        degrees = set(map(sum, terms))
        self.terms, self.place = terms, place
        self.degree = max(degrees, default=0)
        self.homogeneous = len(degrees) == 1


class _Claim:
    """A decomposition of f that only says which inner polynomials there are."""

    def __init__(self, at: int, inners: Sequence[_Inner]) -> None:
        self.at = at
        varying = [h for h in inners if h.degree > 0]
        self.varying = [h.place for h in varying]
        self.has_constant = len(varying) < len(inners)
        self.kind = Kind(tuple([h.degree for h in varying]), all(h.homogeneous for h in varying))


def verify_each(f: Polynomial, decompositions: Sequence[DecompositionTerms]) -> CheckedAnswers:
    """verify_or_complete of every decomposition of f, with the same verdicts, and which are equivalent.

    Wrong inner polynomials are refuted modulo a prime, many lists of them together, if that is a proof
    (`screening`). Outers come from there, too; they hold over Q, or else are looked for the exact way.
    """
    own = names(f)
    known: dict[int, _Inner] = {}  # by the identity of their terms, as a reader hands out the same ones
    claims = []
    for at, one in enumerate(decompositions):
        if one.outer is None and one.names == own and degree(f) > 0:
            for terms in one.inners:
                if id(terms) not in known:
                    known[id(terms)] = _Inner(terms, len(known))
            claims.append(_Claim(at, [known[id(terms)] for terms in one.inners]))
    checked = {claim.at: CONSTANT for claim in claims if claim.has_constant}
    spans: dict[int, Span] = {}
    with suppress(Unusable):
        _screen(f, decompositions, claims, [inner.terms for inner in known.values()], checked, spans)
    every = [
        checked[at] if at in checked else verify_or_complete(f, one.decomposition, BOUND)
        for at, one in enumerate(decompositions)
    ]
    first = _first_equivalents(decompositions, [spans.get(at) for at in range(len(decompositions))])
    return CheckedAnswers(tuple(every), first)


def _checked(status: Status, reason: str, method: str, outer: Polynomial | None = None) -> Checked:
    verdict = Verdict(status, reason, method, 0.0, outer)
    return Checked(verdict, verdict)


CONSTANT = _checked("trivial", CONSTANT_INNER, "inspection")
NONE_FITS = {
    (final, single): _checked(*NO_OUTER[final], completion_method(1 if single else 2))
    for final in (True, False)
    for single in (True, False)
}


def _screen(
    f: Polynomial,
    decompositions: Sequence[DecompositionTerms],
    claims: Sequence[_Claim],
    inners: Sequence[Terms],
    checked: dict[int, Checked],
    spans: dict[int, Span],
) -> None:
    """Fill in the verdicts that a prime leads to, and the spans of inner polynomials as it knows them.

    Raises Unusable.
    """
    kinds, sizes = defaultdict(list), defaultdict(list)
    for claim in claims:
        sizes[len(claim.varying)].append(claim)
        if not claim.has_constant:
            kinds[claim.kind].append(claim)
    if len(claims) < LEAST:
        return
    total, own = degree(f), frozenset([int(sum(m)) for m in f.monoms()])
    products = {kind: _exponents(kind, total, own) for kind in kinds if len(kinds[kind]) >= LEAST}
    screen = Screen(f, inners, max([len(e) for e in products.values()], default=0), max(sizes))
    for kind, exponents in products.items():
        candidates = np.array([claim.varying for claim in kinds[kind]])
        if len(kind.degrees) == 1:
            screened = screen.single(candidates, kind.degrees[0])
        elif exponents:
            screened = screen.solve(candidates, exponents)
        else:
            continue
        for claim, one in zip(kinds[kind], screened, strict=True):
            found = _from_screening(f, decompositions[claim.at], kind, one)
            if found is not None:
                checked[claim.at] = found
    for size, members in sizes.items():
        if size:
            found_spans = screen.spans(np.array([claim.varying for claim in members]))
            spans |= {c.at: s for c, s in zip(members, found_spans, strict=True) if s is not None}
        else:
            spans |= {claim.at: (0,) for claim in members}


@lru_cache(maxsize=256)
def _exponents(kind: Kind, degree_of_f: int, degrees_in_f: frozenset[int]) -> tuple[Monomial, ...]:
    """The products of several inner polynomials that may occur in f; none if they are too many to try."""
    if len(kind.degrees) == 1:
        return ()
    wanted = degrees_in_f if kind.homogeneous else None
    try:
        found = weighted_exponents(kind.degrees, degree_of_f, wanted, BOUND.unknowns)
    except TooLarge:
        return ()
    return tuple(found) if len(found) <= MOST_PRODUCTS else ()


def _from_screening(
    f: Polynomial, claim: DecompositionTerms, kind: Kind, screened: Screened
) -> Checked | None:
    """The verdict that screening leads to, None if the exact way must decide."""
    count = len(claim.inners)
    if screened.refuted:
        context = outer_ring(count)
        for relation in screened.relations:
            if compose(polynomial(context, relation), claim.decomposition.inners):
                return None
        final = count == 1 or kind.homogeneous or completion_is_final(claim.decomposition.inners)
        return NONE_FITS[final, count == 1]
    if screened.outer is None:
        return None
    inners, outer = claim.decomposition.inners, polynomial(outer_ring(count), screened.outer)
    if compose(outer, inners) != f:
        return None
    return _checked(*weigh(f, Decomposition(outer, inners)), completion_method(count), outer)


def _first_equivalents(claims: Sequence[DecompositionTerms], spans: Sequence[Span | None]) -> tuple[int, ...]:
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
    for at, (claim, span) in enumerate(zip(claims, spans, strict=True)):
        if span is not None and at not in keys and span[0] in sizes:
            keys[at] = equivalence_key(claim.decomposition)
        first.append(seen.setdefault(keys[at], at) if at in keys else at)
    return tuple(first)
