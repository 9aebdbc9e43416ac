"""Model files: one safetensors file that describes itself, so that loading it guesses nothing.

Metadata: `polyctl_model` (format version), `experiment`, `vocabulary`, `step`, `metrics` (JSON each), and
`digest` over these, so that an edited description (a head count leaves no trace in the weights' shapes)
does not pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from polyctl.config.renamed import stored_experiment
from polyctl.config.schema import Experiment
from polyctl.errors import FileError, UsageError
from polyctl.model.blank import blank
from polyctl.model.gpt import GPT
from polyctl.store.files import write_atomic

MODEL_FORMAT = 1
_KEYS = ("polyctl_model", "experiment", "vocabulary", "step", "metrics")
_FACTS = TypeAdapter(tuple[Annotated[tuple[str, ...], Field(min_length=1)], int, dict[str, Any]])
_HINT = "use a model that `polyctl train` wrote, or copy or train this one again"


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode and what its file says about it."""

    model: GPT
    experiment: Experiment
    vocabulary: tuple[str, ...]
    step: int
    metrics: dict[str, Any]


def save_model(
    path: Path,
    model: GPT,
    experiment: Experiment,
    vocabulary: Sequence[str],
    step: int,
    metrics: Mapping[str, Any],
    *,
    half: bool = False,
) -> None:
    """Write weights and description as one file, atomically; ValueError if they contradict each other.

    With `half` the weights are written in float16, which halves the file.
    """
    if model.config != experiment.model or model.vocabulary != len(vocabulary):
        raise ValueError("experiment and vocabulary do not describe this model")
    metadata = {
        "polyctl_model": str(MODEL_FORMAT),
        "experiment": experiment.model_dump_json(),
        "vocabulary": json.dumps(list(vocabulary)),
        "step": json.dumps(step),
        "metrics": json.dumps(dict(metrics)),
    }
    metadata["digest"] = _digest(metadata)
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    if half:
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    write_atomic(path, save(tensors, metadata))


def load_model(path: Path, device: torch.device | str) -> LoadedModel:
    """Read a model file onto a device; weights in half precision become float32.

    Raises FileError if the file is missing, not a safetensors file, cut short, of a newer format, or if
    its weights are not those of the model it describes or not finite.
    """
    path = Path(path)
    metadata, tensors = _read(path, weights=True)
    experiment, vocabulary, step, metrics = _read_description(path, metadata)
    try:
        with blank():
            model = GPT.of(experiment, len(vocabulary))
    except UsageError as error:
        raise FileError(f"{path} describes an impossible model: {error.message}", _HINT) from error
    _check_weights(path, model, tensors)
    model.load_state_dict(tensors, assign=True)
    return LoadedModel(model.to(device).eval(), experiment, vocabulary, step, metrics)


def read_experiment(path: Path) -> Experiment:
    """What a model file says the model was trained on; the weights are not read. Raises FileError."""
    return _read_description(path, _read(path, weights=False)[0])[0]


def _read(path: Path, *, weights: bool) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """The description in a model file, and the tensors if they are asked for."""
    if not path.is_file():
        raise FileError(f"no model file at {path}", "`polyctl runs list` shows the runs that have one")
    try:
        with safe_open(path, framework="pt") as file:
            wanted = file.keys() if weights else ()
            return file.metadata() or {}, {name: _single(file.get_tensor(name)) for name in wanted}
    except (SafetensorError, OSError, RuntimeError) as error:
        raise FileError(f"{path} is damaged, cut short or not a safetensors file: {error}", _HINT) from error


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if tensor.dtype in (torch.float32, torch.float64, torch.int64) else tensor.float()


def _read_description(
    path: Path, metadata: Mapping[str, str]
) -> tuple[Experiment, tuple[str, ...], int, dict[str, Any]]:
    version = metadata.get("polyctl_model", "")
    if not version.isdigit():
        raise FileError(f"{path} is a safetensors file, but not a polyctl model", _HINT)
    if int(version) > MODEL_FORMAT:
        raise FileError(
            f"{path} has model format {version}; this polyctl reads up to {MODEL_FORMAT}",
            "install a newer polyctl",
        )
    missing = [name for name in _KEYS if name not in metadata]
    if missing or metadata.get("digest") != _digest(metadata):
        what = f"lacks {', '.join(missing)}" if missing else "was changed after it was written"
        raise FileError(f"{path}: the model's description {what}", _HINT)
    try:
        found = [json.loads(metadata[name]) for name in _KEYS[1:]]
        experiment = stored_experiment(found[0])
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise FileError(
            f"{path}: this polyctl does not understand the model's experiment at {where!r}: "
            f"{error.errors()[0]['msg']}",
            "use the version of polyctl that wrote the file",
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise FileError(f"{path}: the model's description is damaged: {error}", _HINT) from error
    try:
        return experiment, *_FACTS.validate_python(found[1:])
    except ValidationError as error:
        raise FileError(
            f"{path}: the model's description is damaged: {error.errors()[0]['msg']}", _HINT
        ) from error


def _check_weights(path: Path, model: GPT, tensors: Mapping[str, torch.Tensor]) -> None:
    expected = model.state_dict()
    absent, unknown = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    if absent or unknown:
        what = f"lacks {absent[0]}" if absent else f"has an unexpected {unknown[0]}"
        raise FileError(f"{path} {what}: its weights are not those of the model it describes", _HINT)
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise FileError(
                f"{path}: {name} has shape {tuple(tensor.shape)}, but the model it describes needs "
                f"{tuple(expected[name].shape)}",
                _HINT,
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            wrong = int((~torch.isfinite(tensor)).sum())
            raise FileError(
                f"{path}: {wrong:,} of the {tensor.numel():,} numbers of {name} are not finite", _HINT
            )


def _digest(metadata: Mapping[str, str]) -> str:
    described = json.dumps([metadata[name] for name in _KEYS])
    return hashlib.sha256(described.encode()).hexdigest()
