"""Each chunk comes back as often as it should, in other batches, whoever makes it and wherever one begins."""

from collections import Counter

import numpy as np
import pytest

from polyctl.config.schema import TrainConfig
from polyctl.data.stream import open_source
from polyctl.training import echo
from polyctl.training.echo import Echo, Use
from polyctl.training.loader import batches
from tests.training.helpers import tiny
from tests.training.test_loader import Fake


@pytest.fixture
def short_rounds(monkeypatch):
    monkeypatch.setattr(echo, "ECHO_CHUNKS", 2)


def steps_of(source, step, total, *more, **options):
    return [batch.ids_BT.tolist() for batch in batches(source, step, total, *more, **options)]


def rows(chunk):
    """How often each problem is in a chunk: its tokens, and which of them count."""
    return Counter(
        (tuple(ids[: length + 1]), tuple(loss[: length + 1]))
        for batch in chunk
        for ids, loss, length in zip(
            batch.ids_BT.tolist(), batch.loss_BT.tolist(), (batch.lengths_B - 1).tolist(), strict=True
        )
    )


def test_once_is_the_sequence_itself():
    assert [Echo().use(place) for place in range(99)] == [Use(k, 0, True) for k in range(99)]


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_each_chunk_is_used_that_often(factor):
    per_round, rounds = echo.ECHO_CHUNKS, 12
    places = per_round * (factor * rounds - factor * (factor - 1) // 2)
    uses = [Echo(factor).use(place) for place in range(places)]
    counts = Counter(use.chunk for use in uses)
    assert sorted(counts) == list(range(rounds * per_round))
    done = (rounds - factor + 1) * per_round  # later chunks have uses before them
    assert {counts[chunk] for chunk in range(done)} == {factor}
    for chunk in counts:
        mine = [use for use in uses if use.chunk == chunk]
        assert [use.before for use in mine] == list(range(len(mine)))
        assert [use.last for use in mine] == [use.before == factor - 1 for use in mine]
    assert [use.chunk for use in uses if not use.before] == list(range(rounds * per_round))
    fresh = [not use.before for use in uses[-factor * per_round * 5 :]]
    assert fresh == [True, *[False] * (factor - 1)] * (5 * per_round)  # fresh and used ones alternate


@pytest.mark.parametrize("factor", [2, 3])
def test_a_chunk_comes_back_a_round_later(factor):
    places = {}
    for place in range(2000):
        places.setdefault(Echo(factor).use(place).chunk, []).append(place)
    later = [np.diff(places[chunk]).tolist() for chunk in range(100, 200)]
    assert later == [[factor * echo.ECHO_CHUNKS + 1] * (factor - 1)] * 100


def test_chunks_to_make_are_those_that_are_used_and_come_once():
    for start, end in ((0, 200), (37, 200), (150, 151)):
        numbers = list(Echo(3).first_uses(start, end))
        assert len(numbers) == len(set(numbers))
        assert set(numbers) == {Echo(3).use(place).chunk for place in range(start, end)}


def test_a_use_is_of_the_same_problems_in_other_batches():
    chunk = open_source(tiny(batch=32)).chunk(5)
    first, second, third = (Echo(3, 7).regroup(chunk, Use(5, before, False)) for before in range(3))
    assert first is chunk
    for again in (second, third):
        assert rows(again) == rows(chunk)
        assert [len(batch.ids_BT) for batch in again] == [32] * len(chunk)
        for batch in again:
            assert batch.tokens == batch.lengths_B.sum()
            assert batch.ids_BT.shape[1] == batch.lengths_B.max()
        assert sum(b.ids_BT.size for b in again) == sum(b.ids_BT.size for b in chunk)  # as little padding
    found = [sorted(map(str, map(rows, ([b] for b in part)))) for part in (first, second, third)]
    assert found[0] != found[1] != found[2] != found[0]
    repeated = Echo(3, 7).regroup(chunk, Use(5, 2, True))
    assert all(np.array_equal(a.ids_BT, b.ids_BT) for a, b in zip(third, repeated, strict=True))


def test_training_sees_each_problem_that_often(short_rounds):
    source, total = open_source(tiny()), 16 * 18
    seen = rows(batches(source, 0, total, 0, echo=Echo(3, 3)))
    # rounds of 2, 4, 6 and 6 chunks, after which four of eight fresh ones have been used three times
    expected = sum((rows(source.chunk(k)) for k in range(4) for _ in range(3)), Counter())
    expected += sum((rows(source.chunk(k)) for k in (4, 5) for _ in range(2)), Counter())
    expected += sum((rows(source.chunk(k)) for k in (6, 7)), Counter())
    assert seen == expected


def test_workers_processes_and_the_first_step_do_not_matter(short_rounds):
    source, total, twice = open_source(tiny()), 16 * 10, Echo(2, 3)
    whole = steps_of(source, 0, total, 0, echo=twice)
    assert len(whole) == total
    assert whole != steps_of(source, 0, total, 0)
    for first in (0, 16 * 3, 16 * 7 + 5):
        assert steps_of(source, first, total, 0, echo=twice) == whole[first:]
    assert steps_of(source, 16 * 3, total, 2, echo=twice) == whole[16 * 3 :]
    for first in (0, 3, 5):
        chunks = [source.chunk(k) for k in twice.first_uses(first, total // 16)]
        for rank in range(2):
            other = [*chunks[1 - rank :: 2], []]
            assert (
                steps_of(source, 16 * first, total, 0, Fake(rank, other), echo=twice) == whole[16 * first :]
            )


def test_only_a_stream_alone_is_echoed():
    with pytest.raises(ValueError, match="echo_factor 2 needs source = 'stream'"):
        TrainConfig(source="files", echo_factor=2)
    with pytest.raises(ValueError, match="repeat_size 10: set one of them"):
        TrainConfig(echo_factor=2, repeat_size=10)
