"""What a training starts from: the weights of another run, and the problems to validate on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch

from polyctl.config.schema import Experiment
from polyctl.data.exclusions import inherit
from polyctl.data.families import draw_held_out
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.errors import UsageError
from polyctl.model.gpt import GPT
from polyctl.model.serialization import LoadedModel, load_model
from polyctl.store.runs import find_run

Weights = dict[str, torch.Tensor]


def weights_of(name: str, root: Path | None = None) -> Path:
    """The model file that `name` means: a .safetensors file, or the best one of a run in `root`."""
    return Path(name) if name.endswith(".safetensors") else find_run(name, root).weights()


def with_exclusions(experiment: Experiment, inherited: Sequence[str]) -> tuple[Experiment, tuple[str, ...]]:
    """The experiment, kept from what its start was kept from too; and what of that is not here.

    A model has seen what the one that it starts from has seen, so only what both exclude is unknown to it.
    """
    exclude, lost = inherit(experiment.data.exclude, inherited)
    data = experiment.data.model_copy(update={"exclude": exclude})
    return experiment.model_copy(update={"data": data}), lost


def load_start(
    path: Path, experiment: Experiment, tokenizer: Tokenizer, device: torch.device | str = "cpu"
) -> LoadedModel:
    """The model in a file, to be trained on; UsageError if its tokens are not those of the experiment."""
    loaded = load_model(path, device)
    if tuple(loaded.vocabulary) != tuple(tokenizer.vocabulary):
        raise _other_tokens(path, experiment)
    return loaded


def start_weights(path: Path, experiment: Experiment, tokenizer: Tokenizer, fresh: GPT) -> Weights:
    """The weights in a file, for a fresh model of the experiment that is to go on from them.

    The experiment may know more tokens than the start, as one with larger degrees does; theirs stay fresh. A
    start that was not shown ratios may learn to see them: their matrix begins at zero, so that the model
    begins as the start. Raises UsageError if tokens are lacking or the shape is another.
    """
    loaded = load_model(path, "cpu")
    places = {token: place for place, token in enumerate(_numbered(tokenizer.vocabulary))}
    known = _numbered(loaded.vocabulary)
    if not places.keys() >= set(known):
        raise _other_tokens(path, experiment)
    weights, own = loaded.model.state_dict(), fresh.state_dict()
    rows = torch.tensor([places[token] for token in known], device=own["embedding.weight"].device)
    for name in {"embedding.weight", "head.weight"} & weights.keys() & own.keys():
        if weights[name].shape[1:] == own[name].shape[1:]:
            weights[name] = own[name].index_copy(0, rows, weights[name].to(own[name]))
    if experiment.model.ratios and not loaded.model.config.ratios:
        weights["ratios.matrix.weight"] = torch.zeros_like(fresh.ratios.matrix.weight)
    if {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in own.items()}:
        raise UsageError(
            f"train.init_from {path}: its shape is not that of {experiment.name}",
            "give both experiments the same [model]",
        )
    return weights


def _numbered(vocabulary: Sequence[str]) -> list[tuple[str, int]]:
    """Tokens with how many of that name come before: the number 1 and the constant term are both "1"."""
    seen: Counter[str] = Counter()
    numbered = []
    for token in vocabulary:
        numbered.append((token, seen[token]))
        seen[token] += 1
    return numbered


def _other_tokens(path: Path, experiment: Experiment) -> UsageError:
    return UsageError(
        f"the tokens of {path} are not those of {experiment.name}",
        "start from a run of an experiment with the same data.tokenizer",
    )


def held_out_that_fit(experiment: Experiment, tokenizer: Tokenizer) -> list[Problem]:
    """The problems to validate on, without those that are longer than the model can read.

    Raises UsageError if none is left.
    """
    wanted = max(experiment.data.valid_size, experiment.train.eval_problems)
    problems = draw_held_out(experiment.data, experiment.seed, split="valid", count=wanted)
    longest = experiment.model.context_length
    fitting = [
        p for p in problems if len(tokenizer.encode_prompt(p)) + len(tokenizer.encode_target(p)) <= longest
    ]
    if not fitting:
        raise UsageError(
            f"none of {len(problems)} held-out problems fits model.context_length = {longest} tokens",
            "raise model.context_length or make the degrees smaller",
        )
    return fitting
