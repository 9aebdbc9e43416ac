"""polyctl decompose, run as a user runs it."""

import json

import pytest

from polyctl.algebra.budget import OutOfTime
from polyctl.cli.app import run
from tests.cli.helpers import read
from tests.processes import POLYCTL, run_program

QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"


def test_decompose_needs_no_model(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--json", "--runs", str(tmp_path)]) == 0
    report = read(capsys)
    assert report["input"] == QUARTIC
    first = report["solutions"][0]
    assert {
        "rank": 1,
        "outer": "b^2 + 4",
        "inner": ["x^2 + x + 1"],
        "chain": ["b^2 + 4", "x^2 + x + 1"],
        "status": "verified",
    }.items() <= first.items()
    assert first["source"].startswith("exact")
    assert first["complexity"] > 0
    assert report["seconds"] > 0


def test_decompose_for_people(tmp_path, capsys):
    assert run(["decompose", QUARTIC, "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "g(b) = b^2 + 4" in out
    assert "verified" in out
    assert run(["decompose", "x_1^4 + 2x_1^2 + 3", "--latex", "--runs", str(tmp_path)]) == 0
    assert "x_{1}^{2}" in capsys.readouterr().out
    assert run(["decompose", "x^5 + x", "--runs", str(tmp_path)]) == 1
    assert "indecomposable" in capsys.readouterr().out
    hard = "x^3 + x^2 y + x y^2 z + y^3 z + x + z^2 + z y"
    assert run(["decompose", hard, "--inners", "1", "--runs", str(tmp_path), "--time-limit", "3"]) == 1
    out = capsys.readouterr().out
    assert "none found" in out
    assert "indecomposable" not in out
    assert "no model has been trained" in out


def test_decompose_with_an_untrained_model_finds_nothing_but_says_so(place, capsys):
    assert run(["decompose", QUARTIC, "--method", "neural", "--json"]) == 1
    report = read(capsys)
    assert all(s["status"] != "verified" for s in report["solutions"])
    assert report["tried"][0]["method"].startswith("neural (smoke/")


def test_decompose_many_lines():
    typed = f"{QUARTIC}\n\nx^4 + (\nx^5 + 1\n"
    done = run_program([*POLYCTL, "decompose", "-", "--method", "exact"], input=typed)
    assert done.returncode == 1
    first, broken, prime = map(json.loads, done.stdout.splitlines())
    assert first["solutions"][0]["status"] == "verified"
    assert "error" in broken
    assert broken["input"] == "x^4 + ("
    assert prime["indecomposable"]


@pytest.mark.parametrize(
    ("options", "first"),
    [
        (["(x^2+y)^2+y", "--in", "x"], ["x^2 + y", "y"]),
        (["(rate^2 + c)^2 + c", "--variables", "rate,c"], ["rate^2 + c", "c"]),
        (["[1, 0, 2, 0, -3]", "--coefficients"], ["x^2 + 1"]),
        (["f(x) = x^4 + 2x^2 - 3"], ["x^2 + 1"]),
        (["(x + 1/x)^4 - 2(x + 1/x)^3 + 1", "--atoms"], ["x + 1/x"]),
        (["(sin(a+x)^2 + y)^2 + y", "--atoms", "--in", "sin(a + x)"], ["sin(a + x)^2 + y", "y"]),
        (["(rate^2 + exp(x))^2 + 1", "--atoms", "--variables", "rate,x"], ["rate^2 + exp(x)"]),
    ],
)
def test_what_people_type_is_read(options, first, capsys):
    assert run(["decompose", *options, "--method", "exact", "--json"]) == 0
    assert read(capsys)["solutions"][0]["inner"] == first


def test_atoms_are_shown_as_what_they_stand_for(capsys):
    assert run(["decompose", "\\sin^2(x) + 2\\sin x \\cos y + \\cos^2 y + z", "--atoms", "--latex"]) == 0
    assert "h1 = \\cos(y) + \\sin(x)" in capsys.readouterr().out
    assert run(["decompose", "(tan(x) z+y)^2", "(tan(x) z+y)^3", "--atoms", "--common", "--json"]) == 0
    assert read(capsys)["inner"] == ["tan(x)*z + y"]


def test_a_model_knows_an_atom_as_a_variable(place, capsys):
    assert run(["decompose", "sin(x)^4 + 2sin(x)^2", "--atoms", "--method", "neural", "--json"]) == 1
    assert read(capsys)["tried"][-1]["method"].startswith("neural (smoke/")


def test_a_note_says_what_is_a_variable(capsys):
    assert run(["decompose", "e^4 + e^2"]) == 0
    assert capsys.readouterr().err == "note: e is a variable here, not the constant\n"
    assert run(["decompose", "e^4 + e^2", "--json"]) == 0
    assert read(capsys)["notes"] == ["e is a variable here, not the constant"]
    assert run(["decompose", "e^4 + e^2", "--variables", "e"]) == 0
    assert capsys.readouterr().err == ""


def test_a_search_in_vain_notes_what_it_did_not_use(capsys):
    assert run(["decompose", "x^3 + y/x + x + y^2 + x y", "--atoms"]) == 1
    assert "without x*(1/x) = 1" in capsys.readouterr().err
    assert run(["decompose", "(x + 1/x)^2 + 1", "--atoms"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "inner", "note"),
    [
        ("x^2 + 1/x^2 + 3", "x + 1/x", ""),
        ("x^4 + 4/x^4 + x^2 + 2/x^2", "x^2 + 2*(1/x)^2", ""),
        ("exp(4x) + exp(-4x) + 3exp(2x) + 3exp(-2x)", "exp(2*x) + exp(-2*x)", "exp(a)*exp(b)"),
        ("x^2 + 2x sqrt(x) + x", "sqrt(x)^2 + sqrt(x)", "f is sqrt(x)^4 + 2*sqrt(x)^3 + sqrt(x)^2"),
        ("(4^x + 2^x)^2 + 4^x + 2^x", "(2^x)^2 + 2^x", "2^a*2^b = 2^(a + b)"),
        ("cos(2x)^4 + cos(x)^2 sin(x)^2", "cos(2*x)^2", "addition theorems"),
    ],
)
def test_identities_of_atoms_are_used(text, inner, note, capsys):
    assert run(["decompose", text, "--atoms", "--method", "exact", "--json"]) == 0
    found = read(capsys)
    assert inner in [h for solution in found["solutions"] for h in solution["inner"]]
    assert note in "".join(found["notes"])


def test_roots_go_through_the_chain(capsys):
    assert run(["decompose", "(x+1)(x+3)(x+5)(x+7) = 5760", "--roots", "--json"]) == 0
    roots = read(capsys)["roots"]
    assert [r["root"] for r in roots[:2]] == ["-13", "5"]
    assert len(roots) == 4
    assert run(["decompose", "x^4 - 2x^2 + 1", "--roots"]) == 0
    assert "root -1, 2 times" in capsys.readouterr().out
    assert run(["decompose", "sin(x)^4 - 2sin(x)^2 + 1", "--roots", "--atoms"]) == 0
    assert "root sin(x) = -1, 2 times" in capsys.readouterr().out


def test_polynomials_share_inner_ones(capsys):
    assert run(["decompose", "(x y+z)^2+1", "(x y+z)^3+x y+z", "--common", "--json"]) == 0
    found = read(capsys)
    assert (found["inner"], found["outers"]) == (["x*y + z"], ["b^2 + 1", "b^3 + b"])
    assert run(["decompose", "x^2+1", "x^3+x", "--common"]) == 1
    shown = capsys.readouterr().out
    assert "none found" in shown
    assert "proved by components" in shown
    assert run(["decompose", "x^3+y^3+1", "x^5+y^2+x*y", "--common", "--json"]) == 1
    found = read(capsys)
    assert (found["inner"], found["outers"], found["stopped"]) == ([], [], None)
    assert found["tried"][-1]["method"] == "answers of each polynomial alone"
    assert run(["decompose", "e^4 + i", "e^6", "5", "--common"]) == 0
    shown = capsys.readouterr()
    assert shown.err == "note: e and i are variables here, not constants\n"
    assert "g3(b0, b1) = 5\n" in shown.out
    assert run(["decompose", "sin(x)^4 + 1", "sin(x)^6", "--common", "--atoms"]) == 0
    assert "h = sin(x)^2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x^4", "y^4"], "use --common"),
        (["x^4", "--common"], "two polynomials or more"),
        (["x^4", "x^6", "--common", "--roots"], "--roots has no meaning with --common"),
        (["x^4", "x^6", "--common", "--latex"], "--latex has no meaning with --common"),
        (["x^4", "6", "--common"], "not constant"),
        (["-", "--coefficients"], "--coefficients has no meaning with -"),
        (["x^4 + y^4", "--in", "z"], "z is not a variable"),
        (["x4+5x2+6"], "x^4+5x^2+6"),
        (["x^4 + x^2", "--variables", ""], "--variables names no variable"),
        (["x^4 + x^2", "--in", " , "], "--in names no variable"),
        (["x squared plus 3"], "write x^2 + 3"),
        (["[1, 0, 2]"], "--coefficients"),
        (["1, 0, -5, 0, 4"], "--coefficients"),
        (["1,5"], "decimals with a point"),
        (["\\phi^\\dagger \\phi"], "a variable of its own"),
        (["sin(x)^2 + 1"], "--atoms"),
        (["x^2 + 1/x"], "--atoms"),
        (["x^2 + x^(1/2)"], "--atoms"),
        (["x^2 + y^2", "--roots", "--method", "exact"], "one variable"),
    ],
)
def test_mistakes_get_a_remedy(arguments, words, capsys):
    assert run(["decompose", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_model_that_is_named_must_exist_even_if_algebra_would_do(capsys):
    assert run(["decompose", "x^4 + 1", "--model", "nosuch"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "nosuch" in said.err


def test_a_palindromic_polynomial_is_shown_in_x_plus_its_inverse(capsys):
    cyclotomic = "x^4 + x^3 + x^2 + x + 1"
    assert run(["decompose", cyclotomic, "--roots"]) == 1
    shown = capsys.readouterr().out
    assert "indecomposable" in shown
    assert "f = x^2*g(x + 1/x), g(b) = b^2 + b - 1" in shown
    assert shown.count("root ") == 4
    assert "sqrt(5)" in shown
    assert run(["decompose", cyclotomic, "--json"]) == 1
    parts = {"cofactor": "1", "power": 2, "constant": "1", "outer": "b^2 + b - 1"}
    assert read(capsys)["reciprocal"] == parts


def test_an_answer_is_shown_though_its_roots_take_too_long(capsys, monkeypatch):
    def find_roots(_f, _budget):
        raise OutOfTime

    monkeypatch.setattr("polyctl.solving.roots.find_roots", find_roots)
    words = ["decompose", "--method", "exact", "--roots", "x^24 + x^12 + 1"]
    assert run(words) == 0
    shown = capsys.readouterr()
    assert "the roots took longer than the time limit" in shown.err
    assert "f = g(h)" in shown.out
    assert run([*words, "--json"]) == 0
    assert read(capsys)["roots"] is None


@pytest.mark.parametrize("text", ["nosuch.txt", "./data/f-1.json", "C:\\f.csv"])
def test_the_name_of_a_file_is_no_polynomial(text, capsys):
    assert run(["decompose", text]) == 2
    assert "polyctl decompose - < FILE" in capsys.readouterr().err


def test_a_product_with_a_point_is_one(capsys):
    assert run(["decompose", "x^2.y^2", "--method", "exact"]) == 0
