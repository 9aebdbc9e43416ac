"""Numbers from the device that the host reads some steps later, so that it never waits for the device.

A GPU works through a queue of kernels that the host fills. Reading a number of the newest step lets the
queue run empty; one that was sent on its way some steps ago is there already.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import torch

STEPS = {"cuda": 4}  # how far the host reads behind; other devices have their numbers at hand


class AsyncReadback:
    """The numbers of a batch, as they were `steps` calls ago."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._sent: deque[tuple[torch.Tensor, torch.cuda.Event | None]] = deque()

    @classmethod
    def on(cls, device: torch.device) -> AsyncReadback:
        """As many steps late as suits that device."""
        return cls(STEPS.get(device.type, 0))

    def exchange(self, values: torch.Tensor) -> list[Any] | None:
        """Send `values`, which must stay as they are; those sent `steps` calls ago, None if too few."""
        self._sent.append(_send(values))
        if len(self._sent) <= self.steps:
            return None
        host, arrived = self._sent.popleft()
        if arrived is not None:
            arrived.synchronize()
        numbers: list[Any] = host.tolist()
        return numbers

    def forget(self) -> None:
        """Drop what is on its way: the batch has changed."""
        self._sent.clear()


def _send(values: torch.Tensor) -> tuple[torch.Tensor, torch.cuda.Event | None]:
    """The values in host memory, and the event after which they are there."""
    if values.device.type != "cuda":
        return values, None
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    host.copy_(values, non_blocking=True)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call, unused-ignore]
    arrived.record()
    return host, arrived
