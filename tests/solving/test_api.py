"""`import polyctl` as a library: what it loads, what it takes, what comes back."""

from __future__ import annotations

import copy
import doctest
import inspect
import json
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
import sympy

import polyctl
from polyctl.algebra.polynomial import names, ring
from polyctl.errors import FileError, ParseError, UsageError
from polyctl.solving.methods import CHOICES, Choice

ROOT = Path(__file__).parents[2]
QUARTIC = "x^4 + 2x^3 + 3x^2 + 2x + 5"
HEAVY = ("torch", "numpy", "sympy", "textual", "pydantic", "polyctl.config", "polyctl.model")


def loaded(program: str) -> set[str]:
    """The heavy modules that a program has loaded when it ends."""
    ask = f"{program}\nimport sys, json\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=ROOT, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_library_loads_nothing_heavy():
    assert loaded("import polyctl") == set()
    assert loaded("from polyctl import Answer, Solution, Verdict, Polynomial, parse, verify") == set()


def test_an_exact_answer_in_one_variable_loads_nothing_heavy():
    assert loaded(f"import polyctl\nassert polyctl.decompose({QUARTIC!r}).best.verified") == set()


def test_an_exact_answer_on_the_command_line_loads_no_library_of_models():
    program = f"from polyctl.cli.app import run\nassert run(['decompose', {QUARTIC!r}]) == 0"
    assert loaded(program) <= {"pydantic"}  # Typer's own


@pytest.mark.parametrize("module", ["polyctl", "polyctl.solving.api"])
def test_the_examples_of_docstrings_hold(module):
    result = doctest.testmod(import_module(module))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_page_of_the_library_holds():
    result = doctest.testfile(str(ROOT / "docs" / "api.md"), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0


def test_every_public_name_is_on_the_page():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in polyctl.__all__:
        assert getattr(polyctl, name) is not None
        assert name in text
    assert set(dir(polyctl)) == {*polyctl.__all__, "__version__"}
    with pytest.raises(AttributeError, match="nothing"):
        _ = polyctl.nothing


def test_methods_are_typed_by_their_names():
    hint = inspect.signature(polyctl.decompose).parameters["method"].annotation
    assert hint == "Choice | Literal['polish']"
    assert CHOICES == get_args(Choice) == ("auto", "exact", "neural", "numeric")


@pytest.mark.parametrize("kind", ["text", "sympy", "poly", "ours"])
def test_text_sympy_and_polynomials_give_the_same_answer(kind):
    x = sympy.Symbol("x")
    expression = x**4 + 2 * x**3 + 3 * x**2 + 2 * x + 5
    given = {
        "text": QUARTIC,
        "sympy": expression,
        "poly": sympy.Poly(expression, x),
        "ours": polyctl.parse(QUARTIC),
    }
    found = polyctl.decompose(given[kind], method="exact")
    assert found == polyctl.decompose(QUARTIC, method="exact")
    assert hash(found) == hash(polyctl.decompose(QUARTIC, method="exact"))
    assert str(found.best.outer) == "b^2 + 4"
    outer, (inner,) = found.best.to_sympy()
    assert sympy.expand(outer.subs(sympy.Symbol("b"), inner) - expression) == 0


def test_an_inner_in_fewer_variables_is_read_in_the_ring_of_f():
    f = polyctl.parse("x^4 + 2x^2 z + z^2 + y", ["x", "y", "z"])
    verdict = polyctl.verify(f, inner=["x^2 + z", "y"])
    assert verdict.verified
    assert str(verdict.outer) == "b0^2 + b1"
    assert polyctl.verify(f, outer="b0^2 + b1", inner=["x^2 + z", sympy.Symbol("y")]) == polyctl.verify(
        f, outer="b0^2 + b1", inner=["x^2 + z", "y"]
    )


def test_an_inner_in_other_variables_than_f_is_refuted_not_an_error():
    assert polyctl.verify("x^2", outer="b", inner="z^2").status == "refuted"


def test_a_name_of_several_letters_is_known_from_f():
    f = polyctl.parse("(speed^2 + 1)^2", ["speed"])
    assert polyctl.verify(f, inner="speed^2").verified


def test_the_ring_can_be_given():
    assert names(polyctl.decompose("x^4 + x^2", variables=["y", "x"]).f) == ("y", "x")
    other = ring(["x"]).gens()[0]
    assert polyctl.decompose(other**4 + other**2, variables=["y", "x"]).best
    f = polyctl.parse("(x + 1/x)^2 - 7", atoms=True)
    assert str(polyctl.decompose(f, method="exact").best.outer) == "b^2 - 7"


def test_functions_of_sympy_are_variables_and_come_back():
    x, y = sympy.symbols("x y")
    f = (sympy.exp(x) + y) ** 2 + 1
    for given in (f, "(exp(x) + y)^2 + 1"):
        assert polyctl.decompose(given, atoms=True).best.to_sympy()[1] == (sympy.exp(x) + y,)
        assert polyctl.verify(given, inner="exp(x) + y", atoms=True).verified
        assert str(polyctl.complete(given, inner=sympy.exp(x) + y, atoms=True)) == "b^2 + 1"
        assert polyctl.rewrite(given, "exp(x) + y", atoms=True).complete
    assert str(polyctl.compose("b^2", "1/x", atoms=True)) == "1/x^2"
    named = polyctl.decompose(f, variables=[y], atoms=True)
    assert names(named.f) == ("y", "exp(x)")
    with pytest.raises(UsageError, match="not a polynomial") as caught:
        polyctl.decompose(f)
    assert "atoms=True" in caught.value.hint


def test_polynomials_share_inner_ones():
    x, y = sympy.symbols("x y")
    found = polyctl.common([(x * y + 1) ** 2, "(x y)^3"])
    assert [str(h) for h in found.inners] == ["x*y"]
    assert [str(g) for g in found.outers] == ["b^2 + 2*b + 1", "b^3"]
    assert polyctl.common(["x^2 + 1", "x^3 + x"]) is None
    assert polyctl.common(["sin(x)^4", "sin(x)^2"], atoms=True)
    for few in (["x^2"], "x^2"):
        with pytest.raises(UsageError, match="two polynomials"):
            polyctl.common(few)


def test_a_rewriting_prints_its_normal_form():
    found = polyctl.rewrite("x^4 + x", "x^2")
    assert str(found) == "b0^2 + x"
    assert found._repr_latex_() == "$b_{0}^{2} + x$"


def test_answers_go_to_other_processes():
    answer = polyctl.decompose("1/2 x^4 + 2a x^2 + 1", method="exact")
    for copied in (pickle.loads(pickle.dumps(answer)), copy.deepcopy(answer)):
        assert copied.best.inner == answer.best.inner
        assert copied.best.outer == answer.best.outer
        assert copied.to_dict() == answer.to_dict()


def test_a_definition_names_the_main_variables():
    assert polyctl.decompose("f(x) = x^4 + 2a x^2 + 1").best.source == "exact: x as main variables"


def test_completing_and_composing_are_inverse():
    inner = ["x + y", "x y"]
    f = polyctl.compose("b0^3 - 2*b0*b1 + 5", inner)
    assert polyctl.compose(polyctl.complete(f, inner), inner) == f
    assert polyctl.complete("x^3 + y", inner) is None


def test_results_print_show_and_turn_into_dicts():
    answer = polyctl.decompose(QUARTIC)
    assert "g(b) = b^2 + 4" in str(answer)
    assert repr(answer) == "<Answer for x^4 + 2*x^3 + 3*x^2 + 2*x + 5: 1 verified>"
    assert repr(answer.best) == "<Solution verified: outer b^2 + 4, inner x^2 + x + 1>"
    assert "x^{2} + x" in answer._repr_latex_()
    assert json.loads(json.dumps(answer.to_dict()))["solutions"][0]["rank"] == 1
    assert [s.outer for s in answer] == [answer.best.outer]
    verdict = answer.best.verdict
    assert "b^{2}" in verdict._repr_latex_()
    assert verdict.to_dict()["outer"] == "b^2 + 4"
    assert len({answer.best, polyctl.decompose(QUARTIC).best}) == 1
    assert answer.to_sympy() == answer.best.to_sympy()
    nothing = polyctl.decompose("x^5 + x + 1")
    assert not nothing
    assert nothing._repr_latex_() is None
    assert nothing.to_sympy() is None
    assert "indecomposable" in repr(nothing)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: polyctl.decompose("x^2 + )"), ParseError, "expected|unmatched|should"),
        (lambda: polyctl.decompose("x + 1"), UsageError, "degree 1"),
        (lambda: polyctl.decompose(QUARTIC, method="magic"), UsageError, "one of auto"),
        (lambda: polyctl.parse("f(x)^2 + 1"), ParseError, "f"),
        (lambda: polyctl.parse("x^2 + y", ["x"]), ParseError, "y"),
        (lambda: polyctl.decompose(object()), UsageError, "cannot read"),
        (lambda: polyctl.decompose(sympy.sin(sympy.Symbol("x"))), UsageError, "not a polynomial"),
        (lambda: polyctl.decompose(0.5 * sympy.Symbol("x") ** 2), UsageError, "the decimal 0.5"),
        (lambda: polyctl.decompose(polyctl.parse("x^2 y"), variables=["x"]), UsageError, "not among"),
        (lambda: polyctl.verify("x^2", outer="b0 + b1", inner="x"), UsageError, "number of inner"),
        (lambda: polyctl.load_model("no/where"), FileError, "no run"),
    ],
)
def test_wrong_input_raises_our_errors(call, error, words):
    with pytest.raises(error, match=words) as caught:
        call()
    assert isinstance(caught.value, polyctl.errors.PolyctlError)


def test_variables_are_named_by_text_or_by_symbols():
    x, a = sympy.symbols("x a")
    f = (x**2 + a * x) ** 2 + a
    by_text = polyctl.decompose(f, main="x", variables="a, x")
    assert by_text == polyctl.decompose(f, main=[x], variables=[a, x])
    assert names(by_text.f) == ("a", "x")


@pytest.mark.parametrize("text", ["x^4 + 2x^2 = 3", "f(x) = x^4 - x", "Decompose[x^4 + x^2, x]", "x^2/2"])
def test_text_is_read_in_one_way(text):
    assert polyctl.parse(text) == polyctl.decompose(text, method="exact").f


def test_a_model_s_wrong_answers_are_polished():
    asked = []

    class Model:
        def candidates(self, f, budget):
            asked.append(f)
            return iter(())

    f = "8x^4 - 9x^3y + 5x^3z + 3x^2yz - 2xy^3 + 7x y z^2 + y^4 + 2y z^3 + 11 z^4"
    assert not polyctl.decompose(f, method="polish", inners=1, time_limit=1, model=Model())
    assert asked


def test_no_inner_polynomial_is_an_error_where_one_is_needed():
    for ask in (polyctl.rewrite, polyctl.compose):
        with pytest.raises(UsageError, match="no inner polynomial"):
            ask("b^2", [])


def test_limits_that_are_too_small_are_errors():
    with pytest.raises(UsageError, match="too few"):
        polyctl.decompose(QUARTIC, inners=0)
    with pytest.raises(UsageError, match="time limit of -1"):
        polyctl.decompose(QUARTIC, time_limit=-1)
