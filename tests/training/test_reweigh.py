"""Weights of a mixture by what a model can do."""

import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.data.families import held_out
from polyctl.errors import UsageError
from polyctl.training import reweigh
from polyctl.training.reweigh import FLOOR, cells_of, reweighed

DATA = load_registry(PACKAGED).get("general").data


def test_a_part_is_cut_into_its_degrees_which_share_its_weight():
    cells = cells_of(DATA)
    univariate = [c for c in cells if c.family == "univariate"]
    assert {(c.outer_degrees, c.inner_degrees) for c in univariate} == {
        ((outer,), (inner,)) for outer in (2, 3, 4) for inner in (2, 3, 4)
    }
    assert all(c.weight == pytest.approx(DATA.parts[0].weight / 9) for c in univariate)
    assert sum(c.weight for c in cells) == pytest.approx(sum(p.weight for p in DATA.parts))
    with pytest.raises(UsageError, match="no mixture"):
        cells_of(DATA.parts[0])


def test_what_is_missing_to_full_accuracy_is_the_weight():
    cells = cells_of(DATA)
    accuracies = [i / (len(cells) - 1) for i in range(len(cells))]
    parts = reweighed(DATA, accuracies).parts
    for cell, accuracy, part in zip(cells, accuracies, parts, strict=True):
        assert part.weight == pytest.approx(cell.weight * max(FLOOR, 1 - accuracy))
        assert part.model_copy(update={"weight": 1.0}) == cell.model_copy(update={"weight": 1.0})


def test_the_tokens_stay_and_so_does_what_is_drawn_of_a_cell():
    data = reweighed(DATA, [0.5] * len(cells_of(DATA)))
    assert reweigh.make_tokenizer(data).vocabulary == reweigh.make_tokenizer(DATA).vocabulary
    assert held_out(data, 0, "valid", 5)
