"""An exponential moving average of the weights (Polyak and Juditsky 1992)."""

from __future__ import annotations

from copy import deepcopy

import torch

from polyctl.model.gpt import GPT


class WeightAverage:
    """A copy of a model with averaged weights, `model`, without dropout.

    After step s it moves towards the new weights by 1 − min(decay, (1 + s) / (10 + s)) of the way, so that
    the start is soon forgotten.
    """

    def __init__(self, model: GPT, decay: float) -> None:
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._decay = decay

    def restart(self, model: GPT) -> None:
        """Begin again with these weights."""
        self.model.load_state_dict(model.state_dict())

    @torch.no_grad()
    def update(self, model: GPT, step: int) -> None:
        """Take the weights after a step into the average."""
        kept = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - kept)
