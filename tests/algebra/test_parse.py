"""parse against SymPy, every way of writing, every kind of bad input with its place, and the limits."""

from __future__ import annotations

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.names import natural_key
from polyctl.algebra.parse import Limits, parse
from polyctl.algebra.polynomial import names, ring
from polyctl.algebra.printing import plain
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.errors import ParseError, UsageError

# Text and the SymPy value it should have, built side by side.
Pair = tuple[str, sympy.Expr]

_atoms: st.SearchStrategy[Pair] = st.one_of(
    st.sampled_from(["x", "y", "a0", "x_1", "α"]).map(
        lambda n: (n, sympy.Symbol("alpha" if n == "α" else n))
    ),
    st.integers(0, 99).map(lambda n: (str(n), sympy.Integer(n))),
    st.integers(0, 999).map(lambda n: (f"{n / 100:.2f}", sympy.Rational(n, 100))),
    st.tuples(st.integers(0, 20), st.integers(1, 9)).map(
        lambda t: (rf"\frac{{{t[0]}}}{{{t[1]}}}", sympy.Rational(*t))
    ),
)


def _extend(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    brackets = st.sampled_from(["({})", "[{}]", "{{{}}}", r"\left( {} \right)"])
    grouped = st.tuples(inner, brackets).map(lambda t: (t[1].format(t[0][0]), t[0][1]))
    powers = st.tuples(grouped, st.integers(0, 3), st.sampled_from(["^{}", "**{}", "^{{{}}}", "^({})"])).map(
        lambda t: (t[0][0] + t[2].format(t[1]), t[0][1] ** t[1])
    )
    superscripts = st.tuples(grouped, st.integers(0, 3)).map(
        lambda t: (t[0][0] + "⁰¹²³"[t[1]], t[0][1] ** t[1])
    )
    sums = st.tuples(inner, st.sampled_from(["+", " - ", "−", " + "]), grouped).map(
        lambda t: (
            f"{t[0][0]}{t[1]}{t[2][0]}",
            t[0][1] + t[2][1] if "+" in t[1] else t[0][1] - t[2][1],
        )
    )
    products = st.tuples(grouped, st.sampled_from(["*", " · ", "×", r"\cdot ", "", " "]), grouped).map(
        lambda t: (f"{t[0][0]}{t[1]}{t[2][0]}", t[0][1] * t[2][1])
    )
    quotients = st.tuples(grouped, st.integers(1, 9)).map(lambda t: (f"{t[0][0]}/{t[1]}", t[0][1] / t[1]))
    signed = grouped.map(lambda t: (f"-{t[0]}", -t[1]))
    return st.one_of(powers, superscripts, sums, products, quotients, signed)


@settings(max_examples=150, deadline=None)
@given(st.recursive(_atoms, _extend, max_leaves=6))
def test_parse_agrees_with_sympy(pair: Pair) -> None:
    text, expected = pair
    assert sympy.expand(sympy_expression(parse(text)) - expected) == 0


@settings(max_examples=200, deadline=None)
@given(st.text("xyz019+-*/^(){}[]_.,=\\ acdfort$²₁−·α\n", max_size=30) | st.text(max_size=12))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    refused: ParseError | None = None
    try:
        value = parse(text, limits=Limits(degree=50, exponent=20, terms=500, digits=50))
    except ParseError as error:
        refused = error
    if refused is None:
        assert parse(plain(value), names(value)) == value
    else:
        assert 0 <= refused.position <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^4 + 2x^2 - 3", "x^4 + 2*x^2 - 3"),
        ("x**4+2 x**2", "x^4 + 2*x^2"),
        ("2 x y", "2*x*y"),
        ("3(x+1)^2", "3*x^2 + 6*x + 3"),
        ("(x+1)(x-1)", "x^2 - 1"),
        ("x(x+1)", "x^2 + x"),
        ("1/2 x", "1/2*x"),
        ("1/2x", "1/2*x"),
        ("x/3", "1/3*x"),
        ("(x+1)/2", "1/2*x + 1/2"),
        ("x/(1/2)", "2*x"),
        ("0.125x + .5", "1/8*x + 1/2"),
        ("x² − 3×y·z ÷ 2", "x^2 - 3/2*y*z"),
        ("x¹²", "x^12"),
        ("½x", "1/2*x"),
        ("𝑥² + １", "x^2 + 1"),
        (r"x^{2} \cdot 3 \times y", "3*x^2*y"),
        (r"\frac{x+1}{2} + \frac12 y + \frac{1}3", "1/2*x + 1/2*y + 5/6"),
        (r"\left( x + 1 \right)\,\left[ x \right]", "x^2 + x"),
        (r"$x^2$", "x^2"),
        (" $$ x^2\n+ 1 $$ ", "x^2 + 1"),
        (r"\( x \)", "x"),
        (r"\alpha^2 + β", "alpha^2 + beta"),
        (r"\varphi + phi", "2*phi"),
        ("-x^2", "-x^2"),
        ("(-x)^2", "x^2"),
        ("2 - -x", "x + 2"),
        ("2*-x", "-2*x"),
        ("x^(2)", "x^2"),
        ("x^0", "1"),
        ("x^(2*2) + x^(1+1)", "x^4 + x^2"),
        ("x^{2^3} + x^{10/2}", "x^8 + x^5"),
        ("x^((2)) + y^(3-1)", "x^2 + y^2"),
        (r"x^{2\cdot 3} + x^{\frac{4}{2}}", "x^6 + x^2"),
        ("2^-1 x^2 + 10⁻¹ + (2/3)^(-2)", "1/2*x^2 + 47/20"),
        (r"2.5 \times 10^{-3} x^2", "1/400*x^2"),
        ("binomial(4,2) x^2 + C(4, 2) + nCr(3,1)", "6*x^2 + 9"),
        (r"\binom{4}{2} x + \binom42 + binomial(x, 2)", "1/2*x^2 + 11/2*x + 6"),
        ("binomial(3,5) + binomial(3,-1) + binomial(-2,3)", "-4"),
        ("C(4) + C", "5*C"),
        ("C(n,2) + binomial(1/2, 2)", "1/2*n^2 - 1/2*n - 1/8"),
        ("S(1/2)*x + S(-2)", "1/2*x - 2"),
        ("pow(x,4) + 2*Math.pow(x, 2) + np.power(y, 3)", "x^4 + y^3 + 2*x^2"),
        ("Plus[Power[x,4],Times[2,Power[x,2]],-3]", "x^4 + 2*x^2 - 3"),
        ("Rational(1,2)*x**2 + S(1)/3 + QQ(2)", "1/2*x^2 + 7/3"),
        ("Add(Pow(Symbol('x'), Integer(2)), Integer(1))", "x^2 + 1"),
        ("Subscript[x, 1]^2 + Subscript[x,2]", "x_1^2 + x_2"),
        ("xᵢ² + xₙ", "x_i^2 + x_n"),
        (r"m_\phi^2 + x_{\mu} + E_{\mathrm{kin}} + k_β", "m_{phi}^2 + E_{kin} + k_{beta} + x_{mu}"),
        (r"{x^4 + 1 \over 2} + {5 \choose 2} + \frac x2", "1/2*x^4 + 1/2*x + 21/2"),
        ("1.*^-3 x + 2*^2", "1/1000*x + 200"),
        ("1/2 at^2 + 2be^2", "1/2*a*t^2 + 2*b*e^2"),
        ("２ｘ＾２＋１", "2*x^2 + 1"),
        ("2\u2062x\u200b\u00ad ✕ y ➕ 1", "2*x*y + 1"),
        ("0^0", "1"),
        ("x - x", "0"),
        ("x\u200b+\u00a01", "x + 1"),
        ("x^4 + 0.5x^2 + 1e-3", "x^4 + 1/2*x^2 + 1/1000"),
        ("x^4 + 1e" + "0" * 5000 + "2 + 1e-0002", "x^4 + 10001/100"),
        ("2.5E+2 x", "250*x"),
        ("x[1]^2 + 2 x[1] x[2]", "x1^2 + 2*x1*x2"),
        ("x[1, 2] + 1", "x1_2 + 1"),
        ("x[1][2] + x[1]", "x1 + x1_2"),
        ("x.^2 + 3.*x + 2 .* y", "x^2 + 3*x + 2*y"),
        ("4! x + 3!", "24*x + 6"),
        ("3abc + a + b + c", "3*a*b*c + a + b + c"),
        ("xyz + 1", "x*y*z + 1"),
        ("ax^2 + bx + c", "a*x^2 + b*x + c"),
        ("2abx + x", "2*a*b*x + x"),
        ("mass_1^2 + mass_2", "mass_1^2 + mass_2"),
        ("x^1200 + x^600", "x^1200 + x^600"),
    ],
)
def test_ways_of_writing(text: str, expected: str) -> None:
    assert plain(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("xy", ("x", "y")),
        ("2xyx", ("x", "y")),
        ("a0 a10 a2", ("a0", "a2", "a10")),
        ("x2y", ("x2", "y")),
        ("x_1x_2", ("x_1", "x_2")),
        ("x_{12} + x_12", ("x_12",)),
        ("x₁ + x_1", ("x_1",)),
        ("x_ij", ("j", "x_i")),
        ("x_{max}", ("x_max",)),
        ("x_{1,2}", ("x_1_2",)),
        ("alpha_1 + α₁", ("alpha_1",)),
        ("alpha x", ("alpha", "x")),
        (r"\mathrm{rate} t", ("rate", "t")),
        ("B + a", ("B", "a")),
        ("7", ()),
    ],
)
def test_names_without_a_list(text: str, variables: tuple[str, ...]) -> None:
    assert names(parse(text)) == variables


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("xy", ["x", "y"], "x*y"),
        ("xy", ["x", "y", "xy"], "xy"),
        ("rate*time^2", ["time", "rate"], "time^2*rate"),
        ("ratetime", ["rate", "time"], "rate*time"),
        ("x_1x_2", ["x_1", "x_2"], "x_1*x_2"),
        ("x_{1} + x_2", ["x1", "x2"], "x1 + x2"),
        ("x_{1}y", ["x1", "y"], "x1*y"),
        ("x1", ["x_1"], "x_1"),
        ("x2y", ["x2", "y"], "x2*y"),
        ("αβ", ["α", r"\beta"], "alpha*beta"),
        ("2e3", ["e3"], "2*e3"),
        ("x_{12}", ["x_{12}"], "x_12"),
    ],
)
def test_given_names_decide(text: str, variables: list[str], expected: str) -> None:
    f = parse(text, variables)
    assert plain(f) == expected
    assert names(f) == tuple(canonical_name(name) for name in variables)


def test_given_names_keep_their_order_and_unused_ones() -> None:
    assert names(parse("x", ["y", "x"])) == ("y", "x")


@pytest.mark.parametrize("variables", [["x", "x"], ["2"], [""], ["x+y"], ["α", "alpha"], ["a" * 61]])
def test_bad_names(variables: list[str]) -> None:
    with pytest.raises(UsageError):
        parse("1", variables)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x^2 +", "nothing follows the last '+'"),
        ("x^", "write the exponent after ^"),
        ("x + * y", "missing between '+' and '*'"),
        ("* x", "missing before '*'"),
        ("(x + ) y", "missing between '+' and ')'"),
        ("x ()", "nothing stands in these brackets"),
        ("((x+1)^2 + (x+1)", "write ')' where it ends: there are 3 '(' and 2 ')'"),
        ("x + 1) y", "write '(' where the part that it closes begins"),
        ("2(x+1]", "')' must close the '(' that is character 2"),
        ("x squared plus 3", "write x^2 + 3"),
        ("x to the power of 4 minus 2 times x cubed", "write x^4 - 2 * x^3"),
        ("x plus (y + 1)", "write x + (y + 1)"),
        ("x times(y + 1)", "write x *(y + 1)"),
        ("two x", "write t*w*o for the product"),
    ],
)
def test_a_hint_says_what_is_missing(text: str, hint: str) -> None:
    with pytest.raises(ParseError) as error:
        parse(text)
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "the polynomial is empty"),
        ("  ", 0, "the polynomial is empty"),
        ("x +", 3, "ends where"),
        ("x + * y", 4, "not '*'"),
        ("x*/2", 2, "not '/'"),
        ("()", 1, "not ')'"),
        ("2(x+1", 1, "never closed"),
        ("x)", 1, "unmatched ')'"),
        ("(x+1]", 4, "expected ')', not ']'"),
        ("x^y", 2, "not a whole number"),
        ("x^", 2, "not a whole number"),
        ("x^1.5", 2, "not a whole number"),
        ("x^{1/2}", 3, "not a whole number"),
        ("x^(y+1)", 3, "not a whole number"),
        ("x^(2y)", 3, "not a whole number"),
        ("x^(1-2)", 3, "negative exponent"),
        ("x^{(2)}", 4, "an upper index"),
        ("xⁿ", 1, "not a whole number"),
        ("x^(10^6)", 3, "exponent above"),
        ("x^ + 2", 3, "the exponent is missing"),
        ("a sqrt b", 2, "the word 'sqrt'"),
        ("no", 0, "the word 'no'"),
        ("0^-1", 1, "division by zero"),
        ("pow(x)", 0, "2 arguments, not 1"),
        ("binomial(x, y)", 0, "not a whole number"),
        ("x^-2", 3, "negative exponent"),
        ("x⁻¹", 1, "negative exponent"),
        ("2^3^2", 3, "power of a power"),
        ("x^2²", 3, "power of a power"),
        ("x 2", 2, "needs an operator before it"),
        ("2 3", 2, "needs an operator before it"),
        ("(x+1)2", 5, "needs an operator before it"),
        ("x2^3 + 1/x", 9, "division by something"),
        ("x/0", 2, "division by zero"),
        ("x/(1-1)", 2, "division by zero"),
        ("1e5 + e", 1, "power of ten"),
        ("x^4+2x^2-3 extra words here", 11, "the word 'extra'"),
        ("import os", 0, "the word 'import'"),
        ("nan", 0, "the word 'nan'"),
        ("2rate + 1", 1, "the word 'rate'"),
        ("x!", 1, "unexpected"),
        ("1.5!", 3, "whole number"),
        ("9999!", 0, "10,000 digits"),
        ("x^4 + 3e100000*x^2", 6, "10,000 digits"),
        ("x^4 + 1.5e-20000 x^2", 6, "10,000 digits"),
        ("1e" + "9" * 5000, 0, "10,000 digits"),
        ("2,5x", 1, "comma"),
        ("1.2.3", 3, "two decimal points"),
        ("x = 3", 2, "'='"),
        ("f(x), 2", 4, "','"),
        ("x & y", 2, "'&'"),
        ("x'", 1, '"\'"'),
        ("x\x1b[31m", 1, "U+001B"),
        ("х + 1", 0, "Cyrillic"),
        ("1 + sin(x)", 4, "functions such as sin"),
        (r"1 + \sin x", 4, r"\sin"),
        (r"x + \foo", 4, r"\foo"),
        ("x + \\", 4, "backslash"),
        (r"\mathrm x", 0, "braces"),
        (r"\frac{1}", 8, "two arguments"),
        (r"\frac{1}{x}", 8, "division by something"),
        ("x_", 1, "index"),
        ("x_{i+1}", 1, "index"),
        ("₁x", 0, "'₁'"),
        ("$x$y$", 2, "'$'"),
        ("x..2", 1, "without digits"),
    ],
)
def test_bad_input_and_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert words in caught.value.message
    assert caught.value.position == position
    assert caught.value.text == text


@pytest.mark.parametrize(
    ("text", "variables", "position", "words"),
    [
        ("x + zy", ["x", "y"], 4, "'zy' is not one of the variables"),
        ("xz", ["x"], 1, "'z' is not one"),
        ("3x2", ["x"], 2, "directly after"),
        ("abc", ["a", "ab", "bc", "c"], 0, "several ways"),
        ("β", ["α"], 0, "'beta' is not one"),
    ],
)
def test_bad_input_with_given_names(text: str, variables: list[str], position: int, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text, variables)
    assert words in caught.value.message
    assert caught.value.position == position
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("(x+y+z)^1000000", 8, "exponent above"),
        ("(x+y+z)^100000", 7, "20,000 terms"),
        ("x^" + "9" * 5_000, 2, "exponent above"),
        ("((x^100)^100)^11", 13, "degree of 110,000"),
        ("x^60000 * x^60000", 8, "degree of 120,000"),
        ("(x+y+z+w)^900", 9, "20,000 terms"),
        ("(x+y+z+1)^40 (x+y-z)^40", 13, "20,000 terms"),
        ("((2^1000)^1000)^1000", 9, "10,000 digits"),
        ("((((((9^1000)^9 x)))))^9", 22, "10,000 digits"),
        ("*".join(["(2^1000)"] * 40), 296, "10,000 digits"),
        ("1" * 10_001, 0, "10,000 digits"),
        ("0." + "1" * 10_000, 0, "10,000 digits"),
        ("+".join(f"x_{i}" for i in range(101)), 490, "100 variables"),
        ("(" * 101 + "x" + ")" * 101, 100, "nested deeper"),
        ("x+" * 50_001, 100_000, "longer than 100,000"),
        ("x" + "1" * 61, 0, "60 characters"),
        ("+".join(["(x+y+1)^190"] * 2000), None, "too much work"),
        ("+".join(f"1/{n}^400" for n in range(1001, 1200)), 0, "10,000 digits"),
    ],
)
def test_limits_are_met_before_the_work(text: str, position: int | None, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert words in caught.value.message
    assert position is None or caught.value.position == position


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("xxx", Limits(length=2)),
        ("x^3", Limits(degree=2)),
        ("1^3", Limits(exponent=2)),
        ("x+y+1", Limits(terms=2)),
        ("123", Limits(digits=2)),
        ("xyz", Limits(variables=2)),
        ("((1))", Limits(depth=1)),
        ("(x+1)^9", Limits(work=100)),
    ],
)
def test_each_limit_can_be_set(text: str, limits: Limits) -> None:
    parse(text)
    with pytest.raises(ParseError):
        parse(text, limits=limits)


def test_what_is_just_within_the_limits() -> None:
    assert len(parse("(x+1)^1000")) == 1001
    assert len(parse("(x+y+z)^40")) == 861
    assert parse("(" * 100 + "x" + ")" * 100) == ring(["x"]).gens()[0]
    assert len(plain(parse("7" * 9_999))) == 9_999
    assert len(parse("+".join(f"{i}x^{i % 1000}" for i in range(1, 9000)))) == 1000


def test_a_constant_has_a_ring_without_variables() -> None:
    f = parse("3/2")
    assert names(f) == ()
    assert plain(f + f) == "3"
    assert plain(parse("1 - 1")) == "0"


def test_natural_order() -> None:
    assert sorted(["x10", "x2", "b", "x_1", "x"], key=natural_key) == ["b", "x", "x2", "x10", "x_1"]
