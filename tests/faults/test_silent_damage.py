"""Damage that would otherwise go unnoticed: what is wrong is said, with its place, and the exit code is 3."""

import json
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from polyctl.cli.app import run
from polyctl.store.runs import Run, list_runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Run:
    """A run of a few steps, as it was left."""
    root = tmp_path_factory.mktemp("damage") / "runs"
    assert run(["train", "smoke", "--steps", "2", "--runs", str(root)]) == 0
    return list_runs(root)[0]


@pytest.fixture
def copy(trained, tmp_path, monkeypatch) -> Run:
    """A copy of the run to damage, in ./runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)
    path = tmp_path / "runs" / trained.name
    shutil.copytree(trained.path, path)
    return Run.at(path)


def said(capsys, *words: str) -> str:
    """What a command that must fail with exit code 3 writes to stderr; nothing to stdout, no traceback."""
    capsys.readouterr()
    assert run(list(words)) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err
    return err


def spoil(path, value: float) -> str:
    """Put a number into a file's first matrix; its name."""
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    name = next(name for name, tensor in tensors.items() if tensor.dim() == 2)
    tensors[name][0, 1] = value
    save_file(tensors, path, metadata)
    return name


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite(copy, capsys, value):
    name = spoil(copy.weights(), value)
    err = said(capsys, "eval", copy.name)
    assert f"{copy.weights().name}: 1 of the" in err
    assert f"{name} are not finite" in err


def test_a_trainer_state_that_is_not_finite(copy, capsys):
    name = spoil(copy.checkpoints / "trainer.safetensors", float("nan"))
    err = said(capsys, "train", "--resume", copy.name, "--steps", "3")
    assert f"trainer.safetensors: {name} holds numbers that are not finite" in err


def test_infinity_in_half_precision_is_not_finite_either(copy, capsys):
    path = copy.weights()
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = {name: tensor.half() for name, tensor in load_file(path).items()}
    next(iter(tensors.values())).view(-1)[0] = torch.inf
    save_file(tensors, path, metadata)
    assert "not finite" in said(capsys, "eval", copy.name)


def test_a_run_without_its_config(copy, capsys):
    copy.config_path.unlink()
    for words in (["eval", copy.name], ["runs", "show", copy.name], ["train", "--resume", copy.name]):
        assert f"runs/{copy.name} has no config.toml" in said(capsys, *words)
    assert run(["runs", "list"]) == 0
    assert f"'runs/{copy.name}' is left out: it has no config.toml" in capsys.readouterr().err
    assert run(["runs", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["runs"] == []
    assert "is left out" in err


@pytest.mark.parametrize(
    "text", ["hello [[[", 'name = "../evil"', "train.zzz = 1\nname = 'a'", "\xff\x1b[2J"]
)
def test_a_run_with_a_damaged_config(copy, capsys, text):
    copy.config_path.write_bytes(text.encode("latin-1"))
    before = sorted(copy.path.rglob("*"))
    where = f"runs/{copy.name}/config.toml "
    for words in (
        ["eval", copy.name],
        ["eval"],
        ["decompose", "x^4 + x^2", "--method", "neural", "--model", copy.name],
        ["export", copy.name, "out"],
        ["rl", "smoke", "--smoke", "--from", copy.name],
        ["train", "--resume", copy.name],
        ["runs", "compare", copy.name, copy.name],
    ):
        assert where in said(capsys, *words), words
    assert sorted(copy.path.rglob("*")) == before
    for words in (["runs", "list"], ["runs", "show", copy.name]):
        assert run(words) == 0
        out, err = capsys.readouterr()
        assert copy.name in out
        assert f"note: {where}" in err
        assert "\x1b" not in err


@pytest.mark.parametrize("text", [None, "hello [[["])
def test_what_is_left_of_a_run_can_be_removed(copy, capsys, text):
    copy.config_path.unlink()
    if text is None:
        hint = f"hint: restore that file, or remove the run: `polyctl runs rm {copy.name}`"
        assert hint in said(capsys, "eval", copy.name)
    else:
        copy.config_path.write_text(text)
    assert run(["runs", "rm", copy.name, "--yes"]) == 0
    assert not copy.path.exists()


def test_a_run_with_a_name_that_none_may_have(copy, capsys):
    shutil.copytree(copy.path, copy.root / "smoke" / "two words\x1b[2J")
    assert run(["runs", "list"]) == 0
    out, err = capsys.readouterr()
    assert copy.name in out
    assert "two words" not in out
    assert r"two words\x1b[2J' is left out" in err
    assert "\x1b[2J" not in err


def test_a_checkpoint_that_is_a_directory(copy, capsys):
    copy.checkpoint("best").unlink()
    copy.checkpoint("best").mkdir()
    for name in (copy.name, "smoke"):
        assert "best.safetensors is a directory, not a model file" in said(capsys, "eval", name)
    assert "last.safetensors" not in said(capsys, "eval", copy.name)


def test_results_of_an_evaluation_alone_are_no_damage(copy, capsys):
    results = copy.root / "general" / "shipped"
    (results / "reports").mkdir(parents=True)
    assert run(["runs", "list"]) == 0
    assert "left out" not in capsys.readouterr().err


def test_a_bundled_model_that_is_not_there(copy, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("POLYCTL_SHIPPED", str(tmp_path / "gone"))
    assert f"POLYCTL_SHIPPED names {tmp_path / 'gone'}, which is not there" in said(capsys, "eval")
    assert "POLYCTL_SHIPPED names" in said(capsys, "decompose", "--method", "neural", "x^4 + 2x^2 + 3")
    monkeypatch.setenv("POLYCTL_SHIPPED", "none")
    assert run(["eval", "--limit", "1", "--beam", "2"]) == 0


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["runs", "list", "--runs", "gone"], "--runs"),
        (["report", "d1_degree", "--runs", "gone"], "--runs"),
        (["report", "d1_degree", "--counts", "gone"], "--counts"),
        (["report", "complexity", "--counts", "gone"], "--counts"),
        (["report", "d1_degree", "--solver", "gone"], "--solver"),
        (["runs", "show", "smoke", "--runs", "gone"], "gone"),
        (["eval", "smoke", "--runs", "gone"], "gone"),
    ],
)
def test_places_that_are_not_there(copy, capsys, words, where):
    err = said(capsys, *words)
    assert "gone" in err
    assert where in err


def test_the_environment_can_name_a_wrong_place_too(copy, capsys, monkeypatch):
    monkeypatch.setenv("POLYCTL_RUNS", "gone")
    assert "POLYCTL_RUNS" in said(capsys, "runs", "list")


@pytest.mark.parametrize("damage", [b"no digest\tx\n", b"\xff\xfe", b"00\0"])
def test_a_part_of_a_data_set_that_is_damaged(copy, capsys, monkeypatch, damage):
    """It can be there only if a generation was interrupted."""
    with monkeypatch.context() as patch:
        patch.setattr("polyctl.data.dataset._read_part", _interrupt)
        assert run(["gen", "smoke", "--workers", "1"]) == 130
    part = copy.root.parent / "data" / "smoke" / "parts" / "valid.txt.000000"
    part.write_bytes(damage)
    assert "parts/valid.txt.000000 is damaged" in said(capsys, "gen", "smoke", "--workers", "1")
    part.unlink()
    (part.parent / "plan.json").write_bytes(b"\xff")
    assert "parts/plan.json, which says what" in said(capsys, "gen", "smoke", "--workers", "1")
    assert run(["gen", "smoke", "--workers", "1", "--force"]) == 0


def _interrupt(_):
    raise KeyboardInterrupt
