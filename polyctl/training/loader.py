"""From the batch source to the tensors of one forward pass."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from polyctl.data.batch import TrainingBatch
from polyctl.data.stream import BatchSource
from polyctl.errors import PolyctlError, UsageError
from polyctl.runtime.machine import PROCESSES_A_CORE, cores
from polyctl.runtime.parent import Parent
from polyctl.runtime.processes import ALONE, Processes
from polyctl.training.echo import Echo

MOST_WORKERS = 16
GPU_WIDTHS = 8  # widths are multiples of it: kernels are faster, and one compiled graph serves all
ONCE = Echo()


@dataclass(frozen=True)
class MicroBatch:
    """The rows of one forward pass: inputs, and where (in the flattened B·T) which token must follow."""

    ids_BT: torch.Tensor
    positions_N: torch.Tensor
    targets_N: torch.Tensor

    def to(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(ids_BT, positions_N, targets_N) on `device`."""
        tensors = (self.ids_BT, self.positions_N, self.targets_N)
        if device.type == "cuda":  # the copy of pageable memory would wait for all that the GPU has to do
            tensors = tuple(t.pin_memory() for t in tensors)  # type: ignore[assignment]
        return tuple(t.to(device, non_blocking=True) for t in tensors)  # type: ignore[return-value]


def split(batch: TrainingBatch, rank: int, world: int, parts: int, widths: int = 1) -> list[MicroBatch]:
    """The rows rank, rank + world, … of a batch in `parts` parts, each as wide as it must be.

    Rows that are alike in length stay together, and the parts take about the same memory. The widths are
    multiples of `widths`.
    """
    mine = np.arange(rank, len(batch.ids_BT), world)
    if parts == 1:
        return [_part(batch.ids_BT[mine], batch.loss_BT[mine], widths)]
    lengths = batch.lengths_B[mine]
    longest_first = np.argsort(-lengths, kind="stable")
    ends = _cuts(lengths[longest_first], parts)
    return [
        _part(batch.ids_BT[rows], batch.loss_BT[rows], widths)
        for rows in (mine[longest_first[start:end]] for start, end in pairwise([0, *ends]))
    ]


def _cuts(lengths: np.ndarray, parts: int) -> list[int]:
    """Where each of `parts` parts of descending lengths ends, so that the largest padded part is smallest."""
    low, high = 0, int(lengths[0]) * len(lengths)
    while low + 1 < high:  # the least area of a part that is enough
        area = (low + high) // 2
        low, high = (low, area) if len(_ends(lengths, area)) <= parts else (area, high)
    ends = _ends(lengths, high)
    while len(ends) < parts:
        start, end = max(pairwise([0, *ends]), key=lambda part: part[1] - part[0])
        ends = sorted([*ends, (start + end) // 2])
    return ends


def _ends(lengths: np.ndarray, area: int) -> list[int]:
    ends = [0]
    while ends[-1] < len(lengths):
        ends.append(min(len(lengths), ends[-1] + max(1, area // int(lengths[ends[-1]]))))
    return ends[1:]


def _part(ids_BT: np.ndarray, loss_BT: np.ndarray, widths: int) -> MicroBatch:
    # The token at t is predicted from t-1, so the last column is never an input.
    needed = int(np.flatnonzero(loss_BT.any(axis=0))[-1])
    width = -(-needed // widths) * widths
    inputs_BT = np.zeros((len(ids_BT), width), dtype=ids_BT.dtype)
    inputs_BT[:, :needed] = ids_BT[:, :needed]
    rows, columns = np.nonzero(loss_BT)
    return MicroBatch(
        torch.from_numpy(inputs_BT),
        torch.from_numpy(rows * width + columns - 1),
        torch.from_numpy(ids_BT[rows, columns]),
    )


def data_workers(asked: int | None, device: torch.device, world: int) -> int:
    """How many processes make a training process's data; `asked` is train.workers.

    A GPU takes a small model's batch faster than one core makes it, and its own process has other work; on a
    CPU they would take each other's cores. Raises UsageError for far more than there are cores.
    """
    if asked is not None:
        if asked > PROCESSES_A_CORE * cores():
            raise UsageError(
                f"train.workers = {asked}: more than {PROCESSES_A_CORE} for each of {cores()} cores",
                "leave it unset, or make it smaller",
            )
        return asked
    if device.type != "cuda":
        return 0
    local = int(os.environ.get("LOCAL_WORLD_SIZE", world))
    return min(MOST_WORKERS, max(1, cores() // local - 1))


def batches(
    source: BatchSource,
    step: int,
    total_steps: int,
    workers: int,
    processes: Processes = ALONE,
    echo: Echo = ONCE,
) -> Generator[TrainingBatch, None, None]:
    """Batches number step, step + 1, … total_steps - 1 of the source, whatever the number of workers.

    Of n processes each makes every n-th chunk and passes it on to the others; all must ask for batches.
    Chunks that come back are kept in memory until their last use.
    """
    first, skip = divmod(step, source.chunk_batches)
    end = -(-total_steps // source.chunk_batches)
    arriving = _made(source, echo.first_uses(first, end), workers, processes)
    kept: dict[int, list[TrainingBatch]] = {}
    with closing(arriving):
        for place in range(first, end):
            use = echo.use(place)
            if use.chunk not in kept:
                kept[use.chunk] = next(arriving)
            chunk = kept.pop(use.chunk) if use.last else kept[use.chunk]
            yield from echo.regroup(chunk, use)[skip:]
            skip = 0


def _made(
    source: BatchSource, numbers: Iterator[int], workers: int, processes: Processes
) -> Generator[list[TrainingBatch], None, None]:
    """The chunks of these numbers, each made by one of the processes."""
    own = iter(
        DataLoader(
            _Chunks(source),
            batch_size=None,
            sampler=islice(numbers, processes.rank, None, processes.world),
            num_workers=workers,
            collate_fn=_unchanged,
            worker_init_fn=partial(_prepare_worker, Parent.here()),
        )
    )
    while True:
        mine: list[TrainingBatch] | PolyctlError = next(own, [])
        for chunk in processes.gather(mine):
            if isinstance(chunk, PolyctlError):
                raise chunk
            yield chunk


class Prefetcher:
    """Batches of which the next one may be fetched before it is asked for."""

    def __init__(self, batches: Iterator[TrainingBatch]) -> None:
        self._batches = batches
        self._fetched: list[TrainingBatch] = []

    def fetch(self) -> None:
        """Have the next batch at hand, if there is one."""
        if not self._fetched:
            self._fetched = list(islice(self._batches, 1))

    def __next__(self) -> TrainingBatch:
        self.fetch()
        return self._fetched.pop()


class _Chunks(Dataset[list[TrainingBatch] | PolyctlError]):
    def __init__(self, source: BatchSource) -> None:
        self.source = source

    def __getitem__(self, index: int) -> list[TrainingBatch] | PolyctlError:
        try:
            return self.source.chunk(index)
        except PolyctlError as error:
            return error  # raised from a worker, it would reach the user as a traceback


def _unchanged(chunk: list[TrainingBatch] | PolyctlError) -> list[TrainingBatch] | PolyctlError:
    return chunk


def _prepare_worker(parent: Parent, _worker: int) -> None:
    parent.end_together()
    # Ctrl-C reaches the whole process group; only the main process may act on it, after finishing its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
