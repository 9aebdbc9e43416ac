"""A data set that tests read."""

import pytest

from polyctl.data.dataset import generate
from tests.data.helpers import experiment


@pytest.fixture(scope="session")
def data_set(tmp_path_factory):
    """The directory and the manifest of the small experiment's data set."""
    directory = tmp_path_factory.mktemp("data") / "tiny"
    manifest = generate(experiment(), directory, workers=2)
    return directory, manifest
