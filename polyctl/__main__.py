"""Run polyctl: the command `polyctl`, and ``python -m polyctl``."""

import os
import signal


def main() -> None:
    """Run the command line of this process and exit with its exit code; Ctrl-C is answered from now on."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)  # amid an import, where an exception would be a traceback

    from polyctl.cli.app import main as run_command_line

    run_command_line(hear_interrupts)


def hear_interrupts() -> None:
    """From now on signals that ask to stop raise KeyboardInterrupt, which commands expect."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _leave(_number: int, _frame: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
