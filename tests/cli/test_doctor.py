"""polyctl doctor, run in this process."""

import json
import re

import pytest
import tomli

from polyctl.cli import app, doctor
from polyctl.config.schema import Experiment
from polyctl.store.runs import create_run
from tests.processes import ROOT


@pytest.fixture
def checks(in_an_empty_directory, capsys):
    """What doctor says with these options, by name."""

    def checks(*options, code=0):
        assert app.run(["doctor", "--json", *options]) == code
        found = json.loads(capsys.readouterr().out)
        assert found["healthy"] == (code == 0)
        return {check["name"]: check for check in found["checks"]}

    return checks


def test_an_empty_directory_lacks_only_a_model(checks):
    found = checks()
    assert found["model"]["state"] == "missing"
    assert "polyctl train quick" in found["model"]["hint"]
    assert found["torch"]["value"].startswith("2.")
    assert {"Python", "polyctl", "sympy", "cores", "memory", "threads", "runs", "web"} <= found.keys()
    assert not any(check["state"] == "broken" for check in found.values())


def test_as_text(in_an_empty_directory, capsys):
    assert app.run(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "software"
    assert "missing: no run in runs has a checkpoint" in out
    assert err == "all that is needed works\n"


def test_a_smoke_run_is_no_model(checks):
    create_run(Experiment(name="quick_smoke")).checkpoint().write_bytes(b"no model")
    assert "only smoke runs have" in checks()["model"]["value"]


def test_places_in_use(checks, place):
    (place / "experiments.toml").write_text("[experiment.own]\n")
    found = checks()
    assert found["registry"]["value"].startswith(str(place / "experiments.toml"))
    assert found["runs"]["value"] == f"{place / 'runs'}, 1 run"
    assert re.search(r"runs/smoke/[\d-]+, [\d,]+ parameters", found["model"]["value"])


@pytest.mark.parametrize(
    ("name", "message", "options"),
    [
        ("registry", "is not TOML", ["--registry", "broken.toml"]),
        ("runs", "there is no directory nowhere", ["--runs", "nowhere"]),
        ("model", "best.safetensors", []),
    ],
)
def test_what_is_broken_is_named(checks, capsys, tmp_path, name, message, options):
    (tmp_path / "broken.toml").write_text("[experiment")
    create_run(Experiment(name="mine")).checkpoint().write_bytes(b"no model")
    found = checks(*options, code=1)
    assert found[name]["state"] == "broken"
    assert message in found[name]["value"]
    assert app.run(["doctor", *options]) == 1
    assert f"error: {name}: " in capsys.readouterr().err


def test_a_library_that_cannot_be_imported(checks, monkeypatch):
    monkeypatch.setitem(doctor.NEEDED, "python-flint", "no_such_module")
    assert "no_such_module" in checks(code=1)["python-flint"]["value"]


def test_an_extra_that_is_missing(checks, monkeypatch):
    monkeypatch.setitem(doctor.EXTRAS, "web", ({"textual-serve": "no_such_module"}, "tui --serve"))
    found = checks()["web"]
    assert (found["state"], found["hint"]) == ("missing", "pip install 'polyctl[web]'")


def test_all_dependencies_are_looked_at():
    project = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements):
        return {re.match(r"[\w-]+", text)[0] for text in requirements}

    assert names(project["dependencies"]) == set(doctor.NEEDED)
    extras = {name: names(of) for name, of in project["optional-dependencies"].items() if name != "dev"}
    assert extras == {name: set(modules) for name, (modules, _) in doctor.EXTRAS.items()}
