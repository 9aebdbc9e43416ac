"""Tiny experiments and hand-made judgements for tests of reinforcement learning."""

import torch

from polyctl.config.schema import DataConfig, EvalConfig, Experiment, ModelConfig, RLConfig, TrainConfig
from polyctl.data.tokenizers.base import TokenLayout
from polyctl.evaluation.accuracy import JudgedHypothesis
from polyctl.model.gpt import GPT
from polyctl.search.hypothesis import Hypothesis


def tiny(architecture="modern", dropout=0.0, **rl) -> Experiment:
    """Univariate 2∘2 with small coefficients for a model of a few thousand parameters."""
    settings = {
        "steps": 4, "groups_per_step": 4, "group_size": 4, "updates_per_step": 2, "lr": 1e-3, "warmup": 0,
        "pool_candidates": 0, "max_redraws": 0, "eval_every": 2, "micro_groups": 2, "examples_every": 1, **rl,
    }  # fmt: skip
    return Experiment(
        name="tiny",
        seed=3,
        data=DataConfig(outer_degrees=(2,), inner_degrees=(2,), outer_bound=2, inner_bound=2, valid_size=8),
        model=ModelConfig(
            architecture=architecture, layers=1, heads=2, width=16, context_length=64, dropout=dropout
        ),
        train=TrainConfig(steps=4, batch=8, eval_every=4, eval_problems=4, warmup=1, lr=3e-3),
        eval=EvalConfig(max_tokens=12, batch=8),
        rl=RLConfig(**settings),
    )


def model_of(architecture: str = "modern", seed: int = 0, vocabulary: int = 11) -> GPT:
    """A float64 model with uneven distributions; `terms`: several tokens a position, modern."""
    torch.manual_seed(seed)
    terms = {"architecture": "modern", "residues": 5, "ratios": True}
    settings = terms if architecture == "terms" else {"architecture": architecture}
    tokens = TokenLayout(vocabulary, 5, 4) if architecture == "terms" else TokenLayout(vocabulary)
    model = GPT(ModelConfig(layers=2, heads=2, width=16, context_length=40, **settings), tokens).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def judged(rank, status, completed=None, duplicate_of=None, extra=False, tokens=None) -> JudgedHypothesis:
    hypothesis = Hypothesis(tokens or (2, 3 + rank), -1.0, True)
    return JudgedHypothesis(
        rank, hypothesis, None, status, completed or status, "", False, duplicate_of, extra
    )
