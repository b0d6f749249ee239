"""A user's own collection as training data: a folder of folders named by genre."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tagger.errors import DatasetError, ScanError, TagReadError
from tagger.files.scan import ScanOptions, ScanTally, scan
from tagger.records import AudioFile
from tagger.tags import read_tags
from training.clips import DAMAGED, Clip, LeftOut, Track

NO_GENRE = "no genre"


@dataclass(frozen=True)
class Folders:
    """The tracks of a collection, and what in it is none."""

    tracks: list[Track]
    left_out: list[LeftOut]


def read_folders(root: Path) -> Folders:
    """Return the tracks under a folder, in the order of their paths.

    The genre is the folder's name right below ``root``. The artist is the one that the tags name,
    else the next folder's name, else the track is its own: so tracks of one artist are never
    parted by a split as far as anybody can know. Tracks are numbered from 1, artists too.

    Raises:
        DatasetError: there is no such folder, or no sound file in a genre's folder.
    """
    root = root.absolute()
    if not root.is_dir():
        raise DatasetError("no folder of that name", root)
    tally = ScanTally()
    try:
        files = sorted(scan([root], ScanOptions(), tally), key=lambda file: file.path)
    except ScanError as exc:
        raise DatasetError(exc.reason, root) from exc
    left_out = [LeftOut(_name(f.path, root), DAMAGED, str(f.reason)) for f in tally.failures]
    filed = [file for file in files if len(file.path.relative_to(root).parts) > 1]
    left_out += [
        LeftOut(_name(file.path, root), NO_GENRE, "lies in no genre's folder")
        for file in files
        if file not in filed
    ]
    if not filed:
        raise DatasetError("no sound file in a folder named by its genre", root)
    return Folders(_tracks(filed, root), left_out)


def _tracks(files: list[AudioFile], root: Path) -> list[Track]:
    artists = [_artist(file.path, root) for file in files]
    number = {artist: i for i, artist in enumerate(sorted(set(artists)), start=1)}
    return [
        Track(
            Clip(_name(file.path, root), file.path, version=f"{file.size_bytes} {file.mtime_ns}"),
            track_id=i,
            artist_id=number[artist],
            genre=file.path.relative_to(root).parts[0],
        )
        for i, (file, artist) in enumerate(zip(files, artists, strict=True), start=1)
    ]


def _artist(path: Path, root: Path) -> str:
    """Return the artist in one spelling, whether a tag or a folder names him."""
    parts = path.relative_to(root).parts
    try:
        named = read_tags(path).artist.strip()
    except TagReadError:
        named = ""
    if not named:
        named = parts[1] if len(parts) > 2 else str(Path(*parts))
    return " ".join(named.casefold().split())


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
