"""The page: one file that asks nothing of anybody else, and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files

from tagger.errors import printable
from tagger.report import sections, troubles
from tagger.report.facts import Report, Subject
from tagger.report.fillings import owners_word
from tagger.report.html import Html, cut, element, file_name, paragraph
from tagger.report.words import counted

START = "<!DOCTYPE html><!-- tagger report -->"
"""What every page begins with; a file that begins so may be written over."""

_MOST_ROOTS = 5
_SECTIONS: tuple[tuple[str, str, Callable[[Report], str]], ...] = (
    ("glance", "At a glance", sections.at_a_glance),
    ("next", "What to do next", sections.what_next),
    ("sound", "Map of the library", sections.the_map),
    ("genres", "Genres", sections.genres),
    ("decades", "Decades", sections.decades),
    ("blanks", "Still blank, and why", troubles.blanks),
    ("owner", "What your own tags say", owners_word),
    ("sure", "How sure the tagger was", sections.sureness),
    ("suspects", "Genres that look wrong", troubles.suspects),
    ("folders", "Folders", sections.folders),
    ("failures", "Failures", troubles.failures),
    ("runs", "Past runs", sections.runs),
)
_OF_AN_EMPTY_ONE = frozenset({"next", "runs"})


def page(report: Report) -> str:
    """Return the whole page."""
    style, script = _asset("page.css"), _asset("page.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=f"tagger {report.subject.version}"),
        element("title", _title(report.subject)),
        element("style", style),
    )
    found = _found(report)
    body = element(
        "body",
        _header(report),
        _contents(found),
        element("main", *(_section(*one) for one in found)),
        _footer(report.subject),
        element("script", script),
    )
    return f"{START}\n{element('html', head, body, lang='en')}\n"


def _found(report: Report) -> list[tuple[str, str, str]]:
    """Return (id, title, content) of the sections that have something to say."""
    is_empty = not report.figures.n_tracks
    chosen = [one for one in _SECTIONS if not is_empty or one[0] in _OF_AN_EMPTY_ONE]
    made = [(id_, title, make(report)) for id_, title, make in chosen]
    return [one for one in made if one[2]]


def _title(subject: Subject) -> str:
    folder = next(iter([subject.under] if subject.under else subject.roots), None)
    where = f" {cut(printable(folder))}" if folder else ""
    return f"Music library{where}, {subject.made:%Y-%m-%d}"


def _header(report: Report) -> Html:
    subject = report.subject
    folders = [subject.under] if subject.under else list(subject.roots[:_MOST_ROOTS])
    n_more = 0 if subject.under else len(subject.roots) - len(folders)
    when = element(
        "time",
        f"{subject.made:%Y-%m-%d %H:%M}",
        datetime=subject.made.isoformat(timespec="seconds"),
    )
    is_empty = not report.figures.n_tracks
    return element(
        "header",
        element("h1", "Music library"),
        element("ul", *(element("li", file_name(folder)) for folder in folders)),
        paragraph(f"and {counted(n_more, 'folder')} more") if n_more else "",
        paragraph("The catalogue knows no track here yet.") if is_empty else "",
        paragraph("As the catalogue stood at ", when, class_="note"),
    )


def _contents(found: list[tuple[str, str, str]]) -> Html:
    links = (element("li", element("a", title, href=f"#{id_}")) for id_, title, _ in found)
    return element("nav", element("ul", *links), aria_label="Contents")


def _section(id_: str, title: str, content: str) -> Html:
    return element(
        "section",
        element("h2", title, id=f"{id_}-title"),
        content,
        id=id_,
        aria_labelledby=f"{id_}-title",
    )


def _footer(subject: Subject) -> Html:
    return element(
        "footer",
        paragraph(
            f"Made by tagger {subject.version} from its catalogue alone: no music file was opened. "
            "This page loads nothing from anywhere."
        ),
    )


def _asset(name: str) -> Html:
    text = (files("tagger.report") / name).read_text(encoding="utf-8")
    assert "</" not in text, "it would end its element"
    return Html(text)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
