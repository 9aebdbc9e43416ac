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
_VALUES: dict[str, dict[str, str]] = {
    "model.architecture": {"published": "gpt2"},
    "model.number_init": {"waves": "fourier"},
    "train.schedule": {"constant_then_decay": "wsd"},
}


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
        result[section] = new
    return result


def stored_experiment(values: Mapping[str, Any]) -> Experiment:
    """The experiment that a run or a model file keeps; pydantic's ValidationError if it does not fit."""
    return Experiment.model_validate_json(json.dumps(upgrade(values), default=str), strict=True)


def renamed_hint(key: str) -> str | None:
    """What to write instead of a key that older versions had, None for any other."""
    if key in RENAMED:
        return f"{key} is now called {RENAMED[key]}"
    return f"leave {key} out: {DERIVED[key]}" if key in DERIVED else None
