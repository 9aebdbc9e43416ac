"""How fast a training reads tokens, and how much of the device it uses."""

from __future__ import annotations

import time

import torch

from polyctl.store.event_kinds import DEVICE_MEMORY


class Meter:
    """Tokens and model FLOPs a second since it was made."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.tokens = 0
        self.flops = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Real tokens a second."""
        return self.tokens / max(self.seconds, 1e-9)

    def utilisation(self, peak: float) -> float:
        """Model FLOPs a second as a share of the device's peak."""
        return self.flops / max(self.seconds, 1e-9) / peak


def measure_memory(device: torch.device) -> dict[str, float]:
    """The bytes that this process has reserved on a GPU, as a metric of a step; nothing on a CPU."""
    return {DEVICE_MEMORY: float(torch.cuda.memory_reserved(device))} if device.type == "cuda" else {}
