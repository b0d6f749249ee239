"""A run as a person reads it: a line an album, and what differs indented beneath it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tagger.cli.output import percent, plain
from tagger.cli.screen import Screen, column
from tagger.errors import printable
from tagger.records import Status, TrackResult

_STATUS, _GENRE, _EVIDENCE = 9, 18, 6  # places for each

_COLORS = {
    Status.WRITTEN: "green",
    Status.PLANNED: "green",
    Status.PREDICTED: "green",
    Status.UNSURE: "yellow",
    Status.FAILED: "red",
}

HEADER = f"{column('', _STATUS)} {column('genre', _GENRE)}  sure  {column('by', _EVIDENCE)}  album"


class _Fate(NamedTuple):
    """What tracks of one line have in common."""

    status: Status
    genres: tuple[str, ...]
    evidence: str | None


@dataclass
class AlbumLines:
    """Joins results to lines; those of one album have to come one after the other.

    Args:
        screen: Where the lines go.
        roots: Folders that were asked for; paths are shown from there on.
    """

    screen: Screen
    roots: tuple[Path, ...] = ()
    _waiting: list[TrackResult] = field(default_factory=list)

    def take(self, result: TrackResult) -> list[str]:
        """Return the lines of the album before, if a result begins another one."""
        if result.failure is not None or result.status is Status.UNCHANGED:
            return []  # told on stderr, or no news
        begun = self._waiting and _album(result) != _album(self._waiting[-1])
        lines = self.rest() if begun else []
        self._waiting.append(result)
        return lines

    def rest(self) -> list[str]:
        """Return the lines of the album that is left."""
        results, self._waiting = self._waiting, []
        if not results:
            return []
        by_fate: dict[_Fate, list[TrackResult]] = {}
        for result in results:
            by_fate.setdefault(_fate(result), []).append(result)
        groups = sorted(by_fate.values(), key=len, reverse=True)
        if not _album_of(results[0]):
            return [self._line(group, self._named(group)) for group in groups]
        return self._album_lines(groups)

    def _album_lines(self, groups: Sequence[Sequence[TrackResult]]) -> list[str]:
        """Return a line for most of an album, and one for each track that differs."""
        main, others = groups[0], [result for group in groups[1:] for result in group]
        n_tracks = len(main) + len(others)
        return [
            self._line(main, self._named(main, n_tracks)),
            *(self._line([one], self._title(one), indent=2) for one in others),
        ]

    def _line(self, group: Sequence[TrackResult], name: str, *, indent: int = 0) -> str:
        status = group[0].status
        word = column(status, _STATUS - indent)
        shown = self.screen.styled(word, fg=_COLORS[status]) if status in _COLORS else word
        decided_by = column(group[0].evidence or "", _EVIDENCE)
        rest = f"{column(_genre(group), _GENRE)} {_sure(group)}  {decided_by}  {' ' * indent}{name}"
        room = self.screen.width and self.screen.width - _STATUS - 1
        return f"{' ' * indent}{shown} {Screen(room).fit(rest)}".rstrip()

    def _named(self, group: Sequence[TrackResult], n_tracks: int = 0) -> str:
        """Return the name of an album, or of a folder's lone tracks, and how many they are.

        Args:
            group: Those that the line is about.
            n_tracks: How many the album has; 0 of lone tracks.
        """
        n_tracks = n_tracks or len(group)
        if n_tracks == 1:
            return self._title(group[0], whole=True)
        n = f"{len(group)} of {n_tracks}" if len(group) < n_tracks else str(n_tracks)
        album = _album_of(group[0])
        parts = (_artist_of(group), album) if album else ()
        name = " – ".join(plain(part) for part in parts if part)
        return f"{name or self._where(group[0].path.parent)}  ({n} tracks)"

    def _title(self, result: TrackResult, *, whole: bool = False) -> str:
        tags = result.tags
        if tags is None or not tags.title:
            return self._where(result.path) if whole else printable(Path(result.path.name))
        parts = (tags.artist, tags.title) if whole else (tags.title,)
        return " – ".join(plain(part) for part in parts if part)

    def _where(self, path: Path) -> str:
        return printable(short(path, self.roots))


def short(path: Path, roots: Iterable[Path]) -> Path:
    """Return a path from the folder on that was asked for, if it lies in one.

    >>> short(Path("/music/a/1.mp3"), [Path("/music")])
    PosixPath('a/1.mp3')
    """
    for root in roots:
        if path != root and path.is_relative_to(root):
            return path.relative_to(root)
    return path


def _album(result: TrackResult) -> tuple[Path, str]:
    return result.path.parent, _album_of(result).casefold()


def _album_of(result: TrackResult) -> str:
    return result.tags.album.strip() if result.tags else ""


def _artist_of(results: Iterable[TrackResult]) -> str:
    """Return whose an album is; "" if it is by several, and no tag says who they are together."""
    found = [r.tags for r in results if r.tags]
    together = Counter(tags.album_artist or tags.artist for tags in found)
    return together.most_common(1)[0][0] if len(together) == 1 else ""


def _fate(result: TrackResult) -> _Fate:
    return _Fate(result.status, result.genres, result.evidence)


def _genre(group: Sequence[TrackResult]) -> str:
    """Return what is written or stands there; of unsure tracks what most of them are most like."""
    if group[0].genres:
        return plain(", ".join(group[0].genres))
    likeliest = Counter(result.suggestions[0].genre for result in group if result.suggestions)
    return f"{plain(likeliest.most_common(1)[0][0])}?" if likeliest else "–"


def _sure(group: Sequence[TrackResult]) -> str:
    """Return how sure the least sure track of a line is; of what stands there already nothing."""
    first = group[0]
    stood_there = first.status in (Status.KEPT, Status.MOVED) and first.genres == first.before
    if stood_there or not (first.genres or first.suggestions):
        return percent(None)
    return percent(min(_confidence(result) for result in group))


def _confidence(result: TrackResult) -> float:
    if result.genres or not result.suggestions:
        return result.confidence
    return result.suggestions[0].confidence
