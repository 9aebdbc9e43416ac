"""What tests of commands read."""

import json


def read(capsys) -> dict:
    """The JSON that a command has printed."""
    return json.loads(capsys.readouterr().out)
