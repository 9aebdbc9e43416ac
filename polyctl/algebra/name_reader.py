"""Names in a text as tokens: letters with their indices, and words by the names that are given."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flint import fmpq

from polyctl.algebra.characters import SUBSCRIPTS, normalise, strip_dollars
from polyctl.algebra.names import GREEK, GREEK_NAMES, GREEK_VARIANTS, LONGEST_NAME, spellings
from polyctl.algebra.tokens import POWER_HINT, Limits, Token
from polyctl.errors import ParseError

_BRACKET_INDEX = re.compile(r"\[\s*([0-9]+(?:\s*(?:,|\]\s*\[)\s*[0-9]+)*)\s*\]")
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST_NAME}}}")
_DIGITS = re.compile(r"[0-9]+")
_INDEX_GROUP = re.compile(r"_\s*\{\s*([A-Za-z0-9]+(?:\s*[,_]\s*[A-Za-z0-9]+)*)\s*\}")
_INDEX_WORD = re.compile(
    r"_\s*(?:\\(?P<greek>[A-Za-z]+)|\{\s*\\(?P<braced>[A-Za-z]+)\s*\}|(?P<letter>[α-ω])|"
    r"\{\s*\\(?:text|mathrm|mathit|rm)\s*\{?\s*(?P<word>[A-Za-z0-9]+)\s*\}?\s*\})"
)
_INDEX_PLAIN = re.compile(r"_([0-9]+|[A-Za-z])")


class NameReader:
    """Reads the names of one text; positions in tokens and errors are indices into that text."""

    def __init__(self, text: str, names: Sequence[str] | None, limits: Limits) -> None:
        self.source = text
        self.text = strip_dollars(normalise(text))
        self.names = None if names is None else spellings(names)
        self.listed = "" if names is None else ", ".join(names)
        self.limits = limits
        self.found: list[Token] = []
        self.at = 0

    def error(self, message: str, position: int, hint: str | None = None) -> ParseError:
        return ParseError(message, self.source, position, hint)

    def _emit(self, kind: str, end: int, text: str = "", value: fmpq | None = None) -> None:
        self.found.append(Token(kind, self.at, text, value))
        self.at = end

    def _is_name(self, start: int) -> bool:
        match = None if self.names is None else _NAME.match(self.text, start)
        return self.names is not None and match is not None and match.group() in self.names

    def _read_name(self, name: str, end: int) -> None:
        """Emit a name with the index that follows at `end`."""
        digits = _DIGITS.match(self.text, end)
        bracket = _BRACKET_INDEX.match(self.text, end) if self.names is None else None
        if digits is not None:
            name, end = name + digits.group(), digits.end()
        elif bracket is not None:
            name, end = name + re.sub(r"[\s,\[\]]+", "_", bracket.group(1)), bracket.end()
        while len(name) <= LONGEST_NAME:
            index, after = self._read_index(end)
            if after == end:
                break
            name, end = f"{name}_{index}", after
        self._emit_name(name, end)

    def _emit_name(self, name: str, end: int) -> None:
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
        word = _INDEX_WORD.match(self.text, start)
        if word is not None:
            name = word["word"] or GREEK.get(word["letter"]) or word["greek"] or word["braced"]
            name = GREEK_VARIANTS.get(name, name)
            if word["word"] or name in GREEK_NAMES:
                return name, word.end()
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
                f"{short(word)!r} can be read as a product in several ways",
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
            return self.error(f"a number directly after a variable: {short(word)!r}", position, POWER_HINT)
        return self.error(
            f"{short(word)!r} is not one of the variables",
            position,
            f"the variables are {self.listed}" if self.listed else "the list of variables is empty",
        )


def short(word: str, most: int = 20) -> str:
    """The word, cut if it is long."""
    return word if len(word) <= most else word[: most - 1] + "…"
