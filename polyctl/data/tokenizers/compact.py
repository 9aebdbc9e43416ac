"""Short sequences: one token a monomial, sign and limbs a coefficient, target in normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache, partial
from itertools import pairwise, repeat
from math import comb

from flint import fmpq

from polyctl.algebra.decomposition import (
    Decomposition,
    DecompositionTerms,
    Terms,
    normal_form,
    outer_ring,
    used_inners,
)
from polyctl.algebra.monomials import Monomial, monomials_of_degree
from polyctl.algebra.polynomial import (
    Polynomial,
    integer_content,
    normal_terms,
    polynomial,
    primitive_part,
    ring,
    terms,
    variables_used,
)
from polyctl.config.schema import DataConfig
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.answers import read_terms
from polyctl.data.tokenizers.base import (
    END,
    FIRST_LIMB,
    FRACTION,
    MINUS,
    PAD,
    PLUS,
    SEPARATOR,
    Written,
    inner_count,
    move,
    own_names,
    variable_names,
)
from polyctl.data.tokenizers.errors import MalformedTarget, UnwritableProblem, too_many_variables
from polyctl.data.tokenizers.frame import Frame, canonical_terms, plain_frame

LARGEST_TABLE = 1000
KNOWN = 4096  # inner polynomials read last


# the tokens of a ring's monomials, remembered
Spelling = Callable[[Monomial], list[int]]


class CompactTokenizer:
    """A term is MONOMIAL SIGN LIMBS, terms fall in degree, `&` separates polynomials.

    Limbs are digits in the base `data.base`, the highest first; `/` and limbs give a denominator. If a
    family has too many monomials for a table (on_singlet), a high monomial is spelled as a product of lower
    ones. With inner targets f is written in normal form (scaled, constant dropped: its inners are the same),
    else scaled to coprime integers. The prompts of a mixture begin with the number of inners that the family
    has, or with `m=?` if no decomposition is known.
    """

    pad = PAD

    def __init__(self, data: DataConfig) -> None:
        self.ring = ring(variable_names(data))
        self._names = tuple(self.ring.names())
        self._inner_only = data.target == "inner"
        self._canonical = data.canonical
        self._last: tuple[Polynomial, tuple[Frame, list[Monomial], list[int]]] | None = None
        self.inners = inner_count(data)
        self._outer_ring = outer_ring(self.inners)
        table = _inner_table(data)
        self.base, self._limbs = data.base, FIRST_LIMB
        self.numbers = (self._limbs, self.base)
        tokens = ["□", "⁇", "&", "+", "-", "/", *map(str, range(data.base))]
        tokens += [_name(self.ring.names(), m) for m in table]
        self._top_degree = max(max(d.inner_degrees) * max(d.outer_degrees) for d in data.parts or (data,))
        self.end = END
        self._inner_ids = {m: self._limbs + data.base + i for i, m in enumerate(table)}
        self._largest = max(map(sum, table))
        self._outer_ids: dict[Monomial, int] = {}
        if not self._inner_only:
            outer_table = _monomials(self.inners, range(max(data.outer_degrees) + 1))
            self._outer_ids = {m: len(tokens) + i for i, m in enumerate(outer_table)}
            names = [_name(self._outer_ring.names(), m) for m in outer_table]
            tokens += [f"[{name}]" if name == "1" else name for name in names]
        self.count_token = len(tokens) if data.parts else None
        if data.parts:
            tokens += ["m=?", *(f"m={m}" for m in range(1, self.inners + 1))]
        self.vocabulary = tuple(tokens)
        self._inner_monomials = {i: m for m, i in self._inner_ids.items()}
        self._outer_monomials = {i: m for m, i in self._outer_ids.items()}
        # hypotheses of a beam have many inner polynomials in common
        self._read_inner = lru_cache(KNOWN)(
            partial(read_terms, table=self._inner_monomials, limbs=self._limbs, base=self.base)
        )
        self._spellings: dict[tuple[int, ...], Spelling] = {}
        self._outer_spelling = self._spelling_of(self._outer_ids, range(self.inners))

    @property
    def outer_targets(self) -> bool:
        """Whether targets begin with the outer polynomial."""
        return not self._inner_only

    def kinds(self) -> list[str]:
        """What each token is: pad, end, &, sign, /, limb, inner or outer (monomial), inners (how many)."""
        fixed = ["pad", "end", "&", "sign", "sign", "/", *["limb"] * self.base]
        monomials = [*["inner"] * len(self._inner_ids), *["outer"] * len(self._outer_ids)]
        rest = len(self.vocabulary) - len(fixed) - len(monomials)
        return [*fixed, *monomials, *["inners"] * rest]

    def inners_needed(self) -> dict[int, int]:
        """For each token of an outer monomial, how many inners it takes."""
        return {
            token: max((i + 1 for i, e in enumerate(monomial) if e), default=0)
            for token, monomial in self._outer_monomials.items()
        }

    def text(self, ids: Sequence[int], f: Polynomial | None = None) -> str:
        """The tokens that ids stand for, for people; with f in the names that f gives its variables."""
        names = self.ring.names()
        if f is not None:
            names = own_names(f, names, self.frame(f))
        known = self._inner_monomials
        return " ".join(_name(names, known[i]) if i in known else self.vocabulary[i] for i in ids)

    def scale(self, f: Polynomial) -> fmpq:
        """The content of f if targets have an outer: the prompt shows the primitive part."""
        return fmpq(1) if self._inner_only else primitive_part(f)[1]

    def frame(self, f: Polynomial) -> Frame:
        """Variables by name, else in order; with data.canonical in canonical order and with its signs."""
        return self._canonical_terms(f)[0] if self._canonical else plain_frame(f, self.ring.names())

    def _canonical_terms(self, f: Polynomial) -> tuple[Frame, list[Monomial], list[int]]:
        last = self._last
        if last is None or last[0] is not f:  # a problem's prompt is followed by its target
            last = self._last = f, canonical_terms(f, self.ring.names())
        return last[1]

    def encode_prompt(self, problem: Problem) -> list[int]:
        f = problem.f
        if problem.written is not None and len(problem.written) != len(f):
            frame = self.frame(f)
            monomials = [m for m, _ in reversed(problem.written)]
            numbers = [c * frame.sign(m) for m, c in reversed(problem.written)]
            spelling = self.spelling(frame.where)
        elif self._canonical:
            _, monomials, numbers = self._canonical_terms(f)
            spelling = self.spelling(tuple(range(len(monomials[0]) if monomials else 0)))
        else:
            (f,), spelling = self._order_terms([f], self.frame(f))
            if self._inner_only or f.is_zero():
                monomials, numbers = normal_terms(f)
            else:
                monomials, numbers = f.monoms(), integer_content(f)[0]
        return [*self._encode_count(problem), *self._positions(monomials, numbers, spelling), self.end]

    def _positions(
        self, monomials: Sequence[Monomial], numbers: Sequence[int], spelling: Spelling
    ) -> list[int]:
        """The terms of the prompt, here one token a position."""
        return self._encode(zip(monomials, numbers, repeat(1)), spelling)

    def _order_terms(
        self, several: Sequence[Polynomial], frame: Frame
    ) -> tuple[tuple[Polynomial, ...], Spelling]:
        """Polynomials in a ring whose terms come in the tokenizer's order, and how monomials are written.

        That is their own ring if its variables keep their order and their signs, since moving them costs
        more than the rest.
        """
        where = frame.where
        if any(frame.negated) or any(a > b for a, b in pairwise(where)):
            used = [where[i] for i in sorted({i for f in several for i in variables_used(f)})]
            if any(frame.negated) or used != sorted(used):
                target = ring(self.ring.names()[: 1 + max(used, default=0)])
                several = [move(f, target, frame) for f in several]
                where = tuple(range(target.nvars()))
        return tuple(several), self.spelling(where)

    def spelling(self, where: tuple[int, ...]) -> Spelling:
        """How monomials are written whose variables have these places."""
        spelling = self._spellings.get(where)
        if spelling is None:
            spelling = self._spellings[where] = self._spelling_of(self._inner_ids, where)
        return spelling

    def _spelling_of(self, table: dict[Monomial, int], where: Sequence[int]) -> Spelling:
        size = len(next(iter(table), ()))

        @cache
        def spell(monomial: Monomial) -> list[int]:
            widened = [0] * size
            for place, exponent in zip(where, monomial, strict=True):
                if exponent:
                    if place >= size:
                        raise too_many_variables(size)
                    widened[place] = exponent
            known = table.get(tuple(widened))
            return [known] if known is not None else self._spell(tuple(widened), table)

        return spell

    def _encode_count(self, problem: Problem) -> list[int]:
        if self.count_token is None:
            return []
        known = 0 if problem.decomposition is None else len(problem.decomposition.inners)
        return [self.count_token + (known if known <= self.inners else 0)]

    def encode_target(self, problem: Problem) -> list[int]:
        decomposition = problem.decomposition
        assert decomposition is not None
        used = used_inners(decomposition)
        inners, spelling = self._order_terms(used.inners, self.frame(problem.f))
        outer = None if self._inner_only else used.outer
        normal = normal_form(Decomposition(outer, inners))
        ids: list[int] = []
        if normal.outer is not None:
            outer = normal.outer / self.scale(problem.f)
            outer = move(outer, self._outer_ring, plain_frame(outer, self._outer_ring.names()))
            ids += [*self._encode(_fractions(outer), self._outer_spelling), SEPARATOR]
        for inner in normal.inners:
            ids += [*self._encode(_fractions(inner), spelling), SEPARATOR]
        ids[-1] = self.end
        return ids

    def _encode(self, written: Iterable[tuple[Monomial, int, int]], spelling: Spelling) -> list[int]:
        """Tokens of terms, each a monomial with numerator and denominator of its coefficient."""
        ids: list[int] = []
        for monomial, numerator, denominator in written:
            ids += spelling(monomial)
            ids.append(PLUS if numerator > 0 else MINUS)
            ids += self._encode_number(abs(numerator))
            if denominator != 1:
                ids += [FRACTION, *self._encode_number(denominator)]
        return ids

    def _encode_number(self, value: int) -> list[int]:
        base = self.base
        if value < base:
            return [self._limbs + value]
        limbs = []
        while value:
            value, limb = divmod(value, base)
            limbs.append(self._limbs + limb)
        return limbs[::-1]

    def _spell(self, monomial: Monomial, table: dict[Monomial, int]) -> list[int]:
        """A monomial outside the table as tokens whose product it is, each as large as the table allows."""
        factors = [i for i, exponent in enumerate(monomial) for _ in range(exponent)]
        ids: list[int] = []
        at = 0
        while at < len(factors) <= self._top_degree:
            for size in range(min(self._largest, len(factors) - at), 0, -1):
                piece = factors[at : at + size]
                token = table.get(tuple(piece.count(i) for i in range(len(monomial))))
                if token is not None:
                    break
            else:
                break
            ids.append(token)
            at += size
        if not ids or at < len(factors):
            variables = sum(map(bool, monomial))
            raise UnwritableProblem(
                f"a monomial of degree {sum(monomial)} in {variables} variables has no token"
            )
        return ids

    def unfinished(self, ids: Sequence[int], names: Sequence[str]) -> list[Written]:
        *whole, last = _split(ids)
        found = []
        for at, part in enumerate([*whole, last]):
            outer = at == 0 and not self._inner_only
            table = self._outer_monomials if outer else self._inner_monomials
            context = self._outer_ring if outer else self.ring
            end = len(part) if at < len(whole) else self._complete_terms(part, table)
            read = read_terms(part[:end], table, self._limbs, self.base) if end else {}
            written = polynomial(context, read)
            opened, sign = None, "+"
            if end < len(part):
                spelled = context.names() if outer else names
                opened, sign = self._open_term(part[end:], table, spelled)
            found.append(Written(written, outer, opened, sign))
        return found

    def _complete_terms(self, part: Sequence[int], table: dict[int, Monomial]) -> int:
        """How many tokens of a polynomial belong to terms that are complete."""
        if part and self._is_limb(part[-1]):
            return len(part)
        end = len(part)
        while end and part[end - 1] not in table:
            end -= 1
        while end and part[end - 1] in table:
            end -= 1
        return end

    def _open_term(
        self, tokens: Sequence[int], table: dict[int, Monomial], spelled: Sequence[str]
    ) -> tuple[str, str]:
        """A term without its number, which is `□`, and its sign."""
        factors = [table[token] for token in tokens if token in table]
        rest = tokens[len(factors) :]
        if not factors or (rest and rest[0] not in (PLUS, MINUS)):
            raise MalformedTarget("a term is a monomial, a sign and a number")
        if rest[1:] and not (rest[-1] == FRACTION and rest[2:] and all(map(self._is_limb, rest[1:-1]))):
            raise MalformedTarget("digits are missing")
        power = _name(spelled, tuple(map(sum, zip(*factors, strict=True))), "*")
        return "□" if power == "1" else f"□*{power}", self.vocabulary[rest[0]] if rest else ""

    def _is_limb(self, token: int) -> bool:
        return self._limbs <= token < self._limbs + self.base

    def decode(self, target: Sequence[int]) -> Decomposition:
        return self.read(target).decomposition

    def read(self, target: Sequence[int]) -> DecompositionTerms:
        parts, names = _split(target), self._names
        if self._inner_only:
            return DecompositionTerms(names, None, tuple([self._read_inner(p) for p in parts]))
        if len(parts) < 2:
            raise MalformedTarget("there is no inner polynomial")
        inners = tuple([self._read_inner(p) for p in parts[1:]])
        outer = read_terms(parts[0], self._outer_monomials, self._limbs, self.base)
        return DecompositionTerms(names, _narrow(outer, len(inners), self.inners), inners)


def _fractions(f: Polynomial) -> list[tuple[Monomial, int, int]]:
    return [(m, int(c.p), int(c.q)) for m, c in terms(f)]


def _narrow(outer: Terms, inners: int, own: int) -> Terms:
    """An outer in `own` variables in as many as there are inners. Raises MalformedTarget if it uses more."""
    if own == inners:
        return outer
    if any(any(m[inners:]) for m in outer) or inners > own:
        raise MalformedTarget(f"the outer polynomial does not fit {inners} inner polynomials")
    return {m[:inners]: c for m, c in outer.items()}


def _inner_table(data: DataConfig) -> list[Monomial]:
    """The monomials that have a token, in a ring of the family's variables."""
    if data.parts:
        n = len(variable_names(data))
        widened = [(*m, *[0] * (n - len(m))) for part in data.parts for m in _inner_table(part)]
        return list(dict.fromkeys(widened))
    top = max(data.inner_degrees) * max(data.outer_degrees)
    degrees = {top, *data.inner_degrees} if data.family == "homogeneous" else set(range(top + 1))
    return _monomials(len(variable_names(data)), degrees)


def _monomials(n: int, degrees: Iterable[int]) -> list[Monomial]:
    """All monomials of these degrees in n variables, as far as LARGEST_TABLE allows."""
    chosen: list[Monomial] = []
    for d in sorted(degrees):
        if len(chosen) + comb(n + d - 1, d) > LARGEST_TABLE:
            break
        chosen += monomials_of_degree(n, d)
    return chosen


def _name(variables: Sequence[str], monomial: Monomial, times: str = "·") -> str:
    factors = [v if e == 1 else f"{v}^{e}" for v, e in zip(variables, monomial, strict=True) if e]
    return times.join(factors) or "1"


def _split(ids: Sequence[int]) -> list[tuple[int, ...]]:
    """The tokens of each polynomial."""
    parts, rest = [], tuple(ids)
    while SEPARATOR in rest:
        at = rest.index(SEPARATOR)
        parts.append(rest[:at])
        rest = rest[at + 1 :]
    return [*parts, rest]
