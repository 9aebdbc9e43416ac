"""The table of runs: columns that are chosen, and runs grouped by experiment."""

from polyctl.config.registry import to_toml
from polyctl.config.schema import Experiment
from polyctl.tui.run_list import read_row
from polyctl.tui.run_settings import RunSettings, list_settings, load_columns, save_columns
from polyctl.tui.screens.find import FindScreen
from polyctl.tui.views.run_columns import GROUP, Group, format_value, group_rows, order_of, value_of
from polyctl.tui.views.runs import RunsView, choose_columns
from polyctl.tui.widgets.table import Table
from tests.tui.shared import drive, event, make_run, until_hidden, until_listed, until_open, until_shown

NAMES = ["beta/20250103-000000", "alpha/20250102-000000", "beta/20250101-000000"]


def make_runs(root) -> list:
    runs = []
    for number, name in enumerate(NAMES):
        lines = [event(1, "run", step=0), event(2, "step", step=1, loss=1.0 + number, margin=number / 2)]
        lines.append(event(3, "validation", step=1, greedy_verified=number / 10, valid_loss=3.0 - number))
        run = make_run(root, name, lines)
        run.config_path.write_text(to_toml(Experiment(name=run.experiment, seed=10 - number)))
        runs.append(run)
    return runs


def test_settings_and_metrics_are_columns(tmp_path):
    runs = make_runs(tmp_path)
    rows, view = [read_row(run) for run in runs], RunsView()
    view.choose_columns(["run", "loss", "seed", "margin", "greedy_verified", "train.lr"])
    assert view.own_columns == ("seed", "margin", "greedy_verified", "train.lr")
    assert view.settings.wants(runs, view.own_columns)
    view.settings.read(runs, view.own_columns)
    assert not view.settings.wants(runs, view.own_columns)
    columns = choose_columns(rows, 140, view.columns, view.settings.get)
    labels = ["*", "state", "run", "loss", "seed", "margin", "greedy_verified", "train.lr"]
    assert [column.label for column in columns] == labels
    assert sum(column.width + 2 for column in columns) < 140
    cells = dict(zip(labels, view.format_cells(rows[1], columns), strict=True))
    assert [cells[name] for name in labels[3:7]] == ["2", "9", "0.5", "10.0%"]
    assert [c.label for c in choose_columns(rows, 60, view.columns, view.settings.get)][-1] != "train.lr"
    view.sort_by("seed")
    assert [row.run.name for row in view.select(rows)] == NAMES[::-1]
    view.sort_by("seed")
    assert [row.run.name for row in view.select(rows)] == NAMES
    for _ in range(20):
        view.next_sort()
    assert view.sort in ("newest", "run", "state", "loss", "verified", *view.own_columns)
    view.sort = "margin"
    view.choose_columns([])
    assert view.sort == "newest"


def test_what_is_missing_comes_last_and_texts_follow_numbers(tmp_path):
    rows = [read_row(run) for run in make_runs(tmp_path)]
    values = {NAMES[0]: None, NAMES[1]: "muon", NAMES[2]: True}
    ranked = sorted(rows, key=lambda row: order_of(row, "any", lambda run, key: values[run]))
    assert [row.run.name for row in ranked] == [NAMES[2], NAMES[1], NAMES[0]]
    assert value_of(rows[0], "valid_loss", lambda run, key: 0) == 3.0
    assert [format_value("a", v) for v in (None, True, [1], "x\x1b")] == ["-", "true", "[1]", "x�"]


def test_configurations_that_cannot_be_read_have_no_values(tmp_path):
    runs = make_runs(tmp_path)
    runs[0].config_path.write_text("[")
    runs[1].config_path.unlink()
    settings = RunSettings()
    settings.read(runs, ["seed"])
    assert [settings.get(run.name, "seed") for run in runs] == [None, None, 8]
    settings.read(runs, ["train.lr"])
    assert settings.get(runs[2].name, "seed") is None
    assert {"seed", "train.lr"} <= set(list_settings())


def test_columns_are_kept(tmp_path):
    path = tmp_path / "new" / "tui_columns"
    assert load_columns(path) == []
    save_columns(path, ["seed", "loss"])
    assert load_columns(path) == ["seed", "loss"]
    path.write_text('["a", 3, {}]')
    assert load_columns(path) == ["a"]
    path.write_text("{")
    assert load_columns(path) == []
    (tmp_path / "file").write_text("")
    save_columns(tmp_path / "file" / "x", ["seed"])


def test_groups(tmp_path):
    rows = [read_row(run) for run in make_runs(tmp_path)]
    found = group_rows(rows, {"alpha"})
    assert [one.key if isinstance(one, Group) else one.run.id for one in found] == [
        "group:beta",
        "20250103-000000",
        "20250101-000000",
        "group:alpha",
    ]
    columns = choose_columns(rows, 120)
    cells = dict(zip([c.label for c in columns], found[0].format_cells(columns), strict=True))
    assert [str(cells[label]) for label in ("*", "run", "loss", "verified")] == [
        "▾",
        "beta, 2 runs",
        "1",
        "20.0%",
    ]


def test_the_tab(tmp_path, dashboard):
    make_runs(tmp_path / "runs")

    async def script(pilot):
        await until_listed(pilot, 4)
        await pilot.press("f3")
        pane, table = dashboard.pane("runs"), dashboard.pane("runs").query_one(Table)
        await pilot.press("c")
        await until_open(pilot, FindScreen)
        await pilot.press("tab", *"seed", "enter")  # the first one loses its mark
        await until_shown(pilot, "seed", "10")
        assert load_columns(tmp_path / "tui_columns")[-1] == "seed"
        await pilot.press("b", "g")
        await until_shown(pilot, "▾", "beta, 2 runs", "by experiment")
        assert table.key == f"{GROUP}quick"
        await pilot.press("x", "p", "n", "a", "D")  # a heading is no run
        await pilot.press("space")
        assert pane.view.marked == ["quick/20251009-085320"]
        await pilot.press("space")
        assert pane.view.marked == []
        await pilot.press("enter")
        await until_hidden(pilot, "quick/20251009-085320")
        await pilot.press("enter", "b")
        await until_hidden(pilot, "beta, 2 runs")

    drive(dashboard, script, (140, 40))
    assert load_columns(tmp_path / "tui_columns")
