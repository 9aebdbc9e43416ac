"""Which problems are drawn: training split only, mixed evenly, in the band, the same for the same numbers."""

import pytest

from polyctl.config.schema import DataConfig
from polyctl.data.families import draw_held_out, split_of
from polyctl.data.published_format import write_line, write_polynomial
from polyctl.data.tokenizers import make_tokenizer
from polyctl.errors import UsageError
from polyctl.rl.curriculum import Probe, ProblemMix, choose, draw, wear
from tests.rl.helpers import tiny


def mix_of(experiment):
    return ProblemMix(experiment, make_tokenizer(experiment.data))


def test_no_problem_of_another_split_is_ever_drawn():
    experiment = tiny()
    mix = mix_of(experiment)
    drawn = {mix.problem(n).digest for n in range(200)}
    assert {split_of(digest) for digest in drawn} == {"train"}
    tested = {p.digest for p in draw_held_out(experiment.data, experiment.seed, "test", 50)}
    assert tested
    assert not drawn & tested


def test_a_candidate_is_a_function_of_its_number():
    one, other = mix_of(tiny()), mix_of(tiny())
    assert [one.problem(n).digest for n in range(20)] == [
        other.problem(n).digest for n in reversed(range(20))
    ][::-1]


def test_families_and_degrees_take_turns():
    experiment = tiny(families=("univariate", "monic"))
    data = experiment.data.model_copy(update={"outer_degrees": (2, 3)})
    mix = mix_of(experiment.model_copy(update={"data": data}))
    drawn = [mix.problem(n) for n in range(8)]
    assert [(p.family, p.cell) for p in drawn[:4]] == [
        ("univariate", "2∘2"), ("univariate", "3∘2"), ("monic", "2∘2"), ("monic", "3∘2"),
    ]  # fmt: skip
    assert [p.cell for p in drawn[4:]] == [p.cell for p in drawn[:4]]


def test_problems_that_the_model_cannot_read_are_an_error_that_says_so():
    experiment = tiny(families=("homogeneous",))
    data = DataConfig(outer_degrees=(3,), inner_degrees=(3,), inner_variables=3, inners=3)
    with pytest.raises(UsageError, match="homogeneous problems in a row do not fit"):
        mix_of(experiment.model_copy(update={"data": data})).problem(0)


def test_the_pool_keeps_the_band_and_few_solved_ones():
    experiment = tiny(difficulty_band=(0.1, 0.9), max_solved_share=0.5)
    shares = [(0.0, False), (0.1, False), (0.5, True), (1.0, True), (0.9, False), (0.2, True), (0.3, True)]
    probes = [Probe(n, share, first) for n, (share, first) in enumerate(shares)]
    assert choose(probes, experiment.rl) == [1, 2, 4, 5]
    assert choose(probes, tiny(difficulty_band=(0.1, 0.9), max_solved_share=0.0).rl) == [1, 4]
    assert choose(probes[:1], experiment.rl) == []


def test_a_step_draws_different_problems_and_repeats_only_from_a_small_pool():
    drawn = draw(list(range(100, 120)), 8, 3, 3)
    assert len(set(drawn)) == 8
    assert drawn == draw(list(range(100, 120)), 8, 3, 3)
    assert drawn != draw(list(range(100, 120)), 8, 3, 4)
    assert set(draw([5, 6], 8, 3, 0)) <= {5, 6}


def test_how_often_a_pool_is_used_and_how_large_it_would_have_to_be():
    rl = tiny(pool_candidates=128, pool_refresh_every=25, groups_per_step=16).rl
    uses, needed = wear(64, rl, steps_left=100)
    assert uses == 25 * 16 / 64
    assert needed == 400  # half of them are kept, and each of these is used twice
    assert wear(64, rl, steps_left=8) == (2.0, 128)  # the run ends before the next pool


def lines(path, problems):
    text = [write_line(p, write_polynomial(p.decomposition.inners[0])) for p in problems]
    path.write_text("\n".join(text) + "\n")
    return path


def test_questions_of_a_file_come_in_shuffled_passes(tmp_path):
    experiment = tiny()
    given = [mix_of(experiment).problem(n) for n in range(6)]
    path = lines(tmp_path / "questions.txt", given)
    mix = mix_of(tiny(questions=str(path)))
    digests = [mix.problem(n).digest for n in range(12)]
    assert set(digests[:6]) == set(digests[6:]) == {p.digest for p in given}
    assert digests[:6] != digests[6:]
    assert digests == [mix_of(tiny(questions=str(path))).problem(n).digest for n in range(12)]


def test_questions_that_are_excluded_or_too_long_are_left_out(tmp_path):
    experiment = tiny()
    given = [mix_of(experiment).problem(n) for n in range(4)]
    path, kept = lines(tmp_path / "all.txt", given), lines(tmp_path / "kept.txt", given[:3])
    asked = tiny(questions=str(path))
    data = asked.data.model_copy(update={"exclude": (str(kept),)})
    mix = mix_of(asked.model_copy(update={"data": data}))
    assert {mix.problem(n).digest for n in range(5)} == {given[3].digest}
    data = asked.data.model_copy(update={"exclude": (str(path),)})
    with pytest.raises(UsageError, match=r"each of the 4 problems of .* is excluded"):
        mix_of(asked.model_copy(update={"data": data}))
