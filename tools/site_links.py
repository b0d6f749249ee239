"""What the site of docs/ needs besides its pages; MkDocs calls it (mkdocs.yml, ``hooks``).

Pages link to files of the repository that are not in docs/, as they should where they are read
on a forge. Here such a page (the README, a model's card) is taken into the site, with those that
it links to in turn; a link to any other file becomes plain text. At the end nothing that was
built may load anything from elsewhere.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_DOCS, _TAKEN = "docs/", "project/"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b[^>]*rel=["']?(?:stylesheet|preload|preconnect|icon)[^>]*href=["']?(?:https?:)?//"""
    r"""|<link\b[^>]*href=["']?(?:https?:)?//[^>]*rel=["']?(?:stylesheet|preload|preconnect|icon)"""
    r"""|url\(["']?(?:https?:)?//|@import ["'](?:https?:)?//"""
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take in the pages outside docs/ that those in it lead to."""
    open_, taken = [_DOCS + file.src_uri for file in files.documentation_pages()], set[str]()
    while open_:
        page = open_.pop()
        for target in _targets(page):
            if target not in taken and _is_page_outside(target):
                taken.add(target)
                open_.append(target)
                source = str(ROOT / target)
                files.append(File.generated(config, _TAKEN + target, abs_src_path=source))
    return files


def on_page_markdown(markdown: str, /, *, page: Any, **_rest: Any) -> str:
    """Lead each link to where its page is in the site; to what is not there, to nowhere."""
    uri: str = page.file.src_uri
    place = uri.removeprefix(_TAKEN) if uri.startswith(_TAKEN) else _DOCS + uri
    return _LINK.sub(lambda found: _mended(found, place, posixpath.dirname(uri)), markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Make sure that the site needs nothing from elsewhere.

    Raises:
        PluginError: a page or a style loads something.
    """
    for path in sorted(Path(config.site_dir).rglob("*")):
        if path.suffix in (".html", ".css"):
            found = _ELSEWHERE.search(path.read_text(encoding="utf-8"))
            if found:
                raise PluginError(f"{path} loads something from elsewhere: {found[0]}")


def _mended(found: re.Match[str], place: str, folder: str) -> str:
    bang, text, link, anchor = found.groups()
    target = _resolved(place, link)
    if target is None or not (ROOT / target).exists():
        return found[0]  # of the latter MkDocs complains
    if target.startswith(_DOCS) and (ROOT / target).is_file():
        uri = target.removeprefix(_DOCS)
    elif _is_page_outside(target):
        uri = _TAKEN + target
    else:
        return text
    return f"{bang}[{text}]({posixpath.relpath(uri, folder or '.')}{anchor or ''})"


def _targets(page: str) -> Iterator[str]:
    """Yield the files of the repository that a page links to."""
    for _, _, link, _ in _LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        target = _resolved(page, link)
        if target is not None:
            yield target


def _resolved(page: str, link: str) -> str | None:
    """Return a link's target below the repository's root, or None of one to elsewhere.

    >>> _resolved("docs/models.md", "../tagger/models/wide.md")
    'tagger/models/wide.md'
    """
    if re.match(r"[a-z]+:", link):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _is_page_outside(target: str) -> bool:
    path = ROOT / target
    return path.suffix == ".md" and not target.startswith(_DOCS) and path.is_file()
