"""What people paste around a polynomial: equations, definitions, calls, LaTeX environments.

    f(x, y) = …   P := …   y &= …      a definition: its right side; the arguments are its main variables
    … = …                              an equation: left side minus right side
    Decompose[…, x]   sp.factor(…)     the first argument; variables after it are the main ones
    x -> …   lambda x: …   @(x) …      the right side; x is its main variable
    def f(x): return …                 what is returned
    … for x                            x is the main variable

What stands around these is blanked by surroundings.py; what could mean two things is asked about by
questions.py. Everything that is not part of the polynomial becomes blanks, so that places in errors are
places in the text. What remains is read by `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from flint import fmpq

from polyctl.algebra.lexer import canonical_name
from polyctl.algebra.monomials import Monomial
from polyctl.algebra.names import natural_key
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import Polynomial, embed, names, ring, variables_used
from polyctl.algebra.questions import (
    refuse_doubtful_lines,
    refuse_doubtful_names,
    refuse_lost_powers,
    refuse_sheet_signs,
)
from polyctl.algebra.surroundings import blank, strip_surroundings, unquoted, without_breaks
from polyctl.algebra.tokens import FUNCTIONS, Limits
from polyctl.errors import ParseError, UsageError

_CALLS = (
    "decompose decomp polydecomp compoly poly polynomial expand factor factorise factorize simplify collect "
    "fullsimplify horner solve nsolve fsolve reduce roots nroots unapply sympify ratsimp radcan together"
)
CALLS = frozenset(_CALLS.split(" "))
_NAMES = r"[A-Za-z0-9_]+(?:\s*,\s*[A-Za-z0-9_]+)*"
_MAP = re.compile(
    rf"\s*(?:lambda\s+(?P<python>{_NAMES})\s*:|@\s*\((?P<matlab>\s*{_NAMES}\s*)\)|"
    rf"(?:function|proc)\s*\((?P<named>\s*{_NAMES}\s*)\)|"
    rf"(?:fun\s+)?(?:\(\s*)?(?P<arrow>{_NAMES})\s*(?:\)\s*)?(?:[-=]>|→|↦|\\mapsto\b|\\to\b))"
)
_PROGRAM = re.compile(
    r"\s*(?:def\s+\w+\s*\((?P<python>[^()]*)\)[^:]*:\s*(?:return\b)?|"
    r"function\s+\w+\s*\((?P<lua>[^()]*)\)\s*(?:return\b)?|"
    r"(?:[A-Za-z_]\w*\s+)+\w+\s*\((?P<c>[^()]*)\)\s*\{\s*return\b)"
)
_DEFINITION = re.compile(
    r"\s*(?P<name>\\?[A-Za-zα-ωΓ-Ω][A-Za-z0-9_']*(?:_\{[A-Za-z0-9,]+\})?)\s*"
    rf"(?:[(\[](?P<arguments>[^()\[\]=]*|\s*[A-Za-z]\w*\s*[(\[]\s*{_NAMES}\s*[)\]]\s*)[)\]]\s*)?"
    r"(?::?=(?![=>])|(?<=\s)<-\s|(?::|\\colon\b)(?=[^=]{1,20}(?:->|=>|→|↦|\\mapsto|\\to\b))|(?<=[\w)\]}']):(?!=))"
)
_EQUATION = re.compile(r"\s*(?:[A-Za-z]+\.)?(?:Eq|Equal)\s*(?P<open>[(\[])")
_DEFINED = re.compile(rf"=\s*(?P<name>[A-Za-z])\s*\(\s*(?P<arguments>{_NAMES})\s*\)\s*$")
_CALL = re.compile(r"\s*(?:[A-Za-z]+\.)?(?P<name>[A-Za-z]+(?:_[A-Za-z]+)*)\s*(?P<open>[(\[])")
_UNKNOWN = re.compile(rf"\s(?:for|wrt|with\s+respect\s+to)\s+({_NAMES})\s*$")
_EQUALS = re.compile(r"(?<![:<>!=])={1,2}(?![=>])")
_ENTRY = r"[-+]?[0-9./]+"
_ENTRIES = rf"{_ENTRY}(?:(?:\s*[,;]\s*|\s+){_ENTRY})+"
_LIST = re.compile(
    rf"\s*(?:\w+\s*:?=\s*)?(?:[\w.]+\s*[(\[]\s*)?[(\[{{]\s*{_ENTRIES}\s*[)\]}}]\s*(?:,[^,()\[\]]*)*(?:[)\]]\s*)?(?:;\s*)?"
    rf"|\s*{_ENTRY}(?:(?:\s*,\s+{_ENTRY})+|,(?![0-9]{{3}}\b){_ENTRY}(?:,{_ENTRY})+)\s*(?:;\s*)?"
)
_ENCLOSED = re.compile(r"\s*(?:[A-Za-z]\w*\s*:?=\s*)?[\[({]([^\[\](){}]*)[\])}]\s*(?:[;.]\s*)?")
_COEFFICIENTS = "1, 0, 2, 0, -3"
_NESTED_CALLS = 20
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
    polynomial is the left side of an equation minus its right side. `identities` of atoms were used to
    write it in fewer of them.
    """

    polynomial: Polynomial
    main: tuple[str, ...] = ()
    equation: bool = False
    identities: tuple[str, ...] = ()


def read(
    text: str,
    names: Sequence[str] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    *,
    atoms: bool = False,
) -> Reading:
    """The polynomial that a pasted text is about; errors as those of `parse`, with places in the text."""
    if len(text) > limits.length:
        raise ParseError(
            f"the text is longer than {limits.length:,} characters",
            text,
            limits.length,
            "keep polynomials this long in a file in the published format (docs/format.md)",
        )
    if _LIST.fullmatch(text):
        inside = re.sub(r"^\s*\w+\s*:?=", "", text)
        count = len(re.findall(_ENTRY, re.sub(r"[A-Za-z][\w.]*", "", inside))) - 1
        raise ParseError(
            "a list of numbers is not a polynomial",
            text,
            len(text) - len(text.lstrip()),
            f"if these are the coefficients of x^{count}, …, x, 1, give them with --coefficients",
        )
    try:
        return _read(text, names, partial(parse, names=names, limits=limits, atoms=atoms))
    except ParseError as error:
        raise ParseError(error.message, text, error.position, error.hint) from None


def _read(text: str, given: Sequence[str] | None, parse: Callable[[str], Polynomial]) -> Reading:
    refuse_lost_powers(text)
    refuse_sheet_signs(text)
    inside = strip_surroundings(text, given or ())
    refuse_doubtful_lines(inside)
    inside, main = _without_head(without_breaks(inside))
    inside, called = _argument_of_call(_equation(unquoted(inside)))
    main = main or called
    refuse_doubtful_names(inside, given is not None, re.search(r"\w_\s*\]", text) is not None)
    sides = list(_EQUALS.finditer(inside))
    if len(sides) > 1:
        raise ParseError("more than one equals sign", text, sides[1].start(), "give one equation at a time")
    if not sides:
        return Reading(parse(inside), main)
    left, right = _sides(inside, sides[0], parse)
    return Reading(left - right, main, equation=True)


def _without_head(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without `f(x) =`, `x ->` and the like as blanks, and the variables that these name."""
    main: tuple[str, ...] = ()
    unknown, defined = _UNKNOWN.search(text), _DEFINED.search(text)
    if unknown is not None:
        main, text = _variables(unknown.group(1)), blank(text, [unknown.span()])
    elif (
        defined is not None
        and re.search(rf"(?<![A-Za-z\\]){defined['name']}", text[: defined.start()]) is None
    ):
        return blank(text, [defined.span()]), _variables(defined["arguments"])
    definition = _DEFINITION.match(text)
    if definition is not None and _defines(text, definition):
        main = main or _variables(definition["arguments"])
        text = blank(text, [(0, definition.end())])
    for pattern in (_PROGRAM, _MAP):
        head = pattern.match(text)
        if head is not None:
            main = _variables(next(filter(None, head.groups()), ""))
            text = _without_braces(blank(text, [head.span()]))
    return text, main


def _without_braces(text: str) -> str:
    """The body of a function without `{ return` and `; }`, or without `end`."""
    opening = re.match(r"\s*\{\s*return\b", text)
    if opening is not None:
        text = blank(text, [opening.span()])
    text = text.rstrip()
    closing = re.search(r"(;?)\s{0,9}(\}|\bend(?:\s{1,9}(?:proc|function))?)$", text)
    if closing is None:
        return text
    unmatched = closing.group(2) != "}" or text.count("}") > text.count("{")
    return blank(text, [closing.span(0 if unmatched else 1)])


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
    inside = text if enclosed is None else blank(text, [(0, enclosed.start(1)), (enclosed.end(1), len(text))])
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
    empty = re.search(r"^\s*,|[,;]\s*,", inside)
    if empty is not None:
        raise ParseError(
            "an empty place in the list", text, empty.end() - 1, "write 0 for a coefficient of 0"
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


def _defines(text: str, definition: re.Match[str]) -> bool:
    """Whether `name = …` defines a name, rather than being an equation in it."""
    if definition["arguments"] is not None:
        known = definition["name"].lstrip("\\").lower() in CALLS | FUNCTIONS
        return not known and _variables(definition["arguments"]) != ()
    if re.search(":=|<-|colon", definition.group()):
        return True
    rest = text[definition.end() :]
    if _EQUALS.search(rest):
        return False
    if _MAP.match(rest):
        return True
    return re.search(rf"(?<![A-Za-z\\]){re.escape(definition['name'])}", rest) is None


def _variables(arguments: str | None) -> tuple[str, ...]:
    """The names that a list of arguments begins with; x_ and h(x) stand for x."""
    found = []
    listed = re.split(r"[(\[]", arguments or "")[-1].rstrip(")] ")
    for name in re.split(r"[;|]", listed)[0].split(","):
        try:
            found.append(canonical_name(name.split(":")[0].strip().split(" ")[-1].rstrip("_")))
        except UsageError:
            break
    return tuple(found)


def _argument_of_call(text: str) -> tuple[str, tuple[str, ...]]:
    """The first argument of a call that the whole text is, and the variables that follow it.

    A call in a call is entered as well.
    """
    main: tuple[str, ...] = ()
    for _ in range(_NESTED_CALLS):
        call = _CALL.match(text)
        if call is None or not CALLS.union({"list"}).issuperset(call["name"].lower().split("_")):
            break
        commas, closing = _arguments(text, call)
        if text[closing + 1 :].strip():
            break
        end = commas[0] if commas else closing
        main = main or _variables(text[end + 1 : closing])
        text = blank(text, [(0, call.end()), (end, len(text))])
    return text, main


def _equation(text: str) -> str:
    """Eq(a, b) as a = b."""
    call = _EQUATION.match(text)
    if call is None:
        return text
    commas, closing = _arguments(text, call)
    if len(commas) != 1 or text[closing + 1 :].strip():
        return text
    text = blank(text, [(0, call.end()), (closing, closing + 1)])
    return text[: commas[0]] + "=" + text[commas[0] + 1 :]


def _arguments(text: str, call: re.Match[str]) -> tuple[list[int], int]:
    """The places of the commas between the arguments of a call, and of the bracket that closes it."""
    depth, commas = 0, []
    for at in range(call.end() - 1, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 1 and text[at] == ",":
            commas.append(at)
        if depth == 0 and text[at] == _CLOSING[call["open"]]:
            return commas, at
        if depth == 0:
            break
    raise ParseError(
        f"{call['open']!r} is never closed",
        text,
        call.end() - 1,
        f"write {_CLOSING[call['open']]!r} where its argument ends",
    )


def _sides(
    text: str, equals: re.Match[str], parse: Callable[[str], Polynomial]
) -> tuple[Polynomial, Polynomial]:
    """Both sides of an equation, in the ring of all their variables."""
    spans = [(equals.start(), len(text)), (0, equals.end())]
    sides = []
    for span in spans:
        side = blank(text, [span])
        if not side.strip():
            raise ParseError(
                "one side of the equation is empty",
                text,
                equals.start(),
                "write both sides, or leave the equals sign out",
            )
        sides.append(parse(side))
    if sides[0].context() == sides[1].context():
        return sides[0], sides[1]
    common = ring(sorted({name for side in sides for name in names(side)}, key=natural_key))
    left, right = (embed(side, common, [common.names().index(x) for x in names(side)]) for side in sides)
    return left, right
