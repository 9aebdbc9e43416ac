"""What tests of commands share."""

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
