from __future__ import annotations

from statistics import median

import pytest

from polyctl.algebra.polynomial import degree, is_homogeneous, variables_used
from polyctl.algebra.verify import verify
from polyctl.config.schema import DataConfig
from polyctl.data.families import degree_cells, draw_held_out, draw_problem, draw_problems, split_of

ON = {"outer_degrees": (2,), "inner_degrees": (2,), "outer_bound": 10, "inner_bound": 5}
CUBIC = {
    "outer_degrees": (3,),
    "inner_degrees": (3,),
    "outer_bound": 5,
    "inner_bound": 5,
    "target": "outer_inner",
}
SEPARABLE = {"outer_degrees": (1, 2), "inner_degrees": (1, 2), "inner_variables": 3, "inners": 3}
FAMILIES = {
    "univariate": DataConfig(family="univariate"),
    "separable": DataConfig(family="separable", target="outer_inner", **SEPARABLE),
    "on_singlet": DataConfig(family="on_singlet", **ON),
    "monic": DataConfig(family="monic", outer_degrees=(2,), outer_bound=5),
    "split": DataConfig(family="split", outer_degrees=(2,), outer_bound=5),
    "sparse": DataConfig(
        family="sparse",
        inner_variables=3,
        inners=2,
        outer_degrees=(2, 3),
        inner_degrees=(2, 3),
        target="outer_inner",
    ),
    **{
        f"homogeneous_{v}_{m}": DataConfig(family="homogeneous", inner_variables=v, inners=m, **CUBIC)
        for v, m in [(3, 2), (3, 3), (2, 3), (4, 3), (3, 4)]
    },
}
every_family = pytest.mark.parametrize("data", FAMILIES.values(), ids=FAMILIES)


@every_family
def test_every_problem_holds_and_is_not_trivial(data):
    for i in range(60):
        drawn = draw_problem(data, 3, i)
        assert verify(drawn.f, drawn.decomposition).verified
        assert drawn.index == i


@every_family
def test_a_problem_is_a_function_of_family_seed_and_index(data):
    forwards = [draw_problem(data, 7, i) for i in range(12)]
    backwards = [draw_problem(data, 7, i) for i in reversed(range(12))][::-1]
    assert [p.f for p in forwards] == [p.f for p in backwards]
    assert [p.f for p in forwards] != [draw_problem(data, 8, i).f for i in range(12)]


@every_family
def test_coefficients_keep_to_their_bounds(data):
    for i in range(60):
        drawn = draw_problem(data, 5, i)
        outer, inners = drawn.decomposition.outer, drawn.decomposition.inners
        assert all(abs(c) <= data.outer_bound for c in outer.coeffs())
        # three dot products may fall on one another
        bound = data.inner_bound * (6 if data.family == "on_singlet" else 1)
        assert all(abs(c) <= bound for h in inners for c in h.coeffs())


def test_univariate_degrees():
    seen = {
        (degree(p.decomposition.outer), degree(p.decomposition.inners[0]))
        for p in (draw_problem(FAMILIES["univariate"], 1, i) for i in range(300))
    }
    assert seen == {(outer, inner) for outer in (2, 3, 4) for inner in (2, 3, 4)}


def test_separable_inners_use_their_own_variable():
    for i in range(30):
        d = draw_problem(FAMILIES["separable"], 1, i).decomposition
        assert [variables_used(h) for h in d.inners] == [(0,), (1,), (2,)]


def test_sparse_problems_use_every_inner_and_have_the_degrees_drawn():
    drawn = [draw_problem(FAMILIES["sparse"], 1, i) for i in range(60)]
    assert {p.cell for p in drawn} == {"2∘2", "2∘3", "3∘2", "3∘3"}
    assert all(len(variables_used(p.decomposition.outer)) == 2 for p in drawn)
    assert all(1 <= len(h) <= 3 for p in drawn for h in p.decomposition.inners)
    assert sum(is_homogeneous(p.f) for p in drawn) < 20


def test_monic_inners_are_monic():
    assert all(
        draw_problem(FAMILIES["monic"], 1, i).decomposition.inners[0].leading_coefficient() == 1
        for i in range(30)
    )


def test_homogeneous_problems_are_forms():
    for i in range(30):
        drawn = draw_problem(FAMILIES["homogeneous_4_3"], 1, i)
        assert degree(drawn.f) == 9
        assert is_homogeneous(drawn.f)
        assert all(is_homogeneous(h) and degree(h) == 3 and len(h) <= 3 for h in drawn.decomposition.inners)


def test_split_terms_add_up_to_f():
    for i in range(30):
        drawn = draw_problem(FAMILIES["split"], 1, i)
        sums: dict[tuple[int, ...], int] = {}
        for m, c in drawn.written:
            sums[m] = sums.get(m, 0) + c
        assert sums == {m: int(c.p) for m, c in zip(drawn.f.monoms(), drawn.f.coeffs(), strict=True)}
        assert len(drawn.written) > len(drawn.f)


def test_splits_are_disjoint_and_have_their_shares():
    data = FAMILIES["univariate"]
    counts = {"train": 0, "valid": 0, "test": 0}
    for i in range(1600):
        counts[split_of(draw_problem(data, 1, i).digest)] += 1
    assert 1300 < counts["train"] < 1480
    assert 60 < counts["valid"] < 145
    assert 60 < counts["test"] < 145
    valid = {p.digest for p in draw_held_out(data, 1, "valid", 40)}
    test = {p.digest for p in draw_held_out(data, 1, "test", 40)}
    stream = draw_problems(data, 1, "train")
    train = {next(stream).digest for _ in range(500)}
    assert len(valid) == len(test) == 40
    assert not valid & test
    assert not train & (valid | test)


def test_a_split_of_a_small_family_runs_dry_without_hanging():
    tiny = DataConfig(
        family="univariate", outer_degrees=(2,), inner_degrees=(2,), outer_bound=2, inner_bound=1
    )
    found = draw_held_out(tiny, 1, "test", 10_000, patience=500)
    assert 0 < len(found) < 100
    assert len({p.digest for p in found}) == len(found)


def test_cells_are_the_degree_pairs():
    names = [name for name, _ in degree_cells(FAMILIES["univariate"])]
    assert names == [f"{outer}_{inner}" for outer in (2, 3, 4) for inner in (2, 3, 4)]


@pytest.mark.parametrize(
    ("name", "published"), [("univariate", 126), ("monic", 81), ("on_singlet", 345), ("separable", 108)]
)
def test_lengths_are_those_of_the_published_sets(name, published):
    """Median tokens of input and target; ours of separable is longer since trivial problems are not drawn."""
    from polyctl.data.tokenizers import make_tokenizer

    data = FAMILIES[name].model_copy(update={"tokenizer": "prefix"})
    tokenizer = make_tokenizer(data)
    drawn = [draw_problem(data, 1, i) for i in range(300)]
    middle = median(len(tokenizer.encode_prompt(p)) + len(tokenizer.encode_target(p)) for p in drawn)
    assert published * 0.9 < middle < published * (1.3 if name == "separable" else 1.1)


def test_every_test_set_of_the_registry_has_problems():
    """All-linear inners of a separable problem are trivial, so that such a set would be drawn for ever."""
    from polyctl.config.registry import PACKAGED, load_registry

    for data in {e.data for e in load_registry(PACKAGED).matching()}:
        for name, cell in degree_cells(data):
            assert draw_problem(cell, 0, 0).family == cell.family, name


@pytest.mark.parametrize("family", ["homogeneous", "sparse"])
def test_as_many_linear_inner_polynomials_as_variables_are_refused(family):
    settings = {"family": family, "inner_variables": 3, "target": "outer_inner", "inner_degrees": (1,)}
    with pytest.raises(ValueError, match="would make every decomposition trivial"):
        DataConfig(inners=3, **settings)
    assert draw_problem(DataConfig(inners=2, outer_degrees=(3,), **settings), 1, 0)
