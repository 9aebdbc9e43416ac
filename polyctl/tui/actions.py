"""Every action of the dashboard, once: keys, footer, help and command palette are made from this list.

An action's id is PLACE.NAME; the widget of that place has the method `action_NAME`. The ids are what a user
binds other keys to (docs/tui.md).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from textual.binding import Binding, BindingType
from textual.keys import format_key

from polyctl.config.toml import parse_toml
from polyctl.errors import FileError, UsageError, did_you_mean


@dataclass(frozen=True)
class Action:
    """Something a user can do: its id, its keys, a word for the footer and a sentence for the help."""

    id: str
    keys: str
    word: str
    help: str
    shown: bool = True

    @property
    def place(self) -> str:
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]


ACTIONS: tuple[Action, ...] = (
    Action("app.help", "f1,question_mark", "Help", "Show all keys."),
    Action("app.decompose", "f2,1", "Decompose", "Go to the tab Decompose.", False),
    Action("app.runs", "f3,2", "Runs", "Go to the tab Runs.", False),
    Action("app.run", "f4,3", "Run", "Go to the tab Run.", False),
    Action("app.beam", "f5,4", "Beam", "Go to the tab Beam.", False),
    Action("app.experiments", "f6,5", "Experiments", "Go to the tab Experiments.", False),
    Action("app.problems", "f10,6", "Problems", "Go to the tab Problems.", False),
    Action("app.change_theme", "f9", "Theme", "Next theme: dark, light or ANSI.", False),
    Action("app.command_palette", "ctrl+p", "Palette", "Find any action by its name.", False),
    Action("app.quit", "ctrl+q,q", "Quit", "Quit; started processes keep running."),
    Action("table.cursor_down", "j", "Down", "One row down, like the arrow key.", False),
    Action("table.cursor_up", "k", "Up", "One row up, like the arrow key.", False),
    Action("table.scroll_top", "g", "Top", "First row.", False),
    Action("table.scroll_bottom", "G", "Bottom", "Last row.", False),
    Action("decompose.edit", "i,slash", "Edit", "Go to the input.", False),
    Action("decompose.example", "f7,e", "Example", "Take the next example and decompose it."),
    Action("decompose.history_back", "up,ctrl+up", "Earlier", "The input before this one.", False),
    Action("decompose.history_forward", "down,ctrl+down", "Later", "The input after this one.", False),
    Action("decompose.method", "f8,m", "Method", "Next method: auto, exact, neural, numeric."),
    Action("decompose.model", "ctrl+o,o", "Model", "Choose the run whose model is used."),
    Action(
        "decompose.more_inners", "right_square_bracket", "Inners +", "Allow one more inner polynomial.", False
    ),
    Action(
        "decompose.fewer_inners",
        "left_square_bracket",
        "Inners -",
        "Allow one inner polynomial fewer.",
        False,
    ),
    Action(
        "decompose.variables", "v", "Variables", "Name the main variables; all others are parameters.", False
    ),
    Action("decompose.wider", "plus,equals_sign", "Beam +", "A wider beam.", False),
    Action("decompose.narrower", "minus", "Beam -", "A narrower beam.", False),
    Action("decompose.cancel", "escape", "Cancel", "Stop the search, or leave the input if none is running."),
    Action("decompose.detail", "d", "Detail", "Next detail: proof, LaTeX, SymPy, what was tried."),
    Action("decompose.tree", "t,ctrl+t", "Tree", "The beam as a tree of tokens, or as a list."),
    Action("decompose.step_back", "left,h", "Back", "The beam one step earlier.", False),
    Action("decompose.step_forward", "right,l", "Forward", "The beam one step later.", False),
    Action("decompose.export", "w", "Export", "Write all answers to a file: JSON, LaTeX, SymPy or text."),
    Action("decompose.copy", "y,c", "Copy", "Copy what the detail shows (OSC 52)."),
    Action("decompose.pin", "p", "Pin", "Ask f again at each checkpoint of the chosen run, or no longer."),
    Action("runs.open", "enter", "Open", "Open the marked runs, or the one under the cursor.", False),
    Action("runs.problems", "p", "Problems", "Show the problems of the run's evaluations.", False),
    Action("runs.mark", "space", "Mark", "Mark or unmark a run to compare."),
    Action("runs.unmark", "u", "Unmark", "Unmark all runs.", False),
    Action("runs.sort", "s", "Sort", "Sort by the next column."),
    Action("runs.reverse", "S", "Reverse", "Reverse the order.", False),
    Action("runs.columns", "c", "Columns", "Choose the columns from settings and metrics."),
    Action(
        "runs.group", "b", "Group", "Group the runs by experiment; Enter opens and closes a group.", False
    ),
    Action("runs.note", "n", "Note", "Write a note or tags for the run; the filter finds them."),
    Action("runs.archive", "a", "Archive", "Move the run out of the list, after asking.", False),
    Action("runs.delete", "D", "Delete", "Delete the run for good, after asking.", False),
    Action("runs.filter", "slash", "Filter", "Show only runs whose line contains the text."),
    Action("runs.stop", "x", "Stop", "Ask the process that trains or evaluates the run to save and end."),
    Action("runs.resume", "r", "Resume", "Resume the run's training as a separate process, after asking."),
    Action("runs.evaluate", "e", "Evaluate", "Evaluate the run's model as a separate process, after asking."),
    Action("runs.settings", "v", "Settings", "View a copy of the run's settings in $EDITOR.", False),
    Action("run.next_run", "n", "Next run", "The next run of the list.", False),
    Action("run.problems", "p", "Problems", "Show the problems of the run's evaluations.", False),
    Action("run.metric", "m", "Metric", "The next plot."),
    Action("run.own", "M", "Metrics", "Choose any logged metric by its name to plot it."),
    Action(
        "run.cursor", "c", "Cursor", "A cursor that reads values; ← and → move it, a click puts it there."
    ),
    Action("run.far_left", "shift+left,H", "Far left", "Move the cursor by ten columns.", False),
    Action("run.far_right", "shift+right,L", "Far right", "Move the cursor by ten columns.", False),
    Action("run.enlarge", "z", "Enlarge", "One plot, or all.", False),
    Action("run.log_axis", "y", "Log axis", "Logarithmic axis of the chosen plot on and off."),
    Action("run.smooth", "s", "Smooth", "Next smoothing of the chosen plot: none, 0.6, 0.9, 0.98."),
    Action("run.unit", "t", "X axis", "Next x axis: step, time, problems."),
    Action("run.zoom_in", "plus,equals_sign", "Zoom +", "Show half the steps, the newest if seen.", False),
    Action("run.zoom_out", "minus", "Zoom -", "Show twice the steps.", False),
    Action("run.left", "left,h", "Left", "Move to earlier steps, or the cursor.", False),
    Action("run.right", "right,l", "Right", "Move to later steps, or the cursor.", False),
    Action("run.whole", "0", "Whole", "Show all steps.", False),
    Action("run.lower", "v", "View", "Below the plots: log, accuracy by degree, configuration."),
    Action("run.follow", "space", "Follow", "Pause the log, or follow it again."),
    Action("run.filter", "slash", "Filter", "Show only log lines that match a regular expression."),
    Action("run.search", "f", "Search", "Find a regular expression in the log.", False),
    Action("run.search_next", "N", "Next hit", "The next older match of the search.", False),
    Action("run.down", "j,down", "Down", "Scroll the log down.", False),
    Action("run.up", "k,up", "Up", "Scroll the log up.", False),
    Action("run.page_down", "pagedown", "Page down", "Scroll the log down by a page.", False),
    Action("run.page_up", "pageup", "Page up", "Scroll the log up by a page.", False),
    Action("beam.pause", "space", "Pause", "Pause, or follow the search again."),
    Action("beam.tree", "t", "Tree", "The hypotheses as a tree of tokens, or as a list."),
    Action("beam.back", "left,h", "Back", "One step back."),
    Action("beam.forward", "right,l", "Forward", "One step forward."),
    Action("beam.problem_back", "up,k", "Problem -", "Go to the previous problem.", False),
    Action("beam.problem_forward", "down,j", "Problem +", "Go to the next problem.", False),
    Action("beam.next_run", "n", "Next run", "The next run of the list.", False),
    Action("beam.page_down", "pagedown", "Page down", "Scroll the hypotheses down by a page.", False),
    Action("beam.page_up", "pageup", "Page up", "Scroll the hypotheses up by a page.", False),
    Action("experiments.train", "t", "Train", "Start a training run as a separate process."),
    Action("experiments.eval", "e", "Eval", "Start an evaluation as a separate process."),
    Action("experiments.rl", "r", "RL", "Start reinforcement learning as a separate process."),
    Action("experiments.cost", "c", "Cost", "Estimate what a training run would cost (`--dry-run`)."),
    Action("experiments.filter", "slash", "Filter", "Show only experiments whose line contains the text."),
    Action(
        "experiments.stop", "x", "Stop", "Ask the newest process started from here to save and end (SIGINT)."
    ),
    Action(
        "problems.decompose", "d,enter", "Decompose", "Send the problem to Decompose with this run's model."
    ),
    Action(
        "problems.kind", "f", "Kind", "Next kind: all, failed, solved, first, later, inner right, unreadable."
    ),
    Action("problems.cell", "c", "Cell", "Only the problems of the next degree cell, then all."),
    Action("problems.filter", "slash", "Filter", "Show only problems whose number or f contains the text."),
    Action("problems.sort", "s", "Sort", "Sort by the next column."),
    Action("problems.reverse", "S", "Reverse", "Reverse the order.", False),
    Action("problems.evaluation", "e", "Evaluation", "Choose an evaluation of the run."),
    Action("problems.next_run", "n", "Next run", "The next run that has an evaluation.", False),
    Action("problems.page_down", "space", "Beam down", "Scroll the beam down by a page.", False),
    Action("problems.page_up", "b", "Beam up", "Scroll the beam up by a page.", False),
)

BY_ID = {action.id: action for action in ACTIONS}


def list_actions(place: str) -> list[Action]:
    """The actions of one place."""
    return [action for action in ACTIONS if action.place == place]


def format_keys(action: Action, keymap: dict[str, str]) -> str:
    """An action's keys as one reads them; `keymap` holds those that the user has chosen."""
    return " ".join(map(format_key, keymap.get(action.id, action.keys).split(",")))


def make_bindings(place: str) -> list[BindingType]:
    """The key bindings of one place; the ids let a user choose other keys."""
    return [
        Binding(a.keys, a.name, a.word, show=a.shown, tooltip=a.help, id=a.id) for a in list_actions(place)
    ]


def config_path() -> Path:
    """Where a user's settings of the dashboard are: POLYCTL_TUI_CONFIG, or ~/.config/polyctl/tui.toml."""
    if named := os.environ.get("POLYCTL_TUI_CONFIG"):
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "polyctl" / "tui.toml"


def history_path() -> Path:
    """Where the dashboard keeps what was entered: beside its settings."""
    return config_path().with_name("tui_history")


def load_keymap(path: Path | None = None) -> dict[str, str]:
    """The user's keys by action id, from the table [keys]; empty if there is no such file.

    Raises FileError for a file that cannot be read, UsageError for an unknown action.
    """
    path = path or config_path()
    try:
        table = parse_toml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}", "fix its TOML, or move it away") from error
    keys = table.get("keys", {})
    if not isinstance(keys, dict):
        raise UsageError(f"{path}: keys must be a table", "write [keys] and then lines like app.help = 'f1'")
    flat = _flatten(keys)
    for name, value in flat.items():
        if name not in BY_ID:
            raise UsageError(
                f"{path}: there is no action {name!r}",
                did_you_mean(name, BY_ID, "F1 in `polyctl tui` shows all actions with their ids"),
            )
        if not isinstance(value, str):
            raise UsageError(f"{path}: {name} must be text, such as 'f1,h'")
    return {name: str(value) for name, value in flat.items()}


def _flatten(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    """TOML reads `app.help = ...` as tables in tables."""
    flat: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
