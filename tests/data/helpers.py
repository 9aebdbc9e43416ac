"""A small experiment whose data are drawn and written in a second."""

from polyctl.config.schema import DataConfig, Experiment, ModelConfig, TrainConfig

SMALL = DataConfig(
    outer_degrees=(2,),
    inner_degrees=(2, 3),
    inner_bound=5,
    outer_bound=5,
    train_size=200,
    valid_size=20,
    test_size=15,
)


def experiment(**train) -> Experiment:
    """Batches of eight; keywords change [train], data or the context length."""
    model = ModelConfig(layers=1, heads=1, width=8, context_length=train.pop("context_length", 100))
    data = train.pop("data", SMALL)
    return Experiment(name="tiny", seed=5, data=data, model=model, train=TrainConfig(batch=8, **train))
