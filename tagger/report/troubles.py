"""The parts of the page about what is missing, looks wrong or failed; "" where there is nothing."""

from __future__ import annotations

from tagger.report.bars import Part, bar
from tagger.report.facts import Blank, Report, Suspect
from tagger.report.html import Html, element, file_name, joined, name, paragraph
from tagger.report.steps import list_unsure
from tagger.report.tables import BARS, ColumnHead, first, more, number, table
from tagger.report.words import count, counted

_NOT_UNSURE = (Blank.WAITING, Blank.TAKEN_BACK, Blank.FAILED)
_MOST_OF_A_REASON = 600  # letters; it ends with what to do


def blanks(report: Report) -> str:
    """Why tracks have no genre."""
    if not report.blanks:
        return paragraph("Every track that could be read has a genre.")
    largest = max(one.n_tracks for one in report.blanks)
    rows = [
        (
            joined(one.why.title, element("small", one.why.meaning)),
            bar([Part(_shade(one.why), "", one.n_tracks)], largest),
            count(one.n_tracks),
            _labels(one.sounds_like),
        )
        for one in report.blanks
    ]
    heads = (first("Reason"), BARS, number("tracks"), ColumnHead("most of them sound like"))
    return joined(table("Tracks without a genre, by reason", heads, rows), _each_unsure(report))


def _each_unsure(report: Report) -> str:
    if all(one.why in _NOT_UNSURE for one in report.blanks):
        return ""
    command = element("code", list_unsure(report.subject))
    return paragraph("Those it was not sure of, each with its reason: ", command, class_="note")


def _shade(why: Blank) -> str:
    return "waiting" if why is Blank.WAITING else "blank"


def _labels(labels: tuple[tuple[str, int], ...]) -> Html:
    parts = []
    for n, (label, n_tracks) in enumerate(labels):
        parts += [", " if n else "", name(label), f" {count(n_tracks)}"]
    return joined(*parts) if parts else Html("–")


def suspects(report: Report) -> str:
    """The tracks whose genre looks wrong."""
    found = report.suspects
    if found.why_none:
        return paragraph("Nothing could be judged: ", found.why_none)
    told = paragraph(
        f"Of {counted(found.n_judged, 'track')} with a genre that a person set, "
        f"{count(found.n_found)} {'sounds' if found.n_found == 1 else 'sound'} like another one, "
        "judged by the tags of the other artists. Nobody but you knows which is right."
    )
    rows = [_suspect(one) for one in found.worst]
    heads = (
        first("Track"),
        ColumnHead("bears"),
        number("how likely"),
        ColumnHead("sounds like"),
        number("how likely"),
    )
    shown = table("Tracks that sound like another genre, worst first", heads, rows) if rows else ""
    return joined(told, shown, more(found.n_found - len(rows), "track", "less suspicious"))


def _suspect(one: Suspect) -> tuple[str, ...]:
    return (
        file_name(one.path),
        name(", ".join(one.genres)),
        f"{int(one.likelihood * 100)} %",
        name(one.suggestion),
        f"{int(one.confidence * 100)} %",
    )


def failures(report: Report) -> str:
    """What failed, and what to do."""
    if not report.failures:
        return ""
    rows = [
        (
            name(one.reason, _MOST_OF_A_REASON),
            one.stage,
            count(one.n_files),
            joined(*(element("div", file_name(path)) for path in one.examples)),
        )
        for one in report.failures
    ]
    heads = (
        first("Reason, and what to do"),
        ColumnHead("stage"),
        number("files"),
        ColumnHead("for instance"),
    )
    return joined(
        table("Files that failed when they were last tried", heads, rows),
        more(report.n_more_failures, "file", "failing otherwise"),
    )
