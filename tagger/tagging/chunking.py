"""How a run is cut: into chunks of the walk, and into units that are settled together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tagger.records import AudioFile
from tagger.tagging.track import Track

_HUGE_FOLDER = 4096


def chunks(files: Iterable[AudioFile], n_files: int) -> Iterator[list[AudioFile]]:
    """Cut the walk where a folder ends, after so many files; a huge folder is cut anywhere.

    >>> from tagger.records import AudioFile
    >>> found = [AudioFile(Path(f"/m/{i // 200}/{i}"), Path("/m"), 1, 1) for i in range(500)]
    >>> [len(chunk) for chunk in chunks(found, 256)]
    [400, 100]
    """
    chunk: list[AudioFile] = []
    for _, folder in groupby(files, key=lambda file: file.folder):
        for file in folder:
            chunk.append(file)
            if len(chunk) >= max(n_files, _HUGE_FOLDER):
                yield chunk
                chunk = []
        if len(chunk) >= n_files:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


class Units:
    """Tracks that are settled together: a folder's, or each alone; and which still wait.

    Args:
        tracks: All.
        waiting: Paths of those that are being analysed.
        by_folder: Whether a folder's tracks wait for each other.
    """

    def __init__(self, tracks: Iterable[Track], waiting: set[Path], *, by_folder: bool) -> None:
        self._key: Callable[[Track], str] = (
            (lambda t: t.file.folder) if by_folder else (lambda t: str(t.file.path))
        )
        self._members: dict[str, list[Track]] = {}
        self._n_waiting: Counter[str] = Counter()
        for track in tracks:
            key = self._key(track)
            self._members.setdefault(key, []).append(track)
            self._n_waiting[key] += track.file.path in waiting

    def complete(self) -> list[Track]:
        """Return the tracks of units that wait for nothing."""
        return [
            t for key, members in self._members.items() if not self._n_waiting[key] for t in members
        ]

    def done(self, track: Track) -> list[Track]:
        """Note that a track has been analysed; return its unit's tracks if it was the last."""
        key = self._key(track)
        self._n_waiting[key] -= 1
        return [] if self._n_waiting[key] else self._members[key]
