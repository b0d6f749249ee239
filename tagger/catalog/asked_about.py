"""What a review is made of, in plain SQL: its page stands before SQLAlchemy is imported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tagger.catalog.batches import batches
from tagger.catalog.known_roots import KnownRoots
from tagger.catalog.plain_sql import Ask, Condition, all_of, any_of, escaped, marks, strings, within
from tagger.catalog.rows.answers import Action, AnsweredState, Unanswered
from tagger.catalog.text import fold
from tagger.records import TagsFound

_OF_THIS_FILE = (
    "SELECT answered_files.file_id FROM answered_files "
    "JOIN answers ON answers.answer_id = answered_files.answer_id "
    "WHERE answered_files.file_id = files.file_id"
)
# Nothing is asked while an answer waits to be written, nor where a person wants no question.
_NOT_SETTLED = (
    f"NOT EXISTS ({_OF_THIS_FILE} AND (answered_files.state = '{AnsweredState.OPEN}' "
    f"OR answers.withdrawn_at IS NULL AND answers.action = '{Action.NEVER}'))"
)
NOT_TO_GO = (
    f"NOT EXISTS ({_OF_THIS_FILE} AND answers.withdrawn_at IS NOT NULL "
    f"AND answered_files.state = '{AnsweredState.WRITTEN}')"
)
"""Not what was withdrawn and is not taken back yet: that is no person's word any more."""
_UNANSWERED = (
    "SELECT files.file_id, files.track_id, files.root_id, files.relative, tracks.file_genres, "
    "tracks.provenance, tracks.overruled, tracks.title, tracks.artist, tracks.album, "
    "tracks.album_artist, tracks.mb_artists, tracks.mb_album_artists "
    "FROM files JOIN tracks ON tracks.track_id = files.track_id "
    "JOIN roots ON roots.root_id = files.root_id"
)
_PERSONS_GENRES = (
    "SELECT tracks.file_genres, count(*) FROM tracks JOIN files ON files.track_id = tracks.track_id"
)
_IS_PERSONS = (
    "tracks.file_genres <> '[]' AND tracks.provenance IS NULL AND files.vanished_at IS NULL "
    f"AND {NOT_TO_GO}"
)
_SAID = "SELECT track_id, model_id, probabilities FROM predictions WHERE unheard_code IS NULL"


def unanswered(
    ask: Ask, roots: KnownRoots, under: Sequence[Path] = (), *, only_blank: bool = True
) -> Iterator[Unanswered]:
    """Yield tracks that are there and that no answer has settled, by path.

    Args:
        ask: Puts questions to the catalogue.
        roots: Its roots.
        under: Only those in these folders; () is anywhere.
        only_blank: Only those without a genre, or with our own field beside it.
    """
    conditions = [Condition("files.vanished_at IS NULL"), Condition(_NOT_SETTLED)]
    if only_blank:
        conditions.append(Condition("tracks.file_genres = '[]' OR tracks.provenance IS NOT NULL"))
    if under:
        conditions.append(any_of(within(roots, folder) for folder in under))
    where = all_of(conditions)
    sql = f"{_UNANSWERED} WHERE {where.sql} ORDER BY roots.path, files.relative"
    for file_id, track_id, root_id, relative, *said in ask(sql, where.values):
        yield Unanswered(file_id, track_id, roots.whole(root_id, relative), _asked_tags(*said))


def _asked_tags(
    genres: str,
    provenance: str | None,
    overruled: str | None,
    title: str | None,
    artist: str | None,
    album: str | None,
    album_artist: str | None,
    mb_artists: str | None,
    mb_album_artists: str | None,
) -> TagsFound:
    """Return the tags that a question is made of, from columns as they are stored."""
    return TagsFound(
        strings(genres),
        provenance,
        title or "",
        artist or "",
        album or "",
        album_artist or "",
        mb_artists=strings(mb_artists) if mb_artists else (),
        mb_album_artists=strings(mb_album_artists) if mb_album_artists else (),
        overruled=overruled,
    )


def said_of(ask: Ask, track_ids: Sequence[int]) -> dict[int, dict[str, Mapping[str, float]]]:
    """Return {track_id: {model_id: {label: p}}} of what models have heard."""
    found: dict[int, dict[str, Mapping[str, float]]] = {}
    for batch in batches(track_ids):
        rows = ask(f"{_SAID} AND track_id IN ({marks(batch)})", tuple(batch))
        for track_id, model_id, probabilities in rows:
            found.setdefault(track_id, {})[model_id] = json.loads(probabilities)
    return found


def persons_genres(ask: Ask, artist: str = "") -> dict[tuple[str, ...], int]:
    """Return {genres that a person set: on how many tracks}, of one artist or of all.

    Args:
        ask: Puts questions to the catalogue.
        artist: A name, whatever its case; "" is any.
    """
    conditions = [Condition(_IS_PERSONS)]
    if artist:
        key = escaped(fold(artist))
        likes = (f"{key}\n%", f"%\n{key}")
        conditions.append(
            any_of(Condition(r"tracks.artist_key LIKE ? ESCAPE '\'", (like,)) for like in likes)
        )
    where = all_of(conditions)
    sql = f"{_PERSONS_GENRES} WHERE {where.sql} GROUP BY tracks.file_genres"
    return {strings(genres): n for genres, n in ask(sql, where.values)}
