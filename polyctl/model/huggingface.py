"""Models as Hugging Face directories, which `transformers` loads as GPT-2, and back again.

The architecture `gpt2` is GPT-2 with a separate head (minGPT's choice) and any vocabulary: the same
pre-norm blocks, LayerNorm with epsilon 1e-5, GELU and learned positions. Only names differ, and
matrices, which GPT-2 keeps as (inputs, outputs). The modern architecture has no equivalent there.
config.json keeps the description of a polyctl model file under `polyctl`; transformers ignores that key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from polyctl.config.renamed import upgrade
from polyctl.config.schema import Experiment, ModelConfig
from polyctl.data.families import draw_problem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.errors import FileError, UsageError
from polyctl.model.blank import blank
from polyctl.model.gpt import GPT, INIT_STD
from polyctl.model.serialization import LoadedModel
from polyctl.store.files import write_atomic

EPSILON = 1e-5
_BLOCK = (  # GPT-2's name, polyctl's name, whether it is a matrix
    ("ln_1", "attention_norm", False),
    ("attn.c_attn", "qkv", True),
    ("attn.c_proj", "attention_project", True),
    ("ln_2", "mlp_norm", False),
    ("mlp.c_fc", "expand", True),
    ("mlp.c_proj", "mlp_project", True),
)
_MASKS = (".attn.bias", ".attn.masked_bias")  # constants that old versions of transformers saved as weights
_GELU: dict[str, Literal["erf", "tanh"]] = {"gelu": "erf", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}
_SAME = {  # what polyctl's gpt2 has no setting for: key, the values that mean the same, GPT-2's default
    "layer_norm_epsilon": ((EPSILON,), EPSILON),
    "scale_attn_weights": ((True,), True),
    "scale_attn_by_inverse_layer_idx": ((False,), False),
    "add_cross_attention": ((False,), False),
}


# -- export ----------------------------------------------------------------------------------------


def export_gpt2(loaded: LoadedModel, directory: Path, *, force: bool = False) -> list[str]:
    """Write a gpt2 model with its tokenizer for `transformers`; returns the names of the files.

    Raises UsageError for a model of the modern architecture or without the package `tokenizers`, FileError
    if the directory is not empty and `force` is not given.
    """
    experiment = loaded.experiment
    if experiment.model.architecture != "gpt2":
        raise UsageError(
            f"{experiment.name} has the {experiment.model.architecture} architecture, which GPT-2 cannot "
            "express (rotary positions, RMSNorm, normalized queries and keys)",
            "train with --set model.architecture=gpt2 to export the model",
        )
    tokenizer = make_tokenizer(experiment.data)
    words = make_unique(tokenizer.vocabulary)
    files: dict[str, bytes | str] = {
        "tokenizer.json": _write_tokenizer(words, tokenizer),
        "tokenizer_config.json": _json(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "pad_token": words[tokenizer.pad],
                "bos_token": words[tokenizer.end],
                "eos_token": words[tokenizer.end],
                "padding_side": "left",
                "model_max_length": experiment.model.context_length,
                "model_input_names": ["input_ids", "attention_mask"],
                "clean_up_tokenization_spaces": False,
            }
        ),
        "generation_config.json": _json(
            {
                "do_sample": False,
                "max_length": experiment.model.context_length,
                **_special_ids(tokenizer),
            }
        ),
        "README.md": _write_card(loaded, tokenizer, words),
        "model.safetensors": save(_to_gpt2(loaded.model), {"format": "pt"}),
        "config.json": _json(_make_config(loaded, tokenizer)),
    }
    try:
        if directory.exists() and any(directory.iterdir()) and not force:
            raise FileError(
                f"{directory} is not empty", "name a new directory, or overwrite its files with --force"
            )
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"{directory} cannot be written: {error.strerror}", "name another directory"
        ) from error
    for name, content in files.items():
        write_atomic(directory / name, content)
    return list(files)


def make_unique(vocabulary: Sequence[str]) -> list[str]:
    """The tokens, repeated ones with primes: compact tokens call both a limb and a monomial `1`."""
    words: list[str] = []
    seen: set[str] = set()
    for word in vocabulary:
        while word in seen:
            word += "'"
        seen.add(word)
        words.append(word)
    return words


def _write_tokenizer(words: Sequence[str], tokenizer: Tokenizer) -> str:
    try:
        from tokenizers import AddedToken, models, pre_tokenizers
        from tokenizers import Tokenizer as Library
    except ImportError:
        raise UsageError("export needs the package tokenizers", "pip install 'polyctl[hf]'") from None
    # There is no token for unknown words: the library refuses a text that contains any.
    library = Library(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = [words[tokenizer.pad], words[tokenizer.end]]
    library.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in special])
    text: str = library.to_str(pretty=True)
    return text


def _make_config(loaded: LoadedModel, tokenizer: Tokenizer) -> dict[str, Any]:
    model = loaded.experiment.model
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": len(tokenizer.vocabulary),
        "n_positions": model.context_length,
        "n_embd": model.width,
        "n_layer": model.layers,
        "n_head": model.heads,
        "activation_function": "gelu" if model.gelu == "erf" else "gelu_new",
        **{key: default for key, (_, default) in _SAME.items()},
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), model.dropout),
        "initializer_range": INIT_STD,
        "tie_word_embeddings": False,
        "dtype": "float32",
        **_special_ids(tokenizer),
        "polyctl": {
            "experiment": loaded.experiment.model_dump(mode="json"),
            "step": loaded.step,
            "metrics": loaded.metrics,
        },
    }


def _special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    return {"bos_token_id": tokenizer.end, "eos_token_id": tokenizer.end, "pad_token_id": tokenizer.pad}


def _write_card(loaded: LoadedModel, tokenizer: Tokenizer, words: Sequence[str]) -> str:
    experiment = loaded.experiment
    example = draw_problem(experiment.data, experiment.seed, 0)
    prompt = " ".join(words[i] for i in tokenizer.encode_prompt(example))
    return f"""# {experiment.name}

{experiment.description}

A transformer that reads a polynomial f and writes polynomials g, h1, … with f = g(h1, …), trained with
polyctl for {loaded.step:,} steps. Its answers are guesses: verify them, for example with `polyctl verify`.

A prompt is f in {experiment.data.tokenizer} tokens with spaces between, and the separator
{words[tokenizer.end]}, which also ends the answer.

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

directory = "."
tokenizer = AutoTokenizer.from_pretrained(directory)
model = AutoModelForCausalLM.from_pretrained(directory)
prompt = tokenizer("{prompt}", return_tensors="pt")
answer = model.generate(**prompt)[0, prompt["input_ids"].shape[1] :]
print(tokenizer.decode(answer, skip_special_tokens=True))
```

`polyctl import` reads this directory back.
"""


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# -- weights ---------------------------------------------------------------------------------------


def _names(layers: int) -> Iterator[tuple[str, str, bool]]:
    """(GPT-2's name, polyctl's name, whether it is transposed) of every weight."""
    yield "transformer.wte.weight", "embedding.weight", False
    yield "transformer.wpe.weight", "positions.weight", False
    for layer in range(layers):
        for gpt2, own, matrix in _BLOCK:
            for part in ("weight", "bias"):
                transposed = matrix and part == "weight"
                yield f"transformer.h.{layer}.{gpt2}.{part}", f"blocks.{layer}.{own}.{part}", transposed
    for part in ("weight", "bias"):
        yield f"transformer.ln_f.{part}", f"norm.{part}", False
    yield "lm_head.weight", "head.weight", False


def _to_gpt2(model: GPT) -> dict[str, torch.Tensor]:
    state = model.state_dict()
    return {
        gpt2: (state[own].T if transposed else state[own]).detach().cpu().contiguous()
        for gpt2, own, transposed in _names(model.config.layers)
    }


def _from_gpt2(tensors: dict[str, torch.Tensor], config: ModelConfig, vocabulary: int, path: Path) -> GPT:
    with blank():
        model = GPT(config, vocabulary)
    expected = model.state_dict()
    state: dict[str, torch.Tensor] = {}
    for gpt2, own, transposed in _names(config.layers):
        if gpt2 not in tensors:
            raise FileError(f"{path} lacks {gpt2}", "save the model again with save_pretrained")
        tensor = tensors.pop(gpt2)
        state[own] = (tensor.T if transposed else tensor).float().contiguous()
        if state[own].shape != expected[own].shape:
            raise FileError(
                f"{path}: {gpt2} has shape {tuple(tensor.shape)}, which contradicts config.json",
                "the two files belong to different models: save the model again with save_pretrained",
            )
    if extra := sorted(name for name in tensors if not name.endswith(_MASKS)):
        raise FileError(
            f"{path} has a weight that GPT-2 does not have: {extra[0]}", "only plain GPT-2 models can be read"
        )
    model.load_state_dict(state, assign=True)
    return model.eval()


# -- import ----------------------------------------------------------------------------------------


class _Description(BaseModel):
    """What config.json says under `polyctl`; defaults for a model that polyctl did not export."""

    experiment: Experiment | None = None
    step: int = 0
    metrics: dict[str, float] = {}


def import_gpt2(directory: Path, experiment: Experiment | None = None) -> LoadedModel:
    """Read a GPT-2 directory: one that `export_gpt2` wrote, or any with polyctl's tokens.

    Data and tokens are those of `experiment`, else those that config.json gives under `polyctl`. What the
    model was kept from only config.json can say. Raises FileError if files are missing or damaged, UsageError
    if the model is not a plain GPT-2 or its vocabulary is not the experiment's.
    """
    where = directory / "config.json"
    config = _read_json(where)
    shape = _read_shape(config, where)
    description = _read_description(config, where)
    experiment = experiment or description.experiment
    if experiment is None:
        raise UsageError(
            f"{where} does not say which problems and tokens the model knows",
            "name an experiment with the same problems and tokens: --experiment NAME",
        )
    trained = description.experiment
    data = experiment.data.model_copy(update={"exclude": () if trained is None else trained.data.exclude})
    experiment = experiment.model_copy(update={"model": shape, "data": data})
    vocabulary = make_tokenizer(experiment.data).vocabulary
    _check_vocabulary(directory, config, make_unique(vocabulary), experiment.name)
    path = directory / "model.safetensors"
    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise FileError(
            f"there is no {path}",
            "save the model as one safetensors file: model.save_pretrained(DIR, max_shard_size='100GB')",
        ) from None
    except (SafetensorError, OSError) as error:
        raise FileError(f"{path} is damaged or not a safetensors file: {error}", "copy it again") from error
    if config.get("tie_word_embeddings", True) and "lm_head.weight" not in tensors:
        tensors["lm_head.weight"] = tensors.get("transformer.wte.weight", torch.empty(0)).clone()
    model = _from_gpt2(tensors, shape, len(vocabulary), path)
    return LoadedModel(model, experiment, vocabulary, description.step, description.metrics)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileError(f"there is no {path}", "name a directory that save_pretrained wrote") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path} cannot be read as JSON: {error}", "copy it again") from error
    if not isinstance(value, dict):
        raise FileError(f"{path} is not a JSON object", "copy it again")
    return value


def _read_shape(config: Mapping[str, Any], path: Path) -> ModelConfig:
    """The model settings that config.json describes. Raises UsageError if it is not a plain GPT-2."""
    if config.get("model_type") != "gpt2":
        raise UsageError(
            f"{path}: model_type is {config.get('model_type')!r}", "only GPT-2 models can be imported"
        )
    try:
        model = ModelConfig(
            architecture="gpt2",
            layers=config["n_layer"],
            heads=config["n_head"],
            width=config["n_embd"],
            context_length=config["n_positions"],
            dropout=config.get("resid_pdrop", 0.1),
            gelu=_GELU.get(str(config.get("activation_function", "gelu_new")), "tanh"),
        )
    except KeyError as error:
        raise FileError(f"{path} lacks {error}", "save the model again with save_pretrained") from None
    except ValidationError as error:
        raise FileError(f"{path}: {error.errors()[0]['msg']}", "save the model again") from None
    same = {
        "activation_function": tuple(_GELU),
        **{key: values for key, (values, _) in _SAME.items()},
        "n_inner": (None, 4 * model.width),
    }
    for key, values in same.items():
        if config.get(key, values[0]) not in values:
            raise UsageError(
                f"{path}: {key} = {config[key]!r} is not that of a plain GPT-2",
                "only plain GPT-2 models can be imported",
            )
    return model


def _read_description(config: Mapping[str, Any], path: Path) -> _Description:
    try:
        value = config.get("polyctl", {})
        if isinstance(value, dict) and isinstance(value.get("experiment"), dict):
            value = {**value, "experiment": upgrade(value["experiment"])}
        return _Description.model_validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors()[0]
        raise FileError(
            f"{path}: this polyctl does not understand polyctl.{'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}",
            "use the version of polyctl that exported the model",
        ) from error


def _check_vocabulary(directory: Path, config: Mapping[str, Any], words: Sequence[str], name: str) -> None:
    """Compare the directory's tokens with the experiment's, one by one if it has a tokenizer; UsageError."""
    size = config.get("vocab_size")
    if size != len(words):
        raise UsageError(
            f"{directory} has {size} tokens, but {name} has {len(words)}",
            "name an experiment with the same family and tokenizer: --experiment NAME",
        )
    path = directory / "tokenizer.json"
    if not path.exists():
        return
    model = _read_json(path).get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict):
        raise FileError(f"{path} has no vocabulary", "export the model again")
    for i, word in enumerate(words):
        if vocabulary.get(word) != i:
            raise UsageError(
                f"{path}: token {word!r} has number {vocabulary.get(word)}, but in {name} it has {i}",
                "name an experiment with the same family and tokenizer: --experiment NAME",
            )
