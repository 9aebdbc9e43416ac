"""Numbers that arrive late."""

import torch

from polyctl.runtime.async_readback import STEPS, AsyncReadback


def test_numbers_come_so_many_calls_later():
    late = AsyncReadback(2)
    assert [late.exchange(torch.tensor([n, n + 1])) for n in range(4)] == [None, None, [0, 1], [1, 2]]


def test_at_once_where_the_device_is_the_host():
    late = AsyncReadback.on(torch.device("cpu"))
    assert late.steps == 0 < AsyncReadback.on(torch.device("cuda")).steps == STEPS["cuda"]
    assert late.exchange(torch.tensor([True])) == [True]


def test_what_was_on_its_way_can_be_dropped():
    late = AsyncReadback(1)
    late.exchange(torch.tensor([1]))
    late.forget()
    assert late.exchange(torch.tensor([2])) is None
    assert late.exchange(torch.tensor([3])) == [2]
