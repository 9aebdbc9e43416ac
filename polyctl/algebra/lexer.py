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

from polyctl.algebra.characters import SUBSCRIPTS, SUPERSCRIPTS, normalise, strip_dollars
from polyctl.algebra.names import GREEK, GREEK_NAMES, GREEK_VARIANTS, LONGEST_NAME, spellings
from polyctl.algebra.tokens import ATOM_HINT, FUNCTIONS, POWER_HINT, Limits, Token
from polyctl.algebra.words import Words, write_in_symbols
from polyctl.errors import ParseError, UsageError

_SKIPPED = "left right big Big bigl bigr Bigl Bigr quad qquad displaystyle , ; : ! ( ) [ ]"
_SKIPPED_COMMANDS = frozenset({*_SKIPPED.split(" "), " ", "\n"})
_COMMANDS = {"cdot": "*", "times": "*", "ast": "*", "div": "/", "{": "(", "}": ")"}
_WORD_COMMANDS = frozenset({"mathrm", "mathit", "mathbf", "text", "operatorname"})
_NUMBER = re.compile(r"[0-9]+(?:\.(?![*/^])[0-9]*)?|\.[0-9]+")
_POWER_OF_TEN = re.compile(r"[eE]([+-]?[0-9]{1,4})(?![0-9])")
_BRACKET_INDEX = re.compile(r"\[\s*([0-9]+(?:\s*,\s*[0-9]+)*)\s*\]")
_ELEMENTWISE = re.compile(r"\.(\*\*|[*/^])")
_FACTORIAL = re.compile(r"\s*!(?!=)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGITS = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[A-Za-z]+")
_INDEX_GROUP = re.compile(r"_\s*\{\s*([A-Za-z0-9]+(?:\s*[,_]\s*[A-Za-z0-9]+)*)\s*\}")
_INDEX_PLAIN = re.compile(r"_([0-9]+|[A-Za-z])")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_WORD_GROUP = re.compile(r"\s*\{\s*([A-Za-z](?:[A-Za-z0-9]|\\?_)*)\s*\}")
_APPLIED = re.compile(r"(?:_[A-Za-z0-9]|_\{[A-Za-z0-9]+\})?\s*(?:\^\s*\{?[0-9]+\}?)?\s*\(|\[")
COMMA_HINT = "write decimals with a point (0.5), and large numbers without separators"


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


class Lexer:
    """Reads one text; positions in tokens and errors are indices into that text."""

    def __init__(
        self, text: str, names: Sequence[str] | None, limits: Limits, *, atoms: bool = False
    ) -> None:
        self.source = text
        self.text = strip_dollars(normalise(text))
        self.names = None if names is None else spellings(names)
        self.listed = "" if names is None else ", ".join(names)
        self.limits = limits
        self.atoms = atoms
        self.found: list[Token] = []
        self.at = 0
        self._words = Words(self.text)

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

    def error(self, message: str, position: int, hint: str | None = None) -> ParseError:
        return ParseError(message, self.source, position, hint)

    def _emit(self, kind: str, end: int, text: str = "", value: fmpq | None = None) -> None:
        self.found.append(Token(kind, self.at, text, value))
        self.at = end

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
            self._emit(character, self.at + 1)
        elif character in SUPERSCRIPTS:
            self._read_superscript()
        elif character in GREEK:
            self._read_name(GREEK[character], self.at + 1)
        elif character == "\\":
            self._read_command()
        elif character == "√":
            self._read_function("sqrt", self.at + 1)
        elif unicodedata.category(character) == "No" and character not in SUBSCRIPTS:
            value = Fraction(unicodedata.numeric(character)).limit_denominator(1000)
            self._emit("number", self.at + 1, str(value), fmpq(value.numerator, value.denominator))
        else:
            raise self._unexpected(character)

    def _unexpected(self, character: str) -> ParseError:
        """The error for a character that starts nothing, with what its writer may have meant."""
        hint: str | None = None
        shown = repr(character) if character.isprintable() else f"U+{ord(character):04X}"
        if character == "=":
            hint = "give the polynomial alone, without an equals sign"
        elif character == ",":
            hint = COMMA_HINT
        elif character == "_" or character in SUBSCRIPTS:
            hint = "an index follows the letter it belongs to: x_1, x_{12}"
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
            raise self.error(
                "a decimal point without digits", self.at, "write decimals like 0.5 and products with *"
            )
        literal, end = match.group(), match.end()
        if len(literal) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        if self.text.startswith(".", end) and _ELEMENTWISE.match(self.text, end) is None:
            raise self.error("a number with two decimal points", end, "write products with *")
        power = _POWER_OF_TEN.match(self.text, end)
        exponent = 0
        if power is not None and not self._is_name(end):
            exponent, end = self._power_of_ten(literal, power), power.end()
        if re.match(r",[0-9]", self.text[end : end + 2]):
            raise self.error("a comma inside a number", end, COMMA_HINT)
        whole, _, decimals = literal.partition(".")
        value = fmpq(fmpz(whole + decimals), fmpz(10) ** len(decimals)) * fmpq(10) ** exponent
        factorial = _FACTORIAL.match(self.text, end)
        if factorial is not None:
            value, end = self._factorial(value, factorial.start()), factorial.end()
        self._emit("number", end, literal if value.q != 1 else str(value.p), value)

    def _power_of_ten(self, literal: str, power: re.Match[str]) -> int:
        """The exponent of a number such as 1e-3, where e cannot be a variable."""
        if re.search(r"(?<![A-Za-z0-9\\])[eE](?![A-Za-z])", self.text):
            raise self.error(
                f"{literal}{power.group()} could be a power of ten or a variable",
                power.start(),
                f"write {literal}*10^{power.group(1)} or {literal}*{power.group()[0]}",
            )
        exponent = int(power.group(1))
        if abs(exponent) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        return exponent

    def _factorial(self, value: fmpq, position: int) -> fmpq:
        """n! for a whole number n, which is at most so large that its digits stay in the limit."""
        if value.q != 1 or value < 0:
            raise self.error("a factorial of something that is not a whole number", position)
        if value * len(str(value.p)) > self.limits.digits:
            raise self.error(f"a number of more than {self.limits.digits:,} digits", self.at)
        return fmpq(fmpz.fac_ui(value.p))

    def _is_name(self, start: int) -> bool:
        match = _NAME.match(self.text, start)
        return self.names is not None and match is not None and match.group() in self.names

    def _read_superscript(self) -> None:
        end = self.at
        while end < len(self.text) and self.text[end] in SUPERSCRIPTS:
            end += 1
        digits = "".join(SUPERSCRIPTS[c] for c in self.text[self.at : end])
        negative = digits.startswith("-")
        if negative and not self.atoms:
            raise self.error("a negative exponent", self.at, ATOM_HINT)
        digits = digits.removeprefix("-")
        if not digits.isdigit():
            raise self.error("an exponent that is not a whole number", self.at, POWER_HINT)
        self._emit("^", self.at)
        if negative:
            self._emit("-", self.at)
        self._emit("number", end, digits, fmpq(fmpz(digits)))

    def _read_command(self) -> None:
        match = _COMMAND.match(self.text, self.at)
        if match is None:
            raise self.error("a backslash at the end", self.at)
        name, end = match.group(1), match.end()
        name = GREEK_VARIANTS.get(name, name)
        if name in _SKIPPED_COMMANDS:
            self.at = end
        elif name in _COMMANDS:
            self._emit(_COMMANDS[name], end)
        elif name in {"frac", "dfrac", "tfrac"}:
            self._emit("frac", end)
        elif name in GREEK_NAMES:
            self._read_name(name, end)
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
            hint = "polyctl reads +, -, *, /, powers, brackets, \\frac and names such as \\alpha"
            raise self.error(f"unknown LaTeX command \\{name}", self.at, hint)

    def _read_word(self) -> None:
        """A run of letters; without names given it is a product of single letters, the last one indexed."""
        match = _LETTERS.match(self.text, self.at)
        assert match is not None
        run, end = match.group(), match.end()
        if self._is_function(run, end):
            self._read_function(run, end)
            return
        if self.names is not None:
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
            written = write_in_symbols(self.text, run)
            hint = f"write {'*'.join(run[:20])} for the product, or name it as a variable (--variables)"
            raise self.error(
                f"the word {_short(run)!r} is neither a variable nor a product of variables used elsewhere",
                self.at,
                hint if written is None else f"write {_short(written, 60)}",
            )

    def _is_function(self, word: str, end: int) -> bool:
        """Whether a word is a function: one that is applied to brackets, or any if atoms are read."""
        if word.lower() not in FUNCTIONS or self._is_name(self.at):
            return False
        return self.atoms or _APPLIED.match(self.text, end) is not None

    def _read_function(self, name: str, end: int) -> None:
        """Emit a function in small letters, with its index; ArcSin is arcsin."""
        shown = self.text[self.at : end]
        if not self.atoms:
            product = f"; if you mean a product, write {'*'.join(shown)}" if shown.isalpha() else ""
            raise self.error(
                f"functions such as {shown} are not allowed in a polynomial", self.at, ATOM_HINT + product
            )
        name = name.lower()
        index, end = self._read_index(end)
        self._emit("function", end, f"{name}_{index}" if index else name)

    def _read_name(self, name: str, end: int) -> None:
        """Emit a name with the index that follows at `end`."""
        digits = _DIGITS.match(self.text, end)
        bracket = _BRACKET_INDEX.match(self.text, end) if self.names is None else None
        if digits is not None:
            name, end = name + digits.group(), digits.end()
        elif bracket is not None:
            name, end = name + re.sub(r"\s*,\s*", "_", bracket.group(1)), bracket.end()
        while len(name) <= LONGEST_NAME:
            index, after = self._read_index(end)
            if after == end:
                break
            name, end = f"{name}_{index}", after
        if len(name) > LONGEST_NAME:
            raise self.error(f"a name of more than {LONGEST_NAME} characters", self.at, POWER_HINT)
        if self.names is not None and name not in self.names:
            raise self._unknown(name, self.at)
        self._emit("name", end, name if self.names is None else self.names[name])

    def _read_index(self, start: int) -> tuple[str, int]:
        """The index that starts here, and where it ends; at the start itself if there is none."""
        end = start
        while end < len(self.text) and self.text[end] in SUBSCRIPTS:
            end += 1
        if end > start:
            return "".join(SUBSCRIPTS[c] for c in self.text[start:end]), end
        if not self.text.startswith("_", start):
            return "", start
        group = _INDEX_GROUP.match(self.text, start)
        if group is not None:
            return re.sub(r"\s*[,_]\s*", "_", group.group(1)), group.end()
        plain = _INDEX_PLAIN.match(self.text, start)
        if plain is None:
            raise self.error(
                "an index is missing or cannot be read", start, "write x_1, x_i, x_{12} or x_{max}"
            )
        return plain.group(1), plain.end()

    def _read_given_word(self) -> None:
        """A word read by the given names: the name it is, or else the only way to split it into names."""
        assert self.names is not None
        word, positions = self._spelled_word()
        start, end = self.at, positions[-1]
        if word in self.names:
            self._emit("name", end, self.names[word])
            return
        pieces = self._split(word, positions)
        for offset, name in pieces:
            self.at = positions[offset]
            self._emit("name", end, name)
        assert self.at == end > start

    def _spelled_word(self) -> tuple[str, list[int]]:
        """The word here without its braces, the position of each of its characters, and last its end."""
        word, positions, end = "", [], self.at
        while end < len(self.text):
            index, after = "", end
            if self.text[end] in SUBSCRIPTS or self.text.startswith("_{", end):
                index, after = self._read_index(end)
            if after > end:
                word += f"_{index}"
                positions += [end] * (len(index) + 1)
                end = after
            elif self.text[end] == "_" or (self.text[end].isascii() and self.text[end].isalnum()):
                word += self.text[end]
                positions.append(end)
                end += 1
            else:
                break
        return word, [*positions, end]

    def _split(self, word: str, positions: Sequence[int]) -> list[tuple[int, str]]:
        """The unique way to read a word as given names side by side, as (offset, name)."""
        assert self.names is not None
        ways = [1] + [0] * len(word)
        step: list[tuple[int, str]] = [(0, "")] * (len(word) + 1)
        for offset in range(len(word)):
            if ways[offset]:
                for spelling, name in self.names.items():
                    if word.startswith(spelling, offset):
                        ways[offset + len(spelling)] += min(ways[offset], 2)
                        step[offset + len(spelling)] = (offset, name)
        if ways[-1] > 1:
            raise self.error(
                f"{_short(word)!r} can be read as a product in several ways",
                positions[0],
                "write the products with *",
            )
        if not ways[-1]:
            reached = max(offset for offset, count in enumerate(ways) if count)
            raise self._unknown(word[reached:], positions[reached])
        pieces, offset = [], len(word)
        while offset:
            pieces.append(step[offset])
            offset = step[offset][0]
        return pieces[::-1]

    def _unknown(self, word: str, position: int) -> ParseError:
        if word[0].isdigit():
            return self.error(f"a number directly after a variable: {_short(word)!r}", position, POWER_HINT)
        return self.error(
            f"{_short(word)!r} is not one of the variables",
            position,
            f"the variables are {self.listed}" if self.listed else "the list of variables is empty",
        )


def _short(word: str, most: int = 20) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"
