from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polyctl.algebra.budget import UNLIMITED, Budget
from polyctl.algebra.parse import parse
from polyctl.config.registry import PACKAGED, load_registry
from polyctl.errors import FileError
from polyctl.search.hypothesis import Observer
from polyctl.solving.methods import ModelUnavailable
from polyctl.solving.neural import load_neural
from polyctl.solving.request import ModelRequest
from polyctl.solving.solve import solve
from polyctl.store.runs import create_run

SHIPPED = Path(__file__).parents[2] / "runs" / "general" / "shipped"
F = parse("x^4 + 2x^3 + 3x^2 + 2x + 5")


@pytest.fixture(scope="module")
def neural():
    """The bundled model with a narrow beam."""
    return load_neural(ModelRequest(str(SHIPPED), device="cpu", beam=3))


class Watcher(Observer):
    def __init__(self):
        self.steps = 0

    def step(self, step):
        self.steps += 1


def test_the_beam_is_judged_and_ranked(neural):
    watcher = Watcher()
    candidates = list(replace(neural, observer=watcher).candidates(F, UNLIMITED))
    assert candidates
    assert [c.rank for c in candidates] == sorted(c.rank for c in candidates)
    assert watcher.steps > 1
    answer = solve(F, "neural", neural=lambda: neural)
    assert answer.tried[0].method == "neural (general/shipped, beam 3)"
    assert answer.best.source == "beam"


def test_the_time_limit_holds_in_the_search_of_a_model(neural):
    watcher = Watcher()
    assert list(replace(neural, observer=watcher).candidates(F, Budget(0.0))) == []
    assert watcher.steps == 1


def test_a_polynomial_that_the_model_cannot_read_is_noted(neural):
    f = parse("+".join(f"x{i}^2" for i in range(30)))
    with pytest.raises(ModelUnavailable, match="it was trained on"):
        list(neural.candidates(f, UNLIMITED))
    (attempt,) = solve(f, "neural", neural=lambda: neural).tried
    assert "it was trained on" in attempt.note


def test_a_missing_model_is_an_error_only_if_it_is_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCTL_SHIPPED", "none")
    request = ModelRequest(runs=tmp_path)
    with pytest.raises(ModelUnavailable, match="no model has been trained"):
        load_neural(request)
    with pytest.raises(FileError):
        load_neural(replace(request, needed=True))
    with pytest.raises(FileError, match="no run"):
        load_neural(ModelRequest("no/where", tmp_path, needed=True))
    (attempt,) = solve(F, "neural", neural=lambda: load_neural(request)).tried
    assert attempt.note == "no model has been trained yet (polyctl train quick)"
    monkeypatch.setenv("POLYCTL_SHIPPED", str(tmp_path / "gone"))
    with pytest.raises(FileError, match="POLYCTL_SHIPPED names"):
        load_neural(request)


def test_the_weights_that_are_named_are_loaded(tmp_path, monkeypatch):
    def refuse(weights: Path, *_: object):
        raise FileError(weights.name)

    monkeypatch.setattr("polyctl.solving.neural._load", refuse)
    run = create_run(load_registry(PACKAGED).get("quick"), tmp_path)
    for name in ("best", "last"):
        (run.path / "checkpoints" / f"{name}.safetensors").touch()
    asked = ModelRequest(run.name, tmp_path, needed=True)
    for which, found in (
        (None, "best.safetensors"),
        ("last", "last.safetensors"),
        ("average", "no checkpoint 'average'"),
    ):
        with pytest.raises(FileError, match=found):
            load_neural(replace(asked, checkpoint=which))


def test_samples_may_be_drawn_instead_of_a_beam(neural):
    sampling = replace(neural, samples=40, temperature=0.7)
    candidates = list(sampling.candidates(F, UNLIMITED))
    assert str(sampling) == f"neural ({neural.name}, 40 samples)"
    assert {c.source for c in candidates} == {"samples"}
    assert [c.logprob for c in candidates] == sorted((c.logprob for c in candidates), reverse=True)
    assert solve(F, "neural", neural=lambda: sampling, time_limit=60).verified
    assert list(sampling.candidates(F, Budget(0.0))) == []
