"""What is claimed of f and given inner polynomials, decided by all means that there are, in a time limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

from polyctl.algebra.atoms import is_plain
from polyctl.algebra.budget import Budget
from polyctl.algebra.completion import proved_independent
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.identities import Identities, find_identities
from polyctl.algebra.polynomial import Polynomial, compose, degree, names, names_used, terms
from polyctl.algebra.triviality import triviality
from polyctl.algebra.verify import Verdict, differ_at_a_point, verify
from polyctl.solvers.exact.rewriting import Rewriting, in_tags
from polyctl.solvers.exact.rewriting import rewrite as by_tags

LINEAR_SHARE = 0.6  # of the time limit, for linear algebra before rewriting
_NO_OUTER = "f is not a polynomial in the given inner polynomials"
LARGE = 1000  # degrees of g(h) above which it is looked at in a point before it is expanded


def verify_claim(f: Polynomial, decomposition: Decomposition, budget: Budget) -> Verdict:
    """Verify a decomposition of f, or find out whether its inner polynomials have an outer one.

    If `verify` leaves open whether there is one, f is rewritten, which proves that there is one (checked by
    composition) or none. Where functions, roots or quotients are variables, what is refuted of them as
    independent variables is looked at again modulo their identities; a verdict that still depends on their
    independence says so.
    """
    started = perf_counter()
    verdict = _as_polynomials(f, decomposition, budget)
    if verdict.status == "refuted":
        verdict = _with_identities(f, decomposition, verdict, budget)
    return replace(verdict, seconds=perf_counter() - started)


def _as_polynomials(f: Polynomial, decomposition: Decomposition, budget: Budget) -> Verdict:
    outer, inners = decomposition.outer, decomposition.inners
    if outer is not None:
        large = degree(outer) * max(map(degree, inners), default=0) > LARGE
        if large and outer.context().nvars() == len(inners) and differ_at_a_point(f, outer, inners):
            return Verdict("refuted", "g(h) and f differ at a point modulo a prime", "evaluation", 0.0, outer)
        return verify(f, decomposition, budget=budget)
    if len(inners) > 1 and proved_independent([f, *inners]):
        return Verdict("refuted", "f is algebraically independent of the inner polynomials", "Jacobian", 0.0)
    verdict = verify(f, decomposition, budget=budget.at_most(LINEAR_SHARE * budget.left))
    if verdict.status != "undecided":
        return verdict
    found = by_tags(f, inners, budget)
    if found is None:
        reason = f"{verdict.reason}, and rewriting reached its limits"
        return replace(verdict, reason=reason, method=f"{verdict.method} and rewriting")
    if not found.complete:
        return Verdict("refuted", _NO_OUTER, "rewriting", 0.0)
    return replace(verify(f, Decomposition(found.outer, inners), budget=budget), method="rewriting")


def _with_identities(
    f: Polynomial, decomposition: Decomposition, refuted: Verdict, budget: Budget
) -> Verdict:
    """The verdict modulo the identities of atoms, or the same one with what it depends on."""
    outer, inners = decomposition.outer, decomposition.inners
    used = names_used([f, *inners])
    if all(map(is_plain, used)):
        return refuted
    identities = find_identities(names(f))
    if identities is None:
        return _independent(refuted, used, ())
    using = f"with {_listed(identities.sentences)}"
    if outer is None:
        found = rewrite(f, inners, budget)
        holds = None if found is None else found.complete
        outer = None if found is None else found.outer
    else:
        holds = _vanishes(f - compose(outer, inners), identities, budget)
    if holds is None:
        reason = f"{refuted.reason} as polynomials{_in(used)}; {using} the limits were reached"
        return replace(refuted, status="undecided", reason=reason)
    if outer is None or not holds:
        if identities.complete:
            return replace(refuted, reason=f"{refuted.reason}, even {using}")
        return _independent(refuted, used, identities.sentences)
    trivial = triviality(f, Decomposition(outer, inners))
    if trivial:
        return Verdict("trivial", f"g(h) = f holds {using}, but {trivial}", "rewriting", 0.0, outer)
    return Verdict("verified", f"g(h) = f over Q, {using}", "rewriting", 0.0, outer)


def _vanishes(f: Polynomial, identities: Identities, budget: Budget) -> bool | None:
    """Whether f is zero modulo identities; None if the limits are reached."""
    found = by_tags(identities.lift(f), (), budget, identities.relations)
    return None if found is None else found.normal_form.is_zero()


def _independent(refuted: Verdict, used: Sequence[str], sentences: Sequence[str]) -> Verdict:
    """The verdict with the remark that its atoms count as independent, if that is an assumption."""
    if len(used) < 2:
        return refuted
    but = f", but for {_listed(sentences)}" if sentences else ""
    reason = f"{refuted.reason} as polynomials{_in(used)}, which are treated as independent{but}"
    return replace(refuted, reason=reason)


def _in(used: Sequence[str]) -> str:
    return f" in {_listed(used)}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def rewrite(f: Polynomial, inners: Sequence[Polynomial], budget: Budget) -> Rewriting | None:
    """f in given polynomials, modulo the identities of atoms if it has any; None if the limits are reached.

    If rewriting by tags reaches its limits, linear algebra may still find that nothing is left.
    """
    identities = find_identities(names(f))
    if identities is None:
        found = by_tags(f, inners, budget)
        if found is not None:
            return found
        verdict = verify(f, Decomposition(None, tuple(inners)), budget=budget)
        if verdict.outer is None:
            return None
        n = f.context().nvars()
        return in_tags(f, inners, {(*e, *(0,) * n): c for e, c in terms(verdict.outer)})
    lifted = [identities.lift(h) for h in inners]
    found = by_tags(identities.lift(f), lifted, budget, identities.relations)
    if found is None:
        return None
    auxiliary = identities.ring.nvars() - f.context().nvars()
    m = len(inners)
    return in_tags(f, inners, {(*e[:m], *e[m + auxiliary :]): c for e, c in terms(found.normal_form)})
