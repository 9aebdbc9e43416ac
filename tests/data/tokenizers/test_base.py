"""What every tokenizer does: targets decode, and variables keep their names and their order."""

import pytest
from flint import fmpq

from polyctl.algebra.decomposition import Decomposition
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import ring
from polyctl.algebra.verify import verify
from polyctl.data.families import draw_problem
from polyctl.data.problem import Problem, SparseProblem
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for, move
from polyctl.data.tokenizers.errors import UnwritableProblem
from tests.data.test_families import FAMILIES, every_family
from tests.decompositions import equivalent

both = pytest.mark.parametrize("tokenizer", ["prefix", "compact"])


@every_family
@both
def test_targets_decode_to_the_decomposition(data, tokenizer):
    tok = make_tokenizer(data.model_copy(update={"tokenizer": tokenizer}))
    for i in range(25):
        drawn = draw_problem(data, 11, i)
        target = tok.encode_target(drawn)
        assert target[-1] == tok.end
        assert tok.pad not in target
        found = decode_for(tok, drawn.f, target[:-1])
        assert verify(drawn.f, found).verified
        known = (
            drawn.decomposition
            if found.outer is not None
            else Decomposition(None, drawn.decomposition.inners)
        )
        assert equivalent(found, known)


@both
def test_text_is_in_the_variables_of_f(tokenizer):
    tok = make_tokenizer(FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer}))
    f = parse("x^4 + 3*x^2 + 1")
    target = tok.encode_prompt(SparseProblem(f, None, "typed", 0))[:-1]
    assert tok.text(target, f) == tok.text(target).replace("a", "x")


@both
def test_other_variable_names_are_placed_in_order(tokenizer):
    data = FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer})
    tok = make_tokenizer(data)
    (x,) = ring(["x"]).gens()
    f = (x**2 + x) ** 2 * fmpq(1, 2) + 7
    typed = SparseProblem(f, Decomposition(None, (x**2 + x,)), "typed", 0)
    found = decode_for(tok, f, tok.encode_target(typed_as(typed, tok))[:-1])
    assert found.inners == (x**2 + x,)
    assert tok.encode_prompt(typed)[-1] == tok.end


def typed_as(problem: Problem, tok) -> Problem:
    """The problem with its inners in the tokenizer's ring."""
    frame = tok.frame(problem.f)
    inners = tuple(move(h, tok.ring, frame) for h in problem.decomposition.inners)
    return SparseProblem(move(problem.f, tok.ring, frame), Decomposition(None, inners), problem.family, 0)


@both
def test_too_many_variables_cannot_be_written(tokenizer):
    tok = make_tokenizer(FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer}))
    x, y = ring(["x", "y"]).gens()
    with pytest.raises(UnwritableProblem, match="variables"):
        tok.encode_prompt(SparseProblem(x * y, None, "typed", 0))


@both
def test_an_inner_polynomial_in_a_variable_that_the_tokens_lack_cannot_be_written(tokenizer):
    """As in a damaged line of a file."""
    tok = make_tokenizer(FAMILIES["univariate"].model_copy(update={"tokenizer": tokenizer}))
    x, y = ring(["a0", "a1"]).gens()
    (b,) = ring(["b0"]).gens()
    with pytest.raises(UnwritableProblem):
        tok.encode_target(SparseProblem(x**4, Decomposition(b**2, (y**2 + x,)), "typed", 0))
