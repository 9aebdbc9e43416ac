from __future__ import annotations

from math import inf

import pytest

from polyctl.algebra.budget import UNLIMITED, Budget, OutOfTime
from polyctl.algebra.completion import complete_outer
from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.verify import verify


def test_a_budget_that_is_over_says_so():
    over = Budget(0.0)
    assert over.expired
    assert over.left == 0
    with pytest.raises(OutOfTime):
        over.check()


def test_work_that_would_take_longer_than_is_left_is_not_begun():
    budget = Budget.of(60)
    assert 50 < budget.left <= 60
    budget.check(1.0)
    with pytest.raises(OutOfTime):
        budget.check(61.0)


def test_a_budget_is_shortened_for_all_who_hold_it():
    budget = holder = Budget.of(60)
    budget.shorten(0.0)
    assert holder.expired
    budget.shorten(inf)
    assert holder.expired


def test_a_part_of_a_budget_never_ends_after_it():
    assert UNLIMITED.left == inf
    UNLIMITED.check(1e9)
    assert UNLIMITED.at_most(5).left <= 5
    budget = Budget.of(1)
    assert budget.at_most(100) == budget


@pytest.mark.parametrize("inners", [["x^2 + y"], ["x^2", "y"]])
def test_completion_and_verification_stop_in_time(inners):
    f = parse("(x^2 + y)^3 + 1")
    given = tuple(parse(h, ["x", "y"]) for h in inners)
    with pytest.raises(OutOfTime):
        complete_outer(f, given, budget=Budget(0.0))
    verdict = verify(f, Decomposition(None, given), budget=Budget(0.0))
    assert (verdict.status, verdict.reason) == ("undecided", "the time limit was reached")
    assert verify(f, Decomposition(None, given)).verified
