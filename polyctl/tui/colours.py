"""The eight named colours on a light ground: darker than a terminal's own, so that text can be read."""

from __future__ import annotations

from rich.terminal_theme import TerminalTheme

NAMED = [  # black, red, green, yellow, blue, magenta, cyan, white; contrast with #e0e0e0 at least 4.5
    *((0, 0, 0), (160, 32, 32), (20, 95, 20), (115, 75, 0)),
    *((30, 70, 170), (115, 45, 150), (0, 90, 120), (70, 70, 70)),
]
LIGHT = TerminalTheme((247, 247, 247), (0, 0, 0), NAMED, NAMED)
