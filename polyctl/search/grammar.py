"""Grammars of the two token formats: which tokens can continue a well-formed answer.

A grammar is a small automaton. Its states are hashable and few, so masks are computed once a state.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polyctl.data.compact import CompactTokenizer
from polyctl.data.prefix_tokenizer import PrefixTokenizer
from polyctl.data.tokenizer import Tokenizer

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

    A state is (expressions begun, operands still needed, what the last token was).
    """

    def __init__(self, tokenizer: PrefixTokenizer) -> None:
        vocabulary = tokenizer.vocabulary
        self._kind = {i: self._classify(t, tokenizer) for i, t in enumerate(vocabulary)}
        self._size = len(vocabulary)
        self._multi = tokenizer.outer_targets
        self._masks: dict[State, Mask] = {}

    @staticmethod
    def _classify(token: str, tokenizer: PrefixTokenizer) -> str:
        if token in ("+", "*"):
            return "operator"
        if token in ("P", "N", "^", "&"):
            return token
        if token == tokenizer.vocabulary[tokenizer.end]:
            return "end"
        if len(token) == 1 and token.isdigit():
            return "digit"
        if token in tokenizer.ring.names():
            return "inner"
        return "outer" if token[0] == "b" and tokenizer.outer_targets else "other"

    def start(self) -> State:
        return (0, 1, "")

    def advance(self, state: State, token: int) -> State:
        part, needed, last = state
        kind = self._kind[token]
        if kind == "operator":
            return (part, needed + 1, "operator")
        if kind == "^":
            return (part, needed, "^")
        if kind in ("inner", "outer"):
            return (part, needed, "base") if last == "^" else (part, needed - 1, "done")
        if kind in ("P", "N"):
            return (part, needed, "sign")
        if kind == "digit":
            return (part, needed - (last == "sign"), "digit")
        if kind == "&":
            return (min(part + 1, 1), 1, "")
        return (part, needed, "end")

    def allowed(self, state: State) -> Mask:
        mask = self._masks.get(state)
        if mask is None:
            kinds = self._next(*state)
            mask = self._masks[state] = np.array([self._kind[i] in kinds for i in range(self._size)])
        return mask

    def _next(self, part: int, needed: int, last: str) -> set[str]:
        variable = "outer" if self._multi and part == 0 else "inner"
        if last in ("^", "base", "sign"):
            return {{"^": variable, "base": "P", "sign": "digit"}[last]}
        kinds = {"operator", "P", "N", "^", variable} if needed else set()
        if last == "digit":
            kinds.add("digit")
        if not needed:
            if not self._multi or part > 0:
                kinds.add("end")
            if self._multi:
                kinds.add("&")
        return kinds


class CompactGrammar:
    """Compact terms: monomial tokens, a sign, limbs, perhaps / and limbs; & between polynomials.

    A state is (expressions begun, what the last token was).
    """

    def __init__(self, tokenizer: CompactTokenizer) -> None:
        self._kinds = np.array(tokenizer.kinds())
        self._multi = tokenizer.outer_targets
        self._masks: dict[State, Mask] = {}

    def start(self) -> State:
        return (0, "")

    def advance(self, state: State, token: int) -> State:
        part, last = state
        kind = str(self._kinds[token])
        if kind == "&":
            return (1, "")
        return (part, "limb/" if kind == "limb" and last in ("/", "limb/") else kind)

    def allowed(self, state: State) -> Mask:
        mask = self._masks.get(state)
        if mask is None:
            mask = self._masks[state] = np.isin(self._kinds, self._next(*state))
        return mask

    def _next(self, part: int, last: str) -> list[str]:
        monomial = "outer" if self._multi and part == 0 else "inner"
        if last == "":
            return [monomial]
        if last in ("inner", "outer"):
            return [monomial, "sign"]
        if last in ("sign", "/"):
            return ["limb"]
        following = ["limb", monomial, "&"]
        if last == "limb":
            following.append("/")
        if not self._multi or part > 0:
            following.append("end")
        return following
