"""The tabs of the dashboard in their order, each with its title."""

from __future__ import annotations

TABS = {
    "decompose": "Decompose",
    "runs": "Runs",
    "run": "Run",
    "beam": "Beam",
    "experiments": "Experiments",
    "problems": "Problems",
}
