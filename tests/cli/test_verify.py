"""polyctl verify, run as a user runs it."""

import json

import pytest

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


@pytest.mark.parametrize(
    ("f", "options"),
    [
        ("x^4 + 2x^3 + x^2 + 1", []),
        ("f(x) = x^4 + 2a x^2 + 1", []),
        ("(x^2 + a x)^2 + 3a(x^2 + a x) + a^2", ["--in", "x"]),
        ("x^8 - 8x^6 + 20x^4 - 16x^2 + 2", []),  # a chain
        ("((x^2 + y^2)^2 + z)^2 + (x^2 + y^2)^2 + z", []),  # nested
        ("(sin(x) + 1/x)^2 + y^3", ["--atoms"]),
        ("(sqrt(2) x + exp(-y))^2 + 1", ["--atoms"]),
        ("(b0^2 + b1)^2 + 3(b0^2 + b1) + b1", []),
        ("(b^2 + b)^3 + b^2 + b + 7", []),
        ("(h^2 + h)^3 + h^2 + h + 7", []),
        ("(b_1 h0)^2 + b_1^3 h0^3 + g^2", []),
        ("(rate^2 + rate)^2 + c", ["--variables", "rate,c"]),
        ("(x_1 y)^2 + (x_1 y)^3 + 2(x_2 + α)^2", []),
        ("y^4 + 2y^2/3 = 0", []),
    ],
)
def test_what_decompose_prints_is_verified(f, options, capsys):
    assert run(["decompose", f, *options, "--method", "exact", "--json"]) == 0
    found = read(capsys)
    assert any(solution["status"] == "verified" for solution in found["solutions"])
    kept = [o for o in options if o in ("--atoms", "--variables") or "," in o]
    for solution in found["solutions"]:
        inner = [part for h in solution["inner"] for part in ("--inner", h)]
        run(["verify", f, "--outer", solution["outer"], *inner, *kept, "--json"])
        verdict = read(capsys)
        assert (verdict["status"], verdict["outer"]) == (solution["status"], solution["outer"])
        assert verdict["complexity"] == solution["complexity"]
        assert not [note for note in verdict["notes"] if "inner polynomial" in note]


@pytest.mark.parametrize(
    ("f", "inner", "options"),
    [
        ("x^3 + y^3 + z", ["x + y", "x y"], []),
        ("b0^4 + b0 + x", ["b0^2"], []),
        ("b^4 + b h + x", ["b^2", "h x"], []),
        ("sin(x)^2 + exp(a) + y", ["sin x"], ["--atoms"]),
        ("x^5 + 1/x^5 + x", ["x + 1/x"], ["--atoms"]),
        ("speed^4 + mass", ["speed^2"], ["--variables", "speed,mass"]),
    ],
)
def test_what_rewrite_leaves_is_read_again(f, inner, options, capsys):
    assert run(["rewrite", f, *(part for h in inner for part in ("--in", h)), *options]) == 1
    form = capsys.readouterr().out.strip()
    given = [part for h in inner for part in ("--inner", h)]
    run(["verify", f, "--outer", form, *given, *options, "--json"])
    verdict = read(capsys)
    assert verdict["status"] in ("verified", "trivial"), form  # f's own variables may say all of f
    assert verdict["inner"][: len(inner)] == inner
    assert len(verdict["inner"]) > len(inner)


@pytest.mark.parametrize(
    ("f", "outer", "inner", "words"),
    [
        ("(x^2+y)^2 + x^2 + y", "x^2 + y", ["b^2 + b"], "the other way round: --outer 'b^2 + b'"),
        ("x^4 + y^2", "b0^2 + q^2", ["x^2", "y"], "q in the outer polynomial"),
        ("x^4 + y^2", "b0^2 + b1^2 + b2", ["x^2", "y"], "inner polynomials is 2"),
        ("x^4 + y^2", "b1^2 + b2^2", ["x^2", "y"], "b0 stands for the first"),
        ("x^4 + y^2", "b^2", ["x^2", "y"], "write b0 for the first"),
        ("x^4 + y^2", "u + v + w", ["x^2", "y"], "one inner polynomial for each"),
        ("x^4 + y^2", "g(u, v, w) = u^2", ["x^2", "y"], "g(u, v, w) has 3 arguments"),
        ("x^4 + y^2", "g(b1, b0) = b1^2 + b0", ["x^2", "y"], "not in the order of their numbers"),
        ("x^4 + y^2", "g(u, v) = u^2 + q", ["x^2", "y"], "q in the outer polynomial"),
    ],
)
def test_an_outer_that_does_not_fit_is_explained(f, outer, inner, words, capsys):
    given = [part for h in inner for part in ("--inner", h)]
    assert run(["verify", f, "--outer", outer, *given]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("f", "outer", "inner", "note"),
    [
        ("(x^2+1)^2 + x^2 + 1", "x^2 + 1", ["b^2 + b"], "the other way round: --outer 'b^2 + b'"),
        ("(x^2+1)^2 + x^2 + 1", None, ["b^2 + b"], "f has no b"),
        (
            "x^4 + y^2",
            "u^2 + v^2",
            ["x^2", "y"],
            "u stands for inner polynomial 1 and v for inner polynomial 2",
        ),
        ("x^4", "b0^2", ["x^2", "y"], "does not use inner polynomial 2"),
        ("b^4 + b^2 + b", "b^2 + 2b", ["b^2"], "write h0 for the first inner polynomial"),
    ],
)
def test_what_was_assumed_is_noted(f, outer, inner, note, capsys):
    given = [part for h in inner for part in ("--inner", h)]
    run(["verify", f, *([] if outer is None else ["--outer", outer]), *given, "--json"])
    assert any(note in said for said in read(capsys)["notes"])


def test_the_arguments_of_g_stand_for_the_inner_polynomials_in_their_order(capsys):
    f = "x^4 - y^4"
    for outer, code in (
        ("g(v, u) = v^2 - u^2", 0),
        ("g(u, v) = v^2 - u^2", 1),
        ("g(b0, b1) = b0^2 - b1^2", 0),
    ):
        assert run(["verify", f, "--outer", outer, "--inner", "x^2", "--inner", "y^2"]) == code
    assert run(["verify", "x^4 + y", "--outer", "g(u) = u^2 + y", "--inner", "x^2"]) == 0


def test_a_chain_is_verified_as_it_is_shown(capsys):
    f = "x^8 - 8x^6 + 20x^4 - 16x^2 + 2"
    assert run(["decompose", f]) == 0
    chain = next(line for line in capsys.readouterr().out.splitlines() if "∘" in line).partition("= ")[2]
    outer, _, inner = chain.rpartition(" ∘ ")
    assert run(["verify", f, "--outer", outer, "--inner", inner]) == 0
    assert run(["verify", chain, "--inner", inner]) == 0
    assert run(["verify", f, "--outer", "(a + b)^2 ∘ (x^2 + 1)", "--inner", inner]) == 2
    assert "more than one variable" in capsys.readouterr().err
    assert run(["verify", f, "--outer", "b^1000 ∘ (x + 1)^1000", "--inner", inner]) == 2
    assert "too large" in capsys.readouterr().err


def test_inner_polynomials_may_be_a_list(capsys):
    assert run(["verify", "x^4 + y^4", "--inner", "{x^2, y^2}", "--json"]) == 0
    assert read(capsys)["inner"] == ["x^2", "y^2"]
    assert run(["rewrite", "x^4 + y^4", "--in", "x^2, y^2"]) == 0
    assert capsys.readouterr().out == "b0^2 + b1^2\n"
    assert run(["verify", "x^4", "--inner", "1,5 x^2"]) == 2
    assert "decimal" in capsys.readouterr().err


def test_a_second_outer_is_refused(capsys):
    assert run(["verify", "x^4", "--inner", "x^2", "--outer", "b^2", "--outer", "b"]) == 2
    assert "--inner for each" in capsys.readouterr().err


def test_options_of_one_expression_are_refused_for_many(capsys):
    for option in (["--time-limit", "1"], ["--variables", "x"]):
        assert run(["verify", "quick", *option]) == 2
        assert "needs at least one --inner" in capsys.readouterr().err
