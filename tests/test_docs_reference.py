"""The reference in docs/ and the manual pages are those of the code; pages are plain Markdown."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tools.reference.pages import ROOT, pages

MADE = pages()
WRITTEN = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "tagger/models/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
)
ORDERS = {".TH", ".SH", ".PP", ".TP", ".B", ".BR", ".nf", ".fi", r".\""}


def test_the_reference_is_that_of_the_code() -> None:
    old = [
        str(p.relative_to(ROOT)) for p, t in MADE.items() if not p.exists() or p.read_text() != t
    ]
    assert old == [], "run python -m tools.reference"


def test_nothing_else_stands_among_what_is_made() -> None:
    there = [*(ROOT / "docs" / "reference").iterdir(), *(ROOT / "man").iterdir()]
    assert sorted(there) == sorted(MADE)


@pytest.mark.parametrize("path", [p for p in MADE if p.suffix == ".1"], ids=lambda p: str(p.name))
def test_a_manual_page_holds_letters_and_orders_that_any_man_knows(path: Path) -> None:
    text = MADE[path]
    assert text.isascii()
    begun = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
    assert begun <= ORDERS
    assert all(f".SH {section}\n" in text for section in ("NAME", "SYNOPSIS", "EXIT STATUS"))


def prose(path: Path) -> list[str]:
    """The lines of a page that are not code."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]+`", "code", text).splitlines()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_needs_no_syntax_of_one_program(path: Path) -> None:
    foreign = re.compile(r"^\s*(!!!|\?\?\?|===)|:material-|:octicons-|\{[:.#][^}]*\}|\[TOC\]|\[\[")
    assert [line for line in prose(path) if foreign.search(line)] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_list_or_table_is_one_to_every_reader_of_markdown(path: Path) -> None:
    """Some want a blank line before it, unless a heading stands there."""
    begins = re.compile(r"(?:[-*] |\d+\. |\|)")
    lines = prose(path)
    run_on = [
        below
        for above, below in pairwise(lines)
        if begins.match(below) and above.strip() and not above.startswith(("#", " "))
        if not begins.match(above)
    ]
    assert run_on == []
