"""What is known of FMA Small itself: its archives, tracks.csv, its labels and its bad clips.

Source: Defferrard, Benzi, Vandergheynst, Bresson: FMA, a dataset for music analysis, arXiv
1612.01840.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagger.errors import DatasetError, os_reason

NAME = "FMA Small"
LABELS = (
    "Electronic",
    "Experimental",
    "Folk",
    "Hip-Hop",
    "Instrumental",
    "International",
    "Pop",
    "Rock",
)

# What is written unasked. Experimental, Instrumental and International are shelf marks of the
# archive that catch everything odd. Folk is a sound that a listener would agree on, but not the
# network: it calls soft rock, pop and classical music of other collections Folk, and is sure of it
# (docs/experiments.md). All are predicted and catalogued, and written if asked for.
WRITABLE = ("Electronic", "Hip-Hop", "Pop", "Rock")

KNOWN_BAD_CLIPS = frozenset(
    {
        *(99134, 108925, 133297),  # without audio
        *(98565, 98567, 98569),  # cut short
        *(72059, 110736, 119979),  # near-silent
        *(57371, 72149, 70301, 73763),  # two recordings, each filed under two genres
    }
)

SPLITS = ("training", "validation", "test")

CLIPS_ARCHIVE = "fma_small.zip"
METADATA_ARCHIVE = "fma_metadata.zip"
_TRACKS_MEMBER = "fma_metadata/tracks.csv"

# tracks.csv has a header of two rows, (table, column), below which a third names the first column.
_COLUMNS = {
    "artist_id": ("artist", "id"),
    "split": ("set", "split"),
    "subset": ("set", "subset"),
    "genre": ("track", "genre_top"),
}
_LONGEST_FIELD = 2**24  # an artist's life may be longer than the csv module's 128 KB


@dataclass(frozen=True, slots=True)
class Archives:
    """Where the two archives are published, and what their SHA-1 must be.

    Args:
        base_url: The address before their names.
        clips_sha1: Of fma_small.zip, 7.2 GB.
        metadata_sha1: Of fma_metadata.zip, 342 MB.
    """

    base_url: str = "https://os.unil.cloud.switch.ch/fma/"
    clips_sha1: str = "ade154f733639d52e35e32f5593efe5be76c6d70"
    metadata_sha1: str = "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"

    @property
    def sha1_of(self) -> dict[str, str]:
        """The archives' names and checksums, the small one first."""
        return {METADATA_ARCHIVE: self.metadata_sha1, CLIPS_ARCHIVE: self.clips_sha1}


@dataclass(frozen=True, slots=True)
class FmaTrack:
    """A track of FMA Small, as tracks.csv has it.

    Args:
        track_id: FMA's number of it.
        artist_id: FMA's number of its artist.
        genre: Its top genre, one of ``LABELS``.
        split: One of ``SPLITS``: the official one, in which no artist stands on two sides.
    """

    track_id: int
    artist_id: int
    genre: str
    split: str


def clip_member(track_id: int) -> str:
    """Return the name of a track's clip in fma_small.zip.

    >>> clip_member(2)
    'fma_small/000/000002.mp3'
    """
    name = f"{track_id:06d}"
    return f"fma_small/{name[:3]}/{name}.mp3"


def read_tracks(metadata: Path) -> list[FmaTrack]:
    """Return the tracks of FMA Small, by rising id, out of fma_metadata.zip.

    Columns and genres are found by name, never by position.

    Raises:
        DatasetError: the archive or its tracks.csv is damaged, incomplete or another.
    """
    try:
        with zipfile.ZipFile(metadata) as archive, archive.open(_TRACKS_MEMBER) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            with _long_fields():
                tracks = list(_small_tracks(csv.reader(text), metadata))
    except KeyError as exc:
        raise DatasetError(f"holds no {_TRACKS_MEMBER}", metadata) from exc
    except OSError as exc:
        raise DatasetError(os_reason(exc), metadata) from exc
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as exc:
        raise DatasetError(f"damaged: {exc}; delete it and download it anew", metadata) from exc
    except (csv.Error, UnicodeDecodeError) as exc:
        raise DatasetError(f"its {_TRACKS_MEMBER} is not readable: {exc}", metadata) from exc
    if not tracks:
        raise DatasetError(f"its {_TRACKS_MEMBER} lists no track of the subset small", metadata)
    return sorted(tracks, key=lambda track: track.track_id)


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _small_tracks(rows: Iterator[list[str]], metadata: Path) -> Iterator[FmaTrack]:
    header = list(zip(next(rows, []), next(rows, []), strict=False))
    missing = [f"{a}.{b}" for a, b in _COLUMNS.values() if (a, b) not in header]
    if missing:
        raise DatasetError(f"its tracks.csv lacks the columns {', '.join(missing)}", metadata)
    at = {name: header.index(column) for name, column in _COLUMNS.items()}
    next(rows, None)  # the row that names the first column
    for row in rows:
        if len(row) == len(header) and row[at["subset"]] == "small":
            yield _track({name: row[i] for name, i in at.items()}, row[0], metadata)


def _track(values: dict[str, str], track_id: str, metadata: Path) -> FmaTrack:
    genre, split = values["genre"], values["split"]
    if genre not in LABELS or split not in SPLITS:
        raise DatasetError(
            f"track {track_id} has the genre {genre!r} and the split {split!r}: "
            "these are not the metadata of FMA Small",
            metadata,
        )
    try:
        return FmaTrack(int(track_id), int(values["artist_id"]), genre, split)
    except ValueError as exc:
        raise DatasetError(f"track {track_id!r}: {exc}", metadata) from exc
