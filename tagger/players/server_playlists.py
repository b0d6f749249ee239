"""Playlists on a Subsonic server: songs found there, and a list that is ours or somebody's.

As with files: the comment of a playlist says who made it, with a sum over its songs. What another
hand has changed no longer has that sum, and stays.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import fold
from tagger.errors import PlayerError, plain
from tagger.players.subsonic import Answer, Server, listed
from tagger.recommending.keeping import Standing, is_comment_of_ours, sealed_comment
from tagger.recommending.playlist import Song

_MOST_FOUND = 100
_SAME_LENGTH_S = 3.0  # servers round, and count an encoder's padding or not


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a playlist on a server.

    Args:
        standing: What was there before.
        n_songs: How many songs it has, or would have.
        unknown: Songs that the server does not know.
    """

    standing: Standing
    n_songs: int
    unknown: tuple[Song, ...]


def send_playlist(
    server: Server, name: str, songs: Sequence[Song], *, force: bool = False, dry_run: bool = False
) -> Sent:
    """Have a server hold a playlist; one that somebody changed or made stays as it is.

    Args:
        server: The server.
        name: What the playlist is called there.
        songs: What it is to hold.
        force: Replace what is not ours as well.
        dry_run: Change nothing.

    Raises:
        PlayerError: The server is away or says no, or knows none of the songs.
    """
    ids, unknown = _found(server, songs)
    if not ids:
        raise PlayerError("the server knows none of its songs; has it scanned them?")
    old = _playlist_called(server, name)
    standing = Standing.FREE if old is None else _standing(old, ids)
    if standing is Standing.SAME or dry_run:
        return Sent(standing, len(ids), unknown)
    if standing in (Standing.CHANGED, Standing.THEIRS) and not force:
        return Sent(standing, len(ids), unknown)
    target = {"name": name} if old is None else {"playlistId": str(old["id"])}
    made = server.ask("createPlaylist", **target, songId=ids)
    known = old or made.get("playlist") or _playlist_called(server, name)
    if not isinstance(known, dict) or "id" not in known:
        raise PlayerError("the server took the playlist, and does not show it")
    server.ask("updatePlaylist", playlistId=str(known["id"]), comment=sealed_comment(ids))
    return Sent(standing, len(ids), unknown)


def _playlist_called(server: Server, name: str) -> Answer | None:
    """Return our own playlist of that name, with its songs.

    Raises:
        PlayerError: There are several.
    """
    owned = [
        one
        for one in listed(server.ask("getPlaylists"), "playlists", "playlist")
        if one.get("name") == name and one.get("owner", server.user) == server.user
    ]
    if len(owned) > 1:
        raise PlayerError(f"there are several playlists called {plain(name)}")
    if not owned:
        return None
    whole = server.ask("getPlaylist", id=str(owned[0]["id"])).get("playlist")
    return whole if isinstance(whole, dict) else None


def _standing(playlist: Answer, ids: Sequence[str]) -> Standing:
    there = [str(one.get("id")) for one in listed(playlist, "entry")]
    comment = str(playlist.get("comment", ""))
    if comment == sealed_comment(there):
        return Standing.SAME if there == list(ids) else Standing.OURS
    return Standing.CHANGED if is_comment_of_ours(comment) else Standing.THEIRS


def _found(server: Server, songs: Sequence[Song]) -> tuple[list[str], tuple[Song, ...]]:
    """Return the server's ids of some songs, and those that it does not know."""
    found, unknown = [], []
    for song in songs:
        song_id = _id_of(server, song)
        if song_id is None:
            unknown.append(song)
        else:
            found.append(song_id)
    return found, tuple(unknown)


def _id_of(server: Server, song: Song) -> str | None:
    """Return what a server calls a song, by its path there, or else by its tags."""
    if not isinstance(song.place, Path):
        return None
    # Servers call a song without a title by its file.
    for asked in dict.fromkeys(filter(None, (song.title, song.place.stem))):
        song_id = _best(song, _hits(server, asked))
        if song_id is not None:
            return song_id
    return None


def _hits(server: Server, asked: str) -> list[Answer]:
    answer = server.ask("search3", query=asked, songCount=_MOST_FOUND, artistCount=0, albumCount=0)
    return [one for one in listed(answer, "searchResult3", "song") if "id" in one]


def _best(song: Song, hits: Sequence[Answer]) -> str | None:
    by_path = [one for one in hits if isinstance(song.place, Path) and _is_at(song.place, one)]
    if len(by_path) == 1:
        return str(by_path[0]["id"])
    by_tags = [one for one in hits if _is_called(song, one)]
    on_album = [one for one in by_tags if fold(str(one.get("album", ""))) == fold(song.album)]
    chosen = (on_album or by_tags)[:1]
    return str(chosen[0]["id"]) if chosen else None


def _is_at(place: Path, hit: Answer) -> bool:
    """Return whether a server's path is the end of ours."""
    path = str(hit.get("path", "")).strip("/")
    return "/" in path and os.fsdecode(os.fsencode(place)).endswith(f"/{path}")


def _is_called(song: Song, hit: Answer) -> bool:
    """Return whether title, artist and length are a song's."""
    is_named = bool(song.title and song.artist)
    same_title = fold(str(hit.get("title", ""))) == fold(song.title)
    same_artist = fold(str(hit.get("artist", ""))) == fold(song.artist)
    length_s = hit.get("duration")
    is_as_long = (
        song.duration_s is None
        or not isinstance(length_s, (int, float))
        or abs(length_s - song.duration_s) <= _SAME_LENGTH_S
    )
    return is_named and same_title and same_artist and is_as_long
