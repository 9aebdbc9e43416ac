"""Inputs as people post them in forums, papers, manuals and programs, and what they mean."""

import random

import pytest
import sympy

from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import names
from polyctl.algebra.printing import plain
from polyctl.algebra.reading import from_coefficients, read
from polyctl.algebra.sympy_form import sympy_expression
from polyctl.errors import ParseError, PolyctlError

READ = [
    # forums
    ("x^4-2x^3+3x^2-2x-1=0", "x^4 - 2*x^3 + 3*x^2 - 2*x - 1"),
    ("$x^4+4x^3+6x^2+4x+1=0$", "x^4 + 4*x^3 + 6*x^2 + 4*x + 1"),
    ("$$(x^2-3x+1)^2-3(x^2-3x+1)+1=x$$", "x^4 - 6*x^3 + 8*x^2 + 2*x - 1"),
    ("Solve $(x+1)(x+2)(x+3)(x+4)=24$", "x^4 + 10*x^3 + 35*x^2 + 50*x"),
    ("solve (x+1)(x+2)(x+3)(x+4)=24", "x^4 + 10*x^3 + 35*x^2 + 50*x"),
    ("Let $p(x)=x^6+6x^4+x^3+9x^2+3x-5$", "x^6 + 6*x^4 + x^3 + 9*x^2 + 3*x - 5"),
    ("Let p(x)=x^6+6x^4+x^3+9x^2+3x-5.", "x^6 + 6*x^4 + x^3 + 9*x^2 + 3*x - 5"),
    ("P(x)=(x-1)(x-2)(x-3)(x-4)+1", "x^4 - 10*x^3 + 35*x^2 - 50*x + 25"),
    ("f(x)=x^8+3x^4+\\frac{9}{4}", "x^8 + 3*x^4 + 9/4"),
    (
        "\\begin{align*} f(x) &= (x^2+x)^2 \\\\ &\\quad + 3(x^2+x) - 4 \\end{align*}",
        "x^4 + 2*x^3 + 4*x^2 + 3*x - 4",
    ),
    (
        "\\begin{equation} V(\\phi)=\\frac{1}{2}m^2\\phi^2+\\frac{\\lambda}{4!}\\phi^4 \\end{equation}",
        "1/24*lambda*phi^4 + 1/2*m^2*phi^2",
    ),
    ("a^3+b^3+c^3-3abc", "a^3 - 3*a*b*c + b^3 + c^3"),
    (
        "\\left(x^{2}+y^{2}\\right)^{2}-2a^{2}\\left(x^{2}-y^{2}\\right)",
        "-2*a^2*x^2 + 2*a^2*y^2 + x^4 + 2*x^2*y^2 + y^4",
    ),
    ("x^4+\\tfrac12x^2+\\tfrac1{16}", "x^4 + 1/2*x^2 + 1/16"),
    ("x⁴ − 10x² + 1 = 0", "x^4 - 10*x^2 + 1"),
    ("x^{4}-10x^{2}+1", "x^4 - 10*x^2 + 1"),
    ("6x⁴–25x³+12x²–25x+6", "6*x^4 - 25*x^3 + 12*x^2 - 25*x + 6"),
    ("x*x*x*x - 5*x*x + 4", "x^4 - 5*x^2 + 4"),
    ("y = 3x⁴ + 6x² + 2", "3*x^4 + 6*x^2 + 2"),
    ("z^8 + 15z^4 = 16", "z^8 + 15*z^4 - 16"),
    ("t^4 + (1/2) t^2 - 0.25", "t^4 + 1/2*t^2 - 1/4"),
    ("T_4(x) = 8x^4 - 8x^2 + 1", "8*x^4 - 8*x^2 + 1"),
    ("x^2 (x^2 + 1)", "x^4 + x^2"),
    ("-16t^2 + 64t + 80", "-16*t^2 + 64*t + 80"),
    # SymPy
    ("x**4 + 2*x**3 + 3*x**2 + 2*x + 2", "x^4 + 2*x^3 + 3*x^2 + 2*x + 2"),
    (">>> decompose(x**4 + 2*x**3 - x - 1, x)", "x^4 + 2*x^3 - x - 1"),
    ("decompose(2*x**4 + 4*x**3 - 5*x**2, x)", "2*x^4 + 4*x^3 - 5*x^2"),
    ("Poly(x**4 + 2*x**3 + x**2, x, domain='QQ')", "x^4 + 2*x^3 + x^2"),
    ("expr = (x**2 + 1)**3 + Rational(3, 2)*(x**2+1)", "x^6 + 3*x^4 + 9/2*x^2 + 5/2"),
    ("sympy.expand((x - 2*y)**4)", "x^4 - 8*x^3*y + 24*x^2*y^2 - 32*x*y^3 + 16*y^4"),
    ("Eq(x**4 + 2*x**2, 3)", "x^4 + 2*x^2 - 3"),
    ("from sympy import *\nx = symbols('x')\nf = x**4 + 2*x**2", "x^4 + 2*x^2"),
    ("Add(Pow(Symbol('x'), Integer(4)), Mul(Rational(1, 2), Pow(Symbol('x'), Integer(2))))", "x^4 + 1/2*x^2"),
    ("1.0*x**4 + 0.5*x**2", "x^4 + 1/2*x^2"),
    ("Rational('0.5')*x**2 + Fraction('1/3')*x + S('2')", "1/2*x^2 + 1/3*x + 2"),
    # Maxima
    ("polydecomp (x^210, x);", "x^210"),
    ("p: x^4 + 2*x^2 + 1$", "x^4 + 2*x^2 + 1"),
    ("f(x):=x^4+2*x^2$", "x^4 + 2*x^2"),
    ("x^4+%i*x^2", "x^4 + i*x^2"),
    ("ratsimp((x^2+1)^2)", "x^4 + 2*x^2 + 1"),
    # Singular
    (
        "ring r2 = 0,(x,y),dp;\npoly f2 = y^6-3*x*y^4+3*x^2*y^2+y^4-x^3-2*x*y^2+x^2+1;",
        "y^6 - 3*x*y^4 + 3*x^2*y^2 + y^4 - x^3 - 2*x*y^2 + x^2 + 1",
    ),
    # Mathematica
    ("Decompose[x^8 + 4 x^6 + 10 x^4 + 12 x^2 + 11, x]", "x^8 + 4*x^6 + 10*x^4 + 12*x^2 + 11"),
    ("In[1]:= Decompose[x^4 - 2 x^2 + x, x]", "x^4 - 2*x^2 + x"),
    ("Expand[(1 + x + x^2)^3]", "x^6 + 3*x^5 + 6*x^4 + 7*x^3 + 6*x^2 + 3*x + 1"),
    ("x^4 + 2 x^2 + 1 // Factor", "x^4 + 2*x^2 + 1"),
    ("Solve[x^4 + 2 x^2 - 3 == 0, x]", "x^4 + 2*x^2 - 3"),
    ("1 + 2*x^2 + x^4", "x^4 + 2*x^2 + 1"),
    ("3.*x^2 + 1.*x^4", "x^4 + 3*x^2"),
    ("x[1]^4 + x[2]^2 x[1]", "x1^4 + x1*x2^2"),
    ("Subscript[a, 0] + Subscript[a, 1] x^2 + x^4", "x^4 + a_1*x^2 + a_0"),
    ("\\[Alpha] x^4 + \\[Beta]^2", "alpha*x^4 + beta^2"),
    ("x^2 y + x y^2", "x^2*y + x*y^2"),
    # Sage
    ("sage: f = x^4 + 2*x^2 + 1", "x^4 + 2*x^2 + 1"),
    ("R.<x,y> = PolynomialRing(QQ); f = (x^2+y)^2", "x^4 + 2*x^2*y + y^2"),
    ("R.<x> = ZZ[]\nf = x^4 + 2*x^2 + 1\n", "x^4 + 2*x^2 + 1"),
    ("(x^4 + 2*x^2).factor()", "x^4 + 2*x^2"),
    # PARI
    ("f = x^4+2*x^2+1;", "x^4 + 2*x^2 + 1"),
    ("f(x) = x^4+2*x^2+1", "x^4 + 2*x^2 + 1"),
    ("%1 = x^4 + 2*x^2 + 1", "x^4 + 2*x^2 + 1"),
    ("(x) -> x^4+1", "x^4 + 1"),
    # Maple
    ("f := x^4 + 2*x^2 + 1:", "x^4 + 2*x^2 + 1"),
    (
        "compoly(x^6-9*x^5+27*x^4-27*x^3-2*x^2*y+6*x*y+1, x);",
        "x^6 - 9*x^5 + 27*x^4 - 27*x^3 - 2*x^2*y + 6*x*y + 1",
    ),
    ("f := x -> x^4 + 2*x^2;", "x^4 + 2*x^2"),
    ("f := (x,y) -> x^4 + y^2;", "x^4 + y^2"),
    ("f := proc(x) x^4 + 2*x^2 end proc;", "x^4 + 2*x^2"),
    ("> expand((x+1)^4);", "x^4 + 4*x^3 + 6*x^2 + 4*x + 1"),
    ("a[1]*x^4 + a[2]", "a1*x^4 + a2"),
    # Excel
    ("=A1^4+2*A1^2", "A1^4 + 2*A1^2"),
    ("=$B$2^4-3*$B$2^2", "B2^4 - 3*B2^2"),
    ("=POWER(A1;4)+2*POWER(A1;2)", "A1^4 + 2*A1^2"),
    ("=A1^2+B1*A1", "A1^2 + A1*B1"),
    # Matlab / Octave
    ("f = @(x) x.^4 + 2*x.^2 - 3;", "x^4 + 2*x^2 - 3"),
    ("f = @(x,y) (x.^2 + y).^2;", "x^4 + 2*x^2*y + y^2"),
    ("syms x y\nf = (x^2+y)^2", "x^4 + 2*x^2*y + y^2"),
    ("y = x.^4 + ...\n    2*x.^2 - 3;", "x^4 + 2*x^2 - 3"),
    (">> expand((x+1)^4)", "x^4 + 4*x^3 + 6*x^2 + 4*x + 1"),
    ("ans =\n\nx^4 + 2*x^2", "x^4 + 2*x^2"),
    # C, C++, JavaScript, Python
    ("return x*x*x*x + 2*x*x - 3;", "x^4 + 2*x^2 - 3"),
    ("double y = pow(x, 4) + 2.0*pow(x, 2) - 3.0;", "x^4 + 2*x^2 - 3"),
    ("y = std::pow(x, 4.0) + std::pow(x, 2);", "x^4 + x^2"),
    ("const f = x => x**4 + 2*x**2", "x^4 + 2*x^2"),
    ("p = Poly(x**4 + 2*x**2, x, domain='QQ')", "x^4 + 2*x^2"),
    ("Math.pow(x,4) + 2*Math.pow(x,2)", "x^4 + 2*x^2"),
    ("((a*x + b)*x + c)*x + d", "a*x^3 + b*x^2 + c*x + d"),
    ("x * x * x * x + y", "x^4 + y"),
    ("int f(int x, int y) { return x*x*y + y; }", "x^2*y + y"),
    ("def p(x, y):\n    return x**2*y + y**2", "x^2*y + y^2"),
    ("lambda x, y: x**2*y + y", "x^2*y + y"),
    ("f = lambda t: t**6 - 2*t**3", "t^6 - 2*t^3"),
    # R, Julia, Haskell
    ("f <- function(x) x^4 + 2*x^2", "x^4 + 2*x^2"),
    ("f <- function(x, y) { return(x^4 + y) }", "x^4 + y"),
    ("f <- function(x) {\n  x^4 + 2*x^2\n}", "x^4 + 2*x^2"),
    ("f(x) = x^4 + 2x^2", "x^4 + 2*x^2"),
    ("x -> x^4 + 2x^2", "x^4 + 2*x^2"),
    ("function f(x) return x^4 + 2x^2 end", "x^4 + 2*x^2"),
    ("f(x) = x^4 + 2x^2 # quartic in x", "x^4 + 2*x^2"),
    # Markdown, HTML, plain text
    ("`x^4 + 2x^2`", "x^4 + 2*x^2"),
    ("```\nx^4 + 2x^2\n```", "x^4 + 2*x^2"),
    ("```python\nx**4 + 2*x**2\n```", "x^4 + 2*x^2"),
    ("**x^4 + 2x^2**", "x^4 + 2*x^2"),
    ("x\\^4 + 2x\\^2", "x^4 + 2*x^2"),
    ("2\\*x\\*\\*4 + x\\_1", "2*x^4 + x_1"),
    ("* x^4 + 2x^2", "x^4 + 2*x^2"),
    ("1. x^4 + 2x^2", "x^4 + 2*x^2"),
    ("x<sup>4</sup> + 2x<sup>2</sup>", "x^4 + 2*x^2"),
    ("x&#8308; + 2x&sup2;", "x^4 + 2*x^2"),
    ("<i>x</i><sup>4</sup> &#8722; 1", "x^4 - 1"),
    ("“x^4 + 2x^2”", "x^4 + 2*x^2"),
    ('"x^4 + 2x^2",', "x^4 + 2*x^2"),
    ("x^4 + 2x^2 ,", "x^4 + 2*x^2"),
    ("ｘ＾４＋２ｘ＾２", "x^4 + 2*x^2"),
    ("x\u200b^4\xa0+\xa02x^2", "x^4 + 2*x^2"),
    ("x ^ 4 + 2 * x ^ 2", "x^4 + 2*x^2"),
    ("X^4 + 2X^2", "X^4 + 2*X^2"),
    ("x^4+2x²·y×z÷2", "x^4 + x^2*y*z"),
    ("4x^4+4x^3-3x^2 + 2 x^ 1 + 1", "4*x^4 + 4*x^3 - 3*x^2 + 2*x + 1"),
    ("x^3 + 3 x^2 y + 3 x y^2 + y^3", "x^3 + 3*x^2*y + 3*x*y^2 + y^3"),
    ("2(3x+1)^2 – 5(3x+1)", "18*x^2 - 3*x - 3"),
    # papers
    (
        "V = \\mu_1^2 H_1^2 + \\mu_2^2 H_2^2 + \\lambda_1 H_1^4 + \\lambda_{12} H_1^2 H_2^2",
        "H_1^4*lambda_1 + H_1^2*H_2^2*lambda_12 + H_1^2*mu_1^2 + H_2^2*mu_2^2",
    ),
    (
        "H = \\frac{p^{2}}{2} + \\frac{\\omega^{2} q^{2}}{2} + \\frac{g}{4}\\,q^{4}\\,,",
        "1/4*g*q^4 + 1/2*omega^2*q^2 + 1/2*p^2",
    ),
    ("W(x_1,x_2) = x_1^3 + x_2^3 - 3 x_1 x_2 \\nonumber", "x_1^3 + x_2^3 - 3*x_1*x_2"),
    ("y^2 = x^3 + a x + b \\tag{1}", "-x^3 - a*x + y^2 - b"),
    ("f(x, y) = \\big(x^2 + y\\big)^2 + \\Big(x^2+y\\Big)", "x^4 + 2*x^2*y + x^2 + y^2 + y"),
    ("{\\left(x + 1\\right)}^{2} \\, y", "x^2*y + 2*x*y + y"),
    ("x^4 + 2\\cdot x^2 + 3\\times 5", "x^4 + 2*x^2 + 15"),
    ("\\frac{{x}^{4}}{4}-\\frac{{x}^{2}}{2}", "1/4*x^4 - 1/2*x^2"),
    ("\\displaystyle x^{2}+\\dfrac{1}{2}", "x^2 + 1/2"),
    ("{{x^4}\\over{2}}+2\\,x", "1/2*x^4 + 2*x"),
    ("\\mathbf{p}^2 + \\mathbf{q}^2", "p^2 + q^2"),
    ("\\alpha x^4 + \\beta x^2 + \\gamma", "alpha*x^4 + beta*x^2 + gamma"),
    ("\\varepsilon^2 + 2\\epsilon", "epsilon^2 + 2*epsilon"),
    ("x_{1}^{2}+x_{2}^{2}", "x_1^2 + x_2^2"),
    ("x^2+1 = (x+i)(x-i)", "i^2 + 1"),
    ("x^2 y^3 z", "x^2*y^3*z"),
    ("2xy + 3yz", "2*x*y + 3*y*z"),
    ("ab^2c + bc", "a*b^2*c + b*c"),
    ("x_12y_3", "x_12*y_3"),
    ("v0 t + 1/2 a t^2", "1/2*a*t^2 + t*v0"),
    ("1/2 at^2", "1/2*a*t^2"),
    ("1/2mv^2", "1/2*m*v^2"),
    ("mv^2/2 + mgh", "g*h*m + 1/2*m*v^2"),
    ("4x/2", "2*x"),
    ("10^6 x^2", "1000000*x^2"),
    ("1e6x^2", "1000000*x^2"),
    ("-(-x)^2", "-x^2"),
    ("+-x^2", "-x^2"),
    ("x--1", "x + 1"),
    ("x+-1", "x - 1"),
    ("(((x)))^2", "x^2"),
    ("[x+1]^2", "x^2 + 2*x + 1"),
    ("{x+1}^2", "x^2 + 2*x + 1"),
    ("(x+1)^2(x-1)", "x^3 + x^2 - x - 1"),
    (r"x^4 \\[2pt] + 2x^2 \\* + 1", "x^4 + 2*x^2 + 1"),
    (r"\\frac{1}{2} m^2 \\phi^2 + \\left(x \\cdot y\\right)", "1/2*m^2*phi^2 + x*y"),
    (r"\\[ x^2 + \\alpha \\]", "x^2 + alpha"),
    (r'"x^4 + 2x^2\n"', "x^4 + 2*x^2"),
    ("f = 'x^4 + 2x^2'", "x^4 + 2*x^2"),
    ('r"x^4 + 2x^2"', "x^4 + 2*x^2"),
    ("ℏ²k² + ∆", "hbar^2*k^2 + Delta"),
    (r"\begin{equation}\begin{aligned} x^4 &+ y \\ &- 1.\end{aligned}\end{equation}", "x^4 + y - 1"),
    # physics, captions
    (r"\hbar^2 k^2 + \ell^2", "hbar^2*k^2 + ell^2"),
    (r"x^{4}+2 x^{2} \text {. }", "x^4 + 2*x^2"),
    (r"x^4 + 2x^2 + 1 \qquad \square", "x^4 + 2*x^2 + 1"),
    ("using Symbolics; @variables x y; (x+y)^2", "x^2 + 2*x*y + y^2"),
    ("A = P(1+r)^2", "P*r^2 + 2*P*r + P"),
    ("s = ut + ½at²", "1/2*a*t^2 + t*u"),
    ("H=-J(S_1S_2+S_2S_3)-hS_1", "-J*S_1*S_2 - J*S_2*S_3 - S_1*h"),
    ("x = Symbol('x'); x**4 + x**2", "x^4 + x^2"),
    ("y = x ** 4 ; // quartic", "x^4"),
    ("&alpha;<sup>2</sup> + &beta;", "alpha^2 + beta"),
    ("\\frac12 m_\\phi^2 \\phi^2 + \\lambda_\\phi \\phi^4", "lambda_{phi}*phi^4 + 1/2*m_{phi}^2*phi^2"),
    ("E_{\\mathrm{kin}}^2 + E_{\\text{pot}}", "E_{kin}^2 + E_{pot}"),
    ("1/2 at^2 + v_0t", "1/2*a*t^2 + t*v_0"),
    ("Eq(x**4 + 2*x**2, y)", "x^4 + 2*x^2 - y"),
    ("x^4 +2 x^2\n\n\n+ 1", "x^4 + 2*x^2 + 1"),
    ("x^4 - 5x^2 + 4 = 0 for x", "x^4 - 5*x^2 + 4"),
    ("Problem 3: x^4 + 2x^2", "x^4 + 2*x^2"),
    ("Example: f(x) = x^4", "x^4"),
    ("eq1: x^4 + 2x^2 = 3", "x^4 + 2*x^2 - 3"),
    ("(1) x^4+2x^2=3", "x^4 + 2*x^2 - 3"),
    ("x^4 + 2x^2 + x^4", "2*x^4 + 2*x^2"),
]
REFUSED = [
    "R.<x> = QQ[]; f = x4 + 2x2y + y2",
    "f[x_] := x^2 + 1; f[f[x]]",
    "SymmetricReduction[x^2+y^2, {x,y}]",
    "Function[x, x^4 + 1]",
    "Nest[#^2 + c &, x, 3]",
    "(%o5)  [x^7 - x - 1, x^2 + 2*x + 1]",
    "QQ['x']([1,0,2,0,1])",
    "2*x^4 + x + Mod(1,5)",
    "? polsubcyclo(7,3)",
    "x^4 + RootOf(_Z^2-2)",
    "=SUM(A1:A4)^2",
    "y = 0,5x^2 + 3",
    "x.powi(4) + 2.0 * x.powi(2)",
    "x^4 + y^2 if x > 0 else 0",
    "y ~ x + I(x^2)",
    "| x^4 + 2x^2 | 3 |",
    r"\mathcal{L} = \frac{1}{2} m^2 \phi^2",
    r"x^{4}+2x^{2},\quad x\in\mathbb{R}",
    r"p^{\mu} p_{\mu}",
    r"x_i x^i",
    r"\left(x^2+1\right)\circ\left(x^3\right)",
    r"f(x) = x^2 + c,\ f(f(x))",
    "d/dx x^4",
    "Find the roots of x^4 - 5x^2 + 4",
    "f(x) = x^4 and g(x) = x^2",
    "x^4 - 5x^2 + 4 (mod 7)",
    "(1.2) x^4+2x^2=3",
    "x^T A x",
    "x^+ + x^-",
    "x^4|_{x=2}",
    "x** 4 + 2*x ^ + 2",
    "a sqrt b",
    "x) + 1",
    "f(2) = x^2",
    "f(-x) = x^2",
    "x(1/2) + 1",
    "f[x^2 + 1]",
    "pow(x)",
    "x̄^2",
    "٣x",
]


@pytest.mark.parametrize(("text", "meant"), READ)
def test_what_is_posted_is_read_as_meant(text, meant):
    assert plain(read(text).polynomial) == meant


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_polynomial_is_refused_with_a_hint(text):
    with pytest.raises(ParseError) as error:
        read(text)
    assert error.value.hint
    assert 0 <= error.value.position <= len(text)


@pytest.mark.parametrize(
    "text", [text for text, _ in READ if "**" in text and text[0] in "-1234567890x(" and ";" not in text]
)
def test_python_reads_the_same(text):
    assert sympy.expand(sympy_expression(read(text).polynomial) - sympy.sympify(text, rational=True)) == 0


def _mutated(rng: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(rng.choice([1, 1, 2, 3, 5])):
        at = rng.randrange(len(characters) + 1)
        change = rng.randrange(5)
        if change == 0:
            del characters[at : at + 1]
        elif change == 1:
            characters.insert(at, rng.choice("xyfIe019+-*/^=()[]{}.,;:!|%#&@~$'\"`<>_\\ \n²⁻−·α∑½"))
        elif change == 2:
            other = rng.choice(READ)[0]
            start = rng.randrange(len(other))
            characters[at:at] = other[start : start + rng.randrange(1, 12)]
        elif change == 3:
            characters[at : at + 2] = reversed(characters[at : at + 2])
        else:
            characters[at:] = characters[at : at + rng.randrange(1, 30)]
    return "".join(characters)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 11))])
def test_no_misprint_ends_in_anything_but_a_question(seed):
    rng = random.Random(seed)
    for _ in range(300):
        text, atoms = _mutated(rng, rng.choice([*REFUSED, *(text for text, _ in READ)])), rng.random() < 0.3
        for ask in (
            lambda text=text, atoms=atoms: read(text, atoms=atoms).polynomial,
            lambda text=text: from_coefficients(text),
        ):
            try:
                f = ask()
            except ParseError as error:
                refused = error
            except PolyctlError:
                continue
            else:
                assert atoms or parse(plain(f), names(f)) == f
                continue
            assert refused.text == text
            assert 0 <= refused.position <= len(text)
