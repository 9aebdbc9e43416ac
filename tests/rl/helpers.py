"""Tiny experiments and hand-made judgements for tests of reinforcement learning."""

import torch

from polyctl.config.schema import DataConfig, EvalConfig, Experiment, ModelConfig, RLConfig, TrainConfig
from polyctl.evaluation.accuracy import Judged
from polyctl.model.gpt import GPT
from polyctl.search.hypothesis import Hypothesis


def tiny(form="modern", dropout=0.0, **rl) -> Experiment:
    """Univariate 2∘2 with small coefficients for a model of a few thousand parameters."""
    settings = {
        "steps": 4, "problems": 4, "width": 4, "inner_epochs": 2, "lr": 1e-3, "warmup": 0, "candidates": 0,
        "eval_every": 2, "part": 2, "examples_every": 1, **rl,
    }  # fmt: skip
    return Experiment(
        name="tiny",
        seed=3,
        data=DataConfig(outer_degrees=(2,), inner_degrees=(2,), outer_bound=2, inner_bound=2, valid_size=8),
        model=ModelConfig(form=form, layers=1, heads=2, width=16, block=64, dropout=dropout),
        train=TrainConfig(steps=4, batch=8, eval_every=4, eval_problems=4, warmup=1, lr=3e-3),
        eval=EvalConfig(max_tokens=12, batch=8),
        rl=RLConfig(**settings),
    )


def model_of(form: str = "modern", seed: int = 0, vocabulary: int = 11) -> GPT:
    """A float64 model with uneven distributions; `terms`: several tokens a position, modern."""
    torch.manual_seed(seed)
    terms = {"form": "modern", "places": 5, "residues": 5, "base": 4, "ratios": True}
    settings = terms if form == "terms" else {"form": form}
    model = GPT(ModelConfig(layers=2, heads=2, width=16, block=40, **settings), vocabulary).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def judged(rank, status, completed=None, duplicate_of=None, extra=False) -> Judged:
    hypothesis = Hypothesis((2, 3), -1.0, True)
    return Judged(rank, hypothesis, None, status, completed or status, "", False, duplicate_of, extra)
