"""Characters that look or mean like others, as pasted text has them, and what they stand for."""

from __future__ import annotations

import re
import unicodedata

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789aehijklmnoprstuvx", strict=True))
_LOOKALIKES = (
    dict.fromkeys("−–—―‐‑‒˗➖", "-")
    | dict.fromkeys("×·⋅∙•∗✕✖⨯⨉⁎⋆‧・\u2062", "*")
    | dict.fromkeys("÷∕⁄➗", "/")
    | dict.fromkeys("➕\u2064", "+")
    | dict.fromkeys("ˆ⌃↑˄", "^")
    | {"≔": "=", "∶": ":", "∆": "Δ"}
)
_RAISED = ("<super>", "<sub>")


def normalise(text: str) -> str:
    """The text, character by character, with lookalikes of ASCII replaced; indices keep their meaning."""
    if text.isascii():
        return text
    return "".join(_normal_character(character) for character in text)


def _normal_character(character: str) -> str:
    if character in SUPERSCRIPTS or character in SUBSCRIPTS:
        return character
    if character in _LOOKALIKES:
        return _LOOKALIKES[character]
    if character.isspace() or unicodedata.category(character) == "Cf":
        return " "
    if is_raised(character):
        return character
    folded = unicodedata.normalize("NFKC", character)
    return _LOOKALIKES.get(folded, folded) if len(folded) == 1 else character


def is_raised(character: str) -> bool:
    """Whether a character is a raised or lowered one, whose place has a meaning."""
    return unicodedata.decomposition(character).startswith(_RAISED)


def strip_dollars(text: str) -> str:
    """The text with the dollar signs that enclose it as blanks."""
    match = re.fullmatch(r"(\s*)(\${1,2})(.*?)\2(\s*)", text, re.DOTALL)
    if match is None:
        return text
    blank = " " * len(match.group(2))
    return match.group(1) + blank + match.group(3) + blank + match.group(4)
