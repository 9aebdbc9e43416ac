"""polyctl verify, run as a user runs it."""

import json

from polyctl.cli.app import run
from tests.cli.helpers import read
from tests.processes import POLYCTL, run_program


def test_verify_a_data_set_by_name(place, capsys):
    assert run(["verify", "smoke", "--json"]) == 0
    assert {k: v for k, v in read(capsys).items() if k != "failures"} == {
        **{"total": 216, "verified": 216, "refuted": 0, "malformed": 0, "trivial": 0, "undecided": 0}
    }


def test_verify_an_expression(capsys):
    f = "x^4 + 2x^3 + x^2 + 1"
    assert run(["verify", f, "--inner", "x^2 + x", "--outer", "b^2 + 1"]) == 0
    assert "verified" in capsys.readouterr().out
    assert run(["verify", f, "--inner", "x^2 + 2x", "--json"]) == 1
    assert read(capsys)["status"] == "refuted"
    assert run(["verify", f, "--outer", "b"]) == 2
    assert run(["verify", "x^4 +", "--inner", "x"]) == 2
    assert "^" in capsys.readouterr().err
    assert run(["verify", "no/such/file"]) == 3


def test_verify_notes_what_is_a_variable(capsys):
    assert run(["verify", "e^4 + 1", "--inner", "e^2"]) == 0
    assert "note: e is a variable" in capsys.readouterr().err
    assert run(["verify", "e^4 + 1", "--inner", "e^2", "--json"]) == 0
    assert len(read(capsys)["notes"]) == 1


def test_verify_reads_functions_as_variables(capsys):
    f = "(x + 1/x)^2 + 3"
    assert run(["verify", f, "--inner", "1/x + x", "--atoms"]) == 0
    assert "outer: b^2 + 3" in capsys.readouterr().out
    assert run(["verify", f, "--inner", "1/x + x"]) == 2
    assert "--atoms" in capsys.readouterr().err
    assert run(["verify", "quick", "--atoms"]) == 2
    assert "--atoms needs at least one --inner" in capsys.readouterr().err


def test_verify_standard_input():
    lines = "+ P 1 ^ a P 4 ⁇ ^ a P 2\n+ a ^ a P 4 ⁇ ^ a P 2\n"
    done = run_program([*POLYCTL, "verify", "-", "--json"], input=lines)
    assert done.returncode == 1
    counts = json.loads(done.stdout)
    assert (counts["total"], counts["verified"], counts["refuted"]) == (2, 1, 1)
