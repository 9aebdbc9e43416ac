"""Checkpoints of the published system: state dicts of minGPT, which the architecture `gpt2` can hold.

The names of the weights, their shapes, and that the activation is the exact GELU are facts about these files
(arXiv 2508.15766 and its repository). The number of heads is not in them. Their smaller vocabulary is ours;
the larger one has an order of its own, which the user gives as a list of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from pydantic import ValidationError

from polyctl.config.schema import Experiment, ModelConfig
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import FileError, UsageError
from polyctl.model.blank import blank
from polyctl.model.gpt import GPT
from polyctl.model.serialization import LoadedModel

_BLOCK = (  # minGPT's names, which are stacked, and polyctl's
    (("ln1",), "attention_norm"),
    (("attn.query", "attn.key", "attn.value"), "qkv"),
    (("attn.proj",), "attention_project"),
    (("ln2",), "mlp_norm"),
    (("mlp.0",), "expand"),
    (("mlp.2",), "mlp_project"),
)
_MASK = re.compile(r"blocks\.\d+\.attn\.mask")  # a constant that is saved as a weight
_HINT = "only checkpoints of the published system, plain state dicts of minGPT, can be read"

Tensors = dict[str, torch.Tensor]


def import_mingpt(path: Path, experiment: Experiment, tokens: Sequence[str] | None = None) -> LoadedModel:
    """Read a state dict of minGPT; problems, tokens, dropout and the number of heads are the experiment's.

    `tokens` is the file's vocabulary in its order, if that is not the experiment's; tokens that the file
    lacks get the rows of the first one, padding, which is never an answer. Raises FileError if the file is
    missing, damaged or something else, UsageError if it does not fit the experiment.
    """
    tensors = _read(path)
    config = _shape(tensors, experiment.model, path)
    vocabulary = make_tokenizer(experiment.data).vocabulary
    size = tensors["tok_emb.weight"].shape[0]
    if tensors["head.weight"].shape[0] != size:
        raise FileError(f"{path}: tok_emb.weight and head.weight have different numbers of tokens", _HINT)
    rows = _rows(size, vocabulary, tokens, experiment.name)
    with blank():
        model = GPT(config, len(vocabulary))
    expected, state = model.state_dict(), Tensors()
    for theirs, own in _names(config.layers):
        missing = [name for name in theirs if name not in tensors]
        if missing:
            raise FileError(f"{path} lacks {missing[0]}", _HINT)
        parts = [tensors.pop(name).float() for name in theirs]
        if own == "positions.weight":
            parts = [parts[0][0]]
        elif own in ("embedding.weight", "head.weight"):
            parts = [parts[0][rows]]
        height, *rest = expected[own].shape
        for name, part in zip(theirs, parts, strict=True):
            if part.shape != (height // len(parts), *rest):
                raise FileError(f"{path}: {name} has the shape {tuple(part.shape)}", _HINT)
        state[own] = torch.cat(parts)
    if extra := sorted(name for name in tensors if not _MASK.fullmatch(name)):
        raise FileError(f"{path} has a weight that minGPT does not have: {extra[0]}", _HINT)
    model.load_state_dict(state, assign=True)
    # what the published models were trained on is not known, so nothing counts as kept from them
    data = experiment.data.model_copy(update={"exclude": ()})
    described = experiment.model_copy(update={"model": config, "data": data})
    return LoadedModel(model.eval(), described, vocabulary, 0, {})


def read_tokens(path: Path) -> list[str]:
    """The tokens of a vocabulary, one a line. Raises FileError if the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {error}", "give a text file with one token a line") from None


def _read(path: Path) -> Tensors:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileError(
            f"there is no {path}", "name a file of the published system, such as MODEL.pt"
        ) from None
    except Exception as error:  # whatever a damaged pickle makes torch stumble over
        first = str(error).partition("\n")[0]
        raise FileError(f"{path} is damaged or holds more than tensors: {first}", _HINT) from None
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in found.items()
    ):
        raise FileError(f"{path} is not a dictionary of tensors", _HINT)
    if odd := sorted(name for name, tensor in found.items() if not _is_plain(tensor)):
        raise FileError(f"{path}: {odd[0]} is not a plain tensor of real numbers", _HINT)
    return dict(found)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether a tensor is dense and has all its numbers in memory, none of them twice or complex."""
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_complex():
        return False
    return not tensor.is_quantized and tensor.untyped_storage().nbytes() >= tensor.nbytes


def _shape(tensors: Tensors, wanted: ModelConfig, path: Path) -> ModelConfig:
    """The settings that the shapes of the weights show, with the heads and the dropout of `wanted`."""
    for name, dimensions in (("tok_emb.weight", 2), ("pos_emb", 3), ("head.weight", 2)):
        if name not in tensors or tensors[name].dim() != dimensions:
            raise FileError(f"{path} has no {name} with {dimensions} dimensions", _HINT)
    layers = {int(name.split(".")[1]) for name in tensors if re.match(r"blocks\.\d+\.", name)}
    width = tensors["tok_emb.weight"].shape[1]
    try:
        return ModelConfig(
            architecture="gpt2",
            layers=len(layers),
            heads=wanted.heads,
            width=width,
            context_length=tensors["pos_emb"].shape[1],
            dropout=wanted.dropout,
            gelu="erf",
        )
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {message}", "give the model's heads: --set model.heads=N") from None


def _rows(size: int, own: Sequence[str], tokens: Sequence[str] | None, name: str) -> list[int]:
    """The file's row for each token of ours."""
    if tokens is None:
        if size != len(own):
            raise UsageError(
                f"the file has {size} tokens, but {name} has {len(own)}",
                "name an experiment with these tokens, or list the file's: --vocabulary FILE, a token a line",
            )
        return list(range(size))
    if len(tokens) != size or len(set(tokens)) != size:
        raise UsageError(
            f"the vocabulary lists {len(set(tokens))} different tokens, but the file has {size}",
            "list each token of the file once, in its order",
        )
    places = {token: i for i, token in enumerate(tokens)}
    if unknown := [token for token in tokens if token not in own]:
        raise UsageError(
            f"{name} has no token {unknown[0]!r}",
            "name an experiment with tokenizer = 'prefix' and its tokens",
        )
    return [places.get(token, places.get(own[0], 0)) for token in own]


def _names(layers: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """(minGPT's names, which are stacked, polyctl's name) of every weight."""
    yield ("tok_emb.weight",), "embedding.weight"
    yield ("pos_emb",), "positions.weight"
    for layer in range(layers):
        for theirs, own in _BLOCK:
            for part in ("weight", "bias"):
                stacked = tuple(f"blocks.{layer}.{name}.{part}" for name in theirs)
                yield stacked, f"blocks.{layer}.{own}.{part}"
    for part in ("weight", "bias"):
        yield (f"ln_f.{part}",), f"norm.{part}"
    yield ("head.weight",), "head.weight"
