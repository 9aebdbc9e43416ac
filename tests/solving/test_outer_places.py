"""What the variables of an outer polynomial stand for, whatever f's own are called."""

from random import Random

import pytest

import polyctl
from polyctl.algebra.printing import plain

NAMES = ("x", "y", "b", "b0", "b1", "h", "h0", "g", "g1", "u", "v1", "b_2", "t", "w0")


def random_polynomial(rng, names, terms, factors):
    """A random polynomial as text."""
    return " + ".join(
        f"{rng.choice((1, 2, 3))}*{'*'.join(rng.choices(names, k=rng.randint(1, factors)))}"
        for _ in range(terms)
    )


@pytest.mark.parametrize("seed", range(40))
def test_what_is_rewritten_is_read_back_beside_any_names(seed):
    rng = Random(seed)
    names = rng.sample(NAMES, rng.randint(1, 4))
    inners = [random_polynomial(rng, names, rng.randint(1, 2), 2) for _ in range(rng.randint(1, 3))]
    squares = " + ".join(f"({h})^{rng.randint(1, 2)}" for h in inners)
    f = f"{random_polynomial(rng, names, 2, 3)} + {squares}"
    found = polyctl.rewrite(f, inners)
    assert found is not None
    if "nothing could be rewritten" not in found.notes:
        assert polyctl.verify(f, plain(found.normal_form), inners).status in ("verified", "trivial")
