"""polyctl experiments, run in this process."""

import json

import pytest

from polyctl.cli import app
from polyctl.registry import PACKAGED, load_registry


@pytest.fixture(autouse=True)
def _packaged(monkeypatch):
    monkeypatch.setenv("POLYCTL_REGISTRY", str(PACKAGED))


def names(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines()[1:]]


def test_the_bare_command_lists_all(capsys):
    assert app.run(["experiments"]) == 0
    out, err = capsys.readouterr()
    assert names(out) == load_registry().names()
    assert str(PACKAGED) in err
    assert max(map(len, out.splitlines())) <= 80
    assert app.run(["experiments", "list"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("heads", ["d2_heads_4", "d2_heads_8", "d2_heads_16"]),
        ("d2_*_256_l?", ["d2_arch_256_l4", "d2_arch_256_l6"]),
    ],
)
def test_a_pattern_or_a_part_of_a_name(pattern, found, capsys):
    assert app.run(["experiments", "list", pattern]) == 0
    assert names(capsys.readouterr().out) == found


def test_a_pattern_that_fits_nothing(capsys):
    assert app.run(["experiments", "list", "quikc"]) == 2
    assert "did you mean quick?" in capsys.readouterr().err


def test_list_as_json(capsys):
    assert app.run(["experiments", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["registry"] == str(PACKAGED)
    assert [e["name"] for e in listed["experiments"]] == load_registry().names()
    assert {"description", "paper", "family"} <= listed["experiments"][0].keys()


def test_show_is_toml_that_another_registry_can_take_up(capsys, tmp_path):
    assert app.run(["experiments", "show", "d2_arch_512_l6"]) == 0
    out = capsys.readouterr().out
    body = out.replace('name = "d2_arch_512_l6"\n', "").replace("\n[", "\n[experiment.copy.")
    (tmp_path / "experiments.toml").write_text(f"[experiment.copy]\n{body}")
    copy = load_registry(tmp_path / "experiments.toml").get("copy")
    assert copy.model_copy(update={"name": "d2_arch_512_l6"}) == load_registry().get("d2_arch_512_l6")


def test_show_as_json_with_settings_and_smoke(capsys):
    assert app.run(["experiments", "show", "d1_degree", "--smoke", "--set", "train.lr=0.5", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"] == "d1_degree_smoke"
    assert shown["train"]["lr"] == 0.5
    assert shown["model"]["width"] == 32


def test_another_registry(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text("[experiment.mine]\ndescription = 'My own'\n")
    assert app.run(["experiments", "list", "--registry", str(path)]) == 0
    assert names(capsys.readouterr().out) == ["mine"]
    assert app.run(["experiments", "--registry", str(tmp_path / "none.toml")]) == 3
    assert "there is no registry" in capsys.readouterr().err


def test_a_wrong_setting(capsys):
    assert app.run(["experiments", "show", "quick", "--set", "model.widht=3"]) == 2
    assert "did you mean model.width?" in capsys.readouterr().err
