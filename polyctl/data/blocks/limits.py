"""What is written in blocks, and the monomials that it needs."""

from __future__ import annotations

from math import comb

from polyctl.algebra.decomposition import outer_ring
from polyctl.config.schema import DataConfig
from polyctl.data.blocks import bases
from polyctl.data.blocks.table import Table
from polyctl.data.tokenizers.base import Tokenizer, inner_count, variable_names
from polyctl.data.tokenizers.compact import CompactTokenizer
from polyctl.data.tokenizers.prefix import PrefixTokenizer

DENSE = ("univariate", "monic")
_FAMILIES = (*DENSE, "on_singlet", "separable", "homogeneous", "sparse")
_SINGLET_VARIABLES = 12  # three products of vectors with two components
_OUTER_TERMS = {"homogeneous": 3, "sparse": 4, "separable": 11}  # at most; other outers are dense
_INNER_TERMS = {"homogeneous": 3, "sparse": 3, "on_singlet": 6}
_LARGEST_TABLE = 2000
_LARGEST_DRAW = 1 << 30  # a word times the size of its range does not overflow
_EXACT = 1 << 52  # sums of floats up to this one are not rounded
_WORD = 1 << 62  # and sums of integers, such as of exponents times coefficients, do not overflow


def can_write(data: DataConfig, part: DataConfig, tokenizer: Tokenizer) -> bool:
    """Whether a part of the data (or all) can be written in blocks, but for single problems."""
    if part.family not in _FAMILIES or not _is_small(part):
        return False
    if part.family in (*DENSE, "on_singlet") and min(part.outer_degrees) < 2:
        return False
    if part.family in DENSE and min(part.inner_degrees) < 2:
        return False
    if isinstance(tokenizer, PrefixTokenizer):
        names = {*variable_names(part), *outer_ring(inner_count(part)).names()}
        return part.family != "on_singlet" and names <= set(tokenizer.vocabulary)  # singlets: dot products
    if not isinstance(tokenizer, CompactTokenizer) or data.target != "inner":
        return False
    own, others = variable_names(part), variable_names(data)
    if places_by_name(data, part):  # in their places, and in a singlet in others
        return own == others[: len(own)] and part.family != "on_singlet"
    return len(own) <= len(others)


def places_by_name(data: DataConfig, part: DataConfig) -> bool:
    """Whether variables stand where their names are, not in canonical order or those that f uses first."""
    return not data.canonical and set(variable_names(part)) <= set(variable_names(data))


def inner_degree(part: DataConfig) -> int:
    """The largest degree of an inner polynomial."""
    return 2 if part.family == "on_singlet" else max(part.inner_degrees)


def monomials_of(part: DataConfig) -> tuple[int, tuple[int, ...]]:
    """How many variables there are, and the degrees of the monomials of f and of the inner polynomials."""
    outer, inner = max(part.outer_degrees), inner_degree(part)
    if part.family == "on_singlet":
        return _SINGLET_VARIABLES, tuple(range(0, outer * inner + 1, 2))
    if part.family == "homogeneous":
        degrees = {a * b for a in (1, *part.outer_degrees) for b in part.inner_degrees}
        return part.inner_variables, tuple(sorted(degrees))
    return 1 if part.family in DENSE else part.inner_variables, tuple(range(outer * inner + 1))


def _is_small(part: DataConfig) -> bool:
    """Whether there are few monomials and inner polynomials, and no number that does not fit."""
    variables, degrees = monomials_of(part)
    if not Table.fits(variables, max(degrees)) or max(part.outer_bound, part.inner_bound) >= _LARGEST_DRAW:
        return False
    size = sum(comb(variables + d - 1, d) for d in degrees)
    if size > _LARGEST_TABLE or _bound(part) >= _EXACT or _bound(part) * max(degrees) * size >= _WORD:
        return False
    inners, columns = inner_count(part), comb(variables + inner_degree(part), variables)
    return inners == 1 or (inners <= bases.MOST_INNERS and columns <= bases.MOST_COLUMNS)


def _bound(part: DataConfig) -> int:
    """No coefficient of f is larger, nor is any sum on the way to it."""
    degree = max(part.outer_degrees)
    outer_terms = _OUTER_TERMS.get(part.family, degree + 1)
    inner_terms = _INNER_TERMS.get(part.family, max(part.inner_degrees) + 1)
    largest: int = outer_terms * part.outer_bound * (inner_terms * part.inner_bound) ** degree
    return largest
