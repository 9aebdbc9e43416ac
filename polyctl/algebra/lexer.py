"""From the text of a polynomial to tokens: the characters, numbers, names and LaTeX that people paste.

How names are read if no names are given:

- a variable is one letter with an optional index: `x`, `x2`, `x_2`, `x_{12}`, `x_i`, `x₂`, `x_{max}`,
  `x_{1,2}`, `x[1]`; without braces an index is a run of digits or one letter, as in LaTeX: `x_1x_2` is a
  product;
- letters side by side are a product where they can be (see `Words`): `xy` is x*y and `x2y` is x2*y;
- Greek letters (`α`, `\\alpha`) and, if they stand alone, their names (`alpha`, `pi`) are one variable,
  called alpha;
- `\\mathrm{rate}` is one variable named rate, and so is `rate_1` named rate_1.

If names are given they decide: a word is the name that it spells, or else its only split into names.

A function such as `sin` is a token of its own if atoms are read, and an error otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpz

from polyctl.algebra.characters import SUBSCRIPTS, SUPERSCRIPTS, is_raised, normalise
from polyctl.algebra.hints import hint_on_character, hint_on_command, hint_on_joined_word, hint_on_word
from polyctl.algebra.name_reader import NameReader, short
from polyctl.algebra.names import GREEK, GREEK_NAMES, GREEK_VARIANTS, LONGEST_NAME
from polyctl.algebra.tokens import ATOM_HINT, BRACKETED, CALLED, FUNCTIONS, POWER_HINT, Limits, Token
from polyctl.algebra.words import Words, write_in_symbols
from polyctl.errors import ParseError, UsageError

_SKIPPED = (
    "left right middle big Big bigl bigr Bigl Bigr bigg Bigg biggl biggr Biggl Biggr quad qquad displaystyle "
    "textstyle boxed ensuremath mathop rm bf it , ; : ! ( ) [ ]"
)
_SKIPPED_COMMANDS = frozenset({*_SKIPPED.split(" "), " ", "\n"})
_COMMANDS = {
    "cdot": "*",
    "cdotp": "*",
    "star": "*",
    "times": "*",
    "ast": "*",
    "div": "/",
    "{": "(",
    "}": ")",
    "lbrace": "(",
    "rbrace": ")",
    "lbrack": "[",
    "rbrack": "]",
    "lparen": "(",
    "rparen": ")",
}
_LETTERLIKE = {"hbar": "hbar", "ell": "ell", "imath": "i", "jmath": "j"}
_WORD_NAMES = "mathrm mathit mathbf mathsf mathtt boldsymbol bm text textrm textit textbf operatorname"
_WORD_COMMANDS = frozenset(_WORD_NAMES.split(" "))
_NUMBER = re.compile(r"[0-9]+(?:\.(?!\*(?!\^)|[/^])[0-9]*)?|\.[0-9]+")
_POWER_OF_TEN = re.compile(r"(?:[eE]|\*\^)([+-]?[0-9]+)")
_ELEMENTWISE = re.compile(r"\.(\*\*|[*/^])")
_FACTORIAL = re.compile(r"\s*!(?!=)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LETTERS = re.compile(r"[A-Za-z]+")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_WORD_GROUP = re.compile(r"\s*\{\s*([A-Za-z](?:[A-Za-z0-9]|\\?_)*)\s*\}")
_APPLIED = re.compile(r"(?:_[A-Za-z0-9]|_\{[A-Za-z0-9]+\})?\s*(?:\^\s*\{?[0-9]+\}?)?\s*\(|\[")
_COMMA_HINT = "write decimals with a point (0.5), and large numbers without separators"
_ARGUMENTS_HINT = (
    "write out what a function of several arguments gives; of a list, give one polynomial at a time"
)
_LIST_HINT = "give one polynomial at a time; what stands behind it, such as x > 0, is left out"
_MAXIMA = re.compile(r"%(e|i|pi)(?![A-Za-z0-9_])")
_METHOD = re.compile(r"\.\s*([A-Za-z_]+)\s*\(")
_QUALIFIED = re.compile(r"(?:[A-Za-z]{2,}(?:\.|::))+(?=([A-Za-z]+)\s*[(\[])")
_CHOSEN = re.compile(r"C(?=\s*[(\[][^()\[\],]*,\s*[0-9]+\s*[)\]])")
_CALLED = re.compile(r"([A-Za-z]+)\s*[(\[]([^()\[\]]*)")
_VARIABLE = re.compile(
    r"(?:Subscript|Indexed)\s*[(\[]\s*([A-Za-z]+)\s*,\s*([A-Za-z0-9]+)\s*[)\]]"
    r"|Symbol\s*[(\[]\s*['\"]([A-Za-z]\w*)['\"]\s*[)\]]"
)


def canonical_name(name: str) -> str:
    """The name of a variable as rings spell it: alpha for `α`, x_12 for `x_{12}`; UsageError for others."""
    text = normalise(name.strip())
    if _NAME.fullmatch(text) and len(text) <= LONGEST_NAME:
        return text
    try:
        tokens = Lexer(text, None, Limits()).tokens()
    except ParseError:
        tokens = []
    if [token.kind for token in tokens] != ["name", "end"]:
        raise UsageError(
            f"{name!r} is not a valid name for a variable", "use a name such as x, a0, x_12, alpha or rate"
        )
    return tokens[0].text


class Lexer(NameReader):
    """Reads one text."""

    def __init__(
        self, text: str, names: Sequence[str] | None, limits: Limits, *, atoms: bool = False
    ) -> None:
        super().__init__(text, names, limits)
        self.atoms = atoms
        self._words = Words(self.text)
        self._converted = {
            name
            for name in ("S", "QQ", "ZZ")
            if f"{name}(" in self.text
            and not re.search(rf"(?<![A-Za-z]){name}(?!\(\s*[-+]?[0-9]+(?:[/.][0-9]+)?\s*\))", self.text)
        }
        self._opened: list[bool] = []  # whether each open bracket holds the arguments of a call

    def tokens(self) -> list[Token]:
        """All tokens, the last of kind `end`; ParseError if the text cannot be read."""
        if len(self.source) > self.limits.length:
            raise self.error(
                f"the text is longer than {self.limits.length:,} characters",
                self.limits.length,
                "keep polynomials this long in a file in the published format (docs/format.md)",
            )
        while self.at < len(self.text):
            self._step(self.text[self.at])
        self.found.append(Token("end", len(self.text.rstrip())))
        return self.found

    def _step(self, character: str) -> None:
        if character.isspace():
            self.at += 1
        elif (elementwise := _ELEMENTWISE.match(self.text, self.at)) is not None:
            self._emit(elementwise.group(1).replace("**", "^"), elementwise.end())
        elif character in "0123456789.":
            self._read_number()
        elif character.isascii() and character.isalpha():
            self._read_word()
        elif self.text.startswith("**", self.at):
            self._emit("^", self.at + 2)
        elif character in "+-*/^()[]{}":
            self._bracket(character)
            self._emit(character, self.at + 1)
        elif character in ",;" and self._in_call():
            self._emit(",", self.at + 1)
        elif character in SUPERSCRIPTS:
            self._read_superscript()
        elif (constant := _MAXIMA.match(self.text, self.at)) is not None:
            self._read_name(constant.group(1), constant.end())
        elif character in GREEK or character == "ħ":
            self._read_name(GREEK.get(character, "hbar"), self.at + 1)
        elif character == "\\":
            self._read_command()
        elif character == "√":
            self._read_function("sqrt", self.at + 1)
        elif unicodedata.category(character) == "No" and character not in SUBSCRIPTS:
            value = Fraction(unicodedata.numeric(character)).limit_denominator(1000)
            self._emit("number", self.at + 1, str(value), fmpq(value.numerator, value.denominator))
        else:
            raise self._unexpected(character)

    def _bracket(self, character: str) -> None:
        """Remember whether commas separate arguments inside the innermost bracket."""
        if character in "([{":
            self._opened.append(bool(self.found) and self.found[-1].kind == "call")
        elif character in ")]}" and self._opened:
            self._opened.pop()

    def _in_call(self) -> bool:
        return bool(self._opened) and self._opened[-1]

    def _unexpected(self, character: str) -> ParseError:
        """The error for a character that starts nothing, with what its writer may have meant."""
        hint = hint_on_character(character)
        shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
        if character == "=":
            hint = "give the polynomial alone, without an equals sign"
        elif character == ",":
            hint = _ARGUMENTS_HINT if self._opened else _LIST_HINT
        elif character == "_" or character in SUBSCRIPTS:
            number = character == "_" and self.text[self.at - 1 : self.at].isdigit()
            hint = "an index follows the letter it belongs to: x_1, x_{12}" if not number else _COMMA_HINT
        elif is_raised(character):
            return self.error("an exponent that is not a whole number", self.at, POWER_HINT)
        elif character == "$":
            hint = "dollar signs may only enclose the whole polynomial"
        elif character.isalpha():
            family = unicodedata.name(character, "").split(" ")[0].capitalize()
            shown += f" ({family})" if family in {"Cyrillic", "Greek", "Armenian"} else ""
            hint = "variables are Latin letters a-z, A-Z, or Greek ones that do not look Latin"
        return self.error(f"unexpected character {shown}", self.at, hint)

    def _read_number(self) -> None:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self._stray_point()
        literal, end = match.group(), match.end()
        if len(literal) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        points = end - literal.endswith(".")
        if self.text.startswith("...", points):
            raise self.error("three points", points, hint_on_character("…"))
        if self.text.startswith(".", end) and _ELEMENTWISE.match(self.text, end) is None:
            raise self.error("a number with two decimal points", end, "write products with *")
        power = _POWER_OF_TEN.match(self.text, end)
        exponent = 0
        if power is not None and not self._is_name(end):
            exponent, end = self._power_of_ten(literal, power), power.end()
        if re.match(r",[0-9]", self.text[end : end + 2]) and not self._in_call():
            raise self.error("a comma inside a number", end, _COMMA_HINT)
        whole, _, decimals = literal.partition(".")
        value = fmpq(fmpz(whole + decimals), fmpz(10) ** len(decimals)) * fmpq(10) ** exponent
        factorial = _FACTORIAL.match(self.text, end)
        if factorial is not None:
            value, end = self._factorial(value, factorial.start()), factorial.end()
        self._emit("number", end, literal if value.q != 1 else str(value.p), value)

    def _stray_point(self) -> ParseError:
        method = _METHOD.match(self.text, self.at)
        if self.text.startswith("...", self.at):
            return self.error("three points", self.at, hint_on_character("…"))
        if self.text.startswith("/.", self.at - 1):
            return self.error("a replacement", self.at - 1, "give the polynomial alone, or what comes out")
        if method is not None:
            return self.error(
                f"the method {method.group(1)} is not read",
                self.at,
                "give the polynomial alone, or what comes out",
            )
        return self.error(
            "a decimal point without digits", self.at, "write decimals like 0.5 and products with *"
        )

    def _power_of_ten(self, literal: str, power: re.Match[str]) -> int:
        """The exponent of a number such as 1e-3, where e cannot be a variable."""
        if power.group()[0] != "*" and re.search(r"(?<![A-Za-z0-9.\\])[eE](?![A-Za-z])", self.text):
            raise self.error(
                f"{literal}{power.group()} could be a power of ten or a variable",
                power.start(),
                f"write {literal}*10^{power.group(1)} or {literal}*{power.group()[0]}",
            )
        digits = power.group(1).lstrip("+-").lstrip("0") or "0"
        if len(digits) > len(str(self.limits.digits)) or int(digits) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        return -int(digits) if power.group(1).startswith("-") else int(digits)

    def _factorial(self, value: fmpq, position: int) -> fmpq:
        """n! for a whole number n, which is at most so large that its digits stay in the limit."""
        if value.q != 1 or value < 0:
            raise self.error("a factorial of something that is not a whole number", position)
        if value * len(str(value.p)) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        return fmpq(fmpz.fac_ui(value.p))

    def _read_superscript(self) -> None:
        end = self.at
        while end < len(self.text) and self.text[end] in SUPERSCRIPTS:
            end += 1
        digits = "".join(SUPERSCRIPTS[c] for c in self.text[self.at : end])
        negative = digits.startswith("-")
        digits = digits.removeprefix("-").removeprefix("+")
        if not digits.isdigit():
            raise self.error("an exponent that is not a whole number", self.at, POWER_HINT)
        self._emit("^", self.at)
        if negative:
            self._emit("-", self.at)
        self._emit("number", end, digits, fmpq(fmpz(digits)))

    def _read_command(self) -> None:
        match = _COMMAND.match(self.text, self.at)
        if match is None:
            raise self.error("a backslash at the end", self.at, "leave it out")
        name, end = match.group(1), match.end()
        name = GREEK_VARIANTS.get(name, name)
        if name in _SKIPPED_COMMANDS:
            self.at = end + (name in {"left", "right"} and self.text.startswith(".", end))
        elif name in _COMMANDS:
            self._emit(_COMMANDS[name], end)
        elif name.removeprefix("c").removeprefix("d").removeprefix("t") in {"frac", "binom"}:
            self._emit("frac", end, name.lstrip("cdt"))
        elif name in {"over", "choose"}:
            self._emit("over", end, name)
        elif name in GREEK_NAMES or name in _LETTERLIKE:
            self._read_name(_LETTERLIKE.get(name, name), end)
        elif name in _WORD_COMMANDS:
            group = _WORD_GROUP.match(self.text, end)
            if group is None:
                raise self.error(f"\\{name} needs a name in braces", self.at, f"write \\{name}{{rate}}")
            word = group.group(1).replace("\\", "")
            if self._is_function(word, group.end()):
                self._read_function(word, group.end())
            else:
                self._read_name(word, group.end())
        elif name in FUNCTIONS:
            self._read_function(name, end)
        else:
            raise self.error(f"the LaTeX command \\{name} is not read", self.at, hint_on_command(name))

    def _read_word(self) -> None:
        """A run of letters; without names given it is a product of single letters, the last one indexed."""
        match = _LETTERS.match(self.text, self.at)
        assert match is not None
        if self._read_call():
            return
        run, end = match.group(), match.end()
        if self._is_function(run, end):
            self._read_function(run, end)
        elif self.found and self.found[-1].kind == "frac" and self.names is None:
            self._emit("name", self.at + 1, run[0])
        elif self.names is not None:
            self._read_given_word()
        elif run in GREEK_NAMES:
            self._read_name(run, end)
        elif len(run) == 1 or self._words.is_product(run):
            for letter in run[:-1]:
                self._emit("name", self.at + 1, letter)
            self._read_name(run[-1], end)
        elif self.text[end : end + 1] == "_":
            self._read_name(run, end)
        else:
            raise self._unknown_word(run, end)

    def _unknown_word(self, word: str, end: int) -> ParseError:
        """The error for a word that is no product of variables, with what to write instead."""
        known = hint_on_word(word) or hint_on_joined_word(word)
        written = None if known is not None else write_in_symbols(self.text, word)
        if written is not None:
            known = f"write {short(written, 60)}"
        elif known is None and self.text[end:].lstrip().startswith("@"):
            known = hint_on_character("@")
        elif known is None and word.lower() in FUNCTIONS:
            known = f"write {word}(x): {ATOM_HINT}"
        elif known is None and re.match(r"_?\w*\s*[(\[]", self.text[end:]):
            known = f"write out what {short(word)} gives; with --variables {short(word)} it is a variable"
        return self.error(
            f"the word {short(word)!r} is neither a variable nor a product of variables used elsewhere",
            self.at,
            known or f"write {'*'.join(word[:20])} for the product, or name it as a variable (--variables)",
        )

    def _read_call(self) -> bool:
        """Read what other systems write as a call: pow(x, 4), C(4,2), sp.Rational(1,2), Symbol('x')."""
        if self._is_name(self.at):
            return False
        qualified = _QUALIFIED.match(self.text, self.at)
        if qualified is not None and qualified.group(1).lower() in CALLED.keys() | FUNCTIONS:
            self.at = qualified.end()
        variable = _VARIABLE.match(self.text, self.at)
        if variable is not None:
            name = "_".join(part for part in variable.groups() if part)
            self._emit_name(name, variable.end())
            return True
        called = _CALLED.match(self.text, self.at)
        if called is None:
            return False
        word = called.group(1)
        operation = CALLED.get(word.lower())
        spoken = operation in {"sum", "product"} or (
            operation == "quotient" and self.text[called.end(1)].isspace()
        )
        if spoken and not word[0].isupper():
            operation = None  # x plus (y + 1)
        if _CHOSEN.match(self.text, self.at):
            operation = "binomial"
        elif word in self._converted:
            operation = "quotient"
        elif "," not in called.group(2) and self.names is None and self._words.is_product(word):
            operation = None
        if operation is not None:
            self._emit("call", called.end(1), operation)
        return operation is not None

    def _is_function(self, word: str, end: int) -> bool:
        """Whether a word is a function: one that is applied to brackets, or any if atoms are read."""
        if word.lower() not in FUNCTIONS or self._is_name(self.at):
            return False
        if word.lower() in BRACKETED or word.lower() == "lg":
            return _APPLIED.match(self.text, end) is not None
        if word.lower() == "ln" and re.match(r"\s+[A-Za-z0-9\\]", self.text[end:]):
            return True
        return self.atoms or _APPLIED.match(self.text, end) is not None

    def _read_function(self, name: str, end: int) -> None:
        """Emit a function in small letters, with its index; ArcSin is arcsin."""
        shown = self.text[self.at : end]
        if not self.atoms:
            product = f"; if you mean a product, write {'*'.join(shown)}" if shown.isalpha() else ""
            raise self.error(
                f"functions such as {shown} are not allowed in a polynomial",
                self.at,
                hint_on_word(shown) or ATOM_HINT + product,
            )
        name = name.lower()
        index, end = self._read_index(end)
        self._emit("function", end, f"{name}_{index}" if index else name)
