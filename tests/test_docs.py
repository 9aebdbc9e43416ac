"""The pages of the documentation: short lines, links that lead somewhere, and names that exist."""

import re
from pathlib import Path

import pytest

from polyctl.cli.app import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != "log.md")  # that is history
COLUMNS = 100
README_LINES = 120


def prose(page: Path) -> list[str]:
    """The lines of a page without code, tables and what a command printed."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    text = re.sub(r"(?ms)^<!-- polyctl .*?<!-- end -->$", "", text)
    return [line for line in text.splitlines() if not re.match(r"    | *\|", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_are_short(page):
    assert [line for line in prose(page) if len(line) > COLUMNS] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_source_files_that_are_named_exist(page):
    rooms = "|".join(sorted(path.name for path in (ROOT / "polyctl").iterdir() if path.is_dir()))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(?:polyctl|tests|benchmarks)/[\w/]+\.py\b", text))
    named |= {f"polyctl/{path}.py" for path in re.findall(rf"`((?:{rooms})/[a-z_]+)`", text)}
    missing = [
        name for name in sorted(named) if not (ROOT / name).exists() and not (ROOT / name[:-3]).is_dir()
    ]
    assert missing == []


def test_the_readme_names_every_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`polyctl (\w+)", text))
    assert named == set(COMMANDS)
