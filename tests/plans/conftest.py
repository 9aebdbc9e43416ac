"""A registry of tiny experiments, one of each kind that plans treat differently."""

import pytest

from polyctl.config.schema import DataConfig, EvalConfig, Experiment, ModelConfig, RLConfig, TrainConfig
from polyctl.plans.stages import Directories

DATA = DataConfig(
    tokenizer="prefix", outer_degrees=(2,), inner_degrees=(2,), outer_bound=2, inner_bound=2,
    train_size=24, valid_size=4, test_size=4,
)  # fmt: skip


def experiment(name="stream", seed=3, rl=False, data=DATA, **train) -> Experiment:
    """An experiment that trains in less than a second."""
    settings = {"steps": 3, "batch": 4, "eval_every": 3, "eval_problems": 2, "warmup": 1, **train}
    fast = RLConfig(
        steps=2, groups_per_step=2, group_size=2, pool_candidates=0, eval_every=2, updates_per_step=1
    )
    return Experiment(
        name=name,
        seed=seed,
        data=data,
        model=ModelConfig(layers=1, heads=2, width=16, context_length=128),
        train=TrainConfig(**settings),
        eval=EvalConfig(beam=2, max_tokens=12, problems=5, batch=4),
        rl=fast if rl else RLConfig(),
    )


@pytest.fixture
def make():
    return experiment


@pytest.fixture
def directories(tmp_path):
    return Directories(tmp_path / "data", tmp_path / "runs")
