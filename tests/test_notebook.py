"""docs/tutorial.ipynb runs from first to last cell, and its stored outputs are what a run shows."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="the extra dev is not installed")
pytest.importorskip("ipykernel", reason="the extra dev is not installed")
pytest.importorskip("matplotlib", reason="the extra figures is not installed")

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tutorial.ipynb"
BYTES = 300_000


def outputs(notebook: Any) -> list[Any]:
    """All outputs of all cells, in order."""
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def printed(notebook: Any) -> str:
    """Everything that the cells printed."""
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def shown(notebook: Any, kind: str) -> list[str]:
    """What the cells showed of a MIME type."""
    return [output.data[kind] for output in outputs(notebook) if kind in output.get("data", {})]


def check(notebook: Any) -> None:
    """What a reader wants to see is there: answers, LaTeX, a training, and a plot for each part."""
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    text = printed(notebook)
    assert "g(b) = b^2 + 4\n   h = x^2 + x + 1\n   verified: g(h) = f over Q" in text
    assert "outer: b^2 + 2*b + 5" in text
    assert "refuted: " in text
    assert "complete at step 300" in text
    assert "bundled model: greedy " in text
    first, last = shown(notebook, "text/latex")
    assert "h &= x^{2} + x + 1" in first
    assert "h_{2} &= b^{3} + 2 b^{2} c" in last
    assert len(shown(notebook, "image/png")) == 4


def test_the_stored_outputs_are_complete_and_small():
    check(nbformat.read(NOTEBOOK, as_version=4))
    assert NOTEBOOK.stat().st_size < BYTES


@pytest.mark.slow
def test_every_cell_runs(tmp_path, monkeypatch):
    for name in ("POLYCTL_RUNS", "POLYCTL_REGISTRY", "POLYCTL_SHIPPED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    check(notebook)
    assert list(tmp_path.glob("runs/smoke/*/checkpoints/best.safetensors"))
