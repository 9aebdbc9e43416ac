"""What a text could mean in two ways, and is asked about instead of being read in one of them."""

from __future__ import annotations

import re

from polyctl.algebra.names import GREEK_NAMES
from polyctl.algebra.tokens import FUNCTIONS
from polyctl.errors import ParseError

_GREEK = "|".join(sorted(GREEK_NAMES, key=len, reverse=True))
_WORD = r"\\(?:operatorname|mathrm|mathit|text)\s*\{[A-Za-z]+\}"
_LETTER = (
    rf"(?:{_WORD}|\\?(?:{_GREEK})|(?<![A-Za-z])[A-Za-z]{{2,30}}(?=_)|[A-Za-zα-ωΓ-Ω])"
    r"(?:_?[0-9]+|_[A-Za-z]|_\{[^{}]*\})?"
)
_OF_SUM = re.compile(
    r"(?<![A-Za-z_\\])(?P<name>[fgFG]|\\operatorname\s*\{[A-Za-z]+\})(?:\\left\s*)?[(\[](?=[^()\[\]]*[A-Za-z])"
)
_POWER = r"(?:\^(?:[0-9]+|\{[0-9]+\}))?"
_APPLIED = re.compile(
    rf"(?<![A-Za-z_\\])(?P<head>(?P<name>{_LETTER}){_POWER})(?:\\left\s*|\\[bB]igg?l?\s*)?(?P<open>[(\[])\s*"
    rf"(?P<inside>[-+]?(?:[0-9]+\s*\*?\s*)?{_LETTER}{_POWER}|[-+]?[0-9]+(?:[./][0-9]+)?)\s*(?:\\right\s*|\\[bB]igg?r?\s*)?[)\]]"
)
_OPERATOR_NAME = re.compile(
    r"\\operatorname\*?\s*\{([A-Za-z]{2,})\}\s*(?:\^\s*(?:[0-9]|\{[0-9]+\}))?\s*(\\?[A-Za-z]+)"
)
_SIGNED = re.compile(r"(?<!\*)\*(?!\*)")
_CODE_WORD = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z]{2,})[0-9]*(?![A-Za-z0-9_(\[.']|\s*[(\[])")
_SHEET_SIGN = re.compile(
    r"(?:(?<==)|(?<=[(*/,]))\s*(-)\s*(\$?[A-Z]{1,2}\$?[0-9]+)\s*\^\s*([0-9]*[02468])(?![0-9])"
)
_BARE = re.compile(rf"{_LETTER}{_POWER}'*(?:\\left\s*)?[(\[]|\\(?!(?:{_GREEK})(?![A-Za-z]))[A-Za-z]+")
_COMMAND = re.compile(r"\\[A-Za-z]+|\b[A-Za-z]{3,}")
_LABEL = re.compile(
    r"\s*(?:[(\[]\s*([0-9]{1,3}(?:\.[0-9]+)?|[A-Za-z]|[ivx]+)\s*[)\]]|([0-9]{1,3})\.)\s+(?=[A-Za-z0-9(\\\[{])"
)
_NUMBERED = re.compile(r"(?<![A-Za-z\\])(?:[\w)\]}]|[^\W\d_]+)\s+(\(\s*[0-9]+(?:\.[0-9]+)?[a-z]?\s*\))\s*$")
_JOINT = re.compile(r"(?:\\\\(?:\s*\[\s*-?[0-9.]+\s*[a-z\\]+\s*\]|\*)?|&|\s)+")
_BEFORE = re.compile(r"(?:[-+*/^=(\[{,:<>|]|\\[A-Za-z]+)$")
_AFTER = re.compile(r"[-+*/^=)\]},:<>|!]|\\(?:cdot|times|div|right|quad|qquad|end|le|ge|ne|[,;!])")
_BASED = re.compile(r"(?<![A-Za-z0-9_.])0(?:[xX][0-9A-Fa-f]+|[bB][01]+|[oO][0-7]+)(?![\w^])")
_FORTRAN = re.compile(r"(?<![0-9])[0-9]*\.[0-9]*([dD])[-+]?[0-9]+(?![A-Za-z])")
_FLOAT = re.compile(r"(?<![0-9])[0-9]*\.[0-9]*([fF])(?=\s*\*)")
_DIVIDED = re.compile(r"(?<![:/])//")
_REMAINDER = re.compile(r"(?<![A-Za-z\\])O\s*[(\[]")
_BOLD = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|textbf|mathsf|mathtt)\s*\{\s*([A-Za-z])\s*\}|\{\\bf\s+([A-Za-z])\}"
)
_COMPOSED = re.compile(r"(?<=[\w)\]])\s+(o)\s+(?=[\w(\[])")
_DIFFERENTIAL = re.compile(r"[\w)\]}]\s+(d([a-z]))\s*$")
_TWO_NAMES = re.compile(r"\s*([a-zA-Z])\s+([a-z])(?:\s+[a-z])*\s*=(?!=)")
_WORDS = re.compile(
    r"\\(?:text|mbox|textrm)\s*\{\s*(?:for|if|where|and|or|with|when|is|as|let|then|so|mod)\b"
)
_MATRIX = re.compile(r"\\begin\s*\{\s*(\w*matrix|array|cases)\b|^\s*[\[{]\s*(?:[\[{])")
_INDEXED = re.compile(r"(?<![A-Za-z_\\])(?:[A-Za-z]*?)([A-Za-z])([0-9]+)")
_LOST_POWER = re.compile(r"(?<![A-Za-z_])([A-Za-z])([0-9]+)")
_JUXTAPOSED = re.compile(r"[0-9][A-Za-z]|[0-9]\s*\(|\)\s*[A-Za-z0-9(]")
LONGEST_SHOWN = 60
MOST_LOST = 10  # larger ones are double indices, as in s12 s23
_RING = re.compile(r"\bring\s+\w+\s*=\s*\(?\s*0\b[^;()]*\(([^()]*)\)[^;]*;")


def with_carets(text: str) -> str | None:
    """x4+5x2+6 as x^4+5x^2+6, which is meant where a sum of variables has no use; None without such names."""
    names = _LOST_POWER.findall(text)
    return _LOST_POWER.sub(r"\1^\2", text).strip() if any(index != "1" for _, index in names) else None


def refuse_lost_powers(text: str) -> None:
    """ParseError for x2 in a text of Singular that declares a ring with x and without x2: there it is x^2."""
    ring = _RING.search(text)
    if ring is None:
        return
    declared = set(re.split(r"[\s,]+", ring.group(1).strip()))
    for found in _INDEXED.finditer(text, ring.end()):
        letter, digits = found.groups()
        if letter in declared and letter + digits not in declared:
            raise _error(
                text,
                found.start(1),
                f"{letter}{digits} is a power in Singular, and a variable of its own here",
                f"write {letter}^{digits}",
            )


def refuse_sheet_signs(text: str) -> None:
    """ParseError for =-A1^2: a spreadsheet takes the square of -A1, everyone else minus the square."""
    found = _SHEET_SIGN.search(text) if re.match(r"\s*=(?!=)", text) else None
    if found is not None:
        cell, exponent = found.group(2), found.group(3)
        raise _error(
            text,
            found.start(1),
            f"-{cell}^{exponent} is (-{cell})^{exponent} in a spreadsheet, elsewhere -({cell}^{exponent})",
            "put brackets around what you mean",
        )


def refuse_doubtful_lines(text: str) -> None:
    """ParseError, with the question to answer, for labels, joined lines, and words in a formula."""
    for doubt in (_refuse_remainder, _refuse_words, _refuse_joints, _refuse_labels):
        doubt(text)


def refuse_doubtful_names(text: str, named: bool, wolfram: bool = False) -> None:
    """ParseError for what may be a product of variables or something else.

    If the variables are named, only x(1) is asked about, which may be an index all the same. In the language
    of Mathematica (`wolfram`) words are names.
    """
    _refuse_values(text, named)
    if not named:
        _refuse_words_of_code(text, wolfram)
        for doubt in (
            _refuse_numbers,
            _refuse_operator_names,
            _refuse_operators,
            _refuse_functions,
            _refuse_bold,
            _refuse_lost_carets,
        ):
            doubt(text)


def _error(text: str, position: int, message: str, hint: str) -> ParseError:
    return ParseError(message, text, position, hint)


def _refuse_remainder(text: str) -> None:
    found = _REMAINDER.search(text)
    if found is not None:
        raise _error(text, found.start(), "O(…) stands for terms that are left out", "leave it out")


def _refuse_words(text: str) -> None:
    matrix = _MATRIX.search(text)
    if matrix is not None and (matrix.group(1) or re.search(r"(?<!\\),", text)):
        raise _error(
            text,
            matrix.start(),
            "several entries",
            "give one polynomial: an entry, or a determinant written out",
        )
    found = _WORDS.search(text)
    if found is not None:
        raise _error(text, found.start(), "words stand inside the formula", "give the polynomial alone")


def _refuse_joints(text: str) -> None:
    """Two lines or columns that no operator joins."""
    lines = "\\" not in text
    for joint in _JOINT.finditer(text):
        if not ("\\" in joint.group() or "&" in joint.group() or (lines and "\n" in joint.group())):
            continue
        before, after = text[max(0, joint.start() - 30) : joint.start()], text[joint.end() : joint.end() + 30]
        if re.search(r"-\s*$", before) and re.match(r"\s*-", after):
            raise _error(
                text,
                joint.end(),
                "a minus at the end of a line and at the beginning of the next could be one, or two",
                "leave one out, or put brackets around the second line",
            )
        if before and after and not _BEFORE.search(before) and not _AFTER.match(after):
            raise _error(
                text,
                joint.end(),
                "no operator joins this to the line or column before it",
                "give one polynomial at a time, or write * for a product",
            )


def _refuse_labels(text: str) -> None:
    label = _LABEL.match(text)
    if label is not None and not _is_factor(text, label):
        shown = label.group().strip()
        raise _error(
            text,
            label.end() - len(label.group().lstrip()),
            f"{shown} could be a factor, or the label of the line",
            f"leave it out, or write {label.group(1) or label.group(2)}* for the factor",
        )
    number = _NUMBERED.search(text)
    if number is not None and "=" not in number.group(1):
        raise _error(
            text,
            number.start(1),
            f"{number.group(1)} could be a factor, or the number of the line",
            f"leave it out, or write *{number.group(1)} for the factor",
        )


def _is_factor(text: str, label: re.Match[str]) -> bool:
    """Whether a label is surely a factor: 1, a letter that occurs again, or one of several decimals."""
    shown = label.group(1) or label.group(2)
    rest = text[label.end() :]
    if shown == "1" or not rest.strip():
        return True
    if label.group(2):
        return re.search(r"[0-9]\.(?![0-9])", rest) is not None
    return shown.isalpha() and re.search(rf"(?<![A-Za-z\\]){shown[0]}(?![a-z])", rest) is not None


def _refuse_numbers(text: str) -> None:
    """Numbers of programming languages."""
    based = _BASED.search(text)
    if based is not None:
        raise _error(
            text,
            based.start(),
            f"{based.group()} could be a number in another base, or a product",
            "write the number in base 10, or the product with *",
        )
    for pattern in (_FORTRAN, _FLOAT):
        found = pattern.search(text)
        if found is not None and len(pattern.findall(text)) == len(re.findall(found.group(1), text)):
            raise _error(
                text,
                found.start(1),
                f"{found.group()} could be a number in a programming language, or a product",
                f"leave {found.group(1)} out (1.5, 1.5e3), or write *{found.group(1)} for the variable",
            )
    divided = _DIVIDED.search(text)
    if divided is not None:
        raise _error(text, divided.start(), "// has no meaning in a polynomial", "write 1/2 for a fraction")


def _refuse_values(text: str, named: bool) -> None:
    """f(x), x(1) and P[x], unless the letter stands for itself elsewhere, or is named."""
    bare = _BARE.sub(" ", text)
    for name, found in {match["name"]: match for match in reversed([*_APPLIED.finditer(text)])}.items():
        inside = found["inside"].lstrip("+-")
        indexed = found["open"] == "[" and found["inside"].isdecimal() and not re.search(r"[0-9_]", name)
        converted = name == "S" and inside[0].isdecimal()
        if (named and not inside[0].isdecimal()) or _function_of(name) in FUNCTIONS:
            continue
        if name == inside or indexed or converted or re.search(rf"{re.escape(name)}(?![A-Za-z0-9_'])", bare):
            continue
        index = f", {name}_{inside} for an index" if inside.isalnum() and len(name) == 1 else ""
        raise _error(
            text,
            found.start(),
            f"{found.group()} could be a product{', an index' if index else ''} or the value of a function",
            f"write {found['head']}*{found['inside']} for the product{index}, or what the function gives",
        )


def _function_of(name: str) -> str:
    """The name in \\operatorname{name}."""
    return re.sub(r"\\[a-z]+\s*\{([A-Za-z]+)\}", r"\1", name).lower()


def _refuse_functions(text: str) -> None:
    """f(x + 1), where f and g, and the capital letters, hardly ever are factors."""
    for found in _OF_SUM.finditer(text):
        name = found["name"]
        if _function_of(name) in FUNCTIONS:
            continue
        if re.search(rf"{re.escape(name)}(?![(\[])", _COMMAND.sub(" ", text.replace("\\left", ""))) is None:
            raise _error(
                text,
                found.start(),
                f"{name}(…) could be a product, or the value of a function",
                f"write {name}*(…) for the product, or what the function gives",
            )


def _refuse_words_of_code(text: str, wolfram: bool) -> None:
    """a*(T - Tc)*m^2, where every product has its sign, and F[m_] := …, where Tc is never one."""
    if not wolfram and (not _SIGNED.search(text) or "\\" in text or _JUXTAPOSED.search(text)):
        return
    for found in _CODE_WORD.finditer(text):
        word = found.group(1)
        if word.lower() not in FUNCTIONS | GREEK_NAMES:
            raise _error(
                text,
                found.start(),
                f"{found.group()} could be one name, or a product",
                f"write {'*'.join(word)} for the product, or {word[0]}_{found.group()[1:]} for the name",
            )


def _refuse_operator_names(text: str) -> None:
    """\\operatorname{sn}^4 u, where sn is no function that is known."""
    for found in _OPERATOR_NAME.finditer(text):
        if found.group(1).lower() not in FUNCTIONS:
            shown = f"{found.group(1)} {found.group(2)}"
            raise _error(
                text,
                found.start(),
                f"{shown} could be a product, or the value of a function that is not known here",
                f"write {found.group(1)}*{found.group(2)} for the product, or a name for the value",
            )


def _refuse_operators(text: str) -> None:
    composed = _COMPOSED.search(text)
    if composed is not None and len(re.findall(r"o", text)) == 1:
        raise _error(
            text,
            composed.start(1),
            "o could be a variable, or the sign of a composition",
            "write *o* for the variable, or one polynomial in place of the other's variable",
        )
    differential = _DIFFERENTIAL.search(text)
    if differential is not None and text.count("d") == 1 and text.count(differential.group(2)) > 1:
        raise _error(
            text,
            differential.start(1),
            f"{differential.group(1)} could be a product, or what an integral ends with",
            f"leave it out, or write d*{differential.group(2)}",
        )
    names = _TWO_NAMES.match(text)
    if names is not None:
        function, argument = names.groups()
        rest = text[names.end() :]
        if function not in rest and argument in rest:
            raise _error(
                text,
                names.start(1),
                f"{function} {argument} could be a product, or a function that is defined",
                f"write {function}*{argument} = … or {function}({argument}) = …",
            )


def _refuse_bold(text: str) -> None:
    """A letter in bold, which is read as the letter, beside the same letter."""
    others = set(_COMMAND.sub(" ", _BOLD.sub(" ", text)))
    for found in _BOLD.finditer(text):
        letter = found.group(1) or found.group(2)
        if letter in others:
            raise _error(
                text,
                found.start(),
                f"{found.group()} beside {letter} could be the same variable, or another one",
                f"write {letter} for the same one, or {letter}_b for another",
            )


def _refuse_lost_carets(text: str) -> None:
    """x2 + 2xy + y2, where x and y occur too: the powers may have lost their carets."""
    if re.search(r"[\^⁰¹²³⁴-⁹_]|\*\*", text):
        return
    indices: dict[str, set[str]] = {}
    for match in _INDEXED.finditer(text):
        indices.setdefault(match.group(1), set()).add(match.group(2))
    juxtaposed = "*" not in text and _JUXTAPOSED.search(text) is not None
    for letter, found in indices.items() if juxtaposed else ():
        small = sorted(found, key=int)
        if len(small) > 1 and not found & {"0", "1"} and int(small[0]) <= MOST_LOST:
            shown = " and ".join(letter + index for index in small[:2])
            power = with_carets(text)
            raise _error(
                text,
                text.index(letter + small[0]),
                f"{shown} could be powers, or variables of their own",
                f"do you mean {power if power and len(power) < LONGEST_SHOWN else f'{letter}^{small[0]}'}? "
                f"write {letter}_{small[0]} for the variable",
            )
    for letter, found in indices.items():
        bare = rf"(?<![A-Za-z\\])(?:[A-Za-z]?{letter}|{letter}[A-Za-z])(?![A-Za-z0-9])"
        if not found & {"0", "1"} and re.search(bare, text):
            index = sorted(found, key=int)[0]
            raise _error(
                text,
                text.index(letter + index),
                f"{letter}{index} beside {letter} could be a power or a variable of its own",
                f"write {letter}^{index} for the power, or {letter}_{index} for the variable",
            )
