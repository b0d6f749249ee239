"""Clips and what they are of: a folder for each genre, or a table of genres beside them.

FOLDER/GENRE/CLIP says by its folder what a clip is, and perhaps by its own tag. FOLDER/metadata.csv
says it by the columns Song (a clip's name without its ending), Artist and GenresStr, such as
"Jazz; Vocal"; the clips may lie in any folders then. So does the 4Q audio emotion data set (Panda,
Malheiro and Paiva, IEEE Transactions on Affective Computing 2018).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tagger.errors import DatasetError, os_reason
from tagger.tags import read_tags

BoolArray = NDArray[np.bool_]
TABLE = "metadata.csv"
_OTHERWISE = {
    "rap": "hip-hop",
    "hiphop": "hip-hop",
    "metal": "metal rock",
    "heavy metal": "metal rock",
    "punk": "punk rock",
    "electronic": "electro",
}
"""{genre as collections call it: as it is looked for}; metal and punk are kinds of rock here, as
they are to AllMusic, whose genre is Pop/Rock."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip and what it is.

    Args:
        path: Its file.
        labels: What the collection calls it, in lower case: its folder, or its genres in the table.
        genres: Those, and the genres in its own tag.
        artist: Who plays. Where nothing tells it, the path, or of files that are numbered the
            folder and the tens of the number, since neighbours are often by one artist.
    """

    path: Path
    labels: tuple[str, ...]
    genres: tuple[str, ...]
    artist: str


def find_clips(folder: Path) -> list[Clip]:
    """Return the clips of a collection, in the order of their paths.

    Raises:
        DatasetError: there are none, or the table cannot be read.
        TagReadError: a clip's tag cannot be understood.
    """
    table = folder / TABLE
    clips = _listed(table) if table.is_file() else _in_folders(folder)
    if not clips:
        raise DatasetError("holds no labelled clips", folder)
    return clips


def _in_folders(folder: Path) -> list[Clip]:
    clips = []
    for path in sorted(path for path in folder.glob("*/*") if path.is_file()):
        tags = read_tags(path)
        labels = _lower([path.parent.name])
        clips.append(Clip(path, labels, labels + _lower(tags.genres), tags.artist or _block(path)))
    return clips


def _block(path: Path) -> str:
    """Return what stands for the artist of a file whose tag names none.

    >>> _block(Path("gtzan/blues/blues.00012.wav")), _block(Path("folk/a.wav"))
    ('gtzan/blues/1', 'folk/a.wav')
    """
    numbered = re.fullmatch(r"\D*(\d{3,})", path.stem)
    return str(path.parent / str(int(numbered[1]) // 10)) if numbered else str(path)


def _listed(table: Path) -> list[Clip]:
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = {row["Song"]: row for row in csv.DictReader(file)}
        return [_of_row(path, rows[path.stem]) for path in _paths(table.parent, rows)]
    except OSError as exc:
        raise DatasetError(os_reason(exc), table) from exc
    except (KeyError, UnicodeDecodeError, csv.Error) as exc:
        raise DatasetError(f"is no table of songs, artists and genres ({exc})", table) from exc


def _paths(folder: Path, rows: Mapping[str, object]) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stem in rows)


def _of_row(path: Path, row: Mapping[str, str]) -> Clip:
    labels = _lower(row["GenresStr"].split("; "))
    return Clip(path, labels, labels, row["Artist"] or str(path))


def _lower(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names)


def is_named(genre: str, names: Iterable[str]) -> bool:
    """Return whether one of the names is a genre or a kind of it.

    >>> is_named("Rock", ["alternative rock"]), is_named("Electronic", ["electro rock"])
    (True, True)
    >>> is_named("Hip-Hop", ["rap"]), is_named("Rock", ["pop/rock"]), is_named("R&B", ["r&b"])
    (True, True, True)
    >>> is_named("Pop", ["hip-hop"]), is_named("", ["rock"])
    (False, False)
    """
    wanted = _OTHERWISE.get(genre.casefold(), genre.casefold())
    spelled = [_OTHERWISE.get(name, name) for name in names]
    words = {word for name in spelled for word in re.split(r"[^\w&-]+", name)}
    return bool(wanted) and (wanted in spelled or any(word.startswith(wanted) for word in words))


def are_named(genre: str, names: Iterable[Iterable[str]]) -> BoolArray:
    """Return for each clip's names whether one of them is a genre or a kind of it."""
    return np.array([is_named(genre, of_one) for of_one in names], np.bool_)
