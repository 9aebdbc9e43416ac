"""A tiny experiment that trains in a second, and a callback that keeps events."""

from polyctl.config.schema import DataConfig, EvalConfig, Experiment, ModelConfig, TrainConfig


def tiny(**train) -> Experiment:
    """Univariate 2∘2 for a model of a few thousand parameters; keywords change [train], or dropout.

    Only the published architecture has dropout; without it the modern architecture is trained.
    """
    dropout = train.pop("dropout", 0.1)
    settings = {"steps": 8, "batch": 8, "lr": 3e-3, "warmup": 2, "eval_every": 4, "eval_problems": 2, **train}
    return Experiment(
        name="tiny",
        seed=3,
        data=DataConfig(outer_degrees=(2,), inner_degrees=(2,), valid_size=8),
        model=ModelConfig(
            architecture="gpt2" if dropout else "modern",
            layers=1,
            heads=2,
            width=16,
            context_length=128,
            dropout=dropout,
        ),
        train=TrainConfig(**settings),
        eval=EvalConfig(max_tokens=12, batch=8),
    )


class Recorder:
    """An on_event callback that keeps every event."""

    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append((event.kind, event.to_json()))

    def of(self, kind):
        return [fields for name, fields in self.events if name == kind]

    @property
    def losses(self):
        return {fields["step"]: fields["loss"] for fields in self.of("step")}
