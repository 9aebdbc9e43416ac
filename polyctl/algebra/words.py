"""Is a word in a polynomial a product of its letters, or something else that was pasted along?"""

from __future__ import annotations

import re
from itertools import pairwise

from polyctl.algebra.tokens import FUNCTIONS

_RUN = re.compile(r"(?<![A-Za-z\\])[A-Za-z]+")
_RAISED = re.compile(r"(?<![A-Za-z\\])([A-Za-z]{2})(?:\s*(?:\^|\*\*)|[⁰¹²³⁴-⁹])")
_COMMON = "am an as at be do go he hi if in is it me my no of on or so to up us we"
_ENGLISH = frozenset(_COMMON.split(" "))
_SPOKEN = {
    r"\s*\b(?:squared|square)\b": "^2",
    r"\s*\b(?:cubed|cube)\b": "^3",
    r"\s*\bto\s+the\s+(?:power\s+(?:of\s+)?)?(?=[0-9])": "^",
    r"\bplus\b": "+",
    r"\bminus\b": "-",
    r"\b(?:times|multiplied\s+by)\b": "*",
    r"\b(?:over|divided\s+by)\b": "/",
}


def write_in_symbols(text: str, word: str) -> str | None:
    """ "x squared plus 3" as x^2 + 3; None if the word is not one that stands for an operation.

    >>> write_in_symbols("x to the power of 4 minus 1", "to")
    'x^4 - 1'
    """
    written = re.sub(r"\s+", " ", text)
    for pattern, symbol in _SPOKEN.items():
        written = re.sub(pattern, symbol, written, flags=re.IGNORECASE)
    unchanged = " ".join(text.split()) == written.strip()
    return None if unchanged or re.search(rf"\b{word}\b", written) else written.strip()


class Words:
    """Judges the words of one text by the letters that stand for variables elsewhere in it.

    A letter does where it stands alone, or in a word that is surely a product: two different letters that are
    no English word, or a row of the alphabet such as xyz.
    """

    def __init__(self, text: str) -> None:
        runs = {match.group() for match in _RUN.finditer(text)}
        self._powers = {match.group(1) for match in _RAISED.finditer(text)}
        self._known = {run for run in runs if len(run) == 1}
        for run in runs:
            if (_is_row("".join(sorted(set(run)))) and run.lower() not in FUNCTIONS) or _is_pair(run):
                self._known |= set(run)

    def is_product(self, word: str) -> bool:
        """Whether a word of two or more letters can be read as their product.

        It can if at most one of its letters, or a row of the alphabet, is unknown in the text.
        """
        unknown = set(word) - self._known
        if len(set(word)) == len(word) == 2 and word in self._powers:
            return True  # at^2 is no English
        if unknown and len(word) > 2 and word.lower() in FUNCTIONS:
            return False
        return len(unknown) < 2 or _is_pair(word) or _is_row("".join(sorted(unknown)))


def _is_row(word: str) -> bool:
    """Whether the letters follow each other in the alphabet and are no English word."""
    return len(word) > 1 and word not in _ENGLISH and all(ord(b) - ord(a) == 1 for a, b in pairwise(word))


def _is_pair(word: str) -> bool:
    return len(word) == 2 and word[0] != word[1] and word.lower() not in _ENGLISH
