"""Steps with problems of all lengths, in parts of one length each."""

import numpy as np
import pytest
import torch

from polyctl.config.registry import load_registry, override
from polyctl.config.schema import ModelConfig
from polyctl.data.batch import TrainingBatch, group_by_length
from polyctl.data.stream import StreamSource
from polyctl.model.gpt import GPT
from polyctl.training.echo import Echo, Use
from polyctl.training.loader import split
from polyctl.training.loss import TargetLoss

CPU = torch.device("cpu")
MIXED = ("train.mixed_lengths=true", "train.accumulate=4", "train.batch=32", "data.exclude=[]")


def of_lengths(*lengths):
    """Pairs of so many tokens, one of them the target."""
    return [([1] * (length - 1), [2]) for length in lengths]


def test_groups_have_all_lengths_and_lose_none():
    pairs = of_lengths(*range(2, 26))
    groups = group_by_length(pairs, 8, 3, mixed=True)
    assert [len(group) for group in groups] == [8, 8, 8]
    assert sorted(len(p) for group in groups for p, _ in group) == list(range(1, 25))
    for group in groups:
        lengths = [len(prompt) for prompt, _ in group]
        assert lengths == sorted(lengths)
        assert max(lengths) - min(lengths) == 21


def test_a_step_is_cut_by_length_into_parts_of_about_one_size():
    batch = TrainingBatch.of(of_lengths(*range(2, 26)))
    parts = split(batch, 0, 1, 4)
    assert [part.ids_BT.shape for part in parts] == [(4, 24), (5, 20), (6, 15), (9, 9)]
    assert sum(len(part.targets_N) for part in parts) == 24


@pytest.mark.parametrize("lengths", [[7] * 9, [3, 3, 3, 3, 90], [2, 3, 4, 5, 6, 7], range(2, 40)])
@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_each_row_is_in_one_part_and_none_is_empty(lengths, parts):
    batch = TrainingBatch.of(of_lengths(*lengths))
    cut = split(batch, 0, 1, parts)
    assert len(cut) == parts
    assert all(len(part.ids_BT) for part in cut)
    assert sum(len(part.ids_BT) for part in cut) == len(lengths)


def test_two_processes_share_the_rows_evenly():
    batch = TrainingBatch.of(of_lengths(*range(2, 26)))
    rows = [sum(len(part.ids_BT) for part in split(batch, rank, 2, 3)) for rank in (0, 1)]
    assert rows == [12, 12]


@pytest.mark.parametrize("settings", [(), ("train.repeat_size=16",)])
def test_a_stream_mixes_and_stays_the_same_problems(settings):
    asked = override(load_registry().get("general"), [*MIXED, *settings])
    mixed = StreamSource(asked, 4).chunk(3)
    alike = StreamSource(override(asked, ["train.mixed_lengths=false"]), 4).chunk(3)

    def rows(batches):
        return sorted(tuple(row[:n]) for b in batches for row, n in zip(b.ids_BT, b.lengths_B, strict=True))

    assert rows(mixed) == rows(alike)
    means = [batch.lengths_B.mean() for batch in mixed]
    assert max(means) < 1.5 * min(means)
    assert max(b.lengths_B.mean() for b in alike) > 1.5 * min(b.lengths_B.mean() for b in alike)


def test_problems_come_back_in_mixed_steps():
    asked = override(load_registry().get("general"), [*MIXED])
    chunk = StreamSource(asked, 4).chunk(0)
    again = Echo(2, 0, mixed=True).regroup(chunk, Use(0, 1, last=True))
    assert sum(batch.tokens for batch in again) == sum(batch.tokens for batch in chunk)
    means = [batch.lengths_B.mean() for batch in again]
    assert max(means) < 1.5 * min(means)
    for batch in again:
        assert (np.diff(batch.lengths_B) >= 0).all()


def test_padding_to_widths_changes_no_loss():
    batch = TrainingBatch.of(of_lengths(3, 6, 7, 12))
    (plain,), (padded,) = split(batch, 0, 1, 1), split(batch, 0, 1, 1, widths=8)
    assert (plain.ids_BT.shape, padded.ids_BT.shape) == ((4, 11), (4, 16))
    torch.manual_seed(0)
    objective = TargetLoss(GPT(ModelConfig(layers=1, heads=2, width=16, context_length=16), 5))
    torch.testing.assert_close(objective(*plain.to(CPU)), objective(*padded.to(CPU)))
