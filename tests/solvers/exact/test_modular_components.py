"""Right components modulo a prime."""

from flint import fmpq, fmpq_poly, nmod_poly
from hypothesis import given
from hypothesis import strategies as st

from polyctl.algebra.modular import PRIME
from polyctl.solvers.exact.modular_components import (
    modular_component,
    monic_residues,
    reduce_modulo,
    series_root,
    small_rationals,
)


@given(st.lists(st.integers(0, PRIME - 1), max_size=12), st.integers(1, 9))
def test_the_root_to_its_power_is_the_series(tail, k):
    series = [1, *tail]
    root = nmod_poly(series_root(series, k, len(series)), PRIME)
    assert root.pow_trunc(k, len(series)) == nmod_poly(series, PRIME)


def test_a_component_is_found_and_other_degrees_are_refused():
    h = fmpq_poly([0, fmpq(-2, 3), 0, 1])
    f = fmpq_poly([5, 1, 7])(h) * 3
    residues = monic_residues(f)
    assert small_rationals(modular_component(residues, 3)) == h
    assert modular_component(residues, 2) is None


def test_what_the_prime_divides_is_left_alone():
    assert monic_residues(fmpq_poly([1, PRIME])) is None
    assert monic_residues(fmpq_poly([])) is None
    assert reduce_modulo(fmpq_poly([1, fmpq(1, PRIME)])) is None
    assert reduce_modulo(fmpq_poly([fmpq(1, 2)])) == nmod_poly([pow(2, -1, PRIME)], PRIME)


def test_large_coefficients_are_not_guessed():
    assert small_rationals(nmod_poly([2**40 + 1], PRIME)) is None
