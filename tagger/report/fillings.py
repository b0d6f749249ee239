"""The part of the page that tells what the owner's own tags say; "" where that is nothing."""

from __future__ import annotations

from collections.abc import Sequence

from tagger.report.facts import Filling, MixedCount, OwnersWord, Report
from tagger.report.html import Html, joined, name, paragraph
from tagger.report.tables import ColumnHead, first, more, number, table
from tagger.report.words import count, counted


def owners_word(report: Report) -> str:
    """What the owner's own tags say of albums and artists."""
    word = report.owners_word
    return joined(
        _fillings(word),
        _mixed("Albums with several genres", word.albums, word.n_more_albums, "album"),
        _mixed("Artists with several genres", word.artists, word.n_more_artists, "artist"),
    )


def _fillings(word: OwnersWord) -> Html | str:
    if not word.fillings:
        return ""
    heads = (first("Album"), number("blank"), ColumnHead("would become"), ColumnHead("as"))
    said = (
        f"{counted(word.n_fillable, 'blank track')} would be filled by what you call the others of "
        "the album, or the artist’s other albums."
    )
    return joined(
        paragraph(said),
        table("Blanks that your own tags would fill", heads, [_filling(x) for x in word.fillings]),
        more(word.n_more_fillings, "album", "with fewer blanks"),
    )


def _filling(one: Filling) -> tuple[str, ...]:
    return (
        _whose(one.artist, one.album),
        count(one.n_tracks),
        name(", ".join(one.genres)),
        f"its {one.by}",
    )


def _mixed(caption: str, mixed: Sequence[MixedCount], n_more: int, one: str) -> Html | str:
    if not mixed:
        return ""
    heads = (first(one.capitalize()), number("tracks"), ColumnHead("genres"))
    rows = [(_whose(x.artist, x.album), count(x.n_tracks), _genres(x)) for x in mixed]
    return joined(table(caption, heads, rows), more(n_more, one, "less mixed"))


def _whose(artist: str, album: str) -> Html:
    parts = [name(part) for part in (artist, album) if part]
    return joined(*parts[:1], *(joined(" – ", part) for part in parts[1:])) if parts else name("–")


def _genres(one: MixedCount) -> Html:
    told = [joined(name(genre), f" {count(n)}") for genre, n in one.genres]
    n_left = one.n_tracks - sum(n for _, n in one.genres)
    rest = [f"others {count(n_left)}"] if n_left else []
    listed = [*told, *rest]
    return joined(*(joined(", " if n else "", part) for n, part in enumerate(listed)))
