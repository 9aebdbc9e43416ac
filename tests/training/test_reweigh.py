"""Weights of a mixture by what a model can do."""

import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import UsageError
from polyctl.training.reweigh import FLOOR, cells_of, with_weights

DATA = load_registry(PACKAGED).get("general").data


def test_a_part_is_cut_into_its_degrees_which_share_its_weight():
    cells = cells_of(DATA)
    univariate = [c for c in cells if c.family == "univariate"]
    assert {(c.outer_degrees, c.inner_degrees) for c in univariate} == {
        ((outer,), (inner,)) for outer in (2, 3, 4) for inner in (2, 3, 4)
    }
    assert all(c.weight == pytest.approx(DATA.parts[0].weight / 9) for c in univariate)
    assert sum(c.weight for c in cells) == pytest.approx(sum(p.weight for p in DATA.parts))
    with pytest.raises(UsageError, match="not a mixture"):
        cells_of(DATA.parts[0])


def test_what_is_missing_to_full_accuracy_is_the_weight():
    cells = cells_of(DATA)
    accuracies = [i / (len(cells) - 1) for i in range(len(cells))]
    parts = with_weights(DATA, accuracies).parts
    for cell, accuracy, part in zip(cells, accuracies, parts, strict=True):
        assert part.weight == pytest.approx(cell.weight * max(FLOOR, 1 - accuracy))
        assert part.model_copy(update={"weight": 1.0}) == cell.model_copy(update={"weight": 1.0})


def test_the_tokens_stay_and_so_does_what_is_drawn_of_a_cell():
    cells = cells_of(DATA)
    data = with_weights(DATA, [i / len(cells) for i in range(len(cells))])
    assert make_tokenizer(data).vocabulary == make_tokenizer(DATA).vocabulary
    for cell, part in zip(cells, data.parts, strict=True):
        assert [draw_problem(part, 3, i).f for i in range(3)] == [
            draw_problem(cell, 3, i).f for i in range(3)
        ]
    for i in range(20):
        assert draw_problem(data, 3, i).f in [draw_problem(cell, 3, i).f for cell in cells]


def test_what_a_model_cannot_do_is_drawn_more_often():
    cells = cells_of(DATA)
    weak = next(i for i, cell in enumerate(cells) if cell.family == "monic")
    data = with_weights(DATA, [0.0 if i == weak else 1.0 for i in range(len(cells))])
    share = data.parts[weak].weight / sum(part.weight for part in data.parts)
    before = cells[weak].weight / sum(cell.weight for cell in cells)
    drawn = sum(draw_problem(data, 3, i).family == "monic" for i in range(400)) / 400
    others = sum(part.weight for i, part in enumerate(data.parts) if part.family == "monic" and i != weak)
    expected = share + others / sum(part.weight for part in data.parts)
    assert share > 5 * before
    assert drawn == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 400) ** 0.5)
