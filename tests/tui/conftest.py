"""No dashboard of a test starts a real solving process or looks at the developer's own files."""

import time

import pytest

from polyctl.tui import app as module
from polyctl.tui.app import Dashboard
from tests.tui.shared import FakeSolver, make_run

REGISTRY = """
[experiment.quick]
description = "A demonstration: a minute on a CPU"
[experiment.smoke]
description = "Seconds"
[experiment."d2_heads_{n}"]
grid = [{ n = 4 }, { n = 8 }, { n = 16 }]
description = "Architecture: {n} heads"
paper = "D2"
"""


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    monkeypatch.setenv("POLYCTL_TUI_CONFIG", str(tmp_path / "tui.toml"))
    time.tzset()
    (tmp_path / "experiments.toml").write_text(REGISTRY)
    monkeypatch.setattr("polyctl.config.registry.PACKAGED", tmp_path / "experiments.toml")
    monkeypatch.delenv("POLYCTL_REGISTRY", raising=False)
    monkeypatch.setattr(module, "Solver", FakeSolver)
    for view in ("run", "experiments"):  # not every new setting shall change what is compared
        monkeypatch.setattr(f"polyctl.tui.views.{view}.to_toml", lambda e: f'name = "{e.name}"\nseed = 0\n')
    monkeypatch.setattr("polyctl.tui.views.runs.format_age", lambda when: "-" if when is None else "5 min")


@pytest.fixture
def empty() -> Dashboard:
    return Dashboard()


@pytest.fixture
def dashboard(tmp_path) -> Dashboard:
    make_run(tmp_path / "runs")
    return Dashboard()
