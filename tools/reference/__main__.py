"""Write all pages of the reference: `python -m tools.reference`."""

from __future__ import annotations

from tools.reference.pages import ROOT, pages

if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
