"""The plain way to judge a beam: every hypothesis by itself, over Q."""

from __future__ import annotations

from collections.abc import Sequence

from polyctl.algebra.decomposition import Decomposition, equivalence_key, used_inners
from polyctl.algebra.verify import verify_or_complete
from polyctl.data.problem import Problem
from polyctl.data.tokenizers.base import Tokenizer, decode_for
from polyctl.data.tokenizers.errors import MalformedTarget
from polyctl.search.hypothesis import Hypothesis

Judged = tuple[str, str, str, int | None, bool, Decomposition | None]


def judge_plainly(problem: Problem, hypotheses: Sequence[Hypothesis], tokenizer: Tokenizer) -> list[Judged]:
    """Status, completed status, reason, duplicate_of, extra_inners and answer of each hypothesis."""
    known, seen, judged = problem.decomposition, {}, []
    for rank, hypothesis in enumerate(hypotheses):
        if not hypothesis.finished:
            reason = "the answer was cut off at the output limit"
            judged.append(("malformed", "malformed", reason, None, False, None))
            continue
        try:
            answer = decode_for(tokenizer, problem.f, hypothesis.tokens)
        except MalformedTarget as error:
            judged.append(("malformed", "malformed", str(error), None, False, None))
            continue
        checked = verify_or_complete(problem.f, answer)
        first = seen.setdefault(equivalence_key(answer), rank)
        outer, extra = checked.completed.outer, False
        if known is not None and outer is not None and checked.completed.status in ("verified", "trivial"):
            inners = used_inners(Decomposition(outer, answer.inners)).inners
            extra = len(inners) > len(used_inners(known).inners)
        duplicate = None if first == rank else first
        given, completed = checked.given, checked.completed
        judged.append((given.status, completed.status, given.reason, duplicate, extra, answer))
    return judged
