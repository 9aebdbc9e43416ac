"""Expressions as people type them, grown from a grammar or changed, and the commands that read them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from fuzzing.case import Case

CORPUS = (
    "x^4 + 2x^2 - 3",
    "x^6 + 9x^5 + 24x^4 + 9x^3 - 25x^2 + 6x + 3",
    "(x^2 + y^2)^3 + (3x^2 y - y^3)^2 + 3x^2 y - y^3",
    "f(x, y) = (x + y)^4 - 3(x + y)^2 + 1",
    "P := x**8 - 1/2*x**4 + 3;",
    "Decompose[x^4 + x^2 + 1, x]",
    "sp.factor(x**4 - 1, x)",
    "lambda x: x**6 + 2*x**3",
    "def f(x): return x**4 + x**2",
    "@(x) x.^4 + 3*x.^2",
    r"$$\frac{1}{2}x^{4} + \left(x+1\right)^{2} - \sqrt{2}$$",
    r"\begin{align} y &= x^4 \cdot 3 + \alpha^2 \end{align}",
    "x⁴ + 2x² − 3",
    "x1^2 + x_2^2 + x_{10}",
    "sin(x)^2 + cos(x)^2 + sin(2x)",
    "x^2 + 1/x^2 + 3",
    "x - 5 sqrt(x) + 6",
    "(b^2 - 2) ∘ (x^2 - 2) ∘ (x^2 - 2)",
    "x^4 + x = 7 - x^2",
    "1, 0, 2, 0, -3",
    "[1, 0, 2, 0, -3]",
    "{x + y, x y}",
    "1.5e3 x^2 + .5x + 0x1f",
    "x^2^3 + -x^-1 + +x",
    "((((x))))^12",
    "3!x^2 + |x| + x%",
    "a b c d e f g h i j k",
    "e^(i pi) + E I Pi",
    "x^100 + y^101",
    "99999999999999999999 x^2 / 7",
    "a*x^4 + b*x^2 + c",
    "Eq(x**2, 4)",
    "x^2 for x",
    "\\( x^{2} \\)",
    "`x^2 + 1`",
    "# x^2\nx^4 + 1",
    "x^2 +\n  3x +\n 1",
)
PIECES = (
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "((",
        "))",
        "^",
        "**",
        "*",
        "/",
        "+",
        "-",
        "=",
        "==",
        ":=",
        "->",
        ",",
        ";",
    ),
    *(
        "x",
        "y",
        "x1",
        "x_{12}",
        "α",
        "b0",
        "u",
        "e",
        "i",
        "pi",
        "lambda ",
        "sqrt(",
        "sin(",
        r"\frac{",
        "}{",
        "∘",
    ),
    *(
        "0",
        "1",
        "-1",
        "1/0",
        "0^0",
        "10",
        "999",
        "1e400",
        "1e-9",
        ".5",
        "9" * 5000,
        "^1000",
        "^99999",
        "^-1",
        "^x",
    ),
    *(
        "²",
        "−",
        "×",
        "÷",
        "½",
        "\u202e",
        "\u0000",
        "\x1b[2J",
        "\ufeff",
        "\r\n",
        "\t",
        "\udcff",
        "１",
        "²³",
        "𝑥",
        "é",
    ),
    *(
        "$$",
        r"\left(",
        r"\begin{",
        r"\end{",
        "&",
        "\\",
        "%",
        "#",
        "!",
        "|",
        "?",
        "'",
        '"',
        "`",
        "_",
        "~",
        "@",
    ),
)

numbers = st.one_of(
    st.integers(-9, 99).map(str),
    st.integers(-(10**40), 10**40).map(str),
    st.sampled_from(["1/2", "-3/7", "0.25", "1e3", "0", "1/0", "2^64"]),
)


def either(*ways: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One of them, each as often: one_of would first take those apart that are choices themselves."""
    return st.integers(0, len(ways) - 1).flatmap(lambda number: ways[number])


plain_names = st.sampled_from(["x", "x", "y", "z", "x1", "x_2", "a", "t"])
names = st.sampled_from(["x", "y", "b", "b0", "u", "sin(x)", "cos(x)", "sqrt(2)", "1/x", "e", "α", "pi"])
texts = st.text(st.characters(codec="utf-8"), max_size=60)


def _polynomials(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Sums, products and powers that are written well."""
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(" + ".join),
        st.tuples(inner, inner).map(lambda two: f"{two[0]} - ({two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]})*({two[1]})"),
        st.tuples(inner, st.integers(0, 12)).map(lambda two: f"({two[0]})^{two[1]}"),
        st.tuples(inner, st.integers(1, 99)).map(lambda two: f"({two[0]})/{two[1]}"),
        inner.map(lambda one: f"-({one})"),
    )


def _others(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What may not be read, or stand for too much."""
    powers = st.sampled_from([20, 101, 1000, 10**6, 10**30, "x", "-1", "1/2", "½", "2^2"])
    return st.one_of(
        _polynomials(inner),
        st.tuples(inner, inner).map(" ".join),
        st.tuples(inner, powers).map(lambda two: f"({two[0]})^{two[1]}"),
        st.tuples(inner, inner).map(lambda two: rf"\frac{{{two[0]}}}{{{two[1]}}}"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]})/({two[1]})"),
        inner.map(lambda one: f"sqrt({one})"),
        inner.map(lambda one: f"exp({one})"),
    )


polynomials = st.recursive(st.one_of(plain_names, plain_names, numbers), _polynomials, max_leaves=12)
grown = st.recursive(st.one_of(plain_names, names, numbers), _others, max_leaves=10)


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A real input after a few changes of its characters."""
    text = draw(st.one_of(st.sampled_from(CORPUS), grown))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.sampled_from([0, 0, 0, 1, 1, 2, 5, 40])))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=2)))
        text = text[:at] + piece * draw(st.sampled_from([1, 1, 1, 1, 2, 3, 60])) + text[end:]
    return text


def _draw(number: int) -> str:
    """A polynomial that is written well; half of them are an outer polynomial of an inner one."""
    chance = random.Random(number)
    variables = chance.choice(["x", "x", "xy", "xyz", "abcd"])

    def some(names: str, terms: int, degree: int) -> str:
        bound = chance.choice([3, 9, 10**30])
        parts = []
        for _ in range(chance.randint(1, terms)):
            number = f"{chance.randint(-bound, bound)}{chance.choice(['', '', '', '/7'])}"
            powers = (
                f"{chance.choice(names)}^{chance.randint(1, degree)}" for _ in range(chance.randint(0, 3))
            )
            parts.append("*".join([f"({number})", *powers]))
        return " + ".join(parts)

    inner = some(variables, 4, chance.choice([2, 3, 3, 40]))
    if chance.random() < 0.5:
        return inner
    return some("u", 3, 4).replace("u", f"({inner})") + f" + ({inner})^2"


drawn = st.integers(0, 1 << 48).map(_draw)
expressions = either(
    changed(), drawn, drawn, drawn, drawn, polynomials, grown, st.sampled_from(CORPUS), texts
)
lists = st.one_of(
    st.lists(numbers, max_size=12).map(", ".join),
    st.lists(numbers, max_size=12).map(" ".join),
    st.lists(numbers, max_size=6).map(str),
    expressions,
)
variables = either(
    st.lists(names, min_size=1, max_size=4, unique=True).map(",".join),
    st.sampled_from(["x", "x,y", "x y", "y,x,z"]),
    st.sampled_from(["", ",", "x,x", "1", "x;y", "\u202e", "x" * 10_000]),
)
JSON = st.sampled_from([(), (), ("--json",)])


def _option(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """The option with a value, sometimes."""
    return either(*[st.just(())] * 9, values.map(lambda value: (f"{name}={value}",)))


def _flag(name: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), (), (), (name,)])


def command(
    *parts: st.SearchStrategy[tuple[str, ...]] | tuple[str, ...],
) -> st.SearchStrategy[tuple[str, ...]]:
    """A command line of these parts; an argument cannot hold a null character."""
    found = (st.just(part) if isinstance(part, tuple) else part for part in parts)
    joined = st.tuples(*found).map(lambda listed: tuple(word for part in listed for word in part))
    return joined.map(lambda words: tuple(word.replace("\0", "") for word in words))


one = expressions.map(lambda text: (text,))
few = st.lists(st.one_of(drawn, drawn, grown), min_size=2, max_size=3).map(tuple)
SECONDS = ("--time-limit", "0.2")
decompose = command(
    ("decompose", "--method", "exact", *SECONDS),
    JSON,
    _option("--in", variables),
    _option("--variables", variables),
    _flag("--atoms"),
    _flag("--roots"),
    _flag("--latex"),
    _flag("--verbose"),
    _option("--inners", st.sampled_from(["1", "2", "3", "0", "99999999999999999999"])),
    _option("--top", st.sampled_from(["1", "2", "0", "99999999999999999999"])),
    ("--",),
    one,
)
coefficients = command(
    ("decompose", "--method", "exact", "--coefficients", *SECONDS),
    JSON,
    ("--",),
    lists.map(lambda text: (text,)),
)
common = command(("decompose", "--common", *SECONDS), JSON, _flag("--atoms"), ("--",), few)
numeric = command(("decompose", "--method", "numeric", *SECONDS), JSON, ("--",), one)
rewrite = command(
    ("rewrite", *SECONDS),
    JSON,
    _flag("--atoms"),
    _option("--variables", variables),
    st.lists(expressions, min_size=1, max_size=3).map(lambda inner: tuple(f"--in={h}" for h in inner)),
    ("--",),
    one,
)
verify = command(
    ("verify", *SECONDS),
    JSON,
    _flag("--atoms"),
    _option("--variables", variables),
    _option("--outer", st.one_of(expressions, st.sampled_from(["b^2 + 1", "b0 b1", "b0^2 - 2b1 + x"]))),
    st.lists(expressions, min_size=1, max_size=3).map(lambda inner: tuple(f"--inner={h}" for h in inner)),
    ("--",),
    one,
)
piped = command(("decompose", "--method", "exact", *SECONDS), JSON, _flag("--atoms"), ("-",))
cases = either(
    *(
        one.map(Case)
        for one in (decompose, decompose, decompose, coefficients, common, numeric, rewrite, verify)
    ),
    st.builds(Case, piped, st.lists(expressions, max_size=3).map("\n".join)),
)
