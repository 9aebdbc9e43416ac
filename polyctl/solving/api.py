"""What `import polyctl` offers: functions that take text, SymPy expressions or polynomials."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polyctl.algebra import polynomial as algebra
from polyctl.algebra.budget import Budget
from polyctl.algebra.polynomial import Polynomial
from polyctl.algebra.verify import Verdict
from polyctl.errors import UsageError
from polyctl.solvers.exact.common import Common
from polyctl.solvers.exact.rewriting import Rewriting
from polyctl.solving.answer import answer
from polyctl.solving.common import search_common
from polyctl.solving.methods import DEFAULT_SECONDS, Choice
from polyctl.solving.read import (
    Names,
    PolynomialLike,
    read_claim,
    read_inners,
    read_names,
    read_outer,
    read_polynomial,
    read_several,
)
from polyctl.solving.request import ModelRequest, SolveRequest
from polyctl.solving.solution import Answer
from polyctl.solving.verification import rewrite as write_in
from polyctl.solving.verification import verify_claim

if TYPE_CHECKING:
    from polyctl.solving.neural import Neural


def decompose(
    f: PolynomialLike,
    *,
    variables: Names | None = None,
    main: Names = (),
    atoms: bool = False,
    method: Choice | Literal["polish"] = "auto",
    inners: int | None = None,
    time_limit: float = DEFAULT_SECONDS,
    model: Neural | str | None = None,
) -> Answer:
    """Find g and h1, …, hm with f = g(h1, …, hm), every verified answer proved over Q.

    `variables` fixes f's ring. `main` names the variables to decompose f in; the others are parameters, on
    which g and h may depend. Both are names or SymPy symbols. With `atoms` functions, roots and quotients are
    variables. `method` is auto, exact, neural, numeric, or polish, which is auto with a numeric solver that
    starts from a model's wrong answers. `inners` is the largest number of inner polynomials. `time_limit` is
    in seconds. `model` is one that `load_model` returned, or the name of its run; by default it is the
    bundled one. Raises ParseError, UsageError, and FileError for a model that is asked for and missing.

    >>> import polyctl
    >>> found = polyctl.decompose("x^4 + 2x^3 + 3x^2 + 2x + 5")
    >>> found.best.outer, found.best.inner
    (b^2 + 4, (x^2 + x + 1,))
    >>> polyctl.decompose("(sin(x) + y)^2 - 7", atoms=True).best.inner
    (sin(x) + y,)
    """
    name = model if isinstance(model, str) else None
    needed = name is not None or method == "neural"
    ring = None if variables is None else read_names(variables)
    request = SolveRequest(
        f if isinstance(f, str) else read_polynomial(f, ring, atoms=atoms),
        ring,
        main=read_names(main),
        method="auto" if method == "polish" else method,
        inners=inners,
        time_limit=time_limit,
        polish=method == "polish",
        model=ModelRequest(name, needed=needed),
        atoms=atoms,
    )
    return answer(request, neural=None if model is None or isinstance(model, str) else model)


def parse(text: str, variables: Names | None = None, *, atoms: bool = False) -> Polynomial:
    """The polynomial that a text stands for, read as `decompose` and the command line read it.

    Its ring is that of `variables`, or of those that occur, in natural order (x2 before x10). An equation is
    its left side minus its right side. With `atoms` functions, roots and quotients are variables. Raises
    ParseError, with the place in the text, and UsageError for names that are not valid.

    >>> import polyctl
    >>> polyctl.parse("(x + 1)^2 - 1/2 x")
    x^2 + 3/2*x + 1
    >>> polyctl.parse("f(x) = x^2 + 1")
    x^2 + 1
    """
    return read_polynomial(text, None if variables is None else read_names(variables), atoms=atoms)


def verify(
    f: PolynomialLike,
    outer: PolynomialLike | None = None,
    inner: PolynomialLike | Sequence[PolynomialLike] = (),
    *,
    variables: Names | None = None,
    atoms: bool = False,
    time_limit: float = DEFAULT_SECONDS,
) -> Verdict:
    """Whether f = outer(inner…) over Q; without an outer, whether there is one, which the verdict then has.

    The outer is in b, or b0, b1, …, one for each inner polynomial, or in the names of inner polynomials
    that are written s = x + y; beside these it may have f's own variables. `variables` are f's, as for
    `decompose`. With `atoms` functions, roots and quotients are variables too; what does not hold of these
    as independent variables is looked at again with their identities, such as x*(1/x) = 1. `time_limit` is
    in seconds. Raises ParseError and UsageError.

    >>> import polyctl
    >>> print(polyctl.verify("x^4 + 2x^3 + x^2 + 1", outer="b^2 + 1", inner="x^2 + x"))
    verified: g(h) = f over Q (by composition)
    """
    ring = None if variables is None else read_names(variables)
    claim = read_claim(f, outer, inner, variables=ring, atoms=atoms)
    return verify_claim(claim.f, claim.decomposition, Budget.of(time_limit))


def complete(
    f: PolynomialLike, inner: PolynomialLike | Sequence[PolynomialLike], *, atoms: bool = False
) -> Polynomial | None:
    """The outer g with f = g(inner…), or None if none is found; `atoms` as for `verify`.

    >>> import polyctl
    >>> polyctl.complete("x^2 + y^2", inner=["x + y", "x y"])
    b0^2 - 2*b1
    """
    return verify(f, inner=inner, atoms=atoms).outer


def compose(
    outer: PolynomialLike, inner: PolynomialLike | Sequence[PolynomialLike], *, atoms: bool = False
) -> Polynomial:
    """outer(inner…), expanded; `atoms` as for `verify`.

    >>> import polyctl
    >>> polyctl.compose("b^2 + 1", "x^2 + x")
    x^4 + 2*x^3 + x^2 + 1
    """
    inners = read_inners(inner, atoms=atoms)
    return algebra.compose(read_outer(outer, len(inners)), inners)


def rewrite(
    f: PolynomialLike,
    inner: PolynomialLike | Sequence[PolynomialLike],
    *,
    variables: Names | None = None,
    atoms: bool = False,
    time_limit: float = DEFAULT_SECONDS,
) -> Rewriting | None:
    """f written in given polynomials, with what they cannot express left in f's own variables.

    `complete` says whether nothing is left. None if the time limit, in seconds, or the bound on work is
    reached. `variables` and `atoms` are as for `verify`. Raises ParseError and UsageError.

    >>> import polyctl
    >>> polyctl.rewrite("x^3 + y^3", ["x + y", "x y"]).normal_form
    b0^3 - 3*b0*b1
    >>> polyctl.rewrite("x^4 + x", "x^2").normal_form
    b0^2 + x
    """
    ring = None if variables is None else read_names(variables)
    claim = read_claim(f, None, inner, variables=ring, atoms=atoms)
    if not claim.decomposition.inners:
        raise UsageError("there is no inner polynomial", "give one or more to write f in")
    return write_in(claim.f, claim.decomposition.inners, Budget.of(time_limit))


def common(
    polynomials: Sequence[PolynomialLike],
    *,
    variables: Names | None = None,
    atoms: bool = False,
    time_limit: float = DEFAULT_SECONDS,
) -> Common | None:
    """Inner polynomials h1, …, hm that polynomials share, f1 = g1(h…), f2 = g2(h…), …, with all the outers.

    None if none are found within the time limit, in seconds. `variables` and `atoms` are as for `decompose`.
    Raises ParseError, and UsageError for fewer than two polynomials.

    >>> import polyctl
    >>> found = polyctl.common(["x^4 + 2x^2", "x^6 + 3"])
    >>> found.inners, found.outers
    ((x^2,), (b^2 + 2*b, b^3 + 3))
    """
    ring = None if variables is None else read_names(variables)
    return search_common(read_several(polynomials, ring, atoms=atoms), time_limit).found


def load_model(
    run: str | None = None,
    *,
    runs: Path | str | None = None,
    device: str = "auto",
    beam: int | None = None,
    grammar: bool = False,
) -> Neural:
    """The model of a run, by default the bundled one, to give to `decompose`.

    `runs` is the directory of runs, `beam` the width of the search; `grammar` lets only well-formed answers
    through. Raises FileError if there is no such model.
    """
    from polyctl.solving.neural import load_neural

    where = None if runs is None else Path(runs)
    return load_neural(ModelRequest(run, where, device, beam, grammar, needed=True))
