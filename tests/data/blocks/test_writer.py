"""Pairs written in blocks are those written one at a time, byte for byte."""

from itertools import islice

import numpy as np
import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import DataConfig
from polyctl.data.blocks.part import Other
from polyctl.data.blocks.writer import BlockWriter
from polyctl.data.families import draw_problem
from polyctl.data.plain import PlainWriter
from polyctl.data.tokenizers import make_tokenizer
from tests.data.test_families import FAMILIES

MIXTURES = {name: load_registry(PACKAGED).get(name).data for name in ("general", "general_wide")}
INNER = {name: data.model_copy(update={"target": "inner"}) for name, data in FAMILIES.items()}
HARDER = {  # small bounds make constant, trivial and dependent problems; large ones long numbers
    "homogeneous of two degrees": DataConfig(
        family="homogeneous", inner_variables=2, inners=4, outer_degrees=(1, 3), inner_degrees=(1, 2),
        outer_bound=2, inner_bound=1,
    ),
    "homogeneous, large numbers": DataConfig(
        family="homogeneous", inner_variables=3, inners=2, outer_degrees=(2,), inner_degrees=(2, 3),
        outer_bound=1000, inner_bound=9000,
    ),
    "sparse and small": DataConfig(
        family="sparse", inner_variables=3, inners=3, outer_degrees=(2, 3), inner_degrees=(1, 2),
        outer_bound=1, inner_bound=1,
    ),
    "separable of two": DataConfig(
        family="separable", inner_variables=2, inners=2, outer_degrees=(1, 3), inner_degrees=(1, 2, 4),
        outer_bound=2, inner_bound=2,
    ),
    "univariate, large numbers": DataConfig(outer_degrees=(2, 3), inner_degrees=(3,), inner_bound=9000),
}  # fmt: skip
every_data = pytest.mark.parametrize("data", [*INNER.values(), *HARDER.values()], ids=[*INNER, *HARDER])


def changed(data: DataConfig, **update) -> DataConfig:
    """The same with other settings."""
    return data.model_copy(update=update)


def as_lists(pair):
    return None if pair is None else tuple(np.asarray(ids).tolist() for ids in pair)


def compare(data: DataConfig, start: int, count: int, excluded=frozenset()) -> float:
    """The share of problems that blocks do not write; the others are as they are alone."""
    tokenizer = make_tokenizer(data)
    plain = PlainWriter(data, tokenizer, 3, excluded)
    alone = 0
    for index, found in enumerate(BlockWriter(data, tokenizer, 3, excluded)._block(start, count), start):
        if found is Other.ALONE:
            alone += 1
        else:
            expected = plain.pair(index)
            assert as_lists(None if found is Other.SKIPPED else found) == expected, index
    return alone / count


@every_data
@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("tokenizer", ["compact", "terms"])
def test_every_family(data, canonical, tokenizer):
    share = compare(changed(data, canonical=canonical, tokenizer=tokenizer), 4000, 120)
    own_order = data.family == "on_singlet" and not canonical
    assert (share == 1) == (data.family == "split" or own_order)
    assert share == 1 or share < (0.1 if data in INNER.values() else 0.8)


@pytest.mark.parametrize("data", MIXTURES.values(), ids=MIXTURES)
@pytest.mark.parametrize("settings", [{"canonical": False}, {"canonical": True}, {"tokenizer": "compact"}])
def test_mixtures_with_hidden_counts(data, settings):
    assert compare(changed(data, **settings), 900, 1200) < 0.1


@pytest.mark.parametrize("base", [2, 10, 97, 1000])
@pytest.mark.parametrize("tokenizer", ["compact", "terms"])
def test_numbers_in_any_base(base, tokenizer):
    for data in (INNER["homogeneous_3_3"], HARDER["univariate, large numbers"]):
        assert compare(changed(data, base=base, tokenizer=tokenizer), 70, 80) < 0.1


@pytest.mark.parametrize("target", ["inner", "outer_inner"])
@every_data
def test_the_published_format(data, target):
    for bound in (1, data.inner_bound):
        share = compare(changed(data, tokenizer="prefix", target=target, inner_bound=bound), 50, 120)
        assert (share == 1) == (data.family in ("split", "on_singlet"))


def test_excluded_problems_are_skipped():
    data = MIXTURES["general_wide"]
    excluded = frozenset(draw_problem(data, 3, i).digest for i in range(500, 900, 3))
    compare(data, 500, 400, excluded)
    writer = BlockWriter(data, make_tokenizer(data), 3, excluded)
    found = writer._block(500, 400)
    assert all(found[i] is not None and not isinstance(found[i], tuple) for i in range(0, 400, 3))


def test_pairs_do_not_depend_on_the_block():
    data = MIXTURES["general"]
    writer = BlockWriter(data, make_tokenizer(data), 5)
    pairs = [list(map(as_lists, islice(writer.pairs(200, wanted), 300))) for wanted in (0, 40, 300, 2000)]
    assert pairs[0] == pairs[1] == pairs[2] == pairs[3]
    plain = PlainWriter(data, make_tokenizer(data), 5, frozenset())
    alone = (pair for i in range(200, 1000) if (pair := plain.pair(i)) is not None)
    assert pairs[0] == list(islice(alone, 300))


def test_what_blocks_do_not_know_is_left_to_the_plain_way():
    for data in (
        INNER["split"],
        changed(FAMILIES["on_singlet"], tokenizer="prefix"),
        FAMILIES["homogeneous_3_3"],  # its targets have an outer
        changed(INNER["homogeneous_3_3"], inner_bound=10**6),  # its coefficients may not fit
        changed(INNER["univariate"], inner_bound=1, outer_bound=1 << 31, outer_degrees=(2,)),
        changed(INNER["homogeneous_3_3"], inners=5),
        changed(INNER["sparse"], inner_variables=8, canonical=True),  # too many monomials
    ):
        writer = BlockWriter(data, make_tokenizer(data), 3)
        assert set(writer._block(0, 20)) == {Other.ALONE}
        assert len(list(islice(writer.pairs(0, 5), 5))) == 5
