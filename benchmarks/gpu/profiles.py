"""What a GPU does in some training steps and in some tokens of a beam: kernels, and the time it works."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import bundled
import torch
from record import Record, Sizes
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from polyctl.data.batch import TrainingBatch
from polyctl.data.tokenizers import make_tokenizer
from polyctl.runtime.device import choose_device
from polyctl.search.batching import Decoding
from polyctl.search.beam import beam_search
from polyctl.training.supervised import SupervisedTrainer

SHOWN = 12
NO_KERNELS = ("Optimizer.", "ProfilerStep", "Torch-Compiled Region", "## ")  # what spans several
NAME = 90  # characters of a kernel's name


def run(record: Record, sizes: Sizes, device: str) -> None:
    """Tokens of a beam."""
    choose_device(device)
    record.attempt("beam", lambda: beam_tokens(sizes, device))


def training_steps(
    trainer: SupervisedTrainer, data: Sequence[TrainingBatch], times: int, device: str
) -> dict[str, Any]:
    """So many steps of a trainer on these batches, whatever of them is compiled already."""

    def work() -> None:
        for number in range(times):
            trainer.train_on(data[number % len(data)])

    work()
    found = profiled(work, times, device)
    problems = sum(len(data[number % len(data)].ids_BT) for number in range(times))
    return {"problems_per_second": problems / found["seconds"], **found}


def beam_tokens(sizes: Sizes, device: str) -> dict[str, Any]:
    """Tokens of a beam of the bundled model over the second number of problems together."""
    loaded = bundled.model(device)
    tokenizer = make_tokenizer(loaded.experiment.data)
    together = sizes.together[min(1, len(sizes.together) - 1)]
    prompts = [tokenizer.encode_prompt(problem) for problem in bundled.problems(together)]

    def work() -> None:
        beam_search(loaded.model, prompts, Decoding(sizes.times, end=-1, batch=together), width=sizes.width)

    work()
    return {"problems": together, **profiled(work, sizes.times, device)}


def profiled(work: Callable[[], None], times: int, device: str) -> dict[str, Any]:
    """Kernels, each one's share, and how long the device worked in the time it took without the profiler."""
    wanted = DeviceType.CUDA if device == "cuda" else DeviceType.CPU
    synchronize = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    synchronize()
    began = time.perf_counter()
    work()
    synchronize()
    seconds = time.perf_counter() - began
    activities = [ProfilerActivity.CUDA if device == "cuda" else ProfilerActivity.CPU]
    with profile(activities=activities) as profiler:
        work()
        synchronize()
    kernels = [
        event
        for event in profiler.events() or []
        if event.device_type == wanted and not getattr(event, "is_user_annotation", False)
        if not event.name.startswith(NO_KERNELS)
    ]
    by_name: dict[str, list[float]] = defaultdict(list)
    for event in kernels:
        by_name[event.name[:NAME]].append(event.time_range.end - event.time_range.start)
    busy = covered((event.time_range.start, event.time_range.end) for event in kernels)
    top = sorted(by_name.items(), key=lambda one: -sum(one[1]))[:SHOWN]
    return {
        "seconds": seconds,
        "times": times,
        "kernels": len(kernels),
        "busy_seconds": busy / 1e6,
        "busy_share": busy / 1e6 / seconds,
        "top": [{"name": name, "calls": len(took), "ms": sum(took) / 1e3} for name, took in top],
    }


def covered(ranges: Iterable[tuple[float, float]]) -> float:
    """The length of the union of intervals."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(ranges):
        if stop > end:
            total += stop - max(start, end)
            end = stop
    return total
