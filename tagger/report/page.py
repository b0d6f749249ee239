"""The page: one file that asks nothing of anybody else, and runs no script but its own.

What it says stands in ``templates``. Whatever is put into them is escaped, and shows characters
that cannot be seen, or that turn the text around them: a name is shown, and does nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tagger import looks
from tagger.catalog import RunRow
from tagger.errors import plain
from tagger.report import words
from tagger.report.facts import Blank, Report
from tagger.report.listing import for_script
from tagger.report.steps import list_unsure, next_steps, undo
from tagger.wording import count, counted

START = "<!DOCTYPE html><!-- tagger report -->"
"""What every page begins with; a file that begins so may be written over."""

_SCRIPTS = ("data.js", "map.js", "tracks.js")  # one after the other, as one
_MOST_ROOTS = 5
_NOT_UNSURE = (Blank.WAITING, Blank.TAKEN_BACK, Blank.FAILED)


class _Section(NamedTuple):
    """A part of the page: its id and template, its heading, and whether there is anything to say.

    ``is_wide``: it takes the whole width where two stand side by side.
    """

    id: str
    title: str
    is_told: Callable[[Report], object] = lambda report: report.figures.n_tracks
    is_wide: bool = False


_SECTIONS = (
    _Section("glance", "At a glance"),
    _Section("next", "What to do next", lambda report: any(next_steps(report))),
    _Section("explore", "All tracks", lambda report: report.tracks, is_wide=True),
    _Section("genres", "Genres", is_wide=True),
    _Section("blanks", "Still blank, and why", is_wide=True),
    _Section("owner", "What your own tags say", lambda report: _has_owners_word(report), True),
    _Section("decades", "Decades", lambda report: report.decades),
    _Section("sure", "How sure the tagger was"),
    _Section("suspects", "Genres that look wrong", is_wide=True),
    _Section("folders", "Folders", is_wide=True),
    _Section("failures", "Failures", lambda report: report.failures, is_wide=True),
    _Section("runs", "Past runs", lambda report: report.runs, is_wide=True),
)


def page(report: Report) -> str:
    """Return the whole page."""
    style = looks.style(Path(__file__).with_name("page.css"))
    script = "".join(map(_asset, _SCRIPTS))
    return (
        _environment()
        .get_template("page.html")
        .render(
            start=Markup(START),
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            sections=[one for one in _SECTIONS if one.is_told(report)],
            report=report,
            roots=_roots(report),
            steps=next_steps(report),
            blanks_to_list=any(one.why not in _NOT_UNSURE for one in report.blanks),
            listed=for_script(report),
        )
    )


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("tagger.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    for one in (count, counted, words.share, words.hours, words.name, words.file_name):
        found.filters[one.__name__] = one
    found.globals |= {"list_unsure": list_unsure, "undo": undo, "outcome": _outcome}
    # As short as it can be, and in the letters of its words: it is most of the page.
    found.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return found


def _shown(value: object) -> object:
    """Return text as it is shown; markup, whose parts came through here, as it is."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _roots(report: Report) -> list[str]:
    subject = report.subject
    folders = [subject.under] if subject.under else subject.roots[:_MOST_ROOTS]
    return [words.file_name(folder) for folder in folders]


def _outcome(run: RunRow) -> str:
    """Return what became of a run's tracks."""
    told = [f"{count(n)} {status}" for status, n in run.summary.by_status.items() if n]
    if run.ended is None:
        told.append("under way, or killed")
    elif run.summary.interrupted:
        told.append("interrupted")
    return ", ".join(told) or "nothing to do"


def _has_owners_word(report: Report) -> bool:
    word = report.owners_word
    return bool(word.fillings or word.albums or word.artists)


def _asset(name: str) -> str:
    text = (files("tagger.report") / name).read_text(encoding="utf-8")
    assert "</" not in text, "it would end its element"
    return text


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
