"""What the GPU benchmarks write down: figures as they come, so that a run that is stopped keeps its own."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
KEPT_ERROR = 4000  # characters of an error's traceback, its end
SHOWN_VERSIONS = ("torch", "triton", "numpy", "transformers", "python-flint", "pydantic")


class Record:
    """A JSON file that is written again with every figure; after `seconds` nothing new begins."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.found = path, dict[str, Any]()
        self.ends = time.monotonic() + seconds
        path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return self.ends - time.monotonic()

    def put(self, **figures: Any) -> None:
        """Add figures, and write all."""
        self.found |= figures
        self.write()

    def write(self) -> None:
        """Write the file, at once."""
        beside = self.path.with_suffix(".part")
        beside.write_text(json.dumps(self.found, indent=1, default=str), encoding="utf-8")
        beside.replace(self.path)

    def attempt(self, name: str, work: Callable[[], Any], *, needs: float = 0.0) -> Any:
        """Put what `work` gives under that name, or its error, or that too little time is left for it."""
        if self.left < needs:
            self.put(**{name: {"left_out": f"{self.left:.0f} s were left, {needs:.0f} are needed"}})
            return None
        began = time.monotonic()
        try:
            found = work()
        except (Exception, SystemExit) as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            self.put(**{name: {"error": shorten(error), "wall": time.monotonic() - began}})
            return None
        if isinstance(found, dict):
            found.setdefault("wall", time.monotonic() - began)
        self.put(**{name: found})
        return found


def shorten(error: BaseException) -> str:
    """The end of an error's traceback."""
    return "".join(traceback.format_exception(error))[-KEPT_ERROR:]


def command() -> str:
    """How this process was started."""
    return " ".join(["python", *sys.orig_argv[1:]])


def environment(device: str) -> dict[str, Any]:
    """The card, the versions, the commit and the command."""
    import torch

    found: dict[str, Any] = {
        "command": command(),
        "commit": _commit(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "device": device,
    }
    for name in SHOWN_VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    found["torch"] = torch.__version__
    if device == "cuda" and torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found |= {"card": properties.name, "memory": properties.total_memory, "cuda": torch.version.cuda}
    return found


def _commit() -> str | None:
    asked = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@dataclass(frozen=True)
class Sizes:
    """How much is measured: on a GPU, and in a rehearsal on a processor."""

    rehearse: bool
    parity_problems: int
    beam_problems: int  # of those, decoded with a beam on the processor as well
    together: tuple[int, ...]  # problems searched together
    token_steps: tuple[int, int]  # the time of a token is a difference of two searches
    batches: tuple[int, ...]  # of the bundled model's training steps
    steps: int
    published: tuple[str, ...]  # settings of the published model's training
    wide: tuple[str, ...]  # settings of the bundled model's training
    wide_batches: tuple[int, ...]
    peer_batch: int
    fast_batch: int
    search: tuple[int, int, int]  # layers, width and tokens of the random model
    verified: int  # problems of the search with verification
    workers: int
    data_batch: int
    data_seconds: float
    times: int  # steps, or tokens of a beam, that are profiled
    rounds: int  # against the padded loop
    width: int = 30


FULL = Sizes(
    rehearse=False,
    parity_problems=64,
    beam_problems=32,
    together=(16, 64, 256),
    token_steps=(8, 40),
    batches=(256, 1024),
    steps=12,
    published=("train.precision=bfloat16",),
    wide=("train.precision=bfloat16", "train.compile=auto"),
    wide_batches=(1024, 4096),
    peer_batch=256,
    fast_batch=1024,
    search=(6, 512, 40),
    verified=128,
    workers=15,
    data_batch=4096,
    data_seconds=2.0,
    times=10,
    rounds=3,
)
TINY = Sizes(
    rehearse=True,
    parity_problems=4,
    beam_problems=1,
    together=(2,),
    token_steps=(2, 4),
    batches=(4,),
    steps=2,
    published=("model.width=32", "model.layers=2", "model.heads=4"),
    wide=("model.width=32", "model.layers=2", "model.heads=2"),
    wide_batches=(6, 12),
    peer_batch=2,
    fast_batch=4,
    search=(2, 32, 4),
    verified=2,
    workers=2,
    data_batch=8,
    data_seconds=0.2,
    times=2,
    rounds=1,
    width=4,
)
