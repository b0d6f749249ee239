"""What ``tagger learn`` says of what it learned: lines for a person, or one object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.cli.output import percent, plain
from tagger.cli.screen import column
from tagger.models.card import ModelCard
from tagger.wording import counted

if TYPE_CHECKING:
    from tagger.learning.judging import GenreReport, LearningReport
    from tagger.learning.teaching import Lesson

_MOST_TOLD = 12
_WIDTH = 24  # of a genre's name
_NEXT_TO_NONE = 0.005  # of the tracks


def record(
    lesson: Lesson, report: LearningReport, card: ModelCard, target: Path | None
) -> dict[str, Any]:
    return {
        "model": card.model_id,
        "file": None if target is None else str(target),
        "learned_on": card.provenance["learned_on"],
        "exclusive": card.exclusive,
        "writable": list(card.writable),
        **asdict(lesson.aside),
        "n_nameless": lesson.n_nameless,
        "changes": [asdict(change) for change in lesson.genres.changes],
        **asdict(report),
    }


def lines(lesson: Lesson, report: LearningReport) -> Iterator[str]:
    """Yield the report as a person reads it."""
    artists = counted(report.n_artists, "artist")
    yield f"learned from {counted(report.n_tracks, 'track')} by {artists}"
    yield from _aside_lines(lesson)
    changes = lesson.genres.changes
    for change in changes[:_MOST_TOLD]:
        taken = ", ".join(map(_short, change.taken)) or "left out"
        yield f"  {_short(change.written)} ({change.n_tracks}) → {taken}: {plain(change.why)}"
    if len(changes) > _MOST_TOLD:
        yield f"  and {len(changes) - _MOST_TOLD} more; --format json has all"
    yield ""
    yield from _table(report)
    yield from _never_lines(report)
    yield ""
    yield (
        f"{_share(report.accuracy)} of the tracks get the genre that you gave them (learned from "
        f"half of the artists, {_share(report.with_half)}; your commonest genre for all, "
        f"{_share(report.by_chance)})"
    )
    for precision, coverage in report.coverage.items():
        if precision > report.accuracy:  # else it holds for all
            yield _surest(precision, coverage)
    if report.confusions:
        told = [f"{_short(a)} for {_short(b)} ({n})" for a, b, n in report.confusions[:5]]
        yield f"taken for another most often: {', '.join(told)}"
    yield from _outlook_lines(report)
    yield "all of this is measured on artists that were not learned from"


def _surest(precision: float, coverage: float) -> str:
    if coverage < _NEXT_TO_NONE:
        return f"no part of them, however sure, is {_share(precision)} right"
    return f"of the surest {_share(coverage)} of them, {_share(precision)} do"


def _table(report: LearningReport) -> Iterator[str]:
    """Yield a line for each genre."""
    several = any(one.further is not None for one in report.genres)
    behind = "  behind another" * several
    yield f"{column('genre', _WIDTH)} tracks artists  right  found  written if{behind}"
    for one in report.genres:
        least = f"{_least(one.threshold):10}  {_least(one.further)}".rstrip()
        yield (
            f"{column(plain(one.genre), _WIDTH)} {one.n_tracks:6d} {one.n_artists:7d}  "
            f"{percent(one.precision)}  {percent(one.recall)}  {least}"
        )
    yield "right: of the tracks that it calls so; found: of the tracks that you call so"


def _least(threshold: float | None) -> str:
    """Return the least confidence at which a genre is written, in words."""
    if threshold is None:
        return ""
    return f"{percent(threshold).strip()} sure" if threshold <= 1 else "never"


def _never_lines(report: LearningReport) -> Iterator[str]:
    """Yield why genres are never written, and what writes them all the same."""
    refused: dict[str, list[GenreReport]] = {"rare": [], "wrong": []}
    for one in report.genres:
        if one.refusal is not None:
            refused[one.refusal].append(one)
    for refusal, why in (
        ("rare", "it called too few tracks so to be trusted"),
        ("wrong", "it is not certain that three of four would be right"),
    ):
        if refused[refusal]:
            yield f"never written, since {why}: {_listed(refused[refusal])}"
    if any(refused.values()):
        yield "  tagger tag --genres all --min-confidence 0.8 writes these all the same"


def _aside_lines(lesson: Lesson) -> Iterator[str]:
    """Yield what was not learned from, and what stands in for artists."""
    aside = lesson.aside
    contradicting = f" ({aside.n_contradicting} with other genres than what they are copies of)"
    copies = counted(aside.n_copies, "copy", "copies")
    told = [
        *[f"{aside.n_ours} with a genre of ours"] * bool(aside.n_ours),
        *[f"{copies}{contradicting * bool(aside.n_contradicting)}"] * bool(aside.n_copies),
        *[f"{aside.n_with_others} settled with others by one answer, which counts once"]
        * bool(aside.n_with_others),
        *[f"{aside.n_unusable} damaged in the catalogue (tagger tag --force hears them anew)"]
        * bool(aside.n_unusable),
    ]
    if told:
        yield f"left aside: {', '.join(told)}"
    if lesson.n_nameless:
        tracks = counted(lesson.n_nameless, "track names", "tracks name")
        yield f"{tracks} no artist; those of one folder count as one artist's"


def _outlook_lines(report: LearningReport) -> Iterator[str]:
    """Yield what more tracks would bring."""
    by_verdict: dict[str, list[GenreReport]] = {"helps": [], "hardly": [], "unknown": []}
    for one in report.genres:
        by_verdict[one.outlook.verdict].append(one)
    helped = sorted(by_verdict["helps"], key=lambda one: one.outlook.f1 - one.outlook.f1_then)
    for one in helped[:_MOST_TOLD]:
        look = one.outlook
        tracks = counted(look.n_more, f"more {_short(one.genre)} track")
        yield (
            f"{tracks} by other artists would help: F1 (of right and found) is "
            f"{_share(look.f1)} now, about {_share(look.f1_then)} then"
        )
    if len(helped) > _MOST_TOLD:
        yield f"more would help {len(helped) - _MOST_TOLD} other genres; --format json has all"
    for verdict, what in (
        ("hardly", "more tracks would hardly help"),
        ("unknown", "whether more tracks would help cannot be said"),
    ):
        if by_verdict[verdict]:
            yield f"{what}: {_listed(by_verdict[verdict])}"


def _listed(genres: Sequence[GenreReport]) -> str:
    """Return the names of genres in a line, the first dozen of them."""
    more = f" and {len(genres) - _MOST_TOLD} more" * (len(genres) > _MOST_TOLD)
    return ", ".join(_short(one.genre) for one in genres[:_MOST_TOLD]) + more


def _short(genre: str) -> str:
    """Return a genre's name as it stands in a line; ``--format json`` has the whole of it."""
    return column(plain(genre), _WIDTH).rstrip()


def _share(p: float) -> str:
    return f"{100 * p:.0f} %"
