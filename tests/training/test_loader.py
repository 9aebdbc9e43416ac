"""Every target token is predicted once, by one part of one rank; order and workers do not matter."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from polyctl.data.batch import TrainingBatch
from polyctl.data.stream import open_source
from polyctl.errors import UsageError
from polyctl.training.loader import Prefetcher, batches, data_workers, split
from tests.training.helpers import tiny


def steps_of(source, step, total, workers=0):
    return [batch.ids_BT.tolist() for batch in batches(source, step, total, workers)]


def test_parts_cover_each_target_token_once_with_its_context():
    batch = open_source(tiny(batch=11)).chunk(0)[0]
    wanted, found = [], []
    for row, marks in zip(batch.ids_BT, batch.loss_BT, strict=True):
        wanted += [(*row[:t], row[t]) for t in np.flatnonzero(marks)]
    for rank in range(3):
        for part in split(batch, rank, 3, 2):
            width = part.ids_BT.shape[1]
            for position, target in zip(part.positions_N.tolist(), part.targets_N.tolist(), strict=True):
                row, column = divmod(position, width)
                found.append((*part.ids_BT[row, : column + 1].tolist(), target))
    assert sorted(found) == sorted(wanted)


def test_a_part_is_no_wider_than_its_longest_row():
    batch = TrainingBatch.of([([5, 6, 7, 8, 9], [4, 1]), ([5, 6], [4, 1])])
    (short,) = split(batch, 1, 2, 1)
    assert short.ids_BT.tolist() == [[5, 6, 4]]
    assert (short.positions_N.tolist(), short.targets_N.tolist()) == ([1, 2], [4, 1])


def test_any_step_can_be_the_first():
    source = open_source(tiny())
    whole = steps_of(source, 0, 40)
    assert len(whole) >= 40
    for first in (1, source.chunk_batches - 1, source.chunk_batches, 37):
        assert steps_of(source, first, 40) == whole[first:]


def test_workers_do_not_change_the_order():
    source = open_source(tiny())
    assert steps_of(source, 5, 40, workers=2) == steps_of(source, 5, 40)


@pytest.mark.parametrize(
    ("asked", "device", "local", "expected"),
    [(None, "cpu", 1, 0), (3, "cpu", 1, 3), (0, "cuda", 1, 0), (None, "cuda", 2, 3), (None, "cuda", 8, 1)],
)
def test_a_gpu_gets_the_cores_that_are_idle(monkeypatch, asked, device, local, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(8))
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(local))
    assert data_workers(asked, torch.device(device), local) == expected


def test_a_batch_may_be_fetched_before_it_is_asked_for():
    stream = Prefetcher(iter("abc"))
    stream.fetch()
    stream.fetch()
    assert [next(stream) for _ in range(3)] == list("abc")
    stream.fetch()


@dataclass
class Failing:
    chunk_batches: int = 4

    def chunk(self, index):
        raise UsageError("no problem fits", "make the block longer")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_users_error_in_a_worker_keeps_its_message_and_hint(workers):
    with pytest.raises(UsageError) as raised:
        next(batches(Failing(), 0, 4, workers))
    assert (raised.value.message, raised.value.hint) == ("no problem fits", "make the block longer")


@dataclass
class Fake:
    """One of two processes; what the other one would have sent comes from `others`."""

    rank: int
    others: list

    world: int = 2

    def gather(self, value):
        other = self.others.pop(0)
        return [value, other] if self.rank == 0 else [other, value]


@pytest.mark.slow
def test_each_process_makes_its_share_of_the_chunks_and_sees_all_batches():
    source = open_source(tiny())
    size, total = source.chunk_batches, 40
    for first in (0, 5, size, 2 * size + 1):
        chunks = [source.chunk(i) for i in range(first // size, -(-total // size))]
        for rank in range(2):
            theirs = [*chunks[1 - rank :: 2], []]  # where they have none left they send nothing
            seen = batches(source, first, total, 0, Fake(rank, theirs))
            assert [batch.ids_BT.tolist() for batch in seen] == steps_of(source, first, total)
