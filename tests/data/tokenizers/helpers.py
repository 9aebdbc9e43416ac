"""The families that files of problems belong to."""

from polyctl.config.schema import DataConfig
from tests.data.test_families import FAMILIES


def data_of_set(name: str, tokenizer: str = "prefix") -> DataConfig:
    """The configuration of the family that a file belongs to."""
    base = FAMILIES[{"u": "univariate", "s": "separable"}.get(name[0], name)]
    return base.model_copy(update={"tokenizer": tokenizer})
