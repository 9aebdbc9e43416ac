"""A few inputs of benchmarks/fuzz.py for each reader, and what its long runs found."""

import importlib
import json
import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from polyctl.cli.app import run
from polyctl.config.toml import parse_toml
from polyctl.errors import FileError
from polyctl.store.evaluation_report import read_reports
from polyctl.store.events import EventReader, EventWriter
from polyctl.store.files import open_regular, read_regular
from polyctl.store.owner import read_owner
from polyctl.store.tail import Tail

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PUBLISHED = Path(__file__).parents[1] / "fixtures" / "published"
INPUTS = 15
SEED = 0


@pytest.fixture(scope="module")
def fuzz():
    before = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("fuzz")
    sys.path.remove(str(BENCHMARKS))
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("fuzz", "fuzzing", "common"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def child(fuzz, tmp_path_factory):
    here = os.getcwd()
    threads = torch.get_num_threads()
    made = fuzz.start_child(tmp_path_factory.mktemp("fuzz"))
    os.chdir(here)
    yield made
    made.close()
    torch.set_num_threads(threads)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux alone")
@pytest.mark.parametrize(
    "reader",
    [
        "expressions",
        "settings",
        "registries",
        "data",
        "checkpoints",
        "events",
        "config",
        "reports",
        "folders",
    ],
)
def test_bad_inputs_have_answers(fuzz, child, reader):
    tally = fuzz.Tally()
    fuzz.play(reader, INPUTS, SEED, child, tally)
    assert tally.faults == []
    assert tally.inputs == INPUTS


# -- what was found --------------------------------------------------------------------------------


def said(capsys, code: int, *words: str) -> str:
    """What a command that must fail writes to stderr."""
    capsys.readouterr()
    assert run(list(words)) == code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "9" * 5000, "a = {" + "b = {" * 3000])
def test_toml_that_is_nested_deeply_or_has_long_numbers(text, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"too (deeply|many)|nested"):
        parse_toml(text)
    registry = tmp_path / "experiments.toml"
    registry.write_text(text)
    assert "is not TOML" in said(capsys, 2, "experiments", "list", "--registry", str(registry))
    assert run(["experiments", "list"]) == 0
    folder = tmp_path / "runs" / "smoke" / "1"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    said(capsys, 3, "eval", str(folder), "--runs", str(tmp_path / "runs"))


def test_a_setting_that_is_nested_deeply(capsys):
    said(capsys, 2, "gen", "smoke", "--set", "data.base=" + "[" * 3000)
    said(capsys, 2, "gen", "smoke", "--set", "data.base=" + "9" * 5000)


def test_a_grid_that_stands_for_too_many_experiments(tmp_path, capsys):
    registry = tmp_path / "experiments.toml"
    axes = "\n".join(f"grid.{name} = [{', '.join(map(str, range(100)))}]" for name in "abcdef")
    registry.write_text(f'[experiment."x_{{a}}"]\n{axes}\n')
    assert "more than 10,000 experiments" in said(
        capsys, 2, "experiments", "list", "--registry", str(registry)
    )


@pytest.mark.parametrize("data", [b"\xff\xfe", b"mathematica\nx\n", b"mathematica\n1\0\n", b"\0"])
def test_counts_that_are_damaged(data, tmp_path, capsys):
    problems = tmp_path / "homogeneous_3_2.txt"
    problems.write_text((PUBLISHED / problems.name).read_text())
    problems.with_suffix(".counts.tsv").write_bytes(data)
    words = ("eval", "--solver", "exact", "--peers", "--limit", "1", "--data", str(problems))
    said(capsys, 3, *words)


@pytest.mark.parametrize("value", [{}, "x", [1], "9" * 5000])
@pytest.mark.parametrize("name", ["problems", "verified", "complexity"])
def test_a_report_of_the_solver_with_values_that_do_not_fit(value, name, tmp_path, capsys):
    means = {"complexity": 20.5, "known": 30, "mathematica": None}
    summary = {"problems": 2, "verified": 0.5, "complexity": means}
    path = tmp_path / "solver.json"
    path.write_text(json.dumps({"sets": {"homogeneous_3_2": summary}}))
    assert run(["report", "complexity", "--solver", str(path)]) == 0
    where = means if name == "complexity" else summary
    where[name] = value
    path.write_text(json.dumps({"sets": {"homogeneous_3_2": summary}}))
    assert "is no report of the solver" in said(capsys, 3, "report", "complexity", "--solver", str(path))


@pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])
def test_pipes_and_devices_among_the_files_of_a_run(kind, tmp_path):
    """A pipe would be waited for, a device read forever."""
    report = tmp_path / "eval-20260101-000000.json"
    for path in (report, tmp_path / "events.jsonl", tmp_path / "writer.json"):
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "zero":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
    with pytest.raises(OSError, match=r"regular file|directory"):
        open_regular(report)
    assert list(read_reports(tmp_path)) == []
    assert read_owner(tmp_path) is None
    with pytest.raises(FileError):
        list(EventReader(tmp_path / "events.jsonl"))
    with pytest.raises(OSError, match=r"regular file|directory"):
        Tail(tmp_path / "events.jsonl").later()
    with pytest.raises(FileError), EventWriter(tmp_path / "events.jsonl"):
        pass


def test_a_file_that_is_larger_than_what_is_read_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)
    assert read_regular(path, 11) == b"x" * 11
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_regular(path, 10)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("fuzzed") / "runs"
    assert run(["train", "smoke", "--steps", "2", "--runs", str(root)]) == 0
    return next(root.glob("smoke/*"))


def described_anew(path: Path, change, out: Path) -> None:
    """A copy of a model file with another description, its tensors, or their kind."""
    tensors = load_file(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    change(metadata, tensors)
    save_file(tensors, out, metadata)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", "x"),
        ("step", [1]),
        ("experiment", {}),
        ("metrics", 3),
        ("elapsed", "soon"),
        ("experiment", None),
    ],
)
def test_facts_of_a_trainer_state_that_do_not_fit(trained, tmp_path, capsys, name, value):
    path = trained / "checkpoints" / "trainer.safetensors"
    kept = path.read_bytes()

    def change(metadata, tensors):
        metadata["polyctl"] = json.dumps({**json.loads(metadata["polyctl"]), name: value})

    try:
        described_anew(path, change, path)
        err = said(capsys, 3, "train", "--resume", str(trained), "--steps", "3")
    finally:
        path.write_bytes(kept)
    assert "is not a trainer state" in err


@pytest.mark.parametrize("kind", ["exp_avg", "exp_avg_sq"])
def test_moments_of_another_shape(trained, capsys, kind):
    path = trained / "checkpoints" / "trainer.safetensors"
    kept = path.read_bytes()

    def change(metadata, tensors):
        name = next(name for name in tensors if name.startswith(f"{kind}/"))
        tensors[name] = torch.zeros(3)

    try:
        described_anew(path, change, path)
        err = said(capsys, 3, "train", "--resume", str(trained), "--steps", "3")
    finally:
        path.write_bytes(kept)
    assert f"{kind}/" in err
    assert "has the shape (3,)" in err


def test_a_moment_that_is_missing(trained, capsys):
    path = trained / "checkpoints" / "trainer.safetensors"
    kept = path.read_bytes()

    def change(metadata, tensors):
        del tensors[next(name for name in tensors if name.startswith("exp_avg/"))]

    try:
        described_anew(path, change, path)
        err = said(capsys, 3, "train", "--resume", str(trained), "--steps", "3")
    finally:
        path.write_bytes(kept)
    assert "moments are missing" in err


@pytest.mark.parametrize(
    "odd",
    [
        lambda t: t.to_sparse(),
        lambda t: torch.empty(t.shape, device="meta"),
        lambda t: t.to(torch.complex64),
        lambda t: t.new_zeros(1).expand(1 << 20, 1 << 10),
    ],
)
def test_tensors_of_a_published_checkpoint_that_are_not_plain(odd, tmp_path, capsys):
    path = tmp_path / "model.pt"
    torch.save({"tok_emb.weight": odd(torch.zeros(3, 2))}, path)
    err = said(capsys, 3, "import", str(path), "--experiment", "smoke", "--runs", str(tmp_path / "runs"))
    assert "tok_emb.weight is not a plain tensor" in err


@pytest.mark.parametrize("data", [b"", b"(lp0\n.", b"\x80\x02]", b"cos\nsystem\n.", b"0."])
def test_pickles_that_are_damaged(data, tmp_path, capsys):
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    said(capsys, 3, "import", str(path), "--experiment", "smoke", "--runs", str(tmp_path / "runs"))


@pytest.mark.parametrize(
    ("name", "text"),
    [("vocabulary", "7"), ("vocabulary", "[1]"), ("step", '"x"'), ("metrics", "[]"), ("metrics", "[" * 5000)],
)
def test_descriptions_of_models_that_do_not_fit(trained, tmp_path, capsys, name, text):
    from polyctl.model.serialization import _digest

    def change(metadata, tensors):
        metadata[name] = text
        metadata["digest"] = _digest(metadata)

    folder = tmp_path / "smoke" / "1"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.toml").write_text((trained / "config.toml").read_text())
    best = "checkpoints/best.safetensors"
    described_anew(trained / best, change, folder / best)
    assert "description is damaged" in said(capsys, 3, "eval", str(folder))


def test_control_characters_in_json_are_escaped(capsys):
    assert run(["verify", "x^4", "--inner", "x^2", "--json", "--variables", "x"]) == 0
    capsys.readouterr()
    from polyctl.cli.output import print_json_line

    print_json_line({"input": "\x1b\x7f\x9bé"})
    out = capsys.readouterr().out
    assert out.strip().lower() in (
        '{"input": "\\u001b\\u007f\\u009bé"}',
        '{"input": "\\u001b\\u007f\\u009b\\u00e9"}',
    )
    assert json.loads(out) == {"input": "\x1b\x7f\x9bé"}


def test_a_very_large_polynomial_is_not_factored_for_its_shifts(fuzz):
    """FLINT did not end within seconds, and asks no budget."""
    from polyctl.algebra.budget import Budget
    from polyctl.algebra.parse import parse
    from polyctl.solvers.exact.parametric import shears

    inner = "((1/7)*y^69*x^33 - 2*x^40 + 3*y^7)"
    f = parse(f"120511840494448970159238522793*{inner}^7 + 4 + {inner}^2")
    assert shears(f, Budget.of(60.0), [0]).decompositions == ()
