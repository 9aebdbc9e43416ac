"""The command `polyctl`: its subcommands, and how errors become messages and exit codes."""

# No `from __future__ import annotations`: Typer could not resolve names that only a function has imported.

import gc
import io
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from polyctl import __version__
from polyctl.cli import guard
from polyctl.errors import EXIT_FILE, EXIT_INTERRUPTED, PolyctlError, did_you_mean

if TYPE_CHECKING:
    import typer

COMMANDS = {  # in the order of the help: each as module:function of polyctl.cli, or a group of commands
    "decompose": "decompose:decompose",
    "verify": "verify:verify",
    "rewrite": "rewrite:rewrite",
    "gen": "gen:gen",
    "train": "train:train",
    "rl": "rl:rl",
    "report": "report:report",
    "eval": "eval:eval_",
    "export": "export:export",
    "import": "export:import_",
    "demo": "demo:demo",
    "tui": "tui:tui",
    "experiments": "experiments:app",
    "runs": "runs:app",
    "doctor": "doctor:doctor",
}
POLYNOMIAL_COMMANDS = ("decompose", "verify", "rewrite", "tui")
WIDE = 80  # columns, from which help is shown in tables
EXIT_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


def main(began: Callable[[], object] | None = None) -> NoReturn:
    """Run the command line of this process and exit with its exit code; `began` is for `run`."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--version"]:  # answered here, without the cost of importing Typer
        print(f"polyctl {__version__}")
        raise SystemExit(0)
    _prepare_streams()
    guard.switch_on()
    code = run(arguments, began)
    if began is not None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done
    gc.freeze()  # all of this lives to the end: looking for garbage in it would take as long as an answer
    raise SystemExit(code)


def _prepare_streams() -> None:
    """Replace what cannot be read or written as text, so that it raises nothing; a closed stream is empty."""
    sys.stdin = sys.stdin or open(os.devnull)  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _readable(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a space before a polynomial's leading minus sign, which would make it an option."""
    if not arguments or arguments[0] not in POLYNOMIAL_COMMANDS:
        return list(arguments)
    return [f" {word}" if re.match(r"-[^-].", word) else word for word in arguments]


def _is_wide() -> bool:
    """Whether the terminal has room for tables of options; where it has not, they would cut off names."""
    return shutil.get_terminal_size().columns >= WIDE


def make_app(command: str | None = None) -> "typer.Typer":
    """The Typer application with all commands, or with this one alone if there is one of that name.

    So a command does not wait for the others, whose heavy libraries are imported when they run.
    """
    import typer

    app = typer.Typer(
        name="polyctl",
        help="Find hidden structure in polynomials: f = g(h1, ..., hm), proved exactly.",
        add_completion=command not in COMMANDS,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown" if _is_wide() else None,  # flows the paragraphs of docstrings
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def polyctl(
        context: typer.Context,
        version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    ) -> None:
        if version:
            print(f"polyctl {__version__}")
        elif context.invoked_subcommand is None:
            print(context.get_help())

    for name in [command] if command in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        loaded = getattr(import_module(f"polyctl.cli.{module}"), attribute)
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=name)
        else:
            app.command(name)(loaded)
    return app


def run(arguments: Sequence[str], began: Callable[[], object] | None = None) -> int:
    """Run one command line and return its exit code; errors of the user are reported on stderr.

    `began` is called as soon as KeyboardInterrupt would be caught.
    """
    import typer

    from polyctl.cli.output import print_error, print_problem, said_interrupted, say, start_afresh

    start_afresh()
    usage_error: Any = typer.BadParameter.__base__  # Typer brings its own copy of click's, or click's itself
    try:
        if began is not None:
            began()
        code = make_app(next(iter(arguments), None))(
            _readable(arguments), prog_name="polyctl", standalone_mode=False
        )
        sys.stdout.flush()
        if code == EXIT_INTERRUPTED and not said_interrupted():  # amid an import, say, where Typer catches it
            say("interrupted")
        return code if isinstance(code, int) else 0
    except PolyctlError as error:
        print_error(error)
        return error.exit_code
    except usage_error as error:
        print_problem(*_explain_usage(error))
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        if not said_interrupted():
            say("interrupted")
        return EXIT_INTERRUPTED
    except SystemExit as leave:
        if isinstance(leave.__context__, BrokenPipeError):  # Typer turns a broken pipe into exit code 1
            return _broken_pipe()
        raise
    except BrokenPipeError:
        return _broken_pipe()
    except OSError as error:
        _discard_output()
        print_problem(f"{error.filename or 'the output'}: {error.strerror or error}")
        return EXIT_FILE


def _broken_pipe() -> int:
    _discard_output()
    return EXIT_BROKEN_PIPE


def _discard_output() -> None:
    # Python flushes stdout once more on leaving, which must not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _explain_usage(error: Any) -> tuple[str, str | None]:
    """Message and hint of one of Typer's usage errors."""
    context = error.ctx
    options = sorted(getattr(error, "possibilities", None) or [])
    message: str = error.message if options else _explain_value(error) or error.format_message()
    message = message.partition(" Did you mean ")[0].rstrip(".")
    hint = f"`{context.command_path} --help` shows how to use it" if context else None
    if unknown := re.match(r"No such command '(.*)'", message):
        hint = did_you_mean(unknown[1], context.command.list_commands(context), hint)
    elif options:
        hint = f"did you mean {' or '.join(options)}?"
    return message[:1].lower() + message[1:], hint


def _explain_value(error: Any) -> str | None:
    """What is wrong with the value of an option, None for any other error.

    Some versions of Typer check values with pydantic, whose words are not ours; others with click.
    """
    parameter = getattr(error, "param", None)
    if parameter is None or not error.message:
        return None
    name = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.human_readable_name
    if hasattr(error.__cause__, "errors"):
        from polyctl.config.wrong_values import what_is_wrong

        first = error.__cause__.errors()[0]
        return f"{name} {first['input']}: {what_is_wrong(first)}"
    if kind := re.fullmatch(r"'?(.*?)'? is not a valid (integer|float)\.?", error.message):
        return f"{name} {kind[1]}: must be a {'whole number' if kind[2] == 'integer' else 'number'}"
    if outside := re.fullmatch(
        r"(\S+) is not in the range (?:(\S+)<=)?x(?:>=(\S+?))?(?:<=(\S+?))?\.?", error.message
    ):
        value, least, also_least, most = outside.groups()
        bounds = [f"at least {least or also_least}"] if least or also_least else []
        bounds += [f"at most {most}"] if most else []
        return f"{name} {value}: must be {' and '.join(bounds)}"
    return None
