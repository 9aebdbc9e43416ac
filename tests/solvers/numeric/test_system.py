"""Values and derivatives of g(h), and LevenbergMarquardt-Marquardt on them."""

from itertools import pairwise

import numpy as np
import pytest

from polyctl.algebra.monomials import monomials_of_degree
from polyctl.solvers.numeric.levenberg_marquardt import LevenbergMarquardt
from polyctl.solvers.numeric.system import make_system


def _random(system, count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, system.unknowns))


@pytest.mark.parametrize(
    ("variables", "inners", "outer", "inner"), [(3, 2, 3, 2), (2, 3, 2, 3), (1, 1, 3, 1)]
)
def test_derivatives_agree_with_differences(variables, inners, outer, inner):
    system = make_system(variables, inners, outer, monomials_of_degree(variables, inner), 20)
    x_BU = _random(system, 3)
    way_BU = _random(system, 3, seed=1)
    _, jacobian_BUP = system.value_and_jacobian(x_BU)
    ahead, _ = system.value_and_jacobian(x_BU + 1e-6 * way_BU)
    behind, _ = system.value_and_jacobian(x_BU - 1e-6 * way_BU)
    expected = (way_BU[:, None] @ jacobian_BUP)[:, 0]
    assert np.allclose((ahead - behind) / 2e-6, expected, rtol=1e-6, atol=1e-6)


def test_value_is_the_composition():
    system = make_system(
        2, 2, 2, monomials_of_degree(2, 1), 5
    )  # g = 2 b0^2 + 3 b0 b1 - b1^2 of a0 + 4 a1, 5 a0 - a1
    x_BU = np.array([[1.0, 4, 5, -1, 2, 3, -1]])
    a, b = system.points_PV.T
    h0, h1 = a + 4 * b, 5 * a - b
    value_BP, _ = system.value_and_jacobian(x_BU)
    assert np.allclose(value_BP[0], 2 * h0**2 + 3 * h0 * h1 - h1**2)


def test_an_index_picks_rows_and_the_filler_is_zero():
    system = make_system(3, 2, 3, monomials_of_degree(3, 2), 12)
    x_BU = _random(system, 2)
    index_BK = np.array([[0, 7, system.unknowns], [system.unknowns - 1, 3, 5]])
    _, full_BUP = system.value_and_jacobian(x_BU)
    _, some_BKP = system.value_and_jacobian(x_BU, index_BK)
    assert np.array_equal(some_BKP[0, :2], full_BUP[0, [0, 7]])
    assert not some_BKP[0, 2].any()
    assert np.array_equal(some_BKP[1], full_BUP[1, index_BK[1]])


def test_levenberg_finds_a_solution_again_and_never_rises():
    system = make_system(2, 2, 2, monomials_of_degree(2, 2), 12)
    truth_BU = _random(system, 1)
    target_P = system.value_and_jacobian(truth_BU)[0][0]
    run = LevenbergMarquardt(system, target_P, truth_BU + 0.05 * _random(system, 4, seed=2))
    costs = [run.cost_B]
    for _ in range(30):
        run.step()
        costs.append(run.cost_B)
    assert all((later <= earlier).all() for earlier, later in pairwise(costs))
    assert (run.cost_B < 1e-20).all()


def test_only_the_unknowns_of_the_index_move():
    system = make_system(2, 2, 2, monomials_of_degree(2, 2), 12)
    x_BU = _random(system, 1)
    run = LevenbergMarquardt(system, np.zeros(12), x_BU, np.array([[1, 4, system.unknowns]]))
    for _ in range(5):
        run.step()
    moved = np.flatnonzero(run.x_BU[0] != x_BU[0]).tolist()
    assert moved == [1, 4]


def test_keep_drops_starts():
    system = make_system(2, 1, 2, monomials_of_degree(2, 1), 6)
    run = LevenbergMarquardt(system, np.zeros(6), _random(system, 3))
    second = run.x_BU[2]
    run.keep([2])
    assert len(run) == 1
    assert np.array_equal(run.x_BU[0], second)
    run.step()


def test_a_singular_system_leaves_its_start_where_it_is():
    system = make_system(2, 1, 2, monomials_of_degree(2, 1), 6)
    run = LevenbergMarquardt(system, np.zeros(6), _random(system, 2))
    run.damping_B[:] = 0
    run.jacobian_BKR[0] = 0
    run.jacobian_BKR[0, 0, 0], run.jacobian_BKR[0, 1, 0] = (
        1e20,
        1e20,
    )  # equal rows, and no damping to speak of
    before_BU = run.x_BU
    run.step()
    assert np.array_equal(run.x_BU[0], before_BU[0])
    assert not np.array_equal(run.x_BU[1], before_BU[1])
