"""Feature files out of sound: FMA Small from its archives, or a user's folders named by genre."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tagger.errors import DatasetError, os_reason
from tagger.hearing.pool import Lost, default_n_jobs, map_unordered
from tagger.networks.frontend import FrontEndConfig
from training.clips import CLIP_S, DAMAGED, Clip, LeftOut, Prepared, Track, prepare_clip
from training.dataset import FeatureFile, clean
from training.download import Progress, fetch, verify
from training.features import ROW_FRAMES
from training.fma import (
    CLIPS_ARCHIVE,
    KNOWN_BAD_CLIPS,
    LABELS,
    METADATA_ARCHIVE,
    NAME,
    Archives,
    clip_member,
    read_tracks,
)
from training.folders import read_folders
from training.shards import Shards, drafted

log = logging.getLogger(__name__)

KNOWN_BAD, DUPLICATE = "known bad", "duplicate"
_TIMEOUT_S = 120.0  # a clip takes 0.1 s
_FORMAT = 1  # of the rows; raise it when they change


@dataclass(frozen=True)
class Summary:
    """What came of it: how many tracks the file holds, and what was left out of it."""

    n_tracks: int
    left_out: tuple[LeftOut, ...]

    @property
    def n_damaged(self) -> int:
        """How many sound files could not be decoded."""
        return sum(one.why == DAMAGED for one in self.left_out)


@dataclass(frozen=True)
class _Collection:
    tracks: list[Track]
    left_out: list[LeftOut]
    labels: tuple[str, ...]
    key: str
    name: str = ""


def prepare_fma(
    folder: Path,
    output: Path,
    *,
    download: bool = False,
    archives: Archives | None = None,
    n_jobs: int | None = None,
) -> Summary:
    """Make a feature file of FMA Small.

    Known bad clips and exact duplicates are left out by rule, what cannot be decoded by need; all
    of them are listed in OUTPUT's ``.left-out.csv``. A run that was cut off is gone on with.

    Args:
        folder: Where the two archives are, or shall be.
        output: The feature file.
        download: Whether to fetch what is missing, 7.5 GB in all.
        archives: Where from, and their checksums; None for the published ones.
        n_jobs: Worker processes; None for as many as there are cores.

    Raises:
        DatasetError: an archive is missing, damaged or another; or the file cannot be saved.
    """
    _check_can_be_made(output)
    archives = archives or Archives()
    for name, sha1 in archives.sha1_of.items():
        _obtain(folder / name, archives.base_url + name, sha1, download=download)
    tracks = read_tracks(folder / METADATA_ARCHIVE)
    is_bad = [track.track_id in KNOWN_BAD_CLIPS for track in tracks]
    source = folder / CLIPS_ARCHIVE
    collection = _Collection(
        tracks=[
            Track(
                Clip(clip_member(track.track_id), source, is_in_archive=True),
                *(track.track_id, track.artist_id, track.genre, track.split),
            )
            for track, bad in zip(tracks, is_bad, strict=True)
            if not bad
        ],
        left_out=[
            LeftOut(clip_member(track.track_id), KNOWN_BAD, "see training/fma.py")
            for track, bad in zip(tracks, is_bad, strict=True)
            if bad
        ],
        labels=LABELS,
        key=f"fma {archives.clips_sha1}",
        name=NAME,
    )
    return _make(collection, output, n_jobs)


def prepare_folders(folder: Path, output: Path, *, n_jobs: int | None = None) -> Summary:
    """Make a feature file of a folder of folders named by genre; see ``prepare_fma``.

    Its array ``path`` says which file each row is of; ``split`` is "" throughout.

    Raises:
        DatasetError: there is nothing in it to learn from, or the file cannot be saved.
    """
    _check_can_be_made(output)
    found = read_folders(folder)
    labels = tuple(sorted({track.genre for track in found.tracks}))
    key = f"folders {folder.absolute()}"
    return _make(_Collection(found.tracks, found.left_out, labels, key), output, n_jobs)


def _check_can_be_made(output: Path) -> None:
    """Say so before hours of work if the output cannot be where it is wanted."""
    if not output.absolute().parent.is_dir():
        raise DatasetError("its folder does not exist: make it first", output)
    if output.is_dir():
        raise DatasetError("is a folder: name a file", output)


def _obtain(path: Path, url: str, sha1: str, *, download: bool) -> None:
    if path.exists():
        with _bytes_bar(f"checking {path.name}") as on_bytes:
            verify(path, sha1, on_bytes=on_bytes)
        return
    if not download:
        raise DatasetError(f"not there; --download fetches it from {url}", path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DatasetError(os_reason(exc), path.parent) from exc
    with _bytes_bar(path.name) as on_bytes:
        fetch(url, path, sha1, on_bytes=on_bytes)


@contextmanager
def _bytes_bar(name: str) -> Iterator[Progress]:
    """Show a bar of bytes on a terminal; give what moves it."""
    with tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=name, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total or None
            bar.update(done - bar.n)

        yield show


def _make(collection: _Collection, output: Path, n_jobs: int | None) -> Summary:
    """Decode what is not done yet, save the feature file, and list what was left out."""
    key = f"{_FORMAT} {CLIP_S} {asdict(FrontEndConfig())} {collection.key}"
    shards = Shards(output.with_name(f".{output.name}.work"), key)
    clips = [track.clip for track in collection.tracks]
    row_of = {clip.identity: row for row, clip in enumerate(clips)}
    mel = np.zeros((len(clips), FrontEndConfig().n_mels, ROW_FRAMES), dtype=np.uint8)
    has_row = np.zeros(len(clips), dtype=bool)
    left_out = list(collection.left_out)
    for prepared in _prepared(clips, shards, n_jobs or default_n_jobs()):
        if isinstance(prepared.outcome, LeftOut):
            left_out.append(prepared.outcome)
        else:
            row = row_of[prepared.clip.identity]
            mel[row], has_row[row] = prepared.outcome, True
    if not has_row.any():
        first = left_out[len(collection.left_out)]
        said = f"none of {len(clips)} clips can be used; {first.name}: {first.detail}"
        raise DatasetError(said, output)
    kept = _without_duplicates(collection, mel, has_row, left_out)
    _save(output, collection, mel, kept)
    left_out.sort(key=lambda one: one.name)
    _list_left_out(output.with_suffix(".left-out.csv"), left_out)
    shards.remove()
    return Summary(len(kept), tuple(left_out))


def _prepared(clips: list[Clip], shards: Shards, n_jobs: int) -> Iterator[Prepared]:
    """Yield the outcome of each clip, from the shards or by decoding it now."""
    missing = dict.fromkeys(clips)
    with tqdm(total=len(clips), unit="clip", disable=None) as bar:
        for prepared in shards.done(clips):
            del missing[prepared.clip]
            bar.update()
            yield prepared
        work = partial(prepare_clip, scratch=shards.folder)
        results = map_unordered(work, list(missing), n_jobs=n_jobs, timeout_s=_TIMEOUT_S)
        for result in results:
            if isinstance(result, Lost):
                reason = LeftOut(result.task.name, DAMAGED, str(result.reason))
                prepared = Prepared(result.task, reason)
            else:
                prepared = result
            shards.add(prepared)
            bar.update()
            yield prepared
    shards.flush()


def _without_duplicates(
    collection: _Collection,
    mel: NDArray[np.uint8],
    has_row: NDArray[np.bool_],
    left_out: list[LeftOut],
) -> NDArray[np.int64]:
    """Return the rows to keep; those that say the same as another join ``left_out``.

    The rule is that of ``training.dataset.clean``: of identical clips the first is kept, or none
    where their genres differ.
    """
    usable = np.flatnonzero(has_row)
    label_of = {label: i for i, label in enumerate(collection.labels)}
    features = FeatureFile(
        mel=mel[usable],
        genre=np.array([label_of[collection.tracks[row].genre] for row in usable]),
        track_id=np.array([collection.tracks[row].track_id for row in usable]),
        artist_id=usable,
        labels=collection.labels,
        is_fma=collection.name == NAME,
    )
    kept_ids = clean(features).track_id
    is_kept = np.isin(features.track_id, kept_ids)
    for row in usable[~is_kept]:
        name = collection.tracks[row].clip.name
        left_out.append(LeftOut(name, DUPLICATE, "sounds exactly like another clip"))
    return usable[is_kept]


def _save(
    output: Path, collection: _Collection, mel: NDArray[np.uint8], rows: NDArray[np.int64]
) -> None:
    tracks = [collection.tracks[row] for row in rows]
    present = {track.genre for track in tracks}
    labels = tuple(label for label in collection.labels if label in present)
    with drafted(output) as file:
        np.savez(
            file,
            mel=mel[rows],
            genre=np.array([labels.index(track.genre) for track in tracks], dtype=np.int16),
            track_id=np.array([track.track_id for track in tracks], dtype=np.int32),
            artist_id=np.array([track.artist_id for track in tracks], dtype=np.int32),
            split=np.array([track.split for track in tracks], dtype=np.str_),
            path=np.array([track.clip.name for track in tracks], dtype=np.str_),
            labels=np.array(labels, dtype=np.str_),
            collection=np.array(collection.name, dtype=np.str_),
        )


def _list_left_out(path: Path, left_out: list[LeftOut]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["path", "why", "detail"])
    writer.writerows([one.name, one.why, one.detail] for one in left_out)
    with drafted(path) as file:
        file.write(text.getvalue().encode("utf-8", "surrogateescape"))
