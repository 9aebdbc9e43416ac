"""What is kept from training: the published problems without their files, and what a start was kept from."""

import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import DataConfig
from polyctl.data.dataset import read_digests, read_problems
from polyctl.data.exclusions import inherit, may_have_drawn
from polyctl.data.families import draw_problems
from polyctl.data.published_sets import published_digests, write_published_digests
from polyctl.errors import FileError
from tests.shared import EVERY_SET, OURS, every_source


@every_source
def test_the_packaged_digests_are_those_of_the_published_files(source):
    """After a change of normal forms: write_published_digests with the digests of the published files."""
    if source == OURS:
        pytest.skip("these are not the published problems")
    for name in EVERY_SET:
        assert read_digests([f"published/{name}"]) == read_digests([str(source.path(name))]), name


def test_every_published_set_has_a_name():
    assert set(published_digests()) == set(EVERY_SET)
    everything = read_digests(["published"])
    assert everything == frozenset().union(*(read_digests([f"published/{name}"]) for name in EVERY_SET))
    assert len(everything) > 4_800
    assert {len(digest) for digest in everything} == {16}


def test_digests_are_read_as_they_were_written(tmp_path):
    import numpy as np

    named = {"one": [bytes(range(16)), bytes(16), bytes(16)], "two": [b"x" * 16]}
    write_published_digests(named, tmp_path / "digests.npz")
    with np.load(tmp_path / "digests.npz") as found:
        assert {n: set(map(bytes, found[n])) for n in found} == {n: set(some) for n, some in named.items()}


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("published/homogenous_3_2", "did you mean homogeneous_3_2"),
        ("nowhere/*.txt", "`published`"),
        ("monic.txt", "correct the path"),
    ],
)
def test_an_entry_that_names_nothing_is_an_error(entry, hint):
    with pytest.raises(FileError, match=r"data\.exclude: no file matches") as error:
        read_digests([entry])
    assert hint in error.value.hint.replace("'", "`")


def test_what_a_start_was_kept_from_is_handed_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = tmp_path / "here.txt"
    here.write_text("")
    found, lost = inherit(("own.txt",), (str(here), "gone/univariate_2_2.txt", "gone/other.txt"))
    assert found == ("own.txt", str(here), "published/univariate_2_2")
    assert lost == ("gone/other.txt",)
    assert inherit(("published",), ("gone/univariate_2_2.txt", "published/monic")) == (("published",), ())
    assert inherit((), ("published",)) == (("published",), ())
    assert inherit(("a",), ("published/monic", "published/monic"))[0] == ("a", "published/monic")


def test_every_experiment_of_the_paper_and_the_bundled_model_leave_out_the_published_problems():
    registry = load_registry(PACKAGED)
    papers = [experiment for experiment in registry.matching() if experiment.paper]
    assert papers
    for experiment in [*papers, registry.get("general"), registry.get("general_wide")]:
        assert experiment.data.exclude == ("published",), experiment.name


DATA = DataConfig(family="monic", outer_degrees=(2,), inner_degrees=(2, 3), outer_bound=5, inner_bound=20)


def test_problems_of_the_training_split_may_have_been_drawn_unless_they_are_excluded(tmp_path):
    drawn = draw_problems(DATA, 7, "train")
    trained = [next(drawn) for _ in range(6)]
    tested = draw_problems(DATA, 7, "test")
    problems = [*trained, next(tested), next(tested)]
    assert may_have_drawn(DATA, problems) == 6
    other = DATA.model_copy(update={"inner_degrees": (4,)})  # of other degrees altogether
    assert may_have_drawn(other, problems) == 0
    both = DataConfig(family="mixed", tokenizer="terms", parts=(other, DATA))
    assert may_have_drawn(both, problems) == 6


def test_published_problems_are_known_to_be_excluded_without_their_files():
    """As for the bundled model, which was kept from files that few have."""
    data = DataConfig(outer_degrees=(2, 3, 4), inner_degrees=(2, 3, 4))
    problems = read_problems(OURS.path("univariate_2_2"))
    count = may_have_drawn(data, problems)
    assert count > len(problems) / 2
    several = data.model_copy(update={"exclude": (str(OURS.path("univariate_2_2")),)})
    assert may_have_drawn(several, problems) == 0
    gone = data.model_copy(update={"exclude": ("gone/univariate_2_2.txt", "gone/mine.txt")})
    assert may_have_drawn(gone, problems) == count
