"""Which device a model runs on, and with how many threads."""

from __future__ import annotations

import os

import torch

from polyctl.config.schema import ModelConfig
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
    count = torch.cuda.device_count()
    if local_rank >= count:
        raise UsageError(
            f"there is no GPU for process {local_rank} of this machine: it has {count}",
            f"start at most {count} processes here, or use --device cpu",
        )
    device = torch.device("cuda", local_rank)
    _prepare(device)
    return device


def _prepare(device: torch.device) -> None:
    """Settings of a process that computes on a GPU."""
    torch.cuda.set_device(device)
    # float32 products by tensor cores with 10 bits of mantissa (TF32), several times as fast; answers are
    # proved by exact arithmetic in any case
    torch.set_float32_matmul_precision("high")
    # cuDNN's attention plans anew for every length of a batch, and lengths keep changing
    torch.backends.cuda.enable_cudnn_sdp(False)


def limit_threads(config: ModelConfig, threads: int | None = None) -> None:
    """Set this process's threads: as asked for, else one for a small model.

    The matrices of a small model are done before threads have met, and on a busy machine the meeting
    costs ten times the work (docs/log.md). OMP_NUM_THREADS takes precedence if it is set.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    elif config.width <= SMALL_WIDTH:
        use_one_thread()


def use_one_thread() -> None:
    """One thread for torch, as small matrices want it, unless OMP_NUM_THREADS says otherwise."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
