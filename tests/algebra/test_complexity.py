"""The counts by hand, against a slow twin that builds the tree, and against counts beside files.

`python -m pytest tests/algebra/test_complexity.py -k agreement -s` prints the rate of exact agreement.
"""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.complexity import (
    Complexity,
    complexity,
    complexity_of,
)
from polyctl.algebra.decomposition import Decomposition, outer_ring
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, compose, names, polynomial, ring, terms
from tests.shared import HOMOGENEOUS, OURS, every_source


def decomposition(outer: str | None, *inners: str, variables: tuple[str, ...] = ("x", "y")) -> Decomposition:
    outer_names = names(outer_ring(len(inners)).gens()[0])
    return Decomposition(
        None if outer is None else parse(outer, outer_names), tuple(parse(h, variables) for h in inners)
    )


@pytest.mark.parametrize(
    ("text", "distinct", "count"),
    [
        ("5", 1, 1),
        ("0", 1, 1),
        ("x", 1, 1),
        ("a0", 3, 2),  # a0 = a[0], a, 0
        ("a0 + a1", 7, 5),  # + Plus, a[0], a[1], a, 0, 1
        ("x^2", 4, 3),
        ("2x^2", 6, 5),  # 2 x^2, Times, 2, x^2, Power, x
        ("x_1^2 + 1", 8, 6),  # the index 1 and the term 1 are one
        ("1/2 x", 4, 3),
        ("x^2 + x + 1", 7, 6),
    ],
)
def test_expanded_forms_by_hand(text: str, distinct: int, count: int) -> None:
    f = parse(text)
    assert complexity_of(f) == Complexity(distinct, count)


@pytest.mark.parametrize(
    ("outer", "inners", "same_as"),
    [
        ("b^3", ["2x^2"], "8x^6"),  # (c·monomial)^n is expanded
        ("b", ["x^2 + x"], "x^2 + x"),
        ("b + 1", ["x^2 + 2"], "x^2 + 3"),  # a sum in a sum is flattened, like constants merge
        ("b0 - b1", ["x + y", "x"], "y"),
        ("b0 b1", ["2x", "3x"], "6x^2"),
        ("b0^2 + b1", ["x", "-x^2"], "0"),
        ("b0 + b1^2", ["x", "0"], "x"),
        ("b0 + b1", ["x^2 + y", "x - y"], "x^2 + x"),
    ],
)
def test_what_merges_by_itself(outer: str, inners: list[str], same_as: str) -> None:
    found = complexity(decomposition(outer, *inners))
    assert found == complexity_of(parse(same_as, ["x", "y"]))


def test_a_power_of_a_sum_stays() -> None:
    # (x + 1)^2 - 3(x + 1): Plus twice, Times, Power, x + 1, its square, its triple, x, 1, 2, -3
    d = decomposition("b^2 - 3b", "x + 1")
    assert complexity(d) == Complexity(11, 11)


def test_equal_inners_are_one_subexpression() -> None:
    assert complexity(decomposition("b0 b1", "x + y", "x + y")) == complexity(decomposition("b^2", "x + y"))


def test_unused_inners_do_not_count() -> None:
    assert complexity(decomposition("b0^2", "x + y", "x^7")) == complexity(decomposition("b^2", "x + y"))


def test_inners_alone_are_counted_where_there_is_no_outer() -> None:
    assert complexity(decomposition(None, "x + y")) == complexity_of(parse("x + y"))
    assert complexity(decomposition(None, "x^2", "x^2 + y")) == Complexity(7, 8)


def test_order_is_by_distinct_then_leaves() -> None:
    assert sorted([Complexity(3, 1), Complexity(2, 9), Complexity(2, 4)]) == [
        Complexity(2, 4),
        Complexity(2, 9),
        Complexity(3, 1),
    ]


# The slow twin: nested tuples (head, child, ...) with numbers and symbols as leaves, evaluated step by step.
def _power(base: object, n: int) -> object:
    if n == 1:
        return base
    if isinstance(base, int):
        return base**n
    assert isinstance(base, tuple)
    if base[0] == "Power":
        return ("Power", base[1], base[2] * n)
    if base[0] == "Times":
        return _times([_power(x, n) for x in base[1:]])
    return ("Power", base, n)


def _times(factors: list[object]) -> object:
    constant, exponents = 1, {}
    while factors:
        factor = factors.pop()
        if isinstance(factor, int):
            constant *= factor
        elif factor[0] == "Times":
            factors += factor[1:]
        else:
            base, n = factor[1:] if factor[0] == "Power" else (factor, 1)
            exponents[base] = exponents.get(base, 0) + n
    if constant == 0 or not exponents:
        return constant
    parts = sorted((_power(base, n) for base, n in exponents.items()), key=repr)
    parts = parts if constant == 1 else [constant, *parts]
    return parts[0] if len(parts) == 1 else ("Times", *parts)


def _plus(summands: list[object]) -> object:
    constant, coefficients = 0, {}
    while summands:
        summand = summands.pop()
        if isinstance(summand, int):
            constant += summand
        elif summand[0] == "Plus":
            summands += summand[1:]
        else:
            numeric = summand[0] == "Times" and isinstance(summand[1], int)
            rest = _times(list(summand[2:])) if numeric else summand
            coefficients[rest] = coefficients.get(rest, 0) + (summand[1] if numeric else 1)
    parts = sorted((_times([c, rest]) for rest, c in coefficients.items() if c), key=repr)
    parts += [constant] if constant else []
    return (parts[0] if len(parts) == 1 else ("Plus", *parts)) if parts else 0


def _tree(f: Polynomial, variables: list[object]) -> object:
    return _plus(
        [
            _times([int(c.p), *(_power(v, int(n)) for v, n in zip(variables, monomial, strict=True) if n)])
            for monomial, c in terms(f)
        ]
    )


def _vertices(tree: object) -> list[object]:
    return [tree, *(v for part in tree for v in _vertices(part))] if isinstance(tree, tuple) else [tree]


def _slow(d: Decomposition) -> Complexity:
    assert d.outer is not None
    variables: list[object] = [("a", int(name[1:])) for name in names(d.inners[0])]
    vertices = _vertices(_tree(d.outer, [_tree(h, variables) for h in d.inners]))
    return Complexity(len(set(vertices)), sum(not isinstance(v, tuple) for v in vertices))


def _polynomials(variables: list[str], degree: int, bound: int) -> st.SearchStrategy[Polynomial]:
    monomials = st.tuples(*[st.integers(0, degree) for _ in variables])
    return st.dictionaries(monomials, st.integers(-bound, bound).filter(bool), max_size=4).map(
        lambda d: polynomial(ring(variables), d)
    )


@settings(max_examples=300, deadline=None)
@given(
    _polynomials(["b0", "b1", "b2"], 2, 3), st.lists(_polynomials(["a0", "a1"], 2, 2), min_size=3, max_size=3)
)
def test_fast_count_equals_the_slow_twin(outer: Polynomial, inners: list[Polynomial]) -> None:
    d = Decomposition(outer, tuple(inners))
    assert complexity(d) == _slow(d)


def _infix(tokens: list[str]) -> str:
    token = tokens.pop()
    if token in {"+", "*", "^"}:
        return f"({_infix(tokens)}{token}{_infix(tokens)})"
    if token in {"P", "N"}:
        digits = ""
        while tokens and tokens[-1].isdigit():
            digits += tokens.pop()
        return f"(-{digits})" if token == "N" else digits
    return token


def _answer(line: str, inner_variables: int) -> Decomposition:
    outer, *inners = line.strip().split(" ? ")[1].split(" & ")
    outer_names = [f"b{i}" for i in range(len(inners))]
    inner_names = [f"a{i}" for i in range(inner_variables)]
    return Decomposition(
        parse(_infix(outer.split()[::-1]), outer_names),
        tuple(parse(_infix(h.split()[::-1]), inner_names) for h in inners),
    )


def _counts(source, name: str, column: str) -> list[int]:
    """A column of the counts that lie beside a file of problems."""
    with source.path(name).with_suffix(".counts.tsv").open(newline="") as file:
        return [int(row[column]) for row in csv.DictReader(file, delimiter="\t")]


@every_source
@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_agreement_with_the_counts_beside_a_file(source, name: str) -> None:
    inner_variables = int(name.split("_")[1])
    expected = _counts(source, name, "true")
    answers = [_answer(line, inner_variables) for line in source.lines(name)]
    found = [complexity(answer).distinct for answer in answers]
    equal = sum(a == b for a, b in zip(found, expected, strict=True))
    print(f"{name}: {equal} of {len(expected)} counts agree")
    assert equal == len(expected) == {"ours": 10, "published": 300}[source.name]
    if source == OURS:  # with no simplifier to ask, the second column counts the expanded form
        assert [_slow(answer).distinct for answer in answers] == expected
        expanded = [complexity_of(compose(answer.outer, answer.inners)).distinct for answer in answers]
        assert expanded == _counts(source, name, "mathematica")
