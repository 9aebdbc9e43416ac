"""Run polyctl as ``python -m polyctl``."""

from polyctl.cli.app import main

if __name__ == "__main__":
    main()
