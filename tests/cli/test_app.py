"""The command line as a whole: what it loads, how it fails, where its output goes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from polyctl import __version__
from polyctl.cli import app
from polyctl.errors import FileError, ParseError, UsageError
from tests.processes import POLYCTL, ROOT, ending, run_program

HEAVY = ("torch", "numpy", "sympy", "textual", "flint")


def polyctl(*arguments: str, **options) -> subprocess.CompletedProcess:
    return run_program([*POLYCTL, *arguments], **options)


def loaded_by(*arguments: str, fails: bool = False) -> set[str]:
    """The modules in sys.modules after such a command line."""
    program = (
        "import sys; from polyctl.cli.app import main\n"
        "sys.argv = ['polyctl', *sys.argv[1:]]\n"
        "try: main()\n"
        "finally: print(' '.join(sys.modules), file=sys.stderr)\n"
    )
    done = run_program([sys.executable, "-c", program, *arguments])
    assert (done.returncode != 0) == fails, done.stderr
    return set(done.stderr.split())


def raises(error: BaseException):
    """A stand-in for the application that only raises."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    return lambda command: fail


# -- start-up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["experiments", "list"], ["runs"], ["train", "--help"]]
)
def test_nothing_heavy_is_loaded(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCTL_RUNS", str(tmp_path))
    assert loaded_by(*arguments).isdisjoint(HEAVY)


def test_the_version_is_answered_without_typer():
    assert loaded_by("--version").isdisjoint({"typer", "click", "rich", "pydantic", *HEAVY})
    done = polyctl("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"polyctl {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "quik"],
        ["report", "quik"],
        ["rl", "quik"],
        ["rl", "quick", "--algo", "x"],
        ["gen", "quik"],
        ["eval", "quik"],
    ],
)
def test_a_wrong_name_is_told_before_torch_is_loaded(arguments):
    assert "torch" not in loaded_by(*arguments, fails=True)


def test_verifying_needs_no_torch(tmp_path):
    file = tmp_path / "problems.txt"
    file.write_text("+ P 1 + * P 2 ^ a P 2 * P 1 ^ a P 4 ⁇ * P 1 ^ a P 2\n", encoding="utf-8")
    for arguments in ([str(file)], ["x^4 + 2x^2 + 1", "--inner", "x^2"]):
        loaded = loaded_by("verify", *arguments)
        assert "flint" in loaded
        assert loaded.isdisjoint({"torch", "sympy", "textual"})


def test_help_lists_the_commands_with_and_without_the_option():
    done, bare = polyctl("--help"), polyctl()
    assert done.returncode == bare.returncode == 0
    assert bare.stdout == done.stdout
    for command in ("experiments", "runs"):
        assert command in done.stdout


def test_help_fits_eighty_columns():
    for arguments in (["--help"], ["experiments", "--help"], ["runs", "list", "--help"]):
        done = polyctl(*arguments, env={**os.environ, "COLUMNS": "80"})
        assert max(map(len, done.stdout.splitlines())) <= 80


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["experimets"], "no such command 'experimets'", "did you mean experiments?"),
        (["runs", "lst"], "no such command 'lst'", "did you mean list?"),
        (["runs", "list", "--jsno"], "no such option: --jsno", "did you mean --json?"),
        (["experiments", "show"], "missing argument 'EXPERIMENT'", "polyctl experiments show --help"),
        (["runs", "list", "a", "b"], "unexpected extra argument", "polyctl runs list --help"),
        (["eval", "quick", "--beam", "x"], "--beam x: must be a whole number", "polyctl eval --help"),
        (["eval", "quick", "--beam", "0"], "--beam 0: must be at least 1", "polyctl eval --help"),
        (["train", "quick", "--max-minutes", "x"], "--max-minutes x: must be a number", "--help"),
    ],
)
def test_wrong_usage_leaves_with_two_and_a_suggestion(arguments, message, hint, capsys):
    assert app.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: ")
    assert hint in second


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("'x' is not a valid integer.", "--beam x: must be a whole number"),
        ("'x' is not a valid float.", "--beam x: must be a number"),
        ("0 is not in the range x>=1.", "--beam 0: must be at least 1"),
        ("0 is not in the range 1<=x<=1000.", "--beam 0: must be at least 1 and at most 1000"),
    ],
)
def test_older_versions_of_typer_are_put_in_our_words_too(message, words, monkeypatch, capsys):
    error = typer.BadParameter(message)
    error.param = SimpleNamespace(opts=["--beam"])
    monkeypatch.setattr(app, "make_app", raises(error))
    assert app.run([]) == 2
    assert capsys.readouterr().err == f"error: {words}\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("wrong [bold]word[/]", "write it right"), 2),
        (FileError("no file", "make one"), 3),
        (FileError("no file", None), 3),
    ],
)
def test_our_errors_become_words_and_exit_codes(error, code, monkeypatch, capsys):
    monkeypatch.setattr(app, "make_app", raises(error))
    assert app.run([]) == code
    out, err = capsys.readouterr()
    hint = f"hint: {error.hint}\n" if error.hint else ""
    assert (out, err) == ("", f"error: {error.message}\n{hint}")


def test_a_parse_error_shows_the_place(monkeypatch, capsys):
    error = ParseError("there is no operand", "x^2 + * 3", 6, "put one in")
    monkeypatch.setattr(app, "make_app", raises(error))
    assert app.run([]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: there is no operand"
    assert lines[1].index("*") == lines[2].index("^")
    assert lines[-1] == "hint: put one in"


def test_interrupts_leave_with_130(monkeypatch, capsys):
    monkeypatch.setattr(app, "make_app", raises(KeyboardInterrupt()))
    assert app.run([]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_file_that_cannot_be_opened_is_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr(app, "make_app", raises(PermissionError(13, "Permission denied", "here.txt")))
    assert app.run([]) == 3
    assert capsys.readouterr().err == "error: here.txt: Permission denied\n"


def test_our_own_mistakes_are_not_hidden(monkeypatch):
    monkeypatch.setattr(app, "make_app", raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        app.run([])


def test_a_reader_that_leaves_early_is_quiet():
    program = subprocess.Popen(
        [*POLYCTL, "experiments", "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    program.stdout.close()
    program.stdout = None
    assert ending(program)[1] == b""
    assert program.returncode == 141


def test_letters_that_the_terminal_lacks_do_not_end_in_a_traceback():
    done = polyctl("experiments", "list", "base", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "\\u2218" in done.stdout


def test_errors_with_json_go_to_stderr():
    done = polyctl("experiments", "show", "quik", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean quick?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["decompose", "x^4 + "], 2, "ends"),
        (["decompose", "x + 1"], 2, "degree 1"),
        (["decompose", "x^4", "--method", "magic"], 2, "auto"),
        (["decompose", "x^4", "--method", "exact", "--polish"], 2, "polish"),
        (["decompose", "x^4", "--model", "nothing", "--method", "neural"], 3, "no run"),
        (["eval", "nothing"], 3, "no run"),
        (["eval", "--checkpoint", "middle"], 2, "best"),
        (["eval", "--beam", "0"], 2, "beam"),
        (["eval", "--data", "missing.txt"], 3, "missing.txt"),
        (["gen", "smokee"], 2, "smoke"),
        (["train", "quik"], 2, "quick"),
        (["gen", "smoke", "--set", "data.familly=monic"], 2, "family"),
    ],
)
def test_bad_input_has_its_words_and_exit_code(place, capsys, arguments, code, words):
    assert app.run(arguments) == code
    out, err = capsys.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert not out


GROUPS = [["runs", name] for name in ("list", "show", "tail", "compare", "rm")]
GROUPS += [["experiments", name] for name in ("list", "show", "run")]


@pytest.mark.parametrize("columns", [40, 60, 79, 80])
def test_help_in_a_narrow_terminal_cuts_nothing_off(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in ([], *([name] for name in app.COMMANDS), *GROUPS):
        assert app.run([*words, "--help"]) == 0
        shown = capsys.readouterr().out
        assert "…" not in shown, words
    assert app.run(["eval", "--help"]) == 0
    shown = capsys.readouterr().out
    for name in ("--checkpoint", "--temperature", "--max-tokens", "POLYCTL_REGISTRY", "KEY=VALUE"):
        assert name in shown


# -- what is typed and piped ---------------------------------------------------------------------


def test_a_polynomial_may_begin_with_a_minus_sign():
    done = polyctl("decompose", "-x^4-x^2", "--method", "exact")
    assert (done.returncode, "verified" in done.stdout) == (0, True)
    assert polyctl("verify", "-x^4 - x^2", "--inner", "x^2").returncode == 0
    assert "no such option: -x" in polyctl("runs", "-x").stderr


def test_what_is_no_text_on_stdin_is_said_and_json_is_ascii_where_utf_8_cannot_be_written():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    typed = b"x\xe2\x81\xb4+x\xc2\xb2\n\xff\n"
    done = polyctl("decompose", "--method", "exact", "-", input=typed, env=environment, text=False)
    records = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    assert "error" in records[-1]
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_an_error_of_files():
    with open("/dev/full", "w") as full:
        done = polyctl("experiments", stdout=full)
    assert done.returncode == 3
    assert done.stderr.startswith("error: the output: No space left")
    assert "Traceback" not in done.stderr


def test_closed_streams_are_empty_ones():
    command = f"{sys.executable} -m polyctl decompose --method exact"
    done = run_program(f"{command} 'x^4+x^2' >&-", shell=True)
    assert (done.returncode, done.stderr) == (0, "")
    done = run_program(f"{command} - <&-", shell=True)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: standard input holds no polynomial")


def test_nothing_is_imported_before_ctrl_c_is_answered_but_what_that_takes():
    look = "import sys; before = set(sys.modules); import polyctl; print(set(sys.modules) - before)"
    found = run_program([sys.executable, "-S", "-c", look], env={"PYTHONPATH": str(ROOT)})
    assert found.stdout.strip() == "{'polyctl'}"


INTERRUPTED_AMID_AN_IMPORT = """
import builtins, os, signal, sys
from polyctl.__main__ import main
real, sent = builtins.__import__, []
def interrupting(name, *rest, **more):
    if name == {module!r} and not sent:
        sent.append(name)
        os.kill(os.getpid(), signal.SIGINT)
    return real(name, *rest, **more)
builtins.__import__ = interrupting
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv = ["polyctl", *{words!r}]
main()
"""


@pytest.mark.parametrize(
    "module", ["polyctl.cli.app", "typer", "polyctl.cli.output", "importlib", "polyctl.errors"]
)
@pytest.mark.parametrize("words", [["eval", "--limit", "1"], ["decompose", "x^4 + 2x^2"], ["runs", "list"]])
def test_ctrl_c_amid_an_import_has_one_line(module, words):
    text = INTERRUPTED_AMID_AN_IMPORT.format(module=module, words=words)
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "interrupted\n")


def test_ctrl_c_amid_the_imports_of_a_command_has_one_line():
    text = INTERRUPTED_AMID_AN_IMPORT.format(module="polyctl.store.runs", words=["eval", "--limit", "1"])
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (130, "", "interrupted\n")
