"""The families of problems: problem i of a seed is always the same one.

Each draws from a generator seeded by (family, seed, i) alone, so any process can make any slice. Problems
with f constant or a trivial decomposition are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.monomials import Monomial, monomials_of_degree, monomials_up_to
from polyctl.algebra.polynomial import Polynomial, Ring, compose, degree, polynomial, ring, variables_used
from polyctl.algebra.triviality import triviality
from polyctl.config.schema import DataConfig
from polyctl.data.dense import DenseProblem, dense_decomposition, dense_polynomial
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.rng import CounterRNG
from polyctl.data.tokenizers.base import inner_count, variable_names

Split = Literal["train", "valid", "test"]
SINGLET_VECTORS = 10


def draw_problem(data: DataConfig, seed: int, index: int) -> Problem:
    """Problem number `index` of a seed: a pure function of the family's parameters, seed and index."""
    if data.family == "mixed":
        return draw_problem(_part(data, seed, index), seed, index)
    rng = CounterRNG(f"{data.family}:{seed}:{index}")
    context = ring(variable_names(data))
    suspect = _may_be_trivial(data.family, data.outer_degrees, data.inner_degrees)
    if not suspect and data.family != "split":
        return DenseProblem.of(*_coefficients(data, rng), context, data.family, index)
    draw = _SAMPLERS[data.family]
    while True:
        decomposition = draw(data, rng, context)
        if decomposition is None:
            continue
        outer = decomposition.outer
        assert outer is not None
        f = compose(outer, decomposition.inners)
        if f.is_constant() or (suspect and triviality(f, decomposition)):
            continue
        if data.family == "split":
            return SparseProblem(f, decomposition, data.family, index, _split_terms(f, rng))
        return SparseProblem(f, decomposition, data.family, index)


def _part(data: DataConfig, seed: int, index: int) -> DataConfig:
    """The part of a mixture that problem `index` comes from, drawn by the parts' weights."""
    total = sum(part.weight for part in data.parts)
    drawn = CounterRNG(f"mixed:{seed}:{index}").below(1 << 32) / (1 << 32) * total
    for part in data.parts:
        drawn -= part.weight
        if drawn < 0:
            return part
    return data.parts[-1]


def split_of(digest: bytes) -> Split:
    """The split a problem belongs to, by its normal form: 1/16 valid, 1/16 test, the rest train.

    So no split can leak into another, whatever seed or process a problem comes from.
    """
    share = digest[0]
    return "valid" if share < 16 else "test" if share < 32 else "train"


def draw_problems(data: DataConfig, seed: int, split: Split, start: int = 0) -> Iterator[Problem]:
    """The problems of a split in the order of their index, without end; repetitions are not removed."""
    index = start
    while True:
        candidate = draw_problem(data, seed, index)
        if split_of(candidate.digest) == split:
            yield candidate
        index += 1


def draw_held_out(
    data: DataConfig, seed: int, split: Split, count: int, patience: int = 20_000
) -> list[Problem]:
    """The first `count` distinct problems of a split, in the order of their index.

    Fewer if the family runs dry: if `patience` problems in a row bring nothing new.
    """
    found: dict[bytes, Problem] = {}
    index = last = 0
    while len(found) < count and index - last <= patience:
        candidate = draw_problem(data, seed, index)
        index += 1
        digest = candidate.digest
        if split_of(digest) == split and digest not in found:
            found[digest] = candidate
            last = index
    return list(found.values())


def degree_cells(data: DataConfig) -> list[tuple[str, DataConfig]]:
    """The test sets of a family: one for each pair of outer and inner degree, with its name.

    The inners of a separable problem differ in degree; all of them linear would be trivial. A mixture has
    those of all its parts.
    """
    if data.family == "mixed":
        return [
            (f"{part.family}_{len(variable_names(part))}_{inner_count(part)}_{name}", cell)
            for part in data.parts
            for name, cell in degree_cells(part)
        ]
    mixed = data.family == "separable"
    inner_degrees = [data.inner_degrees] if mixed else [(degree,) for degree in data.inner_degrees]
    return [
        (f"{outer}_{max(inner)}", data.model_copy(update={"outer_degrees": (outer,), "inner_degrees": inner}))
        for outer in data.outer_degrees
        for inner in inner_degrees
    ]


# ---- samplers ------------------------------------------------------------------------------------


@lru_cache
def _may_be_trivial(family: str, outer_degrees: tuple[int, ...], inner_degrees: tuple[int, ...]) -> bool:
    """Dense one-variable families cannot be trivial from degree 2 on, which saves the check."""
    dense = family in ("univariate", "monic", "split")
    return not dense or min(outer_degrees) < 2 or min(inner_degrees) < 2


def _dense(rng: CounterRNG, degree: int, bound: int, monic: bool = False) -> list[int]:
    """Coefficients by rising power, uniform in [-bound, bound], the leading one not zero, or one."""
    coefficients = rng.between(-bound, bound, degree + 1)
    if monic:
        coefficients[-1] = 1
    while not coefficients[-1]:
        coefficients[-1:] = rng.between(-bound, bound, 1)
    return coefficients


def _sparse(rng: CounterRNG, context: Ring, monomials: Sequence[Monomial], bound: int) -> Polynomial:
    """Uniform coefficients on the given monomials, zeros dropped."""
    return polynomial(context, dict(zip(monomials, rng.between(-bound, bound, len(monomials)), strict=True)))


def _coefficients(data: DataConfig, rng: CounterRNG) -> tuple[list[int], list[int]]:
    """Outer and inner of a dense family in one variable; all but the univariate one have monic inners."""
    outer = _dense(rng, rng.choice(data.outer_degrees), data.outer_bound)
    monic = data.family != "univariate"
    return outer, _dense(rng, rng.choice(data.inner_degrees), data.inner_bound, monic)


def _one_variable(data: DataConfig, rng: CounterRNG, context: Ring) -> Decomposition:
    return dense_decomposition(*_coefficients(data, rng), context)


def _separable(data: DataConfig, rng: CounterRNG, context: Ring) -> Decomposition | None:
    n = context.nvars()
    inners = []
    for i in range(n):
        dense = _dense(rng, rng.choice(data.inner_degrees), data.inner_bound)
        zero = (0,) * n
        inners.append(
            polynomial(context, {(*zero[:i], k, *zero[i + 1 :]): c for k, c in enumerate(dense) if c})
        )
    total = rng.choice(data.outer_degrees)
    top = rng.choice(monomials_of_degree(n, total))
    others = [m for m in monomials_up_to(n, total) if m != top]
    chosen = rng.sample(others, min(1 + rng.below(10), len(others)))
    outer = _sparse(rng, outer_ring(n), [top, *chosen], data.outer_bound)
    return Decomposition(outer, tuple(inners)) if outer[top] else None


def _on_singlet(data: DataConfig, rng: CounterRNG, context: Ring) -> Decomposition | None:
    drawn = _dense(rng, max(data.outer_degrees), data.outer_bound)
    outer = dense_polynomial(outer_ring(1), drawn)
    coefficients: dict[Monomial, int] = {}
    for _ in range(3):
        first, second = rng.below(SINGLET_VECTORS), rng.below(SINGLET_VECTORS)
        (scale,) = rng.between(-data.inner_bound, data.inner_bound, 1)
        for component in range(2):
            exponents = [0] * (2 * SINGLET_VECTORS)
            exponents[2 * first + component] += 1
            exponents[2 * second + component] += 1
            monomial = tuple(exponents)
            coefficients[monomial] = coefficients.get(monomial, 0) + scale
    inner = polynomial(context, coefficients)
    return None if inner.is_zero() else Decomposition(outer, (inner,))


def _homogeneous(data: DataConfig, rng: CounterRNG, context: Ring) -> Decomposition | None:
    outer_degree, inner_degree = rng.choice(data.outer_degrees), rng.choice(data.inner_degrees)
    context_outer = outer_ring(data.inners)
    available = monomials_of_degree(data.inners, outer_degree)
    outer = _sparse(rng, context_outer, rng.sample(available, min(3, len(available))), data.outer_bound)
    candidates = monomials_of_degree(context.nvars(), inner_degree)
    inners = tuple(
        _sparse(
            rng, context, rng.sample(candidates, min(1 + rng.below(3), len(candidates))), data.inner_bound
        )
        for _ in range(data.inners)
    )
    if outer.is_zero() or any(h.is_zero() for h in inners):
        return None
    return Decomposition(outer, inners)


def _inhomogeneous(data: DataConfig, rng: CounterRNG, context: Ring) -> Decomposition | None:
    """A few terms of mixed degrees, at least one of them of the drawn degree, in outer and inners."""
    outer_degree, inner_degree = rng.choice(data.outer_degrees), rng.choice(data.inner_degrees)
    outer = _few_terms(rng, outer_ring(data.inners), outer_degree, 2 + rng.below(3), data.outer_bound)
    inners = tuple(
        _few_terms(rng, context, inner_degree, 1 + rng.below(3), data.inner_bound) for _ in range(data.inners)
    )
    as_drawn = degree(outer) == outer_degree and all(degree(h) == inner_degree for h in inners)
    return Decomposition(outer, inners) if as_drawn and len(variables_used(outer)) == data.inners else None


def _few_terms(rng: CounterRNG, context: Ring, top: int, count: int, bound: int) -> Polynomial:
    """Uniform coefficients on one monomial of degree `top` and others of degree 1 to `top`."""
    first = rng.choice(monomials_of_degree(context.nvars(), top))
    others = [m for m in monomials_up_to(context.nvars(), top) if any(m) and m != first]
    return _sparse(rng, context, [first, *rng.sample(others, min(count - 1, len(others)))], bound)


def _split_terms(f: Polynomial, rng: CounterRNG) -> tuple[tuple[Monomial, int], ...]:
    """The terms of f in canonical order, each coefficient split into two random parts if it can be."""
    parts: list[tuple[Monomial, int]] = []
    for monomial, coefficient in reversed(list(zip(f.monoms(), f.coeffs(), strict=True))):
        value = int(coefficient.p)
        if abs(value) < 2:
            parts.append((monomial, value))
            continue
        first = (1 + rng.below(abs(value) - 1)) * (1 if value > 0 else -1)
        parts += [(monomial, first), (monomial, value - first)]
    return tuple(parts)


_SAMPLERS: dict[str, Callable[[DataConfig, CounterRNG, Ring], Decomposition | None]] = {
    "univariate": _one_variable,
    "separable": _separable,
    "on_singlet": _on_singlet,
    "monic": _one_variable,
    "split": _one_variable,
    "homogeneous": _homogeneous,
    "sparse": _inhomogeneous,
}
