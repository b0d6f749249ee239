"""Which pages the reference has, and what each is made of."""

from __future__ import annotations

from pathlib import Path

from tools.reference import catalogue, commands, manual, output, python, reasons, settings

ROOT = Path(__file__).resolve().parents[2]
_MADE = "\nThis page is made from the code by `python -m tools.reference`.\n"
_HEADS = Path(__file__).parent / "heads"
_BODIES = {
    "commands": commands.body,
    "settings": settings.body,
    "output": output.body,
    "reasons": reasons.body,
    "catalogue": catalogue.body,
    "python": python.body,
}


def pages() -> dict[Path, str]:
    """Return the text of each page of docs/reference and man."""
    told = {f"docs/reference/{name}.md": _page(name, body()) for name, body in _BODIES.items()}
    told |= {f"man/{name}": text for name, text in manual.pages().items()}
    return {ROOT / name: text for name, text in told.items()}


def _page(name: str, body: str) -> str:
    """Return a page: what a person wrote above it, and what is made."""
    head = (_HEADS / f"{name}.md").read_text(encoding="utf-8")
    return f"{head}\n{body.strip()}\n{_MADE}"
