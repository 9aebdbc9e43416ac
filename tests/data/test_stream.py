"""Batches as training gets them: drawn without end, or from files."""

import pickle

import numpy as np
import pytest

from polyctl.algebra.polynomial import digest
from polyctl.data.families import split_of
from polyctl.data.published_format import read_line, split_line
from polyctl.data.stream import open_source
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import variable_names
from polyctl.errors import FileError, UsageError
from tests.data.helpers import SMALL, experiment
from tests.data.test_families import FAMILIES
from tests.shared import every_source

WIDE = SMALL.model_copy(update={"inner_bound": 20, "outer_bound": 20})  # so that nothing recurs by chance


@pytest.mark.parametrize("tokenizer", ["prefix", "compact"])
def test_a_chunk_is_a_function_of_its_number(tokenizer):
    config = experiment(data=SMALL.model_copy(update={"tokenizer": tokenizer}), context_length=200)
    first, again = open_source(config), pickle.loads(pickle.dumps(open_source(config)))
    for index in (3, 0):
        batches = first.chunk(index)
        assert len(batches) == first.chunk_batches
        for one, other in zip(batches, again.chunk(index), strict=True):
            assert np.array_equal(one.ids_BT, other.ids_BT)
            assert one.ids_BT.shape[0] == 8
    assert not np.array_equal(first.chunk(0)[0].ids_BT, first.chunk(1)[0].ids_BT)


def test_batches_have_near_equal_lengths():
    batches = open_source(experiment()).chunk(0)
    real = sum(b.tokens for b in batches)
    assert real / sum(b.ids_BT.size for b in batches) > 0.9


def test_the_stream_draws_only_training_problems():
    config = experiment()
    tokenizer = make_tokenizer(config.data)
    batch = open_source(config).chunk(0)[0]
    for row, loss in zip(batch.ids_BT, batch.loss_BT, strict=True):
        prompt = [int(i) for i in row[: int(np.argmax(loss)) - 1]]
        text = tokenizer.text(prompt).split()
        assert text  # the compact prompt shows the normal form, whose digest decides the split
        f = tokenizer.decode([*prompt]).inners[0]
        assert split_of(digest(f)) == "train"


def rows(source, chunks):
    """The token ids of each batch's rows, without padding."""
    return [
        [tuple(map(int, row[row > 0])) for row in batch.ids_BT] for k in chunks for batch in source.chunk(k)
    ]


def test_two_sets_a_fixed_share_of_each_batch_comes_from_the_small_set():
    config = experiment(data=WIDE, repeat_size=20, repeat_share=0.25)
    source, again = open_source(config), pickle.loads(pickle.dumps(open_source(config)))
    batches = rows(source, range(5))
    assert batches == [*rows(again, [0]), *rows(again, range(1, 5))]
    assert rows(source, [3]) == batches[48:64]
    small = {(*prompt, *target) for prompt, target in source._small_set}
    assert len(small) == 20
    fresh = [row for batch in batches for row in batch if row not in small]
    assert [sum(row in small for row in batch) for batch in batches] == [2] * 80
    assert len(set(fresh)) > 0.95 * len(fresh)  # a stream repeats by chance alone
    counts = [sum(row == one for batch in batches for row in batch) for one in small]
    assert set(counts) == {8}  # 160 draws are eight passes over twenty problems
    assert rows(open_source(experiment(data=WIDE, repeat_size=20, repeat_share=0.01)), [0])[0] != batches[0]


def test_the_small_set_is_of_the_training_split_and_no_stream_reaches_it():
    config = experiment(data=WIDE, repeat_size=60, repeat_share=1.0)
    tokenizer = make_tokenizer(config.data)
    small = open_source(config)._small_set
    splits = [split_of(digest(tokenizer.decode(prompt[:-1]).inners[0])) for prompt, _ in small]
    assert splits == ["train"] * 60
    again = {row for batch in rows(open_source(config), range(2)) for row in batch}
    assert again == {(*prompt, *target) for prompt, target in small}  # share 1: nothing else is drawn
    stream = {row for batch in rows(open_source(experiment(data=WIDE)), range(2)) for row in batch}
    assert not stream & again


def test_without_a_small_set_the_stream_is_what_it_was():
    with_share, without = experiment(repeat_share=0.5), experiment()
    assert rows(open_source(with_share), [2]) == rows(open_source(without), [2])


def test_a_small_set_that_the_family_cannot_fill_is_an_error(monkeypatch):
    monkeypatch.setattr("polyctl.data.stream.PATIENCE", 200)
    tiny = SMALL.model_copy(update={"inner_degrees": (2,), "inner_bound": 1, "outer_bound": 1})
    with pytest.raises(UsageError, match=r"repeat_size = 1,000, but only \d+ different"):
        open_source(experiment(data=tiny, repeat_size=1000))


def test_repeating_beside_files_is_refused():
    with pytest.raises(ValueError, match="needs source = 'stream'"):
        experiment(source="files", repeat_size=5)


def test_a_block_that_nothing_fits_is_an_error():
    with pytest.raises(UsageError, match=r"model\.context_length"):
        open_source(experiment(context_length=8)).chunk(0)


def test_a_chunk_never_reaches_into_the_problems_of_the_next():
    """If less than half of the problems fit, a stream would call some fresh that it has trained on."""
    batches = rows(open_source(experiment(data=WIDE)), range(2))
    lengths = sorted(len(row) for batch in batches for row in batch)
    short = experiment(data=WIDE, context_length=lengths[len(lengths) * 2 // 5])
    with pytest.raises(UsageError, match=r"only \d+% of the problems can be trained on"):
        open_source(short).chunk(0)
    enough = open_source(experiment(data=WIDE, context_length=lengths[len(lengths) * 4 // 5]))
    batches = rows(enough, range(3))
    assert len({row for batch in batches for row in batch}) > 0.98 * sum(map(len, batches))


def test_missing_files_say_how_to_make_them(tmp_path):
    with pytest.raises(FileError, match="no training data") as error:
        open_source(experiment(source="files"), tmp_path)
    assert "polyctl gen tiny" in error.value.hint


@pytest.mark.parametrize("tokenizer", ["prefix", "compact"])
def test_files_are_read_in_shuffled_passes(data_set, tokenizer):
    directory, _ = data_set
    data = SMALL.model_copy(update={"tokenizer": tokenizer})
    source = open_source(experiment(source="files", epochs=2, data=data, context_length=200), directory)
    assert source.total_steps == 50
    rows = [tuple(row[row > 0]) for k in range(4) for b in source.chunk(k) for row in b.ids_BT][:400]
    first, second = rows[:200], rows[200:]
    counts = {row: rows.count(row) for row in set(rows)}
    assert set(counts.values()) == {2}
    assert first != second


def test_a_single_file_is_a_source_too_and_leaves_out_what_is_excluded(data_set):
    directory, _ = data_set
    path = directory / "valid.txt"
    for tokenizer in ("prefix", "compact"):
        data = SMALL.model_copy(update={"tokenizer": tokenizer})
        whole = open_source(experiment(source="files", epochs=2, data=data, context_length=200), path)
        assert whole.total_steps == 5
        every = {row for batch in rows(whole, [0]) for row in batch}
        assert len(every) == 20
        half = path.with_name(f"half_{tokenizer}.txt")
        half.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:12]))
        without = data.model_copy(update={"exclude": (str(half),)})
        source = pickle.loads(
            pickle.dumps(open_source(experiment(source="files", data=without, context_length=200), path))
        )
        kept = {row for batch in rows(source, [0]) for row in batch}
        assert len(kept) == 8
        assert kept < every
    nothing = data.model_copy(update={"exclude": (str(path),)})
    with pytest.raises(UsageError, match="is excluded or longer"):
        open_source(experiment(source="files", data=nothing, context_length=200), path).chunk(0)


@every_source
@pytest.mark.parametrize(
    ("name", "family"),
    [("univariate_4_4", "univariate"), ("homogeneous_3_3", "homogeneous_3_3"), ("on_singlet", "on_singlet")],
)
@pytest.mark.parametrize("tokenizer", ["prefix", "compact"])
def test_files_are_trained_on_as_they_are(source, name, family, tokenizer):
    data = FAMILIES[family].model_copy(update={"tokenizer": tokenizer})
    config = experiment(source="files", data=data, context_length=900)
    batch = open_source(config, source.path(name)).chunk(0)[0]
    tok = make_tokenizer(data)
    expected = set()
    for line in source.lines(name):
        if tokenizer == "prefix":
            left, right = split_line(line)
            expected.add((*tok.ids(left), tok.end, *tok.ids(right), tok.end))
        else:
            read = read_line(line, variables=variable_names(data))
            expected.add((*tok.encode_prompt(read), *tok.encode_target(read)))
    assert {tuple(map(int, row[row > 0])) for row in batch.ids_BT} <= expected
