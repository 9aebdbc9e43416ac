"""Settings that had other names: what older runs and model files say, in the current names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from polyctl.config.schema import Experiment

RENAMED: dict[str, str] = {
    "model.form": "model.architecture",
    "model.block": "model.context_length",
    "model.numbers": "model.number_init",
    "train.final_lr": "train.final_lr_ratio",
    "train.clip": "train.max_grad_norm",
    "rl.problems": "rl.groups_per_step",
    "rl.width": "rl.group_size",
    "rl.wrong": "rl.wrong_reward",
    "rl.divide_by_deviation": "rl.scale_rewards",
    "rl.inner_epochs": "rl.updates_per_step",
    "rl.kl": "rl.kl_weight",
    "rl.final_lr": "rl.final_lr_ratio",
    "rl.clip": "rl.max_grad_norm",
    "rl.part": "rl.micro_groups",
    "rl.candidates": "rl.pool_candidates",
    "rl.refresh": "rl.pool_refresh_every",
    "rl.band": "rl.difficulty_band",
    "rl.solved": "rl.max_solved_share",
}
DERIVED: dict[str, str] = {
    "model.places": "it follows from data.tokenizer",
    "model.base": "it follows from data.base",
}
# what older versions did, before these could be set
_BEFORE: dict[str, dict[str, Any]] = {
    "model": {"gelu": "tanh"},
    "rl": {"decay_fraction": 1.0, "kl_estimator": "k3", "weighting": "reward", "max_redraws": 0},
}
_VALUES: dict[str, dict[str, str]] = {
    "model.architecture": {"published": "gpt2"},
    "model.number_init": {"waves": "fourier"},
    "train.schedule": {"constant_then_decay": "wsd"},
}


SYNONYMS: dict[str, str] = {  # by the names here, what other libraries call a setting
    "lr": "learning_rate max_lr peak_lr",
    "batch": "batch_size bs train_batch_size",
    "accumulate": "grad_accum gradient_accumulation gradient_accumulation_steps accumulation_steps",
    "steps": "max_steps num_steps n_steps iterations iters max_iters",
    "epochs": "num_epochs n_epochs max_epochs num_train_epochs",
    "warmup": "warmup_steps warmup_iters num_warmup_steps",
    "schedule": "scheduler lr_schedule lr_scheduler lr_scheduler_type",
    "final_lr_ratio": "min_lr min_lr_ratio final_lr",
    "weight_decay": "wd",
    "max_grad_norm": "grad_clip clip_grad gradient_clip gradient_clip_val clip_norm max_norm",
    "precision": "dtype amp mixed_precision",
    "workers": "num_workers n_workers",
    "eval_every": "eval_interval eval_steps validate_every",
    "init_from": "init_weights pretrained checkpoint",
    "layers": "n_layer n_layers num_layers num_hidden_layers depth",
    "heads": "n_head n_heads num_heads num_attention_heads",
    "width": "dim d_model hidden hidden_size hidden_dim n_embd embed_dim embedding_dim",
    "context_length": "block_size seq_len seq_length max_seq_len max_length n_positions context",
    "beam": "beam_size beam_width num_beams",
    "max_tokens": "max_new_tokens",
    "group_size": "num_generations",
    "kl_weight": "kl_coef kl_coeff",
}


def usual_name(name: str) -> str:
    """What a setting is called here that other libraries call `name`; else the name itself."""
    return next((own for own, others in SYNONYMS.items() if name in others.split(" ")), name)


def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an experiment as tables, old names and values replaced by those in use."""
    result = dict(values)
    for section in ("model", "train", "rl"):
        table = values.get(section)
        if not isinstance(table, dict):
            continue
        new: dict[str, Any] = {}
        for key, value in table.items():
            name = RENAMED.get(f"{section}.{key}", f"{section}.{key}")
            if name in DERIVED:
                continue
            known = _VALUES.get(name, {})
            new[name.partition(".")[2]] = known.get(value, value) if isinstance(value, str) else value
        result[section] = {**_BEFORE.get(section, {}), **new}
    return result


def stored_experiment(values: Mapping[str, Any]) -> Experiment:
    """The experiment that a run or a model file keeps; pydantic's ValidationError if it does not fit."""
    return Experiment.model_validate_json(json.dumps(upgrade(values), default=str), strict=True)


def renamed_hint(key: str) -> str | None:
    """What to write instead of a key that older versions had, None for any other."""
    if key in RENAMED:
        return f"{key} is now called {RENAMED[key]}"
    return f"leave {key} out: {DERIVED[key]}" if key in DERIVED else None
