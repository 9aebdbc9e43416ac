"""One set of problems from several families, and the tokens that they share."""

import re
from collections import Counter

import pytest
from pydantic import ValidationError

from polyctl.algebra.decomposition import Decomposition, used_inners
from polyctl.algebra.parse import parse
from polyctl.algebra.polynomial import names, polynomial, ring, terms, variables_used
from polyctl.algebra.verify import verify
from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import DataConfig
from polyctl.data.batch import TrainingBatch
from polyctl.data.families import degree_cells, draw_held_out, draw_problem
from polyctl.data.problem import SparseProblem
from polyctl.data.stream import StreamSource
from polyctl.data.tokenizers import make_tokenizer
from polyctl.data.tokenizers.base import decode_for, move
from polyctl.data.tokenizers.errors import UnwritableProblem

GENERAL = load_registry(PACKAGED).get("general")
DATA = GENERAL.data
TOKENIZER = make_tokenizer(DATA)


def test_parts_are_drawn_by_weight_and_by_index_alone():
    drawn = [draw_problem(DATA, 3, i) for i in range(2200)]
    counts = Counter((p.family, len(p.decomposition.inners)) for p in drawn)
    assert set(counts) == {
        ("univariate", 1),
        ("monic", 1),
        ("on_singlet", 1),
        ("separable", 3),
        *(("homogeneous", m) for m in (2, 3, 4)),
    }
    assert 1220 < counts["univariate", 1] < 1420  # 18 of 30 are 1,320
    assert draw_problem(DATA, 3, 17).f == drawn[17].f


def test_every_target_reads_back_as_a_proof():
    for p in draw_held_out(DATA, 0, "valid", 80):
        answer = decode_for(TOKENIZER, p.f, TOKENIZER.encode_target(p)[:-1])
        assert verify(p.f, answer).verified, p


def test_prompts_say_how_many_inners_there_are_or_leave_it_open():
    known = draw_problem(DATA, 0, 0)
    count = len(known.decomposition.inners)
    typed = SparseProblem(known.f, None, "typed", 0)
    assert TOKENIZER.text(TOKENIZER.encode_prompt(known)[:1]) == f"m={count}"
    assert TOKENIZER.text(TOKENIZER.encode_prompt(typed)[:1]) == "m=?"
    assert TOKENIZER.encode_prompt(known)[1:] == TOKENIZER.encode_prompt(typed)[1:]


def test_names_of_variables_do_not_matter_and_the_unknown_is_refused():
    one, other = (parse(text) for text in ("x^4 + 2x^2*y", "p^4 + 2p^2*q"))
    prompts = [TOKENIZER.encode_prompt(SparseProblem(f, None, "typed", 0)) for f in (one, other)]
    assert prompts[0] == prompts[1]
    with pytest.raises(UnwritableProblem, match="has no token"):
        TOKENIZER.encode_prompt(SparseProblem(parse("x^17 + x"), None, "typed", 0))


def test_text_is_in_the_variables_of_f():
    f = parse("x10^4 + 3*x2^2*y + y^2*v1")
    prompt = TOKENIZER.encode_prompt(SparseProblem(f, None, "typed", 0))
    own = dict(zip(TOKENIZER.ring.names(), names(f), strict=False))
    expected = re.sub(r"v\d+", lambda match: own[match[0]], TOKENIZER.text(prompt))
    assert TOKENIZER.text(prompt, f) == expected
    assert {"x10^4", "x2^2·y"} <= set(expected.split())
    kept = parse("v2^4 + v2^2")  # a name of the tokenizer's own is kept
    assert (
        TOKENIZER.text(TOKENIZER.encode_prompt(SparseProblem(kept, None, "typed", 0)), kept).split()[1]
        == "v2^4"
    )


def test_a_stream_hides_the_number_of_inners_now_and_then():
    batches: list[TrainingBatch] = StreamSource(GENERAL).chunk(0)
    first = Counter(TOKENIZER.text(row[:1]) for batch in batches for row in batch.ids_BT)
    share = first["m=?"] / sum(first.values())
    assert 0.2 < share < 0.3
    assert set(first) == {"m=?", "m=1", "m=2", "m=3", "m=4"}


def test_there_is_a_test_set_for_each_cell_of_each_part():
    names = [name for name, _ in degree_cells(DATA)]
    assert len(names) == len(set(names)) == 9 + 3 + 1 + 2 + 5
    assert "homogeneous_3_2_3_3" in names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parts": ()}, "data.parts is required"),
        ({"family": "monic"}, "data.parts is required"),
        ({"tokenizer": "prefix"}, "tokenizer compact or terms"),
        ({"parts": (DataConfig(target="outer_inner"),)}, "mixture's target"),
    ],
)
def test_mixtures_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        DataConfig.model_validate({**DATA.model_dump(), **changes})


def test_a_problem_is_written_alike_in_its_own_ring_and_in_the_tokenizers():
    for p in draw_held_out(DATA, 5, "valid", 60):
        frame = TOKENIZER.frame(p.f)
        used = used_inners(p.decomposition).inners
        wide = SparseProblem(
            move(p.f, TOKENIZER.ring, frame),
            Decomposition(None, tuple(move(h, TOKENIZER.ring, frame) for h in used)),
            p.family,
            p.index,
        )
        assert TOKENIZER.encode_prompt(p)[1:] == TOKENIZER.encode_prompt(wide)[1:]
        assert TOKENIZER.encode_target(p) == TOKENIZER.encode_target(wide)


def test_variables_that_do_not_occur_change_nothing():
    (singlet,) = (part for part in DATA.parts if part.family == "on_singlet")
    for p in draw_held_out(singlet, 5, "valid", 20):
        used = variables_used(p.f)
        small = ring([f"a{i + 1}" for i in used])  # as a file of such problems is read
        f, *inners = (
            polynomial(small, {tuple(m[i] for i in used): c for m, c in terms(g)})
            for g in (p.f, *p.decomposition.inners)
        )
        read = SparseProblem(f, Decomposition(None, tuple(inners)), p.family, p.index)
        assert TOKENIZER.encode_prompt(read) == TOKENIZER.encode_prompt(p)
        assert TOKENIZER.encode_target(read) == TOKENIZER.encode_target(p)
        assert read.digest == p.digest
        answer = decode_for(TOKENIZER, p.f, TOKENIZER.encode_target(p)[:-1])
        assert verify(p.f, answer).verified


def test_an_inner_may_use_a_variable_that_f_does_not():
    f, h = parse("(x*z)^2", ["x", "y", "z"]), parse("x*z + y", ["x", "y", "z"])
    text = TOKENIZER.text(TOKENIZER.encode_target(SparseProblem(f, Decomposition(None, (h,)), "typed", 0)))
    assert text == "v1·v2 + 1 v3 + 1 ⁇"


def test_variables_out_of_order_are_put_in_order():
    f = parse("v1^2*v2 + 3v2^3 + v1^3")
    turned = polynomial(ring(["v2", "v1"]), {m[::-1]: c for m, c in terms(f)})
    prompts = [TOKENIZER.encode_prompt(SparseProblem(g, None, "typed", 0)) for g in (f, turned)]
    assert prompts[0] == prompts[1]
