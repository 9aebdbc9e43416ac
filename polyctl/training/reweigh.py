"""How often a mixture draws from its families: the less a model can do of them, the more often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polyctl.config.schema import DataConfig, Experiment
from polyctl.data.families import degree_cells, draw_held_out
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import inner_count, variable_names
from polyctl.errors import UsageError
from polyctl.evaluation.accuracy import greedy_accuracy
from polyctl.training.start import load_start, weights_of

FLOOR = 0.1  # a model must continue to see what it can do, or it forgets


@dataclass(frozen=True)
class Cell:
    """A pair of degrees of a family: how much of it a model can solve, and its share of the mixture."""

    name: str
    accuracy: float
    share: float


def cells_of(data: DataConfig) -> list[DataConfig]:
    """The mixture's parts, each cut into its pairs of degrees, among which it shares its weight.

    Raises UsageError if the data is not a mixture.
    """
    if not data.parts:
        raise UsageError(f"family {data.family!r} is not a mixture: there are no weights to set")
    found = []
    for part in data.parts:
        inside = [cell for _, cell in degree_cells(part)]
        found += [cell.model_copy(update={"weight": part.weight / len(inside)}) for cell in inside]
    return found


def with_weights(data: DataConfig, accuracies: Sequence[float]) -> DataConfig:
    """The mixture of `cells_of(data)`, each weight times what is missing to full accuracy, or FLOOR."""
    parts = tuple(
        cell.model_copy(update={"weight": cell.weight * max(FLOOR, 1 - accuracy)})
        for cell, accuracy in zip(cells_of(data), accuracies, strict=True)
    )
    return data.model_copy(update={"parts": parts})


def reweigh(experiment: Experiment, start: str, root: Path, count: int) -> tuple[Experiment, list[Cell]]:
    """The experiment with a mixture reweighed for the model it starts from, and what was measured.

    What counts is verified greedy accuracy on `count` held-out problems of each cell. Raises UsageError if
    the data is not a mixture or the model has other tokens, FileError if it cannot be read.
    """
    several = cells_of(experiment.data)
    tokenizer = make_tokenizer(experiment.data)
    loaded = load_start(weights_of(start, root), experiment, tokenizer)
    accuracies = []
    for data in several:
        problems = draw_held_out(data, experiment.seed, "valid", count)
        report = greedy_accuracy(
            loaded.model,
            tokenizer,
            problems,
            max_tokens=experiment.eval.max_tokens,
            batch=experiment.eval.batch,
        )
        accuracies.append(report.verified)
    data = with_weights(experiment.data, accuracies)
    total = sum(part.weight for part in data.parts)
    shares = [
        Cell(_name(part), accuracy, part.weight / total)
        for part, accuracy in zip(data.parts, accuracies, strict=True)
    ]
    return experiment.model_copy(update={"data": data}), shares


def _name(data: DataConfig) -> str:
    degrees = f"{'/'.join(map(str, data.outer_degrees))}∘{'/'.join(map(str, data.inner_degrees))}"
    return f"{data.family} {len(variable_names(data))},{inner_count(data)} {degrees}"
