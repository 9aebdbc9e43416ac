"""polyctl experiments, run in this process."""

import json

import pytest

from polyctl.cli import app, plan
from polyctl.config.registry import PACKAGED, load_registry, smoke
from polyctl.plans.runner import Outcome
from polyctl.store.runs import list_runs


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


def test_without_a_command_a_name_is_shown_and_a_pattern_listed(capsys, tmp_path):
    assert app.run(["experiments", "quick"]) == 0
    assert 'name = "quick"' in capsys.readouterr().out
    assert app.run(["experiments", "d2_heads_*"]) == 0
    assert names(capsys.readouterr().out) == ["d2_heads_4", "d2_heads_8", "d2_heads_16"]
    (tmp_path / "own.toml").write_text("[experiment.own]\n")
    assert app.run(["experiments", "own", "--registry", str(tmp_path / "own.toml")]) == 0
    assert 'name = "own"' in capsys.readouterr().out
    assert app.run(["experiments", "own"]) == 2
    assert app.run(["experiments", "shwo"]) == 2
    assert "did you mean show?" in capsys.readouterr().err


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
    out, err = capsys.readouterr()
    assert names(out) == ["mine", *load_registry().names()]
    assert [line.split()[-1] for line in out.splitlines()[:3]] == ["from", "mine.toml", "polyctl"]
    assert f"experiments in {path} and {PACKAGED}" in err
    assert app.run(["experiments", "list", "mine", "--registry", str(path), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["registry"] == listed["experiments"][0]["registry"] == str(path)
    assert app.run(["experiments", "list", "smoke", "--registry", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["experiments"][0]["registry"] == str(PACKAGED)
    assert app.run(["experiments", "--registry", str(tmp_path / "none.toml")]) == 3
    assert "there is no registry" in capsys.readouterr().err


def test_a_wrong_setting(capsys):
    assert app.run(["experiments", "show", "quick", "--set", "model.widht=3"]) == 2
    assert "did you mean model.width?" in capsys.readouterr().err


# -- run -------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a plan in an empty directory; returns what it wrote, stdout as JSON lines with --json."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYCTL_RUNS", raising=False)

    def run(*arguments, code=0):
        found = app.run(["experiments", "run", *arguments, "--device", "cpu", "--workers", "1"])
        out, err = capsys.readouterr()
        assert found == code, err
        return [json.loads(line) for line in out.splitlines()] if "--json" in arguments else (out, err)

    return run


def test_a_plan_runs_and_then_finds_all_of_it_done(run, tmp_path):
    lines = run("smoke", "base_2_2_comp*", "--smoke", "--json")
    assert [(line["stage"], line["experiment"], line["state"]) for line in lines] == [
        ("train", "smoke", "done"),
        ("eval", "smoke", "done"),
        ("train", "base_2_2_compact_smoke", "done"),
        ("eval", "base_2_2_compact_smoke", "done"),
    ]
    assert lines[1].keys() >= {"run", "seconds", "figures", "message", "hint"}
    assert lines[1]["figures"].keys() >= {"greedy_verified", "pass_at_1", "pass_at_beam"}
    assert len(list_runs(tmp_path / "runs")) == 2
    out, err = run("smoke", "base_2_2_comp*", "--smoke")
    assert [line.split()[2] for line in out.splitlines()[1:]] == ["skipped"] * 4
    assert "[4/4] eval base_2_2_compact_smoke" in err


def test_another_setting_is_another_run(run):
    run("smoke", "--stage", "train", "--json")
    (again,) = run("smoke", "--stage", "train", "--json", "--set", "train.lr=0.01")
    assert again["state"] == "done"
    evaluation = run("smoke", "--stage", "eval", "--json", "--set", "eval.beam=2", code=0)
    assert [(line["state"], line["figures"]["beam"]) for line in evaluation] == [("done", 2)]


def test_a_failure_shows_in_the_exit_code_and_others_go_on(run):
    lines = run("smoke", "--json", "--set", "train.accumulate=9", code=1)
    assert [line["state"] for line in lines] == ["failed", "blocked"]
    assert "train.batch 8 is too small" in lines[0]["message"]
    _, err = run("smoke", "--set", "train.accumulate=9", "--fail-fast", code=1)
    assert "1 of 2 stages did not succeed" in err


def test_an_interrupt_exits_130(run, monkeypatch):
    def interrupted(tasks, *_, **__):
        yield Outcome(*tasks[0].key, "interrupted")

    monkeypatch.setattr(plan, "_here", interrupted)
    assert "run the same command again to continue" in run("smoke", code=130)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["smok"], 2, "did you mean smoke?"),
        (["smoke", "--stage", "trian"], 2, "did you mean train?"),
        (["d3_finetune_monic_1280"], 3, "polyctl experiments run d3_pretrain_monic"),
        (["smoke", "--gpus", "2"], 2, "--launch"),
        (["smoke", "--launch", "pbs"], 2, "neither slurm nor local"),
        (["smoke", "--launch", "local", "--nodes", "2"], 2, "one node"),
    ],
)
def test_mistakes_in_a_plan(run, arguments, code, message):
    assert message in run(*arguments, code=code)[1]


@pytest.mark.slow
def test_every_experiment_of_the_registry_runs_end_to_end_at_smoke(run, tmp_path):
    registry = load_registry()
    # many differ in sizes alone, which a smoke run shrinks to the same ones
    shrunk = {name: smoke(registry.get(name), alone=False) for name in registry.names()}
    described = {"name", "description", "paper"}
    different = {json.dumps(one.model_dump(exclude=described)): name for name, one in shrunk.items()}
    names = set(different.values())
    lines = run(*names, "--smoke", "--json")
    assert {line["state"] for line in lines} == {"done"}
    assert {line["experiment"].partition("_smoke")[0] for line in lines if line["stage"] == "eval"} >= names
    assert {line["stage"] for line in lines} == {"gen", "train", "eval", "rl"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "runs"]


def test_a_dry_run_prints_bills_and_runs_nothing(run, tmp_path):
    lines = run("smoke", "--dry-run", "--json")
    assert [(line["stage"], line["state"]) for line in lines] == [
        ("train", "new"),
        ("eval", "new"),
        ("total", ""),
    ]
    assert lines[0]["problems"] == 160
    assert lines[2]["seconds"] == lines[0]["seconds"] + lines[1]["seconds"]
    out, _ = run("smoke", "--dry-run")
    assert all(word in out for word in ("parameters", "tokens", "disk", "total"))
    assert list(tmp_path.iterdir()) == []
