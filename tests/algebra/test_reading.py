"""What people paste is read as meant, or refused at the right place."""

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyctl.algebra.parse import Limits, parse
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import plain
from polyctl.algebra.questions import with_carets
from polyctl.algebra.reading import from_coefficients, notes_on, read
from polyctl.errors import ParseError, UsageError

_PIECES = r"""
x y_1 x_{ij} α sin cos exp \sin \sqrt \frac [ ] ( ) { } ^ ** * / + - = == := -> , ; ! . 2 10 1e3 0.5 ½ ² ⁻ _ $
` & \\ \[ \] √ Decompose f( O( lambda @( >>> In[1]:= \begin{align} \left( e π ∑ | \mathrm{rate} \x
"""
PIECES = st.sampled_from(_PIECES.split())


@pytest.mark.parametrize(
    ("text", "plain", "main"),
    [
        ("x^4 + 2x^2 - 3", "x^4+2x^2-3", ()),
        ("x^4 + 2x^2 = 3", "x^4+2x^2-3", ()),
        ("(x+1)(x+3) = 5760", "(x+1)(x+3)-5760", ()),
        ("x^2 + y = y^2 + z", "x^2+y-y^2-z", ()),
        ("x^4 + 2x^2 - 3 = 0;", "x^4+2x^2-3", ()),
        ("f(x) = x^4 + 2x^2 - 3", "x^4+2x^2-3", ("x",)),
        ("g(h(x)) = x^4 + a", "x^4+a", ("x",)),
        ("f[g[x, y]] := x^4 + y", "x^4+y", ("x", "y")),
        ("f(x, y) := (x^2+y)^3 + c", "(x^2+y)^3+c", ("x", "y")),
        ("P[x] = x^4+1", "x^4+1", ("x",)),
        ("y = x^4 + 2x^2", "x^4+2x^2", ()),
        ("f2 := y^6-3x*y^4", "y^6-3x*y^4", ()),
        ("y = y^2 + x", "y-y^2-x", ()),
        ("Decompose[x^4 + 2 x^2 + 3, x]", "x^4+2x^2+3", ("x",)),
        ("Find all real x: (x^2 - 5x + 7)^2 = 1", "(x^2-5x+7)^2-1", ()),
        ("How do I factor x^4 + 4?", "x^4+4", ()),
        ("How to solve: x^4 = 4?", "x^4-4", ()),
        ("sp.factor_list(x**4 - 5*x**2 + 4, x)", "x^4-5x^2+4", ("x",)),
        ("polynomial_decompose(x^4 + x^2)", "x^4+x^2", ()),
        ("decompose(x^8+4x^6)", "x^8+4x^6", ()),
        ("polydecomp(x^4+y, x);", "x^4+y", ("x",)),
        ("Factor[Expand[(x+1)^2]]", "(x+1)^2", ()),
        ("Poly(x**4 + 2*x**2, x)", "x^4+2x^2", ("x",)),
        ("expand((x+1)^2)", "(x+1)^2", ()),
        ("\\begin{align} f(x,y) &= (x^2+y)^3 + 1 \\end{align}", "(x^2+y)^3+1", ("x", "y")),
        ("\\begin{equation*}\n x^4 + 2x^2 \\label{eq:1}\n\\end{equation*}", "x^4+2x^2", ()),
        ("`x^4 + 2x^2`", "x^4+2x^2", ()),
        ("x^4 + 2x^2 - 3.", "x^4+2x^2-3", ()),
        ("$$f(x) = x^4$$", "x^4", ("x",)),
        ("\\[ f(x) = x^4 + 1 \\]", "x^4+1", ("x",)),
        ("\\( f(x) = x^4 \\).", "x^4", ("x",)),
        ("f[x_, y_] := x^4 + y", "x^4+y", ("x", "y")),
        ("f := x -> x^4 + 2*x^2", "x^4+2x^2", ("x",)),
        ("(x, y) ↦ x^4 + y", "x^4+y", ("x", "y")),
        ("x \\mapsto x^4", "x^4", ("x",)),
        ("lambda x: x**4 + x", "x^4+x", ("x",)),
        ("@(x) x.^4 + x", "x^4+x", ("x",)),
        (">>> sp.expand((x+1)**2)", "(x+1)^2", ()),
        ("In[12]:= Decompose[x^4, x]", "x^4", ("x",)),
        ("(%i1) polydecomp (x^4, x);", "x^4", ("x",)),
        ("Solve[x^4 == 5 x, x]", "x^4-5x", ("x",)),
        ("Poly(x**4 + y, x, domain='ZZ')", "x^4+y", ("x",)),
    ],
)
def test_what_is_meant_is_read(text, plain, main):
    found = read(text)
    assert found.polynomial == parse(plain)
    assert found.main == main


def test_an_equation_says_so():
    assert read("x^2 = 1").equation
    assert not read("f(x) = x^2 - 1").equation


def test_given_variables_are_those_of_both_sides():
    found = read("x^2 = rate", ["x", "rate"])
    assert found.polynomial == parse("x^2 - rate", ["x", "rate"])


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("[1, 0, 2, 0, -3]", 0, "list of numbers"),
        ("x = y = z", 6, "more than one equals sign"),
        ("x^2 = ", 4, "one side of the equation is empty"),
        ("f(x) = x^4 + )", 13, "')'"),
        ("Decompose[x^4 + @, x]", 16, "'@'"),
        ("decompose(x^2", 9, "never closed"),
        ("x^4 + O(x^5)", 6, "left out"),
        ("H = p^2/2m + k", 8, "can be read as"),
        ("x^2 + k/xy", 8, "can be read as"),
        ("sin(x) = 1", 0, "functions such as sin"),
    ],
)
def test_mistakes_are_shown_where_they_stand_in_the_text(text, place, part):
    with pytest.raises(ParseError) as error:
        read(text)
    assert part in error.value.message
    assert error.value.position == place
    assert error.value.text == text


@pytest.mark.parametrize(
    ("text", "place", "part", "hint"),
    [
        ("f(x)^2 + 2f(x) + 1", 0, "f(x) could be", "f*x"),
        ("x4+2x2y2+y4", 4, "x2 and x4 could be powers", "x^4+2x^2y^2+y^4"),
        ("x4y + 2x2y", 7, "x2 and x4 could be powers", "x^4y"),
        ("a*(T - Tc)*m**2 + b", 7, "Tc could be one name, or a product", "T*c"),
        ("F[m_] := a (T - Tc) m^2", 16, "Tc could be one name", "T_c"),
        ("a*x^2 + ab*x*y", 8, "ab could be one name", "a*b"),
        ("=-A1^4 + 2*A1^2", 1, "in a spreadsheet", "brackets"),
        ("x^4 -\n- x^2", 6, "could be one, or two", "brackets"),
        (r"x^4 - \\ - x^2", 9, "could be one, or two", "brackets"),
        (r"\operatorname{sn}^4 u + 1", 0, "sn u could be a product", "sn*u"),
        (r"\Phi_{15}(x^2)", 0, "could be a product or", r"\Phi_{15}*x^2"),
        ("T_6(2x) - 1", 0, "could be a product or", "T_6*2x"),
        ("f(g(x))", 2, "g(x) could be", "what the function gives"),
        (r"f\left(x\right) + 1", 0, "could be a product", "f*x"),
        ("T_8(x) - 1", 0, "T_8(x) could be", "T_8*x"),
        ("x(1)^2 + 2x(1)x(2)", 0, "x(1) could be", "x_1 for an index"),
        ("x[i]^2 + 1", 0, "x[i] could be", "x_i for an index"),
        ("ζ(3) x^2", 0, "could be", "ζ*3"),
        (r"\psi(t)^4 + 1", 0, "could be", "psi*t"),
        ("f^2(x) + 1", 0, "could be", "f^2*x"),
        (r"\operatorname{foo}(x)^2", 0, "could be", "*x"),
        (r"\operatorname{foo}(x+1)^2", 0, "could be", "*(…)"),
        ("1,2,3", 0, "list of numbers", "x^2, …, x, 1"),
        ("1,234", 1, "comma inside", "without separators"),
        (r"\mathbf{x}^2 + x", 0, "beside x could be", "x_b for another"),
        (r"\begin{align}x\end{align} \begin{align}y\end{align}", 39, "no operator joins", "one polynomial"),
        ("x_1[2]^2", 0, "could be", "x_1*2"),
        ("x[-1]^2", 0, "could be", "x*-1"),
        ("He_4(x) + 1", 0, "could be", "He_4*x"),
        ("f(x^2) - f(x+1)", 0, "f(x^2) could be a product or", "f*x^2"),
        (r"F\left(x+1\right)", 0, "F(…) could be", "F*(…)"),
        ("sinx + cosx", 0, "the word 'sinx'", "write sin(x)"),
        ("log2(x)", 0, "the word 'log'", "write log(x)"),
        ("Resultant[x^2-1, y^2-x, x]", 0, "the word 'Resultant'", "comes out"),
        ("D[x^4, x]", 5, "','", "what a function of several arguments gives"),
        (r"\left.x^4\right|_0^1", 15, "'|'", "abs(x)"),
        ("2. x^4 + 2x^2", 0, "label", "2*"),
        ("(2) x^4 + 2x^2", 0, "label", "2*"),
        ("(a) x^4 + 2x^2", 0, "label", "a*"),
        ("x^4 + 2x^2   (3)", 13, "number of the line", "leave it out"),
        ("x^4+1\nx^2+1", 6, "no operator joins", "one polynomial at a time"),
        (r"x^4+1 \\ x^2+1", 9, "no operator joins", "one polynomial at a time"),
        ("x^4 & x^2", 6, "no operator joins", "one polynomial at a time"),
        ("f(x) = x^4\ng(x) = x^2", 11, "no operator joins", "one polynomial at a time"),
        ("1.5f*x*x", 3, "programming language", "leave f out"),
        ("2.0d0*x**4", 3, "programming language", "leave d out"),
        ("0x1F*x^2", 0, "another base", "base 10"),
        ("1//2*x^2", 1, "//", "1/2"),
        ("f x = x^4 + 2x^2", 0, "a function that is defined", "f(x) = "),
        ("(x^2+1) o (x^3)", 8, "composition", "in place of"),
        ("(x^4 + 2x^2) dx", 13, "integral", "d*x"),
        ("x2 + 2xy + y2", 0, "x2 beside x", "x^2 for the power"),
        ("x2y + y3 + 1", 6, "y3 beside y", "y^3 for the power"),
        (r"x^4 \text{ for } x > 0", 4, "words", "alone"),
        (r"\begin{pmatrix} x & 1 \\ 1 & x \end{pmatrix}", 0, "several entries", "an entry"),
        ("[[x,1],[1,x]]", 0, "several entries", "an entry"),
        ("p = [1 0 2 0 -3]", 0, "list of numbers", "x^4, …, x, 1"),
        ("Poly([1, 0, 2], x)", 0, "list of numbers", "x^2, …, x, 1"),
        ("x^4 + O[x]^5", 6, "left out", "leave it out"),
        ("ln x + 1", 0, "functions such as ln", "l*n"),
        ("Re(z)^2 + 1", 0, "functions such as Re", "R*e"),
        ("x^4 + ... + 1", 6, "three points", "write out"),
        ("ring r = 0,(x,y),dp; poly f = (x2+y)^2+1;", 31, "a power in Singular", "x^2"),
        ("x^4 + 2x^2...", 10, "three points", "write out"),
        ("x^4 + 2x^2 ...", 11, "three points", "write out"),
        ("x^4 + 2x^2 ...\n", 11, "three points", "write out"),
        ("15x^4y^2... + y^6", 8, "three points", "write out"),
        ("x^4 + 2x^2 > 0", 11, "'>'", "only equations"),
        (r"x^4 \leq 2", 4, r"\leq", "only equations"),
        ("x^4 ± 1", 4, "'±'", "each sign"),
        ("|x|^2", 0, "'|'", "abs(x)"),
        ("x^4 % 3", 4, "'%'", "remainder"),
        ("#^4 + 1 &", 0, "'#'", "pure function"),
        ("x^4; y^2", 3, "';'", "one polynomial"),
        ("x^4 + 1, x > 0", 7, "','", "x > 0, is left out"),
        ("x^4 /. x->2", 4, "a replacement", "what comes out"),
        ("f.subs(x, 2)", 1, "the method subs", "what comes out"),
        ("ChebyshevT[8, x]", 0, "the word 'ChebyshevT'", "write this polynomial out"),
        ("Sum[x^k, {k, 0, 8}]", 0, "the word 'Sum'", "write the terms out"),
        (r"\sum_{k=0}^8 x^k", 0, r"\sum", "write the terms out"),
        ("Matrix([[x,1],[1,x]])", 0, "the word 'Matrix'", "one of its entries"),
        ("x^4 mod 5", 4, "the word 'mod'", "modulus"),
        ("Expand@(x+1)^2", 0, "the word 'Expand'", "brackets"),
        ("foo(x)^2", 0, "the word 'foo'", "what foo gives"),
        (r"\bar{x}^2", 0, r"\bar", "index"),
        ("x'^2", 1, "'", "quotes"),
        ("1_000 x", 1, "'_'", "without separators"),
    ],
)
def test_what_could_mean_two_things_is_asked(text, place, part, hint):
    with pytest.raises(ParseError) as error:
        read(text)
    assert part in error.value.message
    assert hint in error.value.hint
    assert error.value.position == place


@pytest.mark.parametrize(
    "text", ["f(x)^2 + f", "x(x+1)", "a(b-1) + 1", "2(x)(y)", "1. x^2 + 2. x", "(x) (x+1)", "x2 + x1"]
)
def test_products_that_are_surely_meant_are_not_asked_about(text):
    read(text)


def test_named_variables_answer_the_question():
    with pytest.raises(ParseError):
        read("x(1)^2", ["x"])
    assert plain(read("f(x)^2", ["f", "x"]).polynomial) == "f*x^2"
    assert plain(read("x2 + x", ["x", "x2"]).polynomial) == "x + x2"


@pytest.mark.parametrize(
    ("text", "named", "notes"),
    [
        ("e^4 + i", (), ["e and i are variables here, not constants"]),
        (r"\pi r^2", (), ["pi is a variable here, not the constant"]),
        ("e^4 + i", ("e", "i"), []),
        ("d e + e^2", (), []),
        ("x_i^2 + i j", (), []),
        ("x_e + y_{pi}^2", (), []),
        ("x^4 + I x^2", (), ["I is a variable here, not the constant"]),
        ("(1 + 2j) x^2 + E", (), ["j and E are variables here, not constants"]),
        ("%i x^2 + %pi", (), ["i and pi are variables here, not constants"]),
        ("x^4 + I x^2", ("I",), []),
        ("I^2 + J^2", (), []),
        ("E^2 + L E + Pi", (), []),
        ("I_1^2 + I1^2", (), []),
        ("i^2 + j k", (), []),
    ],
)
def test_notes_on_letters_of_constants(text, named, notes):
    assert notes_on(read(text).polynomial, named) == notes


def test_powers_without_a_caret_are_asked_about():
    assert with_carets(" x4+5x2+6") == "x^4+5x^2+6"
    assert with_carets("x1 + y1") is None
    assert with_carets("x_4 + x") is None


def test_a_list_of_coefficients_has_its_own_reader():
    assert from_coefficients("[1, 0, 2, 0, -3]") == parse("x^4+2x^2-3")
    assert from_coefficients("1/2 0 0.25", "t") == parse("1/2t^2+1/4")
    assert from_coefficients("1, 2, 1,") == parse("x^2+2x+1")
    with pytest.raises(ParseError, match="an empty place"):
        from_coefficients("1,, 2, ,-3")
    assert from_coefficients("0, 0") == parse("0", ["x"])
    assert from_coefficients("{1; 0; −1};") == parse("x^2-1")
    assert from_coefficients("p = [1 0 -1];") == parse("x^2-1")


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("1, two, 3", 3, "'two' is not a number"),
        ("[]", 0, "no coefficients"),
        ("", 0, "no coefficients"),
        ("[[1,2],[3]]", 0, "bracket inside"),
        ("[1, 2], [3]", 0, "bracket inside"),
        ("[1, (2), 3]", 0, "bracket inside"),
        ("1, [2, 3]", 3, "bracket inside"),
        ("[1 2; 3 4]", 4, "semicolons beside"),
        ("1,5; 2,5", 3, "semicolons beside"),
        ("1,000, 3", 2, "'000' begins with 0"),
        ("x^2 + 1", 0, "'x^2' is not a number"),
    ],
)
def test_what_is_no_list_of_coefficients(text, place, words):
    with pytest.raises(ParseError) as error:
        from_coefficients(text)
    assert words in error.value.message
    assert error.value.position == place
    assert error.value.hint is not None


LONG = [
    *(("x", " ", "+1"), ("x -> x", " ", "+1"), ("x -> ", " ", "x^2"), ("1, 2", " ", "x"), ("[1,", "1 ", "x")),
    *(
        ("", "expand(", ""),
        ("", "/*", ""),
        ("*/", "/*", ""),
        ("", "x(y)", "+x"),
        ("x", "\nx", ""),
        ("", "x+\n", "x"),
    ),
    *(
        ("", "'x' ", ""),
        ("", r"\)", ""),
        ("", "\\", ""),
        ("", r"\quad (", ""),
        ("", "<b ", ""),
        ("a", "&amp;", ""),
        ("a", " # abc", ""),
    ),
    *(
        ("", "a2", ""),
        ("", "ab", "2"),
        ("", "a", ""),
        ("", "x=", ""),
        ("", "var x;", ""),
        ("", "...\n", ""),
        ("", r"x\_a", ""),
    ),
    *(
        ("", "let ", ""),
        ("", " o ", ""),
        ("", " dx", ""),
        ("", "pow(", ""),
        ("", "S(1)", ""),
        ("", "f(x) ", ""),
    ),
    *(("", "f(x)=", ""), ("", "x (3)", ""), ("", "C(4,2)", ""), ("", "x^", ""), ("", r"{1 \over ", "")),
    *(("", r"\[Alpha]", ""), ("", "%i", ""), ("", "word ", ""), ("binomial(x,9", "9", ")")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("head", "part", "tail"), LONG)
def test_no_long_text_takes_long(head, part, tail):
    """A quadratic search would take half a minute or more for one of these."""
    with contextlib.suppress(ParseError):
        read(head + part * (45_000 // len(part)) + tail)


def _read_anything(text):
    limits = Limits(degree=60, exponent=60, terms=500, digits=60, variables=12, work=100_000)
    for atoms in (False, True):
        try:
            f = read(text, limits=limits, atoms=atoms).polynomial
        except (ParseError, UsageError):
            continue
        # The names of words inside atoms are not among those of the ring.
        if not atoms or re.search(r"\\(?:math|text|operator|bold|bm)|[A-Za-z]{2}_", text) is None:
            assert parse(plain(f), names(f), atoms=atoms) == f


ANYTHING = st.one_of(
    st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES).map(" ".join)
)


@settings(max_examples=200)
@given(ANYTHING)
def test_any_text_is_read_or_refused(text):
    _read_anything(text)


@pytest.mark.slow
@settings(max_examples=2000)
@given(ANYTHING)
def test_much_text_is_read_or_refused(text):
    _read_anything(text)
