"""No dashboard of a test starts a real solving process or looks at the developer's own files."""

import time

import pytest

from polyctl.tui import app as module
from polyctl.tui.app import Dashboard
from tests.tui.shared import FakeSolver, make_run


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    monkeypatch.setenv("POLYCTL_TUI_CONFIG", str(tmp_path / "tui.toml"))
    time.tzset()
    monkeypatch.setattr(module, "Solver", FakeSolver)
    monkeypatch.setattr("polyctl.tui.screens.runs.ago", lambda when: "-" if when is None else "5 min")


@pytest.fixture
def empty() -> Dashboard:
    return Dashboard()


@pytest.fixture
def dashboard(tmp_path) -> Dashboard:
    make_run(tmp_path / "runs")
    return Dashboard()
