"""Could a polynomial be one of a family's problems? Decided by degrees and monomials alone."""

from __future__ import annotations

from polyctl.algebra.polynomial import Polynomial, degree, is_homogeneous, normal_form, variables_used
from polyctl.config.schema import DataConfig


def resembles(f: Polynomial, data: DataConfig) -> bool:
    """Whether f has the number of variables, the degree and the monomials of a problem of the family.

    Constants and scales do not matter. A mixture's problems are those of its parts.
    """
    if data.parts:
        return any(resembles(f, part) for part in data.parts)
    f = normal_form(f)
    n, total = len(variables_used(f)), degree(f)
    degrees = {outer * inner for outer in data.outer_degrees for inner in data.inner_degrees}
    if data.family in ("univariate", "monic", "split"):
        return n == 1 and total in degrees
    if data.family == "on_singlet":  # a polynomial in a quadratic form: no term of odd degree
        return total in degrees and all(sum(m) % 2 == 0 for m in f.monoms())
    if n > data.inner_variables:
        return False
    if data.family == "separable":
        largest, most = max(data.inner_degrees), max(data.outer_degrees)
        return total > 1 and all(sum(-(-int(e) // largest) for e in m) <= most for m in f.monoms())
    return total in degrees and (data.family == "sparse" or is_homogeneous(f))
