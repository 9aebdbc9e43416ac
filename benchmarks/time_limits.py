"""Whether time limits hold: problems of all kinds, easy and built to be long, and how much longer they take.

    python benchmarks/time_limits.py [--problems 500] [--seed 0] [--seconds 0.5 1 2] [--kinds exact ...]

Each problem is a command line with --time-limit that runs in a copy of this process, as it would from a
shell (guarded, `polyctl/cli/guard.py`); a model is loaded within the limit. The overrun is the time from when
the polynomials have been read to the end, printing included, less the limit. On a machine that does other
work, too, a process has to wait its turn: so beside wall time, what counts is wall time less what the
process spent in the queue for a processor (/proc/PID/schedstat). Kinds:

    exact, auto     compositions of random polynomials, with large coefficients, many variables, high degrees
    worst           x^101 + y with eight inner polynomials, potentials of O(N) with 10 variables, dense forms
    numeric         random dense polynomials, of which none decomposes
    neural          the bundled model, loaded anew
    common          several polynomials
    rewrite, verify a polynomial in others, with an outer polynomial and without

Ctrl-C ends it early. A table, the slowest problems, then one line of JSON.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import common

import polyctl.cli.decompose
import polyctl.cli.rewrite
import polyctl.cli.verify
import polyctl.solvers.numeric.solver  # copies of this process have what commands import, but not torch
import polyctl.solving.answer
import polyctl.solving.api
import polyctl.solving.common
import polyctl.solving.verification  # noqa: F401
from polyctl.cli import guard
from polyctl.cli.app import run

KINDS = ("exact", "auto", "worst", "numeric", "neural", "common", "rewrite", "verify")
MODEL_SECONDS = (1.0, 4.0)  # limits of neural problems: too little to load a model, and enough


@dataclass(frozen=True)
class Ended:
    """How a command ended: its limit, and seconds of wall time and of the wait for a processor."""

    words: list[str]
    limit: float
    wall: float
    queued: float
    code: int

    @property
    def overrun(self) -> float:
        """Seconds beyond the limit that are not those of a busy machine."""
        return max(0.0, self.wall - self.queued - self.limit)


# -- problems --------------------------------------------------------------------------------------


def _polynomial(chance: random.Random, names: str, terms: int, degree: int, bound: int) -> str:
    parts = []
    for _ in range(terms):
        powers = [f"{name}^{chance.randint(1, degree)}" for name in names if chance.random() < 0.6]
        parts.append("*".join([f"({chance.randint(1, bound)})", *powers]))
    return " + ".join(parts)


def _composed(chance: random.Random) -> str:
    """An outer polynomial of one to three inner ones."""
    names = chance.choice(["x", "xy", "xyz", "xyzuv", "abcdefgh"])
    bound = chance.choice([9, 9, 10**6, 10**40, 10**300])
    inner = [
        f"({_polynomial(chance, names, chance.randint(2, 5), chance.choice([2, 3, 8, 20]), bound)})"
        for _ in range(chance.choice([1, 1, 2, 3]))
    ]
    power = chance.choice([2, 3, 4, 6])
    return f"{inner[0]}^{power} + {' + '.join(f'{chance.randint(2, bound)}*{h}' for h in inner)}"


def _dense(chance: random.Random, names: str, degree: int, bound: int, form: bool = False) -> str:
    from polyctl.algebra.monomials import monomials_up_to

    parts = []
    for m in monomials_up_to(len(names), degree):
        if not form or sum(m) == degree:
            powers = [f"{name}^{e}" for name, e in zip(names, m, strict=True) if e]
            parts.append("*".join([f"({chance.randint(1, bound)})", *powers]))
    return " + ".join(parts)


def _worst(chance: random.Random) -> list[str]:
    """What is long in one method or another."""
    kind = chance.randrange(8)
    if kind == 0:
        inner = [_polynomial(chance, "xy", 3, 4, 9) for _ in range(8)]
        return [
            "verify",
            f"x^{chance.choice([101, 60, 97])} + y",
            *(word for h in inner for word in ("--inner", h)),
        ]
    if kind == 1:
        squares = " + ".join(f"x{i}^2" for i in range(1, 11))
        return [
            "decompose",
            f"({squares})^{chance.choice([2, 3, 4])} - {chance.randint(2, 9)}*({squares}) + x1*x2",
        ]
    if kind == 2:
        return [
            "decompose",
            _dense(chance, chance.choice(["xy", "xyz"]), chance.choice([8, 12, 16]), 99, form=True),
        ]
    if kind == 3:
        return [
            "decompose",
            _dense(chance, chance.choice(["x", "xy", "xyz"]), chance.choice([7, 10, 12]), 10**6),
        ]
    if kind == 4:
        h = f"(x^{chance.randint(20, 40)}*y^{chance.randint(30, 70)} - 2*x^40 + 3*y^7)"
        return ["decompose", "--in=x", f"{chance.randint(10**20, 10**30)}*{h}^7 + 4 + {h}^2"]
    if kind == 5:
        h = _dense(chance, "x", chance.choice([30, 60]), 10 ** chance.choice([2, 100]))
        return ["decompose", f"({h})^{chance.choice([3, 6])} + {h}"]
    if kind == 6:
        n = chance.choice([30, 60])
        return ["decompose", "--roots", " + ".join(f"{chance.randint(1, 10**9)}*x^{i}" for i in range(n))]
    cyclic = ["a + b + c + d + e", "a b + b c + c d + d e + e a", "a b c + b c d + c d e + d e a + e a b"]
    inner = [*cyclic, "a b c d + b c d e + c d e a", f"a b c d e - {chance.randint(1, 9)}"]
    return ["rewrite", f"(a + b - c)^{chance.choice([9, 14])} + d e", *(f"--in={h}" for h in inner)]


def problem(kind: str, chance: random.Random) -> list[str]:
    """The words of a command, without its time limit."""
    if kind == "worst":
        return _worst(chance)
    if kind in ("exact", "auto"):
        return ["decompose", "--method", kind, _composed(chance)]
    if kind in ("numeric", "neural"):
        names, degree = chance.choice([("x", 9), ("xy", 4), ("xy", 6), ("xyz", 4), ("xyz", 6)])
        f = _dense(chance, names, degree, 10**6) if chance.random() < 0.5 else _composed(chance)
        return ["decompose", "--method", kind, f]
    if kind == "common":
        return ["decompose", "--common", *(_composed(chance) for _ in range(chance.choice([2, 3, 5])))]
    names, bound = chance.choice(["xy", "xyz", "xyzuv"]), chance.choice([9, 10**20])
    inner = [
        _polynomial(chance, names, chance.choice([2, 4, 8]), 4, bound)
        for _ in range(chance.choice([1, 2, 3, 5, 8]))
    ]
    f = _polynomial(chance, names, chance.choice([5, 40]), chance.choice([4, 12, 30]), bound)
    if chance.random() < 0.5:
        f = f"({inner[0]} + {inner[-1]})^{chance.choice([2, 5, 8])} + ({inner[len(inner) // 2]})^3"
    if kind == "rewrite":
        return ["rewrite", f, *(f"--in={h}" for h in inner)]
    outer = (
        []
        if chance.random() < 0.7
        else ["--outer", f"b0^{chance.choice([2, 9, 40])} + b0"][: 2 if len(inner) == 1 else 0]
    )
    return ["verify", f, *outer, *(f"--inner={h}" for h in inner)]


# -- measuring -------------------------------------------------------------------------------------


def _queued(pid: int | str) -> float:
    """Seconds that a process has waited for a processor."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def take(words: list[str], limit: float) -> Ended:
    """Run a command in a copy of this process."""
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if not pid:
        code = 99
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(nothing, descriptor)
            code = _guarded([words[0], "--time-limit", f"{limit:g}", *words[1:]], writing)
        finally:
            os._exit(code)
    os.close(writing)
    status = os.waitpid(pid, 0)[1]
    ended = time.monotonic()
    with open(reading) as file:
        facts = [line.split() for line in file]
    began = min((float(fact[1]) for fact in facts if fact[0] == "begun"), default=started)
    before = {fact[3]: float(fact[2]) for fact in facts if fact[0] == "begun"}
    queued = max((float(f[1]) - before.get(f[2], 0.0) for f in facts if f[0] == "queued"), default=0.0)
    return Ended(words, limit, ended - began, queued, os.waitstatus_to_exitcode(status))


def _guarded(words: list[str], facts: int) -> int:
    """Run a command as a shell would, and write down when its limit begins to count; the exit code."""
    limit = guard.Guard.limit

    def noting(self: guard.Guard, seconds: float, instead: Callable[[], guard.Instead]) -> None:
        os.write(facts, f"begun {time.monotonic()} {_queued('self')} {os.getpid()}\n".encode())
        limit(self, seconds, instead)

    guard.Guard.limit = noting  # type: ignore[method-assign]
    guard.switch_on()
    try:
        code = run(words)
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 1
    os.write(facts, f"queued {_queued('self')} {os.getpid()}\n".encode())
    return code


def main() -> None:
    """Run the problems, print."""
    parser = common.parser(__doc__)
    parser.add_argument("--problems", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.5, 1.0, 2.0], help="time limits")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    options = parser.parse_args()
    found: dict[str, list[Ended]] = {kind: [] for kind in options.kinds}
    try:
        for number in range(options.problems):
            kind = options.kinds[number % len(options.kinds)]
            chance = random.Random(f"{options.seed} {number}")
            limit = chance.choice(MODEL_SECONDS if kind == "neural" else options.seconds)
            found[kind].append(take(problem(kind, chance), limit))
            if number % 50 == 49:
                print(f"{number + 1} problems", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    rows = []
    for kind, ended in found.items():
        overruns, walls = sorted(e.overrun for e in ended), sorted(e.wall - e.limit for e in ended)
        if ended:
            at_limit = sum(e.wall > e.limit for e in ended)
            figures = (
                overruns[len(overruns) // 2],
                overruns[int(0.95 * len(overruns))],
                overruns[-1],
                walls[-1],
            )
            rows.append((kind, len(ended), at_limit, *(f"{max(0.0, one):.2f}" for one in figures)))
    common.print_table(
        ("", "problems", "reached it", "median overrun", "95 %", "most", "most by wall time"), rows
    )
    everything = [e for ended in found.values() for e in ended]
    for ended in sorted(everything, key=lambda e: -e.overrun)[:8]:
        print(
            f"{ended.overrun:.2f} s over {ended.limit:g}, exit code {ended.code}:",
            " ".join(ended.words)[:300],
        )
    late = sum(e.overrun > 0.5 for e in everything)
    bad = sum(e.code not in (0, 1, 2) for e in everything)
    most = max((e.overrun for e in everything), default=0.0)
    common.finish("time_limits", problems=len(everything), over_half_a_second=late, most=most, bad_codes=bad)


if __name__ == "__main__":
    main()
