"""Prompts with one position a term: the monomial, the sign and the limbs of a coefficient together."""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.algebra.monomials import Monomial
from polyctl.algebra.polynomial import Polynomial
from polyctl.config.schema import DataConfig
from polyctl.data.tokenizers.base import FIRST_LIMB, MINUS, PLUS, TERM_TOKENS
from polyctl.data.tokenizers.compact import CompactTokenizer, Spelling
from polyctl.errors import UsageError

LIMBS = TERM_TOKENS - 2


class TermsTokenizer(CompactTokenizer):
    """The compact tokens, but a position of the prompt holds up to five, as the digits of a number in base V.

    Its digits, the lowest first: MONOMIAL SIGN LIMB LIMB LIMB, the last limb always in the last place, 0 in
    an empty place. So a lone token is its own id. What does not fit takes separate positions: the first
    factors of a spelled monomial before the term, the lower limbs of a long number behind. Targets have one
    token a position, as they are written one by one.
    """

    def __init__(self, data: DataConfig) -> None:
        super().__init__(data)
        self.radix = len(self.vocabulary)
        self._limb_values = [self.radix**place for place in range(TERM_TOKENS - 1, 1, -1)]
        if self.radix**TERM_TOKENS >= 1 << 63:
            raise UsageError(
                f"{self.radix} tokens are too many for a position to hold {TERM_TOKENS} of them",
                f"--set data.base={data.base // 10}, or --set data.tokenizer=compact",
            )

    def text(self, ids: Sequence[int], f: Polynomial | None = None) -> str:
        """The tokens that ids stand for, for people; with f in the names that f gives its variables."""
        return super().text([token for position in ids for token in self._tokens(position)], f)

    def _tokens(self, position: int) -> list[int]:
        if position < self.radix:
            return [position]
        digits = []
        while position:
            position, digit = divmod(position, self.radix)
            digits.append(digit)
        return [digit for digit in digits if digit]

    def _positions(
        self, monomials: Sequence[Monomial], numbers: Sequence[int], spelling: Spelling
    ) -> list[int]:
        base, weights = self.base, self._limb_values
        positions: list[int] = []
        for monomial, number in zip(monomials, numbers, strict=True):
            *factors, last = spelling(monomial)
            positions += factors
            head = last + (PLUS if number > 0 else MINUS) * self.radix
            rest = abs(number)
            if rest >= base**LIMBS:
                positions += self._beside(head, self._encode_number(rest))
                continue
            for weight in weights:
                rest, limb = divmod(rest, base)
                head += (FIRST_LIMB + limb) * weight
                if not rest:
                    break
            positions.append(head)
        return positions

    def _beside(self, head: int, limbs: list[int]) -> list[int]:
        """Positions for a number: its lowest limbs fill the last one, its highest stand beside the head."""
        positions = []
        while limbs:
            limbs, lowest = limbs[:-LIMBS], limbs[-LIMBS:]
            positions.append(sum(t * v for t, v in zip(lowest[::-1], self._limb_values, strict=False)))
        positions[-1] += head
        return positions[::-1]
