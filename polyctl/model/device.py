"""Which device a model runs on, and with how many threads."""

from __future__ import annotations

import os

import torch

from polyctl.config import ModelConfig
from polyctl.errors import UsageError

SMALL_WIDTH = 256


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """`auto`, `cpu` or `cuda` as a torch device; UsageError for a GPU that is not there."""
    if name not in ("auto", "cpu", "cuda"):
        raise UsageError(f"unknown device {name!r}", "choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device is available", "use --device cpu, or auto")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", local_rank)


def limit_threads(config: ModelConfig, threads: int | None = None) -> None:
    """Set this process's threads: as asked for, else one for a small model.

    The matrices of a small model are done before threads have met, and on a busy machine the meeting
    costs ten times the work (docs/log.md). OMP_NUM_THREADS is left to rule where it is set.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    elif config.width <= SMALL_WIDTH and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
