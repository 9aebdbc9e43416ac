"""What data.exclude keeps a model from, and hands on to models that start from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from polyctl.algebra.polynomial import degree, variables_used
from polyctl.config.schema import DataConfig
from polyctl.data.dataset import matching_files, read_digests
from polyctl.data.families import split_of
from polyctl.data.problem import Problem
from polyctl.data.published_sets import PUBLISHED, is_published, published_digests


def inherit(own: Sequence[str], inherited: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to exclude from training on a model that was kept from `inherited`, and what of it is lost.

    Published files that are not here become the published sets of their names; other files that are not here
    are lost.
    """
    found, lost = list(own), list[str]()
    for entry in inherited:
        name = Path(entry).stem
        if is_published(entry) or matching_files(entry):
            found.append(entry)
        elif name in published_digests():
            found.append(f"{PUBLISHED}/{name}")
        else:
            lost.append(entry)
    if PUBLISHED in found:
        found = [entry for entry in found if entry == PUBLISHED or not is_published(entry)]
    return tuple(dict.fromkeys(found)), tuple(lost)


def may_have_drawn(data: DataConfig, problems: Iterable[Problem]) -> int:
    """How many of the problems a training with this configuration may have drawn.

    That is those of the training split, of a degree and in as many variables as its families have, that it
    does not exclude. Excluded files that are not here and not published exclude nothing.
    """
    entries, _ = inherit((), data.exclude)
    excluded = read_digests(entries)
    parts = data.parts or (data,)
    return sum(
        split_of(problem.digest) == "train"
        and problem.digest not in excluded
        and any(_could_draw(part, problem) for part in parts)
        for problem in problems
    )


def _could_draw(data: DataConfig, problem: Problem) -> bool:
    """Whether the family has problems of f's degree in as many variables."""
    variables, found = max(data.inner_variables, 1), degree(problem.f)
    products = {outer * inner for outer in data.outer_degrees for inner in data.inner_degrees}
    if data.family == "on_singlet":  # inner polynomials are in dot products of vectors
        products = {2 * product for product in products}
    several = data.inners > 1 or data.family in ("separable", "homogeneous", "sparse", "on_singlet")
    fits = found <= max(products) if several else found in products
    return fits and len(variables_used(problem.f)) <= variables
