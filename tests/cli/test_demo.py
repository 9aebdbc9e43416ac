"""polyctl demo, run as a user runs it."""

from polyctl.cli.app import run
from polyctl.config import registry
from polyctl.store.runs import Run


def test_the_demo_runs_its_three_steps(place, capsys, monkeypatch, tmp_path):
    """With the packaged registry's `quick`, shrunk to a second."""
    text = registry.PACKAGED.read_text(encoding="utf-8")
    for old, new in {
        "steps = 350,": "steps = 2,",
        "width = 128,": "width = 16,",
        "problems = 200,": "problems = 5,",
    }.items():
        assert old in text, f"{old} is not in the registry: shrink what stands there now"
        text = text.replace(old, new)
    small = tmp_path / "experiments.toml"
    small.write_text(text, encoding="utf-8")
    monkeypatch.setattr(registry, "PACKAGED", small)
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path / "runs"))
    assert run(["demo"]) == 0
    err = capsys.readouterr().err
    assert [line for line in err.splitlines() if line[:4] in ("1/3 ", "2/3 ", "3/3 ")] == [
        "1/3  polyctl train quick",
        "2/3  polyctl eval quick",
        "3/3  polyctl decompose --method neural 'x^4 + 2x^3 + 3x^2 + 2x + 5'",
    ]
    assert "Now try" in err
    (made,) = (tmp_path / "runs" / "quick").iterdir()
    assert Run.at(made).summary().step == 2
    assert list((made / "reports").glob("eval-*.json"))
