"""Functions, roots and quotients are variables named by their text, if that is asked for."""

import pytest
import sympy

from polyctl.algebra.complexity import complexity_of
from polyctl.algebra.parse import Limits, parse
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import latex, plain, plain_composition
from polyctl.algebra.sympy_form import from_sympy, sympy_expression
from polyctl.errors import ParseError, UsageError

READ = [
    ("exp(a)^2 + exp(a)", "exp(a)^2 + exp(a)", r"\exp(a)^{2} + \exp(a)"),
    ("sin(x+y) + sin(y + x)", "2*sin(x + y)", r"2 \sin(x + y)"),
    (r"\sin x + sin(x) + Sin[x] + \sin{x}", "4*sin(x)", r"4 \sin(x)"),
    (r"\sin^2 x \cos x", "cos(x)*sin(x)^2", r"\cos(x) \sin(x)^{2}"),
    (r"\sin 2x", "sin(2*x)", r"\sin(2 x)"),
    (r"\sqrt{2} + sqrt(2) + √2", "3*sqrt(2)", r"3 \sqrt{2}"),
    (r"x^(1/2) x^{3/2} + \sqrt{x}", "sqrt(x)^4 + sqrt(x)", r"\sqrt{x}^{4} + \sqrt{x}"),
    (r"\sqrt[3]{x_12}^2", "(x_12^(1/3))^2", r"\left(x_{12}^{\frac{1}{3}}\right)^{2}"),
    (r"2/x + x^-2 + \frac{1}{x} + x⁻¹", "(1/x)^2 + 4*(1/x)", r"\left(\frac{1}{x}\right)^{2} + 4 \frac{1}{x}"),
    ("(x+1)^-3000", "(1/(x + 1))^3000", None),
    ("1/(x+1)^2 + 1/x", "(1/(x + 1))^2 + 1/x", r"\left(\frac{1}{x + 1}\right)^{2} + \frac{1}{x}"),
    ("1/(2x y^2)", "1/2*(1/x)*(1/y)^2", r"\frac{1}{2} \frac{1}{x} \left(\frac{1}{y}\right)^{2}"),
    ("e^{2x} + 3 * 2^x", "e^(2*x) + 3*2^x", r"e^{2 x} + 3 \left(2^{x}\right)"),
    ("exp(2x) + exp(x)^2", "exp(x)^2 + exp(2*x)", r"\exp(x)^{2} + \exp(2 x)"),
    ("log_2(x) ArcTan[x]", "arctan(x)*log_2(x)", r"\arctan(x) \log_{2}(x)"),
    (r"\operatorname{arsinh}(\alpha)", "arsinh(alpha)", r"\operatorname{arsinh}(\alpha)"),
    ("sin(exp(x+1) + 1/y)", "sin(exp(x + 1) + 1/y)", None),
]


@pytest.mark.parametrize(("text", "shown", "in_latex"), READ)
def test_atoms_are_variables_named_by_their_text(text, shown, in_latex):
    f = parse(text, atoms=True)
    assert plain(f) == shown
    assert parse(shown, atoms=True) == f
    assert parse(shown, names(f), atoms=True) == f
    assert in_latex is None or latex(f) == in_latex
    if in_latex is not None:
        assert parse(in_latex, atoms=True) == f


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        (r"\sin x y", 7, "where the argument of sin ends"),
        ("tan x / 2", 6, "where the argument of tan ends"),
        ("x mod 2", 2, "the word 'mod'"),
        ("log(x, 2)", 5, "','"),
        (r"\sin^{-1} x", 0, "could be the inverse function"),
        ("1 + sin", 4, "needs an argument"),
        ("sin(x", 3, "never closed"),
        (r"\sqrt[2.5]{x}", 0, "a root that is not"),
        ("1/(x - x)", 2, "division by zero"),
        ("x^-999999999", 1, "exponent above the limit"),
    ],
)
def test_atoms_that_cannot_be_read(text, position, words):
    with pytest.raises(ParseError, match=words) as error:
        parse(text, atoms=True)
    assert error.value.position == position


def test_atoms_have_limits():
    with pytest.raises(ParseError, match="more than 3"):
        parse("sin(a) + sin(2a) + sin(3a) + sin(4a)", limits=Limits(variables=3), atoms=True)
    with pytest.raises(ParseError, match="500 characters"):
        parse("sin((x + 1)^60)", atoms=True)
    with pytest.raises(ParseError, match="nested deeper"):
        parse(r"\sin " * 200 + "x", atoms=True)


def test_names_may_be_atoms():
    assert names(parse("x + sin(y)", ["sin(y)", "x"], atoms=True)) == ("sin(y)", "x")
    for wrong in (["2*sin(x)"], ["sin("], ["sin(x)", "sin( x )"]):
        with pytest.raises(UsageError):
            parse("1", wrong, atoms=True)


def test_an_atom_counts_as_one_symbol():
    assert complexity_of(parse("sin(x1)^2 + 1/x2", atoms=True)) == complexity_of(parse("x^2 + y"))


def test_atoms_in_compositions_and_sympy():
    g, h = parse("b^2 + b", ["b"]), parse("1/x", atoms=True)
    assert plain_composition(g, [h]) == "(1/x)^2 + (1/x)"
    assert plain_composition(g, [parse("sin(x)", atoms=True)]) == "sin(x)^2 + sin(x)"
    assert sympy_expression(parse("sin(x)^2", atoms=True)) == sympy.sin(sympy.Symbol("x")) ** 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log_2(x) ArcTan[x]", "log(x, 2)*atan(x)"),
        (r"\sqrt[3]{x_12}^2", "cbrt(x_12)**2"),
        ("e^{2x} + 3 * 2^x", "Symbol('e')**(2*x) + 3*2**x"),
        ("(x_{max} + 1)^y", "(x_max + 1)**y"),
        ("sin(exp(x+1) + 1/y)", "sin(exp(x + 1) + 1/y)"),
        ("1/(x+1)^2 + abs(x)", "1/(x + 1)**2 + Abs(x)"),
        ("det(x)", "Function('det')(x)"),
    ],
)
def test_atoms_become_functions_of_sympy(text, expected):
    assert sympy_expression(parse(text, atoms=True)) == sympy.sympify(expected)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("exp(a)**2 + exp(a)", "exp(a)^2 + exp(a)"),
        ("(x + 1)**-2 + x", "1/(x + 1)^2 + x"),
        ("x**Rational(3, 2) + sqrt(2)", "sqrt(x)^3 + sqrt(2)"),
        ("cbrt(x)**2 + 2**x", "x^(1/3)^2 + 2^x"),
        ("sin(speed*x)**2 + speed/x", "sin(speed*x)^2 + speed*1/x"),
        ("Integer(3)", "3"),
        ("x**2 + y", "x^2 + y"),
    ],
)
def test_functions_of_sympy_become_atoms_and_come_back(expression, shown):
    f = sympy.sympify(expression)
    assert str(from_sympy(f, atoms=True)) == shown
    assert sympy_expression(from_sympy(f, atoms=True)) == f


def test_equations_and_polynomials_of_sympy_may_have_atoms():
    x, y = sympy.symbols("x y")
    assert str(from_sympy(sympy.Eq(sympy.sin(x) ** 2, y), atoms=True)) == "sin(x)^2 - y"
    assert str(from_sympy(sympy.Poly(x**2 + sympy.sin(y), x), atoms=True)) == "x^2 + sin(y)"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("pi*x**2", "pi is neither"),
        ("f(x)**2", r"f\(x\) is neither"),
        ("Min(x, y)**2", "cannot be read"),
        ("I*x**2", "the coefficient I is not"),
        ("0.5*x**2", "the decimal 0.5 in a SymPy"),
    ],
)
def test_what_atoms_are_not(expression, words):
    with pytest.raises(UsageError, match=words) as caught:
        from_sympy(sympy.sympify(expression), atoms=True)
    assert "symbol" in caught.value.hint or "sympy.Rational" in caught.value.hint


_X = sympy.Symbol("x")


@pytest.mark.parametrize("atoms", [False, True])
@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (_X**4 / 3 + 0.1 * _X**2, "the decimal 0.1 in"),
        (sympy.Poly(_X**2 + 0.5), "the decimal 0.5 in"),
        (_X**2.0 + 1, "the decimal 2.0 in"),
        (sympy.Eq(_X**2, 2.5), "the decimal 2.5 in"),
        (sympy.Poly(_X**2 + 1, modulus=5), "finite field"),
        (_X * sympy.Symbol("x", positive=True), "two symbols are called x"),
        (_X > 1, "type StrictGreaterThan"),
        (sympy.Interval(0, 1), "type Interval"),
        (sympy.Symbol("x + 1") ** 2, "not a valid name"),
        (sympy.MatrixSymbol("A", 2, 2), "not a polynomial"),
    ],
)
def test_what_no_polynomial_of_sympy_is(expression, words, atoms):
    with pytest.raises(UsageError, match=words) as caught:
        from_sympy(expression, atoms=atoms)
    assert caught.value.hint


def test_symbols_of_sympy_are_called_as_in_text():
    assert str(from_sympy(sympy.Symbol("λ") ** 2 * sympy.Symbol("x_{1}"))) == "lambda^2*x_1"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4^x - 3*2^(x+1) + 8", "-6*2^x + 4^x + 8"),
        ("2^(2x-1) + 2^(x-3)", "1/2*2^(2*x) + 1/8*2^x"),
        ("(1/3)^(x+2)", "1/9*(1/3)^x"),
        ("2^(x+1/2)", "2^(x + 1/2)"),
        ("y^(x+1)", "y^(x + 1)"),
    ],
)
def test_whole_numbers_leave_the_exponents_of_numbers(text, shown):
    assert str(parse(text, atoms=True)) == shown


def test_a_large_number_in_an_exponent_is_refused():
    with pytest.raises(ParseError, match="exponent above"):
        parse("2^(x+10000000)", atoms=True)


def test_each_variable_of_a_divisor_has_an_inverse():
    for letters in ("xy", "abcdef"):
        product = "*".join(letters)
        f = parse(f"1/({product}) + {product}", atoms=True)
        assert {f"1/{letter}" for letter in letters} <= set(names(f))
