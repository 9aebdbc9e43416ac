"""f = g(h1, ..., hm) by least squares: from shapes or from random starts to exact inners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.decomposition import Decomposition, equivalence_key
from polyctl.algebra.polynomial import Polynomial, degree
from polyctl.algebra.verify import verify
from polyctl.solvers.numeric.ansatz import Ansatz, ansatzes
from polyctl.solvers.numeric.levenberg_marquardt import LevenbergMarquardt, step_seconds
from polyctl.solvers.numeric.rationalize import SOLVED, Pinning, echelon
from polyctl.solvers.numeric.supports import Shape, Supports
from polyctl.solvers.numeric.system import Index, Reals, System
from polyctl.solvers.outcome import Outcome

MAX_INNERS = 4
MAX_UNKNOWNS = 400
MAX_EQUATIONS = 2000
TERMS = 3
BATCH = 128
LEAST_STARTS, MOST_STARTS, FIRST_SHARE = 12, 240, 4
GUESSES, GUESSED = 1024, 1e-14
GENERIC_SECONDS = 0.5  # seconds for the shapes of a question before inners are guessed
SPARSE_TERMS, SPARSE_SHARE = 12, 0.6  # if f has more monomials, shapes say too little
CHUNK_WORK, EARLY_WORK = 40_000, 100_000  # for shapes at a time, and of all questions before random starts
CHUNKS = 3  # of shapes in a round
# How many of the random starts continue after 10, 20, … steps, those with the least cost: after 30 steps
# nearly all that reach zero are among them.
SHARES, LEAST_KEPT = (0.5, 0.25, 0.12, 0.06, 0.03), 4


class ShapeSearch:
    """Decompositions in which no monomial cancels: every shape of one question as a small system."""

    def __init__(self, ansatz: Ansatz, budget: Budget) -> None:
        self.ansatz = ansatz
        self.chunks: list[list[Shape]] = []
        self.finished = not self.sparse
        self._supports = Supports(ansatz.monomials, ansatz.inner_monomials, budget)
        self._shapes = self._supports.search(ansatz.inners, ansatz.outer_degree, TERMS, ansatz.fixed)

    @property
    def sparse(self) -> bool:
        """Whether f has so few monomials that shapes say something."""
        return len(self.ansatz.monomials) <= max(SPARSE_TERMS, SPARSE_SHARE * self.ansatz.ansatz)

    @property
    def work(self) -> int:
        """How much work the search for shapes has been so far."""
        return self._supports.work

    def more(self, generator: np.random.Generator, budget: Budget) -> Iterator[Decomposition]:
        """Find the next shapes, some or as many as a chunk of work gives; solve each from a few starts."""
        if self.finished or budget.expired:
            return
        chunk: list[Shape] = []
        enough = self.work + CHUNK_WORK
        for shape in self._shapes:
            if shape is not None:
                chunk.append(shape)
            if len(chunk) >= BATCH // 4 or self.work > enough or budget.expired:
                break
        else:
            self.finished = True
        if chunk:
            chunk.sort(key=lambda s: s.unknowns)
            self.chunks.append(chunk)
            yield from _solve_shapes(self.ansatz, chunk, generator, budget)

    def again(self, generator: np.random.Generator, budget: Budget) -> Iterator[Decomposition]:
        """Solve the shapes found from other starts."""
        for chunk in self.chunks:
            if budget.expired:
                return
            yield from _solve_shapes(self.ansatz, chunk, generator, budget)


def _solve_shapes(
    ansatz: Ansatz, shapes: Sequence[Shape], generator: np.random.Generator, budget: Budget
) -> Iterator[Decomposition]:
    points = 16 * (len(ansatz.monomials) // 8 + 2)
    system = ansatz.system(min(points, -(-ansatz.ansatz * 6 // 5)))
    target_P = ansatz.target(system)
    width, unknowns = len(ansatz.inner_monomials), system.unknowns
    outer_index = {e: system.inner_size + i for i, e in enumerate(system.outer_monomials)}
    copies = max(4, BATCH // len(shapes))
    inner_free = [[i * width + k for i, row in enumerate(s.inners) for k in row] for s in shapes] * copies
    outer_free = [[outer_index[e] for e in s.outer] for s in shapes] * copies
    x_BU = np.zeros((len(inner_free), unknowns))
    longest = max(map(len, inner_free))
    noise_BK = np.exp(generator.standard_normal((len(x_BU), longest)))
    noise_BK *= generator.choice((-1.0, 1.0), noise_BK.shape)
    for b, free in enumerate(inner_free):
        x_BU[b, free] = noise_BK[b, : len(free)]
    if not ansatz.homogeneous:
        x_BU[:, system.inner_size - 1] = 1
        inner_free = [free[:-1] for free in inner_free]
    x_BU = fit_outer(system, target_P, x_BU, _padded(outer_free, unknowns))
    index_BK = _padded([a + b for a, b in zip(inner_free, outer_free, strict=True)], unknowns)
    run = LevenbergMarquardt(system, target_P, x_BU, index_BK)
    alive_B = np.arange(len(run))
    pinning = Pinning(ansatz, system, target_P, budget)
    done: set[int] = set()
    families = []
    for iteration in range(1, 61):
        run.step()
        if iteration % 5:
            continue
        for b in np.flatnonzero(run.cost_B < SOLVED).tolist():
            if int(alive_B[b]) % len(shapes) not in done:
                done.add(int(alive_B[b]) % len(shapes))
                start = rescale(pinning, run.x_BU[b], inner_free[alive_B[b]], outer_free[alive_B[b]])
                found = pinning.exact(*start, tries=0)
                if found is not None:
                    yield found
                else:
                    families.append(start)
        left = [b for b, k in enumerate(alive_B.tolist()) if k % len(shapes) not in done]
        left = [b for b in left if float(run.damping_B[b]) < 1e5]
        if not left or budget.expired:
            break
        run.keep(left)
        alive_B = alive_B[left]
    for start in families:
        found = pinning.exact(*start)
        if found is not None:
            yield found


def rescale(
    pinning: Pinning, x_U: Reals, inner: Sequence[int], outer: list[int]
) -> tuple[Reals, list[int], list[int]]:
    """A solution with the largest coefficient of every inner 1, and what is then free: x, inner, outer."""
    system = pinning.system
    h_MN = system.split(x_U[None])[0][0].copy()
    largest = np.abs(h_MN).argmax(1)
    h_MN /= h_MN[np.arange(len(h_MN)), largest][:, None]
    h_MN[np.abs(h_MN) < 1e-9] = 0
    x_U = np.concatenate([h_MN.ravel(), x_U[system.inner_size :]])
    x_U = fit_outer(system, pinning.target_P, x_U[None], np.array([outer]))[0]
    units = {m * h_MN.shape[1] + k for m, k in enumerate(largest.tolist())}
    return x_U, [k for k in inner if k not in units], outer


def generic_candidates(
    ansatz: Ansatz, generator: np.random.Generator, budget: Budget, batches: int = 32
) -> Iterator[Decomposition]:
    """Decompositions if the outer has as many coefficients as f, so that many inners do: guessed ones.

    Inners with small rational coefficients in echelon form, thousands at a time, outers fitted. (A form of
    degree 9 in two variables is a cubic in three cubics if these fulfil a single equation.)
    """
    system = dense_system(ansatz)
    target_P = ansatz.target(system)
    width = len(ansatz.inner_monomials)
    usable = [k for k in range(width) if ansatz.free(0, k)]
    if len(usable) <= ansatz.inners:
        return
    outer = np.tile(np.arange(system.inner_size, system.unknowns), (GUESSES, 1))
    seconds = step_seconds(GUESSES, outer.shape[1], len(system.points_PV))
    for batch in range(batches):
        if budget.left <= seconds:
            return
        order = [usable[k] for k in generator.permutation(len(usable)).tolist()]
        shape = (GUESSES, ansatz.inners, width)
        numerator_BMN = generator.integers(-2 - batch // 4, 3 + batch // 4, shape)
        denominator_BMN = generator.integers(1, 3 + batch // 8, shape)
        numerator_BMN *= generator.random(shape) < 0.6
        numerator_BMN[:, :, order[: ansatz.inners]] = np.eye(ansatz.inners, dtype=np.int64)
        denominator_BMN[:, :, order[: ansatz.inners]] = 1
        x_BU = np.zeros((GUESSES, system.unknowns))
        h_BMN = np.zeros((GUESSES, ansatz.rows, width))
        h_BMN[:, : ansatz.inners] = numerator_BMN / denominator_BMN
        x_BU[:, : system.inner_size] = ansatz.fix(h_BMN).reshape(GUESSES, -1)
        run = LevenbergMarquardt(system, target_P, x_BU, outer, 1e-12)
        run.step()
        for b in np.flatnonzero(run.cost_B < GUESSED)[:8].tolist():
            pairs = zip(numerator_BMN[b].tolist(), denominator_BMN[b].tolist(), strict=True)
            rows = [[Fraction(p, q) for p, q in zip(ps, qs, strict=True)] for ps, qs in pairs]
            if ansatz.fixed is not None:
                for row in rows:
                    row[ansatz.fixed] = Fraction(0)
            candidate = Decomposition(None, ansatz.polynomials(rows))
            if verify(ansatz.f, candidate, budget=budget).verified:
                yield candidate


def fit_outer(system: System, target_P: Reals, x_BU: Reals, outer_BK: Index, damping: float = 1e-9) -> Reals:
    """The starts with their outer coefficients fitted to f (linear least squares, damped)."""
    run = LevenbergMarquardt(system, target_P, x_BU, outer_BK, damping)
    run.step()
    return run.x_BU


def _padded(rows: Sequence[Sequence[int]], filler: int) -> Index:
    longest = max(map(len, rows))
    return np.array([[*row, *[filler] * (longest - len(row))] for row in rows])


def dense_candidates(
    ansatz: Ansatz, x_BU: Reals, budget: Budget, iterations: int = 300
) -> Iterator[Decomposition]:
    """Decompositions near these starts [B, U], all coefficients free."""
    system = dense_system(ansatz)
    target_P = ansatz.target(system)
    index_K = free_unknowns(ansatz)
    inner = [k for k in index_K if k < system.inner_size]
    outer = [k for k in index_K if k >= system.inner_size]
    pinning = Pinning(ansatz, system, target_P, budget)
    seconds = step_seconds(len(x_BU), len(index_K), len(system.points_PV))
    if budget.left <= seconds:
        return
    every = len(index_K) == system.unknowns
    run = LevenbergMarquardt(system, target_P, x_BU, None if every else np.tile(index_K, (len(x_BU), 1)))
    before_B = run.cost_B
    shares = iter(SHARES)
    for iteration in range(1, iterations + 1):
        if budget.left <= seconds / 2:
            return
        run.step()
        if iteration % 10:
            continue
        for b in np.flatnonzero(run.cost_B < SOLVED).tolist():
            found = certify(pinning, run.x_BU[b], inner, outer)
            if found is not None:
                yield found
        stuck_B = (run.cost_B > 0.9 * before_B) | (run.damping_B > 1e4) | (run.cost_B < SOLVED)
        most = max(LEAST_KEPT, round(next(shares, SHARES[-1]) * len(x_BU)))
        keep = [b for b in np.argsort(run.cost_B, kind="stable").tolist() if not stuck_B[b]][:most]
        if not keep:
            return
        run.keep(keep)
        before_B = run.cost_B


def certify(pinning: Pinning, x_U: Reals, inner: list[int], outer: list[int]) -> Decomposition | None:
    """An exact decomposition from a dense solution: in echelon form, its pivots fixed."""
    system, ansatz = pinning.system, pinning.ansatz
    h_MN, pivots = echelon(system.split(x_U[None])[0][0], ansatz.inners)
    if len(pivots) < ansatz.inners:
        return None
    width = h_MN.shape[1]
    h_MN[np.abs(h_MN) < 1e-9] = 0
    x_U = np.concatenate([h_MN.ravel(), x_U[system.inner_size :]])
    x_U = fit_outer(system, pinning.target_P, x_U[None], np.array([outer]))[0]
    free = [k for k in inner if k % width not in pivots]
    return pinning.exact(x_U, free, outer)


def dense_system(ansatz: Ansatz) -> System:
    """The system with enough points for all coefficients of f."""
    return ansatz.system(-(-ansatz.ansatz * 6 // 5))


def free_unknowns(ansatz: Ansatz) -> list[int]:
    """The unknowns that are not fixed by making f homogeneous."""
    width = len(ansatz.inner_monomials)
    inner = [m * width + k for m in range(ansatz.rows) for k in range(width) if ansatz.free(m, k)]
    return [*inner, *range(ansatz.rows * width, ansatz.unknowns)]


def random_starts(ansatz: Ansatz, count: int, generator: np.random.Generator) -> Reals:
    """Starts [B, U]: a third dense, a third sparse, a third near coordinate subspaces."""
    system = dense_system(ansatz)
    rows, width = ansatz.rows, len(ansatz.inner_monomials)
    h_BMN = generator.standard_normal((count, rows, width))
    third = count // 3
    h_BMN[:third] *= generator.random((third, rows, width)) < 0.3
    h_BMN[third : 2 * third] *= 0.1
    for b in range(third, 2 * third):
        chosen = generator.permutation(width)[:rows]
        h_BMN[b, range(len(chosen)), chosen] += 1
    h_BMN /= np.maximum(np.linalg.norm(h_BMN, axis=2, keepdims=True), 1e-3)
    h_BMN = ansatz.fix(h_BMN)
    size = len(system.outer_monomials)
    g_BG = 0.3 * generator.standard_normal((count, size))
    return np.concatenate([h_BMN.reshape(count, -1), g_BG], 1)


def polish_starts(
    ansatz: Ansatz, given: Sequence[Polynomial], count: int, generator: np.random.Generator
) -> Reals:
    """Starts [B, U] around given inners: these, then with more and more noise; outers fitted."""
    system = dense_system(ansatz)
    h_MN = ansatz.coefficients(given)
    scale_B = np.linspace(0, 0.5, count)
    noise_BMN = generator.standard_normal((count, *h_MN.shape))
    h_BMN = ansatz.fix(h_MN + scale_B[:, None, None] * noise_BMN)
    g_BG = np.zeros((count, len(system.outer_monomials)))
    outer = np.tile(np.arange(system.inner_size, system.unknowns), (count, 1))
    x_BU = np.concatenate([h_BMN.reshape(count, -1), g_BG], 1)
    return fit_outer(system, ansatz.target(system), x_BU, outer, damping=1e-3)


def _polished(
    f: Polynomial, starts: Sequence[Decomposition], generator: np.random.Generator, budget: Budget
) -> Iterator[Decomposition]:
    """Decompositions near given ones, with as many inners of the same degree."""
    total = degree(f)
    for given in starts:
        inner_degree = max(map(degree, given.inners), default=0)
        if inner_degree < 1 or total % inner_degree or total == inner_degree:
            continue
        question = Ansatz(f, len(given.inners), inner_degree, total // inner_degree)
        if question.unknowns <= MAX_UNKNOWNS and question.ansatz <= MAX_EQUATIONS:
            x_BU = polish_starts(question, given.inners, 8, generator)
            yield from dense_candidates(question, x_BU, budget, 60)


def polish(
    f: Polynomial, starts: Sequence[Decomposition], budget: Budget = UNLIMITED, seed: int = 0
) -> Iterator[Decomposition]:
    """Verified inners of f near wrong ones, as many and of the same degree; nothing else is tried."""
    return _polished(f, starts, np.random.default_rng(seed), budget)


def by_least_squares(
    f: Polynomial,
    budget: Budget = UNLIMITED,
    *,
    inners: int | None = None,
    inner_degrees: Sequence[int] | None = None,
    seed: int = 0,
    starts: Sequence[Decomposition] = (),
) -> Outcome:
    """Verified inners of f, each span once: fewest inners first, shapes before random starts. No proof.

    Numbers of inners up to `inners` (or MAX_INNERS) and the inner degrees that divide deg f, or those of
    `inner_degrees`, are tried. `starts` are wrong decompositions to improve. The search runs while the
    decompositions are taken, without a time limit for as long as they are.
    """
    generator = np.random.default_rng(seed)
    return Outcome(_distinct(_all(f, inners or MAX_INNERS, inner_degrees, generator, budget, starts)))


def _distinct(found: Iterator[Decomposition]) -> Iterator[Decomposition]:
    seen: set[object] = set()
    for decomposition in found:
        key = equivalence_key(decomposition)
        if key not in seen:
            seen.add(key)
            yield decomposition


def _all(
    f: Polynomial,
    most: int,
    inner_degrees: Sequence[int] | None,
    generator: np.random.Generator,
    budget: Budget,
    starts: Sequence[Decomposition],
) -> Iterator[Decomposition]:
    if degree(f) < 2:
        return
    yield from _polished(f, starts, generator, budget)
    asked = [
        q
        for m in range(1, most + 1)
        for q in ansatzes(f, m, inner_degrees)
        if q.unknowns <= MAX_UNKNOWNS and q.ansatz <= MAX_EQUATIONS
    ]
    searches = [ShapeSearch(q, budget) for q in asked]
    for search in searches:
        if not (search.finished or search.ansatz.generic) and sum(s.work for s in searches) < EARLY_WORK:
            yield from search.more(generator, budget)
    first = True
    while searches and not budget.expired:
        for search in searches:
            if first and search.ansatz.generic:
                yield from _generic(search, generator, budget)
                continue
            yield from _random(search.ansatz, generator, budget, FIRST_SHARE if first else 1)
            if search.finished:
                yield from search.again(generator, budget)
            for _ in range(CHUNKS):
                yield from search.more(generator, budget)
        searches, first = [search for search in searches if search.ansatz.inners > 1], False


def _generic(search: ShapeSearch, generator: np.random.Generator, budget: Budget) -> Iterator[Decomposition]:
    """Decompositions if nearly every f has one: by shapes for a short time, then guessed."""
    short = budget.at_most(GENERIC_SECONDS)
    while not (search.finished or short.expired):
        yield from search.more(generator, short)
    yield from generic_candidates(search.ansatz, generator, budget)


def _random(
    ansatz: Ansatz, generator: np.random.Generator, budget: Budget, share: int
) -> Iterator[Decomposition]:
    """Decompositions near random starts: more for many unknowns, of which fewer starts lead to zero."""
    count = min(MOST_STARTS, ansatz.unknowns**2 // 18) // share
    x_BU = random_starts(ansatz, max(LEAST_STARTS, count), generator)
    yield from dense_candidates(ansatz, x_BU, budget)
