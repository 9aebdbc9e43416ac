"""The paper's tables from fabricated reports: the right cells, – for what is missing, published beside."""

import json
import re
import sys

import pytest

from polyctl.config.registry import PACKAGED, load_registry
from polyctl.config.schema import TrainConfig
from polyctl.errors import FileError, UsageError
from polyctl.reports.figures import draw
from polyctl.reports.make_report import PLANS, make_report
from polyctl.reports.published import complexities, gains, measures, published
from polyctl.reports.tables import Column, Report, Table, markdown, missing_words, shown
from polyctl.store.event_kinds import End, RunStarted
from polyctl.store.events import EventWriter
from polyctl.store.runs import create_run

REGISTRY = load_registry(PACKAGED)


def accuracy(greedy, beam, step=0.01):
    return {
        "greedy": {"exact": 0.0, "verified": greedy},
        "pass_at": {str(k): greedy + step * k for k in range(1, beam + 1)},
        "rank_score": greedy,
    }


@pytest.fixture
def evaluated(tmp_path):
    """Make a run of an experiment of the registry with an evaluation's report in it."""

    def evaluated(
        name, greedy, beam=10, cells=None, data=None, stamp="20260101-000000", run=None, base=None, seed=0
    ):
        if run is None:
            experiment = REGISTRY.get(base or name)
            train = experiment.train if base is None else TrainConfig(init_from=f"{base}/start")
            changes = {"name": name, "train": train, "seed": seed}
            run = create_run(experiment.model_copy(update=changes), tmp_path)
            with EventWriter(run.events) as events:
                began = RunStarted(state="started", device="cpu", parameters=1234, step=0, total_steps=50)
                events.write(began)
                events.write(End(state="complete", step=50, elapsed=120.0))
        report = {
            "data": data or f"test problems of {name}",
            "checkpoint": "best",
            "step": 40,
            "problems": 100,
            "beam": beam,
            **accuracy(greedy, beam),
            "cells": [{"cell": c, "problems": 10, **accuracy(v, beam)} for c, v in (cells or {}).items()],
        }
        (run.reports / f"eval-{stamp}.json").write_text(json.dumps(report))
        return run

    return evaluated


@pytest.fixture
def report(tmp_path):
    (tmp_path / "counts").mkdir()
    return lambda *names: make_report(names, REGISTRY, tmp_path, tmp_path / "counts")


def rows(table):
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_nothing_measured_gives_tables_of_dashes_with_the_published_numbers(report):
    for plan in PLANS:
        made = report(plan)
        assert made.sources == ()
        assert all(figure.empty for figure in made.figures)
        assert "–" in markdown(made) or plan == "rl"
    first = rows(report("d1_degree").tables[0])[0]
    assert (first["greedy"], first["greedy, published"], first["published of"]) == (None, 0.497, 300)
    assert report("d1_degree").missing == ("d1_degree",)
    assert report("d1_vars").tables[0].rows[0][:4] == ("(3, 2)", None, None, 0.133)


def test_accuracy_by_degree(evaluated, report):
    evaluated("d1_degree", 0.2, cells={"2∘2": 0.5, "4∘4": 0.1})
    made = report("d1_degree")
    by_cell = {row["outer∘inner"]: row for row in rows(made.tables[0])}
    assert by_cell["2∘2"]["greedy"] == 0.5
    assert by_cell["2∘2"]["problems"] == 10
    assert by_cell["2∘3"]["greedy"] is None  # not in the report: never invented
    assert by_cell["all"]["greedy"] == 0.2
    assert [row["published"] for row in rows(made.tables[1])] == [0.11, 0.31, 0.5]
    assert [row["ours"] for row in rows(made.tables[1])] == pytest.approx([0.11, 0.15, 0.2])
    (source,) = made.sources
    assert (source["device"], source["parameters"], source["step"], source["steps"]) == ("cpu", 1234, 40, 50)
    assert (source["trained on"], source["training minutes"]) == (40 * 256, 2.0)


def test_accuracy_by_variables_and_by_beam_width(evaluated, report):
    run = evaluated("d1_var_3_2", 0.1, beam=15)
    evaluated("d1_var_3_2", 0.3, beam=50, run=run, stamp="20260102-000000")
    row = rows(report("d1_vars").tables[0])[0]
    assert row["pass@15"] == pytest.approx(0.45)  # of the widest beam
    assert (row["pass@15, published"], row["pass@50, published"]) == (0.538, 0.763)
    by_k = {r["k"]: r for r in rows(report("d4").tables[0]) if r["experiment"] == "d1_var_3_2"}
    assert (by_k[2]["pass@k"], by_k[2]["beam"], by_k[2]["beam, published"]) == (pytest.approx(0.12), 15, 15)
    assert (by_k[50]["pass@k"], by_k[50]["beam"]) == (pytest.approx(0.8), 50)
    assert {r["experiment"] for r in rows(report("d4").tables[0]) if r["pass@k"] is not None} == {
        "d1_var_3_2"
    }


def test_width_by_layers_and_heads(evaluated, report):
    evaluated("d2_arch_512_l6", 0.4)
    evaluated("d2_heads_16", 0.3)
    made = report("d2_arch")
    by_width = {row["width"]: row for row in rows(made.tables[0])}
    assert sorted(by_width) == [256, 512, 768, 1024]
    assert by_width[512]["greedy, 6 layers"] == 0.4
    assert by_width[512]["greedy, 4 layers"] is None
    assert len(made.missing) == 7
    assert [row["greedy"] for row in rows(report("d2_heads").tables[0])] == [None, None, 0.3]


def test_adaptation_curves(evaluated, report):
    evaluated("d3_finetune_monic_1280", 0.2)
    evaluated("d3_finetune_split_81920", 0.6)
    evaluated("d3_pretrain_monic", 0.9)
    made = report("d3")
    table = rows(made.tables[0])
    assert [row["examples"] for row in table] == [1280 * 2**k for k in range(7)]
    assert (table[0]["greedy, from monic"], table[0]["greedy, from split"]) == (0.2, None)
    assert table[-1]["greedy, from split"] == 0.6
    assert rows(made.tables[1])[0]["pass@2, published"] == 0.996


def test_before_and_after_reinforcement_learning(evaluated, report, tmp_path):
    start = evaluated("rl_quick", 0.4)
    start.path.rename(start.path.with_name("start"))
    evaluated("rl_quick", 0.9)  # a newer run, from which it did not start
    evaluated("rl_quick_bgrpo", 0.5, base="rl_quick")
    made = report("rl")
    greedy = next(row for row in rows(made.tables[0]) if row["measure"] == "greedy")
    assert (greedy["before"], greedy["after"], greedy["gain"]) == (0.4, 0.5, pytest.approx(0.1))
    assert (greedy["seeds"], greedy["spread of it"]) == (1, None)
    assert shown(greedy["gain"], "points") == "+10.0"
    evaluated("rl_quick_bgrpo", 0.7, base="rl_quick", seed=1)
    greedy = next(row for row in rows(report("rl").tables[0]) if row["measure"] == "greedy")
    assert (greedy["seeds"], greedy["before"], greedy["after"]) == (2, 0.4, pytest.approx(0.6))
    assert greedy["spread of it"] == pytest.approx(0.1414, abs=1e-4)
    assert dict(made.tables[2].rows) == gains()


def test_the_newest_evaluated_run_on_own_problems_counts(evaluated, report):
    evaluated("quick", 0.1)
    evaluated("quick", 0.2)
    evaluated("quick", 0.9, data="other.txt")
    create_run(REGISTRY.get("quick"), evaluated("smoke", 0.5).root)  # newer, not evaluated
    assert report("quick", "smoke").tables[0].rows[0][:2] == ("quick", 0.2)


def test_complexity_of_the_simplest_verified_answer_beside_the_counts(evaluated, report, tmp_path):
    run = evaluated("d1_var_3_3", 0.5, data="homogeneous_3_3.txt")

    def answer(outer, inner, status="verified", extra=False):
        return {"status": status, "outer": outer, "inner": [inner], "extra_inners": extra}

    record = {
        "index": 1,
        "variables": ["x"],
        "known": {"outer": "b^2 + 1", "inner": ["x^2 + x"]},
        "beam": [
            answer("b", "x^2", status="refuted"),
            answer("b^2 + 2*b + 5", "x^2 + x"),
            answer("b^2 + 1", "x^2 + x"),
        ],
    }
    unsolved = {
        **record,
        "index": 0,
        "beam": [answer("b", "x^2", status="refuted"), answer("b", "x", extra=True)],
    }
    (run.predictions / "eval-20260101-000000.jsonl").write_text(
        f"{json.dumps(unsolved)}\n{json.dumps(record)}\n"
    )
    with pytest.raises(FileError, match="no directory"):
        make_report(["complexity"], REGISTRY, tmp_path, tmp_path / "missing")
    assert "Not in" in report("complexity").tables[0].note
    made = make_report(["complexity"], REGISTRY, tmp_path)
    assert "Without --counts DIR" in made.tables[0].note
    row = {r["(v_in, v_out)"]: r for r in rows(made.tables[0])}["(3, 3)"]
    assert (row["problems"], row["solved"], row["Mathematica, of these"]) == (2, 1, None)
    assert row["ours"] == row["known, of these"]
    assert (row["known, published"], row["Mathematica, published"]) == (30.6, 40.1)
    for name in complexities():
        text = "true\tmathematica\n33\t45\n32\t35\n"
        (tmp_path / "counts" / f"homogeneous_{name}.counts.tsv").write_text(text)
    made = report("complexity")
    assert "Not in" not in made.tables[0].note
    assert {r["(v_in, v_out)"]: r for r in rows(made.tables[0])}["(3, 3)"]["Mathematica, of these"] == 35
    means = {"complexity": 30.0, "known": 29.0, "mathematica": 38.0, "simplest": 28.0}
    solved = {
        "solver": "all",
        "sets": {"homogeneous_3_3": {"problems": 10, "verified": 0.9, "complexity": means}},
    }
    (tmp_path / "solver.json").write_text(json.dumps(solved))
    both = make_report(["complexity"], REGISTRY, tmp_path, tmp_path / "counts", tmp_path / "solver.json")
    by = {r["by"]: r for r in rows(both.tables[0]) if r["(v_in, v_out)"] == "(3, 3)"}
    assert by.keys() == {run.name, "solver"}
    assert (by["solver"]["solved"], by["solver"]["ours"], by["solver"]["Mathematica, of these"]) == (
        9,
        30,
        38,
    )
    (tmp_path / "solver.json").write_text("[]")
    with pytest.raises(FileError, match="no report of the solver"):
        make_report(["complexity"], REGISTRY, tmp_path, tmp_path / "counts", tmp_path / "solver.json")
    (tmp_path / "counts" / "homogeneous_3_3.counts.tsv").write_text("wrong\n1\n")
    with pytest.raises(FileError, match="no table of counts"):
        report("complexity")


def test_the_bundled_model_stands_beside(tmp_path):
    """Its figures are on published problems, so that no run is needed."""
    sets = {f"univariate_{o}_{i}": {"problems": 10, "greedy": 0.1 * o} for o in (2, 3, 4) for i in (2, 3, 4)}
    sets["univariate_4_4"] |= {"pass@5": 0.7}
    sets["homogeneous_3_2"] = {"problems": 10, "greedy": 0.4, "pass@15": 0.8}
    file = tmp_path / "bundled.json"
    file.write_text(json.dumps({"beam": 5, "sets": sets}))
    degree = make_report(["d1_degree"], REGISTRY, tmp_path, bundled=file)
    by = {row["outer∘inner"]: row["greedy, bundled model"] for row in rows(degree.tables[0])}
    assert (by["2∘3"], by["4∘2"], by["all"]) == pytest.approx((0.2, 0.4, 0.3))
    assert [row["bundled model"] for row in rows(degree.tables[1])] == [None, 0.7, None]
    assert "beam 5, 10 published problems" in degree.tables[0].note
    by = {
        r["(v_in, v_out)"]: r
        for r in rows(make_report(["d1_vars"], REGISTRY, tmp_path, bundled=file).tables[0])
    }
    assert (by["(3, 2)"]["greedy, bundled model"], by["(3, 2)"]["pass@15, bundled model"]) == (0.4, 0.8)
    assert by["(3, 3)"]["pass@15, bundled model"] is None
    beams = rows(make_report(["d4"], REGISTRY, tmp_path, bundled=file).tables[0])
    shown = {(r["experiment"], r["k"]): r["pass@k, bundled model"] for r in beams}
    assert (shown["d1_var_3_2", 15], shown["d1_var_3_2", 6], shown["d1_var_3_3", 15]) == (0.8, None, None)
    assert ("d1_degree", 15) not in shown  # of the nine sets not all were evaluated
    del sets["univariate_2_2"]
    file.write_text(json.dumps({"beam": 5, "sets": sets}))
    degree = make_report(["d1_degree"], REGISTRY, tmp_path, bundled=file)
    assert rows(degree.tables[0])[-1]["greedy, bundled model"] is None


@pytest.mark.parametrize("text", ["[]", "{", '{"beam": 5, "sets": {"a": {"problems": NaN}}}', '{"sets": {}}'])
def test_what_has_no_figures_of_a_model(tmp_path, text):
    (tmp_path / "bundled.json").write_text(text)
    with pytest.raises(FileError, match="no figures of a model"):
        make_report(["d1_degree"], REGISTRY, tmp_path, bundled=tmp_path / "bundled.json")


def test_published_numbers_belong_to_experiments_of_the_registry():
    for name in REGISTRY.names():
        for measure in measures(name):
            found = published(name, measure)
            assert 0 < found.value < 1, name
    assert measures("d1_var_3_2") == ["pass@2", "pass@6", "pass@11", "pass@15", "pass@50"]
    assert published("d1_var_3_2", "pass@50").beam == 50
    assert published("d2_arch_512_l6", "greedy") is None


def test_markdown():
    table = Table(
        "T", (Column("a|b"), Column("p", "percent"), Column("n", "count")), (("x|y", 0.5, None),), "Note."
    )
    text = markdown(Report("r", "R", (table,), missing=("quick",)))
    assert "| a\\|b | p % | n |\n| --- | ---: | ---: |\n| x\\|y | 50.0 | – |\n\nNote." in text
    assert "`polyctl experiments run quick`" in text


def test_figures_are_png_and_svg_and_the_same_again(evaluated, report, tmp_path):
    pytest.importorskip("matplotlib")
    evaluated("d1_var_3_2", 0.1, beam=50)
    evaluated("d1_degree", 0.2, cells={"2∘2": 0.5})
    for plan in ("d1_degree", "d1_vars", "d4"):
        (figure,) = report(plan).figures
        png, svg = draw((figure,), tmp_path / "one")
        assert png.read_bytes().startswith(b"\x89PNG")
        assert "<svg" in svg.read_text()
        assert draw((figure,), tmp_path / "two")[1].read_bytes() == svg.read_bytes()
    assert draw(report("d3").figures, tmp_path / "three") == []  # nothing measured, nothing drawn


def test_without_matplotlib_the_error_says_what_to_install(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError) as error:
        draw(report("d3").figures, tmp_path)
    assert error.value.hint == "pip install 'polyctl[figures]'"


@pytest.mark.parametrize(
    ("name", "hint"), [("d2_arhc", "did you mean d2_arch?"), ("zzz", "experiments list")]
)
def test_a_name_that_is_neither_plan_nor_experiment(report, name, hint):
    with pytest.raises(UsageError, match="it is no plan") as error:
        report(name)
    assert hint in error.value.hint


@pytest.mark.parametrize("plan", PLANS)
def test_the_command_for_what_is_missing_names_all_of_it(plan, tmp_path):
    made = make_report([plan], REGISTRY, tmp_path)
    if not made.missing:
        return
    count, command = re.match(
        r"Not run yet \(–\): (\d+) experiments?\. `(.*)`$", missing_words(made)
    ).groups()
    names = command.removeprefix("polyctl experiments run ").split()
    assert len(names) == int(count)
    assert {experiment.name for experiment in REGISTRY.matching(names)} == set(made.missing)
