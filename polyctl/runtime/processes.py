"""One or several training processes: the rank and device of this one, and sums over all.

Started by torchrun, every process runs the same program; the optimizer batch is split by rows, gradients are
summed, and only the main process (rank 0) writes files and messages.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from polyctl.errors import PolyctlError
from polyctl.runtime.device import choose_device
from polyctl.runtime.parent import Parent

Value = TypeVar("Value")


@dataclass(frozen=True)
class Processes:
    """This process among all: its rank, how many there are, and its device."""

    rank: int
    world: int
    device: torch.device

    @property
    def main(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module with its gradients averaged over all processes in backward()."""
        if self.world == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids, broadcast_buffers=False)  # they are constants

    def sum(self, values: list[float]) -> list[float]:
        """Element-wise sum over all processes; every process must call it."""
        if self.world == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total)
        return [float(value) for value in total]

    def gather(self, value: Value) -> list[Value]:
        """The values of all processes by rank, in every process; they must be picklable."""
        if self.world == 1:
            return [value]
        found: list[Value | None] = [None] * self.world
        dist.all_gather_object(found, value)
        return found  # type: ignore[return-value]

    def from_main(self, make: Callable[[], Value]) -> Value:
        """What make() returns in the main process, in every process; its PolyctlError is raised in all.

        Without that, the others would wait for a process that has left.
        """
        if self.world == 1:
            return make()
        box: list[Value | PolyctlError | None] = [None]
        if self.main:
            try:
                box = [make()]
            except PolyctlError as error:
                box = [error]
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        (found,) = box
        if isinstance(found, PolyctlError):
            raise found
        return found  # type: ignore[return-value]


ALONE = Processes(0, 1, torch.device("cpu"))


@contextmanager
def join_processes(device: str = "auto") -> Iterator[Processes]:
    """Join the process group that torchrun's environment describes; without one, a world of one."""
    here = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(0, 1, here)
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun started this process and waits for it
        Parent(os.getppid(), steady=True).end_together()
    # Small sums of Python numbers go over gloo, so that they need no GPU.
    dist.init_process_group("cpu:gloo,cuda:nccl" if here.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), here)
        dist.barrier()  # who leaves first takes the connections down under those that still use them
    finally:
        gc.collect()  # what wraps a module holds the group; left to the interpreter's end it may abort
        dist.destroy_process_group()
