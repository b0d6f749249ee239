"""The look that all pages have in common: colours, light and dark, type, what a key has reached."""

from __future__ import annotations

from pathlib import Path


def style(page: Path) -> str:
    """Return the style of a page: what all have in common, and then its own."""
    common = Path(__file__).with_name("base.css")
    return common.read_text(encoding="utf-8") + page.read_text(encoding="utf-8")
