"""The trainer's state as one safetensors file: weights, optimizer moments and, as JSON, everything else.

One file, replaced atomically, so that a crash can never leave the weights of one step beside the moments
of another. Random states are not in it: the data and the dropout of a step follow from its number alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from polyctl.errors import FileError
from polyctl.store.files import write_atomic
from polyctl.training.muon import Muon
from polyctl.training.optim import Optimizers

FORMAT = 1
_SHAPED = ("average", "exp_avg", "exp_avg_sq", "momentum_buffer")  # have the shape of a weight
_KEPT = (torch.float32, torch.float64, torch.int64)


def save_trainer(
    path: Path,
    model: nn.Module,
    optimizer: Optimizers,
    facts: dict[str, Any],
    average: nn.Module | None = None,
) -> None:
    """Write weights, their average, moments and `facts` (JSON: step, best metrics, ...) atomically."""
    tensors = {f"weight/{name}": tensor for name, tensor in _distinct_state(model).items()}
    if average is not None:
        tensors |= {f"average/{name}": tensor for name, tensor in _distinct_state(average).items()}
    for part in optimizer.parts:
        for name, parameter in _named_parameters(part):
            state = part.state.get(parameter, {})
            tensors |= {f"{moment}/{name}": state[moment] for moment in _moments(part) if moment in state}
    metadata = {"polyctl": json.dumps({"format": FORMAT, **facts})}
    write_atomic(path, save({k: v.detach().contiguous() for k, v in tensors.items()}, metadata))


def read_facts(path: Path) -> dict[str, Any]:
    """The facts of a trainer state, without its tensors; FileError if there is none that can be read."""
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is not a regular file", "start a new run")
    try:
        with safe_open(path, framework="pt") as file:
            facts: dict[str, Any] = json.loads((file.metadata() or {})["polyctl"])
    except FileNotFoundError:
        raise FileError(
            f"no trainer state at {path}", "this run cannot be resumed; start a new one"
        ) from None
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise FileError(f"{path} is not a trainer state: {error}", "start a new run") from error
    if not isinstance(facts, dict):
        raise FileError(f"{path} is not a trainer state", "start a new run")
    if facts.get("format") != FORMAT:
        raise FileError(
            f"{path} has trainer format {facts.get('format')}; this polyctl reads {FORMAT}",
            "resume with the version of polyctl that wrote it",
        )
    return facts


def load_trainer(
    path: Path, model: nn.Module, optimizer: Optimizers, average: nn.Module | None = None
) -> dict[str, Any]:
    """Put the saved weights and moments into `model` and `optimizer` and return the facts.

    `average` becomes the saved average, or a copy of the weights if none was saved. Raises FileError if the
    file is missing, damaged or not finite, or belongs to a model of another shape.
    """
    facts = read_facts(path)
    tensors = _read_tensors(path)
    own = _distinct_state(model)
    saved = {name.removeprefix("weight/"): t for name, t in tensors.items() if name.startswith("weight/")}
    wrong = sorted(own.keys() ^ saved.keys()) or sorted(n for n in own if own[n].shape != saved[n].shape)
    if wrong:
        raise FileError(
            f"{path} holds another model: {', '.join(wrong[:3])} differ",
            "resume with the run's own model settings",
        )
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind in _SHAPED and rest in own and tensor.shape != own[rest].shape:
            raise FileError(f"{path}: {name} has the shape {tuple(tensor.shape)}", "start a new run")
    spoiled = sorted(name for name, tensor in tensors.items() if not torch.isfinite(tensor).all())
    if spoiled:
        raise FileError(
            f"{path}: {', '.join(spoiled[:3])} holds numbers that are not finite",
            "start a new run from the run's best weights: --set train.init_from=RUN",
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(saved[name])
        for name, tensor in _distinct_state(average).items() if average is not None else ():
            tensor.copy_(tensors.get(f"average/{name}", saved[name]))
    _load_moments(optimizer, tensors, path)
    return facts


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError) as error:
        raise FileError(f"{path} is not a trainer state: {error}", "start a new run") from error
    return {name: tensor if tensor.dtype in _KEPT else tensor.float() for name, tensor in found.items()}


def _load_moments(optimizer: Optimizers, tensors: dict[str, torch.Tensor], path: Path) -> None:
    # load_state_dict, not plain assignment: it moves each moment to where its optimizer kind wants it.
    # A parameter that another optimizer had before starts without moments.
    for part in optimizer.parts:
        state = part.state_dict()
        found = {
            index: {m: tensors[f"{m}/{name}"] for m in _moments(part) if f"{m}/{name}" in tensors}
            for index, (name, _) in enumerate(_named_parameters(part))
        }
        if any(moments and len(moments) < len(_moments(part)) for moments in found.values()):
            raise FileError(f"{path} is not a trainer state: moments are missing", "start a new run")
        state["state"] = {index: moments for index, moments in found.items() if moments}
        part.load_state_dict(state)


def _moments(optimizer: torch.optim.Optimizer) -> tuple[str, ...]:
    """What an optimizer keeps for each parameter."""
    return ("momentum_buffer",) if isinstance(optimizer, Muon) else ("exp_avg", "exp_avg_sq", "step")


def _named_parameters(optimizer: torch.optim.Optimizer) -> list[tuple[str, nn.Parameter]]:
    """(name, parameter) in the order in which the optimizer's state_dict numbers them."""
    return [
        pair
        for group in optimizer.param_groups
        for pair in zip(group["param_names"], group["params"], strict=True)
    ]


def _distinct_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """The state_dict with a tied tensor under its first name only; safetensors refuses shared memory."""
    seen: set[int] = set()
    state = {}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            state[name] = tensor
    return state
