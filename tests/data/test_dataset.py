"""Data sets on disk: what is in them, how they are made, how their files are read."""

import json
import pickle

import pytest

from polyctl.config.registry import load_experiment
from polyctl.data.dataset import LineFile, generate, read_digests, read_problems
from polyctl.data.manifest import Manifest, command_that_continues, read_manifest
from polyctl.errors import FileError
from tests.data.helpers import experiment


def test_a_data_set_has_its_files_counts_and_no_leaks(data_set):
    directory, manifest = data_set
    assert manifest.counts == {"valid.txt": 20, "test_2_2.txt": 15, "test_2_3.txt": 15, "train.txt": 200}
    digests = {name: [p.digest for p in read_problems(directory / name)] for name in manifest.counts}
    for name, found in digests.items():
        assert len(set(found)) == len(found) == manifest.counts[name]
    together = [d for found in digests.values() for d in found]
    assert len(set(together)) == len(together)
    assert not (directory / "parts").exists()
    assert {p.cell for p in read_problems(directory / "test_2_3.txt")} == {"2∘3"}


def test_a_data_set_does_not_depend_on_the_number_of_workers(data_set, tmp_path):
    directory, manifest = data_set
    assert generate(experiment(), tmp_path, workers=1) == manifest
    assert (tmp_path / "train.txt").read_bytes() == (directory / "train.txt").read_bytes()


def test_an_interrupted_generation_goes_on(data_set, tmp_path):
    _, manifest = data_set

    def stop(name, done, total):
        if name.startswith("test"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(experiment(), tmp_path, progress=stop)
    parts = {p: p.stat().st_mtime_ns for p in (tmp_path / "parts").glob("valid*")}
    assert parts
    assert not (tmp_path / "manifest.json").exists()
    touched = []
    generate(
        experiment(),
        tmp_path,
        progress=lambda *a: touched.append(all(p.stat().st_mtime_ns == t for p, t in parts.items())),
    )
    assert touched[0]
    assert read_manifest(tmp_path) == manifest


def test_other_parameters_do_not_overwrite(data_set):
    directory, manifest = data_set
    assert generate(experiment(), directory) == manifest
    with pytest.raises(FileError, match="other parameters"):
        generate(experiment().model_copy(update={"seed": 6}), directory)


def test_manifest_says_what_the_set_is(data_set):
    directory, _ = data_set
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["data"]["family"] == "univariate"
    assert manifest["seed"] == 5
    assert set(manifest["sha256"]) == set(manifest["counts"])
    with pytest.raises(FileError, match="no data set"):
        read_manifest(directory / "nowhere")


def test_excluded_files_are_not_trained_on(data_set):
    directory, _ = data_set
    digests = read_digests([str(directory / "test_*.txt")])
    assert len(digests) == 30
    with pytest.raises(FileError, match="no file matches"):
        read_digests([str(directory / "nothing_*.txt")])


def test_line_files_ignore_empty_lines_and_survive_pickling(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("one\n\ntwo ⁇\r\nthree".encode())
    lines = pickle.loads(pickle.dumps(LineFile(path)))
    assert [lines[i] for i in range(len(lines))] == ["one", "two ⁇", "three"]
    path.write_bytes("\ufeffone\r\n\r\n\ntwo\r".encode())  # as on Windows
    lines = LineFile(path)
    assert [lines[i] for i in range(len(lines))] == ["one", "two"]
    for empty in (b"", b"\xef\xbb\xbf", b"\r\n", b"\n\r"):
        path.write_bytes(empty)
        assert len(LineFile(path)) == 0
    with pytest.raises(FileError, match="cannot read"):
        LineFile(tmp_path / "missing.txt")


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "broken.txt"
    path.write_text("+ a P 1 ⁇ a\n+ a ⁇ a\n")
    with pytest.raises(FileError, match="line 2"):
        read_problems(path)


def _begun(directory, **changes):
    """A data set of which a part is made; the part and what it holds."""
    with pytest.raises(KeyboardInterrupt):
        generate(experiment().model_copy(update=changes), directory, progress=_stop)
    part = directory / "parts" / "valid.txt.000000"
    return part, part.read_bytes()


def _stop(*_):
    raise KeyboardInterrupt


def test_unfinished_parts_of_other_parameters_are_not_removed(tmp_path):
    part, text = _begun(tmp_path)
    with pytest.raises(FileError, match="holds an unfinished data set with other parameters") as caught:
        generate(experiment().model_copy(update={"seed": 6}), tmp_path)
    assert part.read_bytes() == text
    assert f"--out {tmp_path}` finishes it" in caught.value.hint
    assert generate(experiment().model_copy(update={"seed": 6}), tmp_path, force=True).seed == 6


def test_parts_that_are_to_replace_a_data_set_stay_while_it_is_asked_for(tmp_path):
    first = generate(experiment(), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        generate(experiment().model_copy(update={"seed": 6}), tmp_path, force=True, progress=_stop)
    part = tmp_path / "parts" / "valid.txt.000000"
    made = part.stat()
    assert generate(experiment(), tmp_path) == first
    assert part.stat() == made


def test_what_continues_a_data_set_has_its_settings(tmp_path):
    smaller = load_experiment("quick", ["data.train_size=9", "data.exclude=['a b.txt']"], small=True)
    plan = Manifest(experiment="quick_smoke", seed=7, data=smaller.data, counts={}, sha256={})
    assert command_that_continues(plan, tmp_path / "a set", force=True) == (
        "polyctl gen quick --smoke --set seed=7 --set data.train_size=9 --set 'data.exclude=[\"a b.txt\"]' "
        f"--out '{tmp_path}/a set' --force"
    )
