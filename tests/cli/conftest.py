"""What tests of commands share."""

import shutil

import pytest
import torch

from polyctl.cli import app


@pytest.fixture
def in_an_empty_directory(tmp_path, monkeypatch):
    """No runs, no registry but the packaged one, one thread."""
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    for name in ("POLYCTL_RUNS", "POLYCTL_REGISTRY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_on_cpu(capsys):
    """Run a command line in this process; returns what it wrote to stdout and stderr."""

    def run(*arguments, code=0):
        found = app.run([*arguments, "--device", "cpu"])
        captured = capsys.readouterr()
        assert found == code, captured.err
        return captured

    return run


@pytest.fixture(scope="session")
def _trained(tmp_path_factory):
    """A directory with a data set and a trained run of `smoke`, which no test changes."""
    directory = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.delenv("POLYCTL_RUNS", raising=False)
        patch.delenv("POLYCTL_REGISTRY", raising=False)
        assert app.run(["gen", "smoke", "--workers", "1"]) == 0
        assert app.run(["train", "smoke", "--threads", "1"]) == 0
    return directory


@pytest.fixture
def place(_trained, tmp_path, monkeypatch, capsys):
    """The current directory, which has a data set and a trained run of `smoke`."""
    directory = shutil.copytree(_trained, tmp_path / "place")
    monkeypatch.chdir(directory)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    monkeypatch.delenv("POLYCTL_REGISTRY", raising=False)
    capsys.readouterr()  # what making it has printed
    return directory
