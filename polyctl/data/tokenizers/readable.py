"""A model's answer as polynomials in f's own variables, unfinished ones as far as they go."""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.polynomial import Polynomial, names
from polyctl.algebra.printing import plain
from polyctl.data.tokenizers.base import Tokenizer, Written, decode_for, move_back, own_names
from polyctl.data.tokenizers.errors import MalformedTarget

OPEN = "…"


def write_answer(tokenizer: Tokenizer, ids: Sequence[int], f: Polynomial, finished: bool) -> str:
    """The answer to the prompt of f, `g(b) = …; h = …` or the inner polynomials alone.

    An unfinished one ends in `…`, and what is open in its last term is `□`. One that stands for no
    polynomials is given as its tokens, in `⟨ ⟩`, so that nobody takes them for mathematics.
    """
    try:
        if finished:
            return _write_decomposition(decode_for(tokenizer, f, ids))
        return _write_unfinished(tokenizer, ids, f)
    except MalformedTarget:
        return f"⟨{tokenizer.text(ids, f)}⟩"


def _write_decomposition(found: Decomposition) -> str:
    outer = None if found.outer is None else (names(found.outer), plain(found.outer))
    return _join(outer, [plain(inner) for inner in found.inners])


def _write_unfinished(tokenizer: Tokenizer, ids: Sequence[int], f: Polynomial) -> str:
    frame = tokenizer.frame(f)
    own = own_names(f, tokenizer.ring.names(), frame)
    parts = tokenizer.unfinished(ids, own)
    texts, outer = [], None
    for part in parts:
        polynomial = part.polynomial
        if part.is_outer:
            polynomial = polynomial * tokenizer.scale(f)
        elif polynomial.context() != f.context() or not frame.identical:
            polynomial = move_back(polynomial, f.context(), frame)
        text = _write_part(part, polynomial, part is parts[-1])
        if part.is_outer:
            outer = (names(polynomial), text)
        else:
            texts.append(text)
    return _join(outer, texts)


def _write_part(part: Written, polynomial: Polynomial, last: bool) -> str:
    text = "" if polynomial.is_zero() else plain(polynomial)
    if part.open is not None:
        sign = {"-": "-", "": "±"}.get(part.sign, "") if not text else f" {part.sign or '±'} "
        text += sign + part.open
    if not last:
        return text or "0"
    return f"{text} + {OPEN}" if text else OPEN


def _join(outer: tuple[Sequence[str], str] | None, inners: Sequence[str]) -> str:
    """`g(b) = outer; h = inner`; without an outer, a lone inner polynomial has no name."""
    if outer is None and len(inners) == 1:
        return inners[0]
    labels = ["h"] if len(inners) == 1 else [f"h{i}" for i in range(len(inners))]
    sides = [f"{label} = {inner}" for label, inner in zip(labels, inners, strict=True)]
    return "; ".join(sides if outer is None else [f"g({', '.join(outer[0])}) = {outer[1]}", *sides])
