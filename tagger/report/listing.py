"""The list of all tracks: gathered one after the other, and as the page's script takes it.

What many tracks have in common, such as an album, is kept and sent once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from tagger.catalog import SurveyedTrack, fold
from tagger.report.counting import Thinned, why_blank
from tagger.report.facts import Blank, ListedTrack, Report, SoundMap, Whose
from tagger.report.words import file_name, name

N_COLOURS = 8
_FINEST = 4095  # steps on each side of the map
_NOWHERE = -1
_STATES = {
    Whose.PERSONS: "set by a person",
    Whose.OURS: "set by the tagger",
    Whose.WAITING: "decided, not written",
    Whose.NOBODYS: "blank",
    Whose.UNREAD: "could not be read",
}


class Listing:
    """Takes tracks as they pass by.

    Args:
        most: At most so many are kept, evenly picked.
    """

    def __init__(self, most: int) -> None:
        self._kept = Thinned[ListedTrack](most)
        self._shared: dict[Any, Any] = {}

    def add(self, track: SurveyedTrack, by: Whose) -> None:
        """Take one more track."""
        row = track.row
        folder, _, file = str(row.path).rpartition("/")
        self._kept.add(
            ListedTrack(
                title=name(row.title),
                artist=self._once(row.artist, name),
                album=self._once(track.tags.album, name),
                genres=self._once(row.genres, _names),
                year=track.tags.year,
                whose=by,
                why=why_blank(track) if by is Whose.NOBODYS else None,
                folder=self._once(folder, _shown_folder),
                file=file_name(file),
                track_id=row.track_id if track.has_embedding else None,
            )
        )

    def tracks(self) -> tuple[ListedTrack, ...]:
        """Return those that were kept."""
        return tuple(self._kept.kept)

    def _once(self, value: Any, shown: Callable[[Any], Any]) -> Any:
        """Return what a value is shown as, made once for all tracks that share it."""
        key = (shown, value)
        if key not in self._shared:
            self._shared[key] = shown(value)
        return self._shared[key]


def for_script(report: Report) -> dict[str, Any]:
    """Return the list as the page's script takes it: a column a field, a number a shared word."""
    tracks = report.tracks
    genres = _Column(one.genres for one in tracks)
    states = _Column((one.whose, one.why) for one in tracks)
    colours = _coloured(tracks)
    return {
        "titles": [one.title for one in tracks],
        "files": [one.file for one in tracks],
        "years": [one.year or 0 for one in tracks],
        "artist": _Column(one.artist for one in tracks).told(),
        "album": _Column(one.album for one in tracks).told(),
        "folder": _Column(one.folder for one in tracks).told(),
        "genre": {
            **genres.told(),
            "colours": [colours.get(fold(next(iter(one), "")), _NOWHERE) for one in genres.words],
        },
        "state": {
            "words": [_state(*one) for one in states.words],
            "groups": [_STATES[whose] for whose, _ in states.words],
            "of": states.of,
        },
        "places": _places(report.sound_map),
    }


def _shown_folder(folder: str) -> str:
    return file_name(folder or "/")


def _names(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(name, words))


class _Column:
    """Values of all tracks: each once, and the number of each track's."""

    def __init__(self, values: Iterable[Hashable]) -> None:
        numbers: dict[Any, int] = {}
        self.of = [numbers.setdefault(value, len(numbers)) for value in values]
        self.words: list[Any] = list(numbers)

    def told(self) -> dict[str, Any]:
        return {"words": self.words, "of": self.of}


def _coloured(tracks: Sequence[ListedTrack]) -> dict[str, int]:
    """Return the numbers of the most frequent first genres, by which they have their colours."""
    counts = Counter(fold(one.genres[0]) for one in tracks if one.genres)
    return {genre: n for n, (genre, _) in enumerate(counts.most_common(N_COLOURS))}


def _state(whose: Whose, why: Blank | None) -> str:
    return _STATES[whose] if why is None else f"{_STATES[whose]}: {why.title.lower()}"


def _places(sound_map: SoundMap | None) -> list[int]:
    """Return x and y of each track in turn."""
    if sound_map is None:
        return []
    nowhere = (_NOWHERE / _FINEST,) * 2
    return [round(part * _FINEST) for place in sound_map.places for part in place or nowhere]
