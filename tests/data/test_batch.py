"""Batches of token pairs."""

from polyctl.data.batch import TrainingBatch


def test_batches_mark_targets_and_pad_with_zero():
    batch = TrainingBatch.of([([5, 6, 1], [7, 1]), ([5, 1], [8, 9, 9, 1])])
    assert batch.ids_BT.tolist() == [[5, 6, 1, 7, 1, 0], [5, 1, 8, 9, 9, 1]]
    assert batch.loss_BT.tolist() == [[0, 0, 0, 1, 1, 0], [0, 0, 1, 1, 1, 1]]
    assert batch.tokens == 11


def test_lengths_leave_padding_out():
    batch = TrainingBatch.of([([5, 6, 1], [7, 1]), ([5, 1], [8, 9, 9, 1])])
    assert batch.lengths_B.tolist() == [5, 6]
