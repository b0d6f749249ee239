"""What goes with the song that plays now, for the queue of the program that plays it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tagger.catalog import Reader
from tagger.players.mpd import Mpd, music_folder, uris_of
from tagger.recommending.ears import Ear, seed_of_paths
from tagger.recommending.recommend import Match, SimilarQuery, recommend


@dataclass(frozen=True, slots=True)
class NextSongs:
    """What goes with the song that plays.

    Args:
        playing: The song.
        matches: What goes with it, as the catalogue knows it.
        uris: The same as MPD calls it.
    """

    playing: Path
    matches: tuple[Match, ...]
    uris: tuple[str, ...]


def next_songs(
    reader: Reader, player: Mpd, query: SimilarQuery, *, ear: Ear | None, told: Path | None
) -> NextSongs:
    """Return what goes with the song that plays now, and is not in the queue.

    Args:
        reader: The catalogue.
        player: The MPD.
        query: Which tracks may be named.
        ear: The model to compare by; None is the one that suits.
        told: Where MPD's music is here, by the settings.
    """
    uri = player.playing()
    folder = music_folder(reader, uri, told or player.folder())
    fitting = replace(
        query,
        under=query.under or folder,
        without=frozenset(folder / one for one in player.queued()),
    )
    seed = seed_of_paths(reader, [folder / uri], ear)
    matches = tuple(recommend(reader, seed, fitting))
    return NextSongs(folder / uri, matches, tuple(uris_of([m.row.path for m in matches], folder)))
