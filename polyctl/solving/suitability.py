"""Is a model worth asking? Decided from the configuration of its run, before torch or weights are loaded."""

from __future__ import annotations

from polyctl.algebra.polynomial import Polynomial
from polyctl.data.likeness import resembles
from polyctl.errors import FileError
from polyctl.solving.methods import ModelUnavailable
from polyctl.solving.request import ModelRequest
from polyctl.store.runs import default_run


def check_model_may_know(f: Polynomial, request: ModelRequest) -> None:
    """Raise ModelUnavailable if f is unlike all problems that the default model was trained on."""
    try:
        run = default_run(request.runs)
        data = run.config().data
    except FileError:
        return  # loading the model says what is wrong
    if not resembles(f, data):
        raise ModelUnavailable(f"not asked: f is unlike the problems that {run.name} was trained on")
