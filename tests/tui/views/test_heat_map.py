"""Accuracy by degree."""

from polyctl.tui.views.heat_map import format_heat_map


def test_the_heat_map_fits_its_width():
    cells = [{"cell": f"2∘{i}", "greedy": 0.5, "pass_at": {"10": 1.0}} for i in range(2, 6)]
    assert "@10 100%" in format_heat_map(cells, width=100).plain
    narrow = format_heat_map(cells, width=56).plain.splitlines()
    assert "@10" not in "".join(narrow)
    assert max(len(row.rstrip()) for row in narrow[1:]) <= 56
