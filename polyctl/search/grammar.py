"""Grammars of the two token formats: which tokens can continue a well-formed answer.

A grammar is a small automaton. Its states are hashable and few, so masks are computed once a state.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyctl.algebra.decomposition import outer_ring
from polyctl.data.tokenizers.base import Tokenizer
from polyctl.data.tokenizers.compact import CompactTokenizer
from polyctl.data.tokenizers.prefix import PrefixTokenizer

Mask = NDArray[np.bool_]
State = Any  # hashable; what it is, is the grammar's own affair


class Grammar(Protocol):
    """An automaton over token ids."""

    def start(self) -> State:
        """The state before the first target token."""
        ...

    def advance(self, state: State, token: int) -> State:
        """The state after an allowed token."""
        ...

    def allowed(self, state: State) -> Mask:
        """For each token of the vocabulary, whether it may come next."""
        ...


def make_grammar(tokenizer: Tokenizer) -> Grammar:
    """The grammar of a tokenizer's targets."""
    if isinstance(tokenizer, PrefixTokenizer):
        return PrefixGrammar(tokenizer)
    if isinstance(tokenizer, CompactTokenizer):
        return CompactGrammar(tokenizer)
    raise TypeError(f"no grammar for {type(tokenizer).__name__}")


class PrefixGrammar:
    """Prefix notation: every operator gets its operands, numbers get digits, powers a variable and exponent.

    A state is (expressions begun, operands still needed, last token's kind, inners that the outer needs).
    """

    def __init__(self, tokenizer: PrefixTokenizer) -> None:
        self._multi = tokenizer.outer_targets
        self._limit = tokenizer.inners
        inner, outer = tokenizer.ring.names(), outer_ring(self._limit).names()
        kinds = {
            "+": "operator",
            "*": "operator",
            **{t: t for t in "PN^&"},
            **{str(d): "digit" for d in range(10)},
        }
        kinds |= {tokenizer.vocabulary[tokenizer.end]: "end", **dict.fromkeys(inner, "inner")}
        # b is the only variable of an outer with one inner, and b0, b1, ... are those of one with several
        self._needs = {"b": 1} | {f"b{i}": max(i + 1, 2) for i in range(self._limit)} if self._multi else {}
        kinds |= {name: "outer" for name in {*outer, "b"} if name in self._needs}
        self._kind = [kinds.get(token, "other") for token in tokenizer.vocabulary]
        self._names = tokenizer.vocabulary
        self._masks: dict[State, Mask] = {}

    def start(self) -> State:
        return (0, 1, "", 0)

    def advance(self, state: State, token: int) -> State:
        part, needed, last, inners = state
        kind = self._kind[token]
        if kind == "operator":
            return (part, needed + 1, kind, inners)
        if kind in ("inner", "outer"):
            inners = max(inners, self._needs.get(self._names[token], 0))
            return (part, needed, "base", inners) if last == "^" else (part, needed - 1, "done", inners)
        if kind == "digit":
            return (part, needed - (last in ("P", "N")), kind, inners)
        if kind == "&":
            return (part + 1, 1, "", inners)
        return (part, needed, kind, inners)

    def allowed(self, state: State) -> Mask:
        mask = self._masks.get(state)
        if mask is None:
            mask = np.isin(self._kind, self._next(*state))
            if self._multi and state[0] == 0 and state[3]:
                mask &= np.array([self._mixes(name, state[3]) for name in self._names])
            self._masks[state] = mask
        return mask

    def _mixes(self, name: str, inners: int) -> bool:
        """Whether a variable of the outer may stand beside those that are there: b stands alone."""
        return name not in self._needs or (self._needs[name] == 1) == (inners == 1)

    def _next(self, part: int, needed: int, last: str, inners: int) -> list[str]:
        variable = "outer" if self._multi and part == 0 else "inner"
        if last in ("^", "base", "P", "N"):
            return [{"^": variable, "base": "P"}.get(last, "digit")]
        kinds = ["operator", "P", "N", "^", variable] if needed else []
        if last == "digit":
            kinds.append("digit")
        if not needed:
            # without an outer this format has one inner: of two the first would be read as the outer
            most = 1 if inners == 1 or not self._multi else self._limit
            kinds += _after_expression(part, inners, self._multi, most)
        return kinds


def _after_expression(part: int, needs: int, multi: bool, limit: int) -> list[str]:
    """What may follow a whole expression: & up to the limit of inners, the end from those needed on."""
    if not multi:  # inners alone
        return [*(["&"] if part + 1 < limit else []), "end"]
    return (["&"] if part < limit else []) + (["end"] if part >= max(needs, 1) else [])


class CompactGrammar:
    """Compact terms: monomial tokens, a sign, limbs, perhaps / and limbs; & between polynomials.

    A state is (expressions begun, last token's kind, inners that the outer needs).
    """

    def __init__(self, tokenizer: CompactTokenizer) -> None:
        self._kinds = np.array(tokenizer.kinds())
        self._multi = tokenizer.outer_targets
        self._limit = tokenizer.inners
        self._needs = tokenizer.inners_needed()
        self._masks: dict[State, Mask] = {}

    def start(self) -> State:
        return (0, "", 0)

    def advance(self, state: State, token: int) -> State:
        part, last, inners = state
        kind = str(self._kinds[token])
        if kind == "&":
            return (part + 1, "", inners)
        if kind == "outer":
            inners = max(inners, self._needs[token])
        return (part, "limb/" if kind == "limb" and last in ("/", "limb/") else kind, inners)

    def allowed(self, state: State) -> Mask:
        mask = self._masks.get(state)
        if mask is None:
            mask = self._masks[state] = np.isin(self._kinds, self._next(*state))
        return mask

    def _next(self, part: int, last: str, inners: int) -> list[str]:
        monomial = "outer" if self._multi and part == 0 else "inner"
        if last == "":
            return [monomial]
        if last in ("inner", "outer"):
            return [monomial, "sign"]
        if last in ("sign", "/"):
            return ["limb"]
        following = ["limb", monomial, *_after_expression(part, inners, self._multi, self._limit)]
        return [*following, "/"] if last == "limb" else following
