"""What people paste around a polynomial: equations, definitions, calls, LaTeX environments.

    f(x, y) = …   P := …   y &= …      a definition: f's right side; the arguments are its main variables
    … = …                              an equation: left side minus right side
    Decompose[…, x]   sp.factor(…)     the first argument; variables after it are the main ones
    x -> …   lambda x: …   @(x) …      the right side; x is its main variable
    In[1]:= …   (%i1) …   sage: …      what follows
    \\begin{align} … \\end{align}   \\[ … \\]   `…`   …;   what is inside

Everything that is not part of the polynomial is replaced by blanks, so that places in errors are places in
the text. What remains is read by `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from flint import fmpq

from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.names import natural_key
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, embed, names, ring, variables_used
from polyctl.algebra.tokens import FUNCTIONS, Limits
from polyctl.errors import ParseError, UsageError

_CALLS = (
    "decompose decomp polydecomp compoly poly polynomial expand factor factorize simplify collect "
    "horner solve roots"
)
CALLS = frozenset(_CALLS.split(" "))
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\s*[A-Za-z]+\*?\s*\}")
_PROMPT = re.compile(r"\s*(?:>>>|sage:|In\s*\[[0-9]+\]\s*:=|\(%i[0-9]+\)|>)")
_NOISE = re.compile(
    r"&|\\\\|\\nonumber\b|\\label\s*\{[^}]*\}|^(?:[\s`$]|\\\[|\\\()+|(?:[\s`$;.,]|\\\]|\\\))+$"
)
_NAMES = r"[A-Za-z0-9_]+(?:\s*,\s*[A-Za-z0-9_]+)*"
_MAP = re.compile(
    rf"\s*(?:lambda\s+(?P<python>{_NAMES})\s*:|@\s*\((?P<matlab>\s*{_NAMES}\s*)\)|"
    rf"\(?\s*(?P<arrow>{_NAMES})\s*\)?\s*(?:[-−]>|→|↦|\\mapsto\b|\\to\b))"
)
_REST = re.compile(r"(?<![A-Za-z\\])O\s*\(")
_DEFINITION = re.compile(
    r"\s*(?P<name>\\?[A-Za-z][A-Za-z0-9_']*(?:_\{[A-Za-z0-9,]+\})?)\s*"
    rf"(?:[(\[](?P<arguments>[^()\[\]=]*|\s*[A-Za-z]\w*\s*[(\[]\s*{_NAMES}\s*[)\]]\s*)[)\]])?\s*:?=(?!=)"
)
_CALL = re.compile(r"\s*(?:[A-Za-z]+\.)?(?P<name>[A-Za-z]+)\s*(?P<open>[(\[])")
_EQUALS = re.compile(r"(?<![:<>!=])={1,2}(?!=)")
_ENTRY = r"[-+]?[0-9./]+"
_LIST = re.compile(rf"\s*(?:\[\s*{_ENTRY}(?:\s*,\s*{_ENTRY})+\s*\]|{_ENTRY}(?:\s*,\s+{_ENTRY})+)\s*;?\s*$")
_POWER = re.compile(r"(?<![A-Za-z_])([A-Za-z])([0-9]+)")
_ENCLOSED = re.compile(r"\s*[\[({]([^\[\](){}]*)[\])}]\s*[;.]?\s*")
_COEFFICIENTS = "1, 0, 2, 0, -3"
_CLOSING = {"(": ")", "[": "]"}
# Names of constants, and the variables beside which they are surely meant as variables.
_CONSTANTS = {
    "e": {"d", "f"},
    "i": {"h", "j"},
    "j": {"i", "k"},
    "pi": set(),
    "I": set(),
    "E": set(),
    "Pi": set(),
}


@dataclass(frozen=True)
class Reading:
    """A polynomial, and what the text around it said.

    `main` are the names of its main variables, empty if none were named; `equation` says that the
    polynomial is the left side of an equation minus its right side.
    """

    polynomial: Polynomial
    main: tuple[str, ...] = ()
    equation: bool = False


def read(
    text: str,
    names: Sequence[str] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    *,
    atoms: bool = False,
) -> Reading:
    """The polynomial that a pasted text is about; errors as those of `parse`, with places in the text."""
    if _LIST.fullmatch(text):
        count = text.count(",")
        raise ParseError(
            "a list of numbers is not a polynomial",
            text,
            len(text) - len(text.lstrip()),
            f"if these are the coefficients of x^{count}, …, x, 1, give them with --coefficients",
        )
    try:
        return _read(text, partial(parse, names=names, limits=limits, atoms=atoms))
    except ParseError as error:
        raise ParseError(error.message, text, error.position, error.hint) from None


def _read(text: str, parse: Callable[[str], Polynomial]) -> Reading:
    rest = _REST.search(text)
    if rest is not None:
        raise ParseError("O(…) stands for terms that are left out", text, rest.start(), "leave it out")
    inside = _blank(text, (m.span() for pattern in (_ENVIRONMENT, _NOISE) for m in pattern.finditer(text)))
    prompt = _PROMPT.match(inside)
    if prompt is not None:
        inside = _blank(inside, [prompt.span()])
    main: tuple[str, ...] = ()
    definition = _DEFINITION.match(inside)
    if definition is not None and _defines(inside, definition):
        main = _variables(definition["arguments"])
        inside = _blank(inside, [(0, definition.end())])
    arrow = _MAP.match(inside)
    if arrow is not None:
        main = _variables(next(filter(None, arrow.groups())))
        inside = _blank(inside, [arrow.span()])
    inside, called = _argument_of_call(inside)
    main = main or called
    sides = list(_EQUALS.finditer(inside))
    if len(sides) > 1:
        raise ParseError("more than one equals sign", text, sides[1].start(), "give one equation at a time")
    if not sides:
        return Reading(parse(inside), main)
    left, right = _sides(inside, sides[0], parse)
    return Reading(left - right, main, equation=True)


def notes_on(f: Polynomial, named: Sequence[str] = ()) -> list[str]:
    """What a reader of f may not expect: e, i, j, pi, E, I and Pi are variables, unless named as such.

    e beside d or f, i beside h or j, j beside i or k, and E, I and Pi beside other capitals are surely meant
    as variables, so that nothing is said.

    >>> notes_on(parse("(x + i)^2 - pi"))
    ['i and pi are variables here, not constants']
    """
    used = {names(f)[place] for place in variables_used(f)}
    capitals = {name for name in used.difference(_CONSTANTS) if name[0].isupper()}
    found = [
        name
        for name, others in _CONSTANTS.items()
        if name in used.difference(named) and not used & others and not (capitals and name[0].isupper())
    ]
    if not found:
        return []
    if len(found) == 1:
        return [f"{found[0]} is a variable here, not the constant"]
    return [f"{', '.join(found[:-1])} and {found[-1]} are variables here, not constants"]


def from_coefficients(text: str, variable: str = "x") -> Polynomial:
    """The polynomial with these coefficients, separated by commas, semicolons or blanks, the highest first.

    Brackets may enclose the whole list. Raises ParseError for what is not a list of numbers.
    """
    enclosed = _ENCLOSED.fullmatch(text)
    inside = (
        text if enclosed is None else _blank(text, [(0, enclosed.start(1)), (enclosed.end(1), len(text))])
    )
    nested = re.search(r"[\[\](){}]", inside)
    if nested is not None:
        raise ParseError(
            "a bracket inside the list of coefficients",
            text,
            nested.start(),
            f"give one list: {_COEFFICIENTS}",
        )
    mixed = re.search(r";\s*\S", inside)
    if mixed is not None and re.search(r",|[^\s;]\s+[^\s;]", inside):
        raise ParseError(
            "semicolons beside commas or blanks",
            text,
            mixed.start(),
            f"give one row, with points in decimals: {_COEFFICIENTS}",
        )
    parts = list(re.finditer(r"[^\s,;]+", inside))
    if not parts:
        raise ParseError("there are no coefficients", text, 0, f"write them like {_COEFFICIENTS}")
    context = ring([canonical_name(variable)])
    values: dict[Monomial, fmpq] = {}
    for place, part in enumerate(parts):
        if re.match(r"[-+]?0[0-9]", part.group()):
            hint = "write large numbers without commas, and decimals with a point"
            raise ParseError(f"{part.group()!r} begins with 0", text, part.start(), hint)
        try:
            number = parse(part.group(), [])
        except ParseError:
            raise ParseError(
                f"{part.group()!r} is not a number", text, part.start(), "write numbers like 3, -2/5 or 0.25"
            ) from None
        if number:
            values[(len(parts) - 1 - place,)] = number.coeffs()[0]
    return context.from_dict(values)


def with_carets(text: str) -> str | None:
    """x4+5x2+6 as x^4+5x^2+6, which is meant where a sum of variables has no use; None without such names."""
    names = _POWER.findall(text)
    return _POWER.sub(r"\1^\2", text).strip() if any(index != "1" for _, index in names) else None


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    characters = list(text)
    for start, end in spans:
        characters[start:end] = " " * (end - start)
    return "".join(characters)


def _defines(text: str, definition: re.Match[str]) -> bool:
    """Whether `name = …` defines a name, rather than being an equation in it."""
    if definition["arguments"] is not None:
        return definition["name"].lstrip("\\").lower() not in CALLS | FUNCTIONS
    if ":" in definition.group():
        return True
    rest = text[definition.end() :]
    if _EQUALS.search(rest):
        return False
    return re.search(rf"(?<![A-Za-z\\]){re.escape(definition['name'])}", rest) is None


def _variables(arguments: str | None) -> tuple[str, ...]:
    """The names that a list of arguments begins with; x_ and h(x) stand for x."""
    found = []
    for name in re.split(r"[(\[]", arguments or "")[-1].rstrip(")] ").split(","):
        try:
            found.append(canonical_name(name.strip().rstrip("_")))
        except UsageError:
            break
    return tuple(found)


def _argument_of_call(text: str) -> tuple[str, tuple[str, ...]]:
    """The first argument of a call that the whole text is, and the variables that follow it."""
    call = _CALL.match(text)
    if call is None or call["name"].lower() not in CALLS:
        return text, ()
    opening, closing = call["open"], _CLOSING[call["open"]]
    depth, commas = 0, []
    for at in range(call.end() - 1, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 1 and text[at] == ",":
            commas.append(at)
        if depth == 0:
            if text[at] != closing or text[at + 1 :].strip():
                return text, ()
            end = commas[0] if commas else at
            inner = _blank(text, [(0, call.end()), (end, len(text))])
            nested, main = _argument_of_call(inner)
            return nested, main or _variables(text[end + 1 : at])
    raise ParseError(
        f"{opening!r} is never closed", text, call.end() - 1, f"write {closing!r} where its argument ends"
    )


def _sides(
    text: str, equals: re.Match[str], parse: Callable[[str], Polynomial]
) -> tuple[Polynomial, Polynomial]:
    """Both sides of an equation, in the ring of all their variables."""
    spans = [(equals.start(), len(text)), (0, equals.end())]
    sides = []
    for span in spans:
        side = _blank(text, [span])
        if not side.strip():
            raise ParseError("one side of the equation is empty", text, equals.start())
        sides.append(parse(side))
    if sides[0].context() == sides[1].context():
        return sides[0], sides[1]
    common = ring(sorted({name for side in sides for name in names(side)}, key=natural_key))
    left, right = (embed(side, common, [common.names().index(x) for x in names(side)]) for side in sides)
    return left, right
