"""A beam as a tree: what its hypotheses share stands once, and where the known answer left it is marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from polyctl.tui.format import clean, format_status
from polyctl.tui.series import to_finite
from polyctl.tui.views.beam import rank_hypotheses

SURE = 0.995  # a token of at least this probability is shown without it
HEAD = (
    f"{'rank':>4} {'log-prob':>9} {'status':<12} {'mass':>5}  tokens; those below 99% have their probability"
)
COLUMNS = 35  # before the tree
MOST, LONGEST = 200, 2000  # hypotheses, and tokens of each
KNOWN, LEFT = "★", "☆"

Tokens = tuple[int, ...]
NO_TREE = "a tree needs the tokens of the hypotheses, which older versions did not record: t shows the list"


@dataclass
class Node:
    """A token of the tree with what follows it; `row` is the hypothesis that ends here, `logprob` its own."""

    token: int | None = None
    logprob: float | None = None
    children: dict[int, Node] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    mass: float = 0.0  # the probability of all hypotheses that begin like this
    best: float = -math.inf  # the log-probability of the best of them
    known: bool = False  # whether the known answer begins like this

    def find(self, tokens: Sequence[int]) -> Node | None:
        """What follows these tokens."""
        node: Node | None = self
        for token in tokens:
            node = None if node is None else node.children.get(token)
        return node


def token_logprobs(frames: Sequence[Mapping[str, Any]]) -> dict[Tokens, float]:
    """The log-probability of each token after those before it, as far as some frames of a search have it."""
    found: dict[Tokens, float] = {}
    for frame in frames:
        for row in rank_hypotheses(dict(frame)):
            tokens, each = _tokens(row), row.get("logprobs")
            if tokens is None or not isinstance(each, list):
                continue
            for at, value in enumerate(each, len(tokens) - len(each)):
                if at >= 0 and (number := to_finite(value)) is not None:
                    found[tokens[: at + 1]] = number
    return found


def _tokens(row: Mapping[str, Any]) -> Tokens | None:
    tokens = row.get("tokens")
    good = isinstance(tokens, list) and all(isinstance(token, int) for token in tokens)
    return tuple(tokens[:LONGEST]) if good else None  # type: ignore[index]


def _known(frame: Mapping[str, Any]) -> Tokens | None:
    return _tokens({"tokens": frame.get("known")})


def build_tree(frame: Mapping[str, Any], logprobs: Mapping[Tokens, float]) -> Node | None:
    """The tree of a frame's hypotheses and the known answer; None if they have no tokens."""
    root = Node(known=True)
    ranked = rank_hypotheses(dict(frame))[:MOST]
    rows = [(tokens, row) for row in ranked if (tokens := _tokens(row)) is not None]
    if len(rows) < len(ranked) or not rows:
        return None
    for rank, (tokens, row) in enumerate(rows):
        logprob = to_finite(row.get("logprob"))
        mass = 0.0 if logprob is None or logprob > 0 else math.exp(logprob)
        node = root
        for at in range(len(tokens) + 1):
            if at:
                node = node.children.setdefault(
                    tokens[at - 1], Node(tokens[at - 1], logprobs.get(tokens[:at]))
                )
            node.mass += mass
            node.best = max(node.best, -math.inf if logprob is None else logprob)
        node.rows.append({**row, "place": rank})
    node = root
    for token in _known(frame) or ():
        node = node.children.setdefault(token, Node(token))
        node.known = True
    return root


def known_state(frame: Mapping[str, Any]) -> str:
    """What has become of the known answer in a frame: `found`, `in the beam`, `left`, or "" if unknown."""
    known = _known(frame)
    if known is None:
        return ""
    rows = [(_tokens(row), row) for row in rank_hypotheses(dict(frame))]
    if any(tokens == known and row.get("status") != "growing" for tokens, row in rows):
        return "found"
    grown = (tokens for tokens, row in rows if row.get("status") == "growing" and tokens is not None)
    return "in the beam" if any(known[: len(tokens)] == tokens for tokens in grown) else "left"


def describe_known(frames: Sequence[Mapping[str, Any]]) -> str:
    """Whether the known answer is still in the beam at the last of a search's frames, or when it left."""
    states = [known_state(frame) for frame in frames]
    if not states or not states[-1]:
        return ""
    if states[-1] == "found":
        return f"{KNOWN} known answer found"
    if states[-1] == "in the beam":
        return f"{KNOWN} known answer in the beam"
    first = next(at for at, state in reversed(list(enumerate(states))) if at == 0 or states[at - 1] != "left")
    if first == 0:
        return f"{LEFT} known answer not in the beam"
    before, after = (clean(frames[at].get("step", "?")) for at in (first - 1, first))
    if frames[first].get("kind") == "verdict":
        return f"{LEFT} known answer left after step {before}"
    return (
        f"{LEFT} known answer left at step {after}"
        if before == after
        else (f"{LEFT} known answer left between steps {before} and {after}")
    )


def format_tree(
    frame: Mapping[str, Any], logprobs: Mapping[Tokens, float], width: int, limit: int = 200
) -> Text:
    """The tree as text, a line a branch: the rank, log-probability and verdict of what ends there first."""
    root, words = build_tree(frame, logprobs), frame.get("words")
    text = Text(no_wrap=True, overflow="crop")
    if root is None:
        text.append(f"{HEAD}\n", style="dim")
        return text.append(NO_TREE, style="dim")
    text.append(f"{HEAD}\n", style="dim")
    named = words if isinstance(words, dict) else {}
    for number, line in enumerate(_lines(root, "", "", False, named, width)):
        if number == limit:
            text.append("…\n", style="dim")
            break
        text.append_text(line)
        text.append("\n")
    return text


def _lines(
    node: Node, stem: str, below: str, grows: bool, words: Mapping[str, Any], width: int
) -> Iterator[Text]:
    """The line of a branch, then those of what follows, the best first; `grows` if it may still be found."""
    run = [node] if node.token is not None else []
    while not node.rows and len(node.children) == 1:
        (node,) = node.children.values()
        run.append(node)
    if run or node.rows:
        ends: list[dict[str, Any] | None] = [*node.rows] or [None]
        for at, row in enumerate(ends):  # two that end alike: an unfinished one and a finished one
            yield _line(node, run if at == 0 else [], row, stem if at == 0 else below, grows, words, width)
    grows = any(row.get("status") == "growing" for row in node.rows)
    children = sorted(node.children.values(), key=lambda child: (-child.best, not child.known))
    for at, child in enumerate(children):
        last = at == len(children) - 1
        stem, under = ("└ ", "  ") if last else ("├ ", "│ ")
        yield from _lines(child, below + stem, below + under, grows, words, width)


def _line(
    node: Node,
    run: Sequence[Node],
    row: Mapping[str, Any] | None,
    stem: str,
    grows: bool,
    words: Mapping[str, Any],
    width: int,
) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    gone = node.mass == 0 and node.best == -math.inf and node.known
    if row is None:
        text.append(" " * 27)
    else:
        logprob = to_finite(row.get("logprob"))
        text.append(f"{row['place'] + 1:>4} {'-' if logprob is None else f'{logprob:.3f}':>9} ")
        mark = Text().append_text(format_status(clean(row.get("status", "unknown"))))
        mark.pad_right(max(0, 12 - mark.cell_len))
        text.append_text(mark)
    text.append(f" {'' if gone else _percent(node.mass):>5}  ", style="dim")
    tail = Text().append(stem, style="dim")
    if gone:
        tail.append(f"{LEFT} {'still to come' if grows else 'known answer left'}: ", style="yellow")
    elif node.known:
        tail.append(f"{KNOWN} ", style="bold green")
    for one in run:
        tail.append(clean(words.get(str(one.token), f"#{one.token}")), style="yellow" if gone else "")
        share = None if one.logprob is None else math.exp(min(0.0, one.logprob))
        if share is not None and share < SURE:
            tail.append(f"({_percent(share)})", style="cyan")
        tail.append(" ")
    if row is not None:
        tail.append("…" if row.get("status") == "growing" else "■", style="dim")
    tail.truncate(max(10, width - COLUMNS), overflow="ellipsis")
    return text.append_text(tail)


def _percent(share: float) -> str:
    """A probability in at most five characters."""
    return f"{100 * share:.0f}%" if share >= 0.0995 else f"{100 * share:.1f}%" if share >= 0.0005 else "<.1%"
