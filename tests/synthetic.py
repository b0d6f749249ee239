"""Tiny stand-ins for what the training side reads: a feature file, and FMA Small's archives."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.sounds import noise, silence, tone, write_sound
from training.fma import CLIPS_ARCHIVE, METADATA_ARCHIVE, Archives

LABELS = ("Folk", "Hip-Hop", "Rock")


def write_features(
    path: Path, n_tracks: int = 240, *, n_artists: int = 60, seed: int = 0, **replaced: Any
) -> Path:
    """Tracks of three genres, told apart by the band in which they sound; artists keep to one."""
    rng = np.random.default_rng(seed)
    artist = np.arange(n_tracks) % n_artists
    genre = artist % len(LABELS)
    mel = rng.integers(0, 120, (n_tracks, 128, 128), dtype=np.uint8)
    for row, g in enumerate(genre):
        mel[row, 20 + 30 * g : 40 + 30 * g] += 100
    arrays = {
        "mel": mel,
        "genre": genre.astype(np.int8),
        "track_id": np.arange(n_tracks, dtype=np.int32) + 1000,
        "artist_id": artist.astype(np.int32),
        "labels": np.array(LABELS),
    } | replaced
    kept: dict[str, Any] = {k: v for k, v in arrays.items() if v is not None}
    np.savez(path, **kept)
    return path


# Genre, split, subset and artist of the tracks of the small archives.
FMA_TRACKS = {
    2: ("Hip-Hop", "training", "small", 1),
    5: ("Hip-Hop", "validation", "small", 2),
    10: ("Rock", "test", "small", 6),
    20: ("Rock", "test", "small", 6),  # the same bytes as 10
    30: ("Folk", "training", "small", 7),  # no MP3 at all
    31: ("Folk", "training", "small", 8),  # of 5 s
    32: ("Folk", "training", "small", 8),  # silent
    33: ("Folk", "training", "small", 8),  # listed, and not there
    40: ("Jazz", "training", "medium", 9),
    41: ("", "training", "large", 9),
    99134: ("Rock", "training", "small", 10),  # known to be bad
}


def write_fma(folder: Path, clips: Mapping[int, bytes] | None = None) -> Archives:
    """Write small archives in FMA's own form; ``clips`` replaces the sound of all tracks."""
    with zipfile.ZipFile(folder / CLIPS_ARCHIVE, "w") as archive:
        archive.writestr("fma_small/README.txt", "Clips.")
        for track, content in (clips or _fma_clips(folder)).items():
            name = f"{track:06d}"
            archive.writestr(f"fma_small/{name[:3]}/{name}.mp3", content)
    write_fma_metadata(folder / METADATA_ARCHIVE)
    return archives_in(folder)


def archives_in(folder: Path, base_url: str = "http://127.0.0.1:9/") -> Archives:
    """Return the archives as they lie in a folder, as if published at an address."""
    names = (CLIPS_ARCHIVE, METADATA_ARCHIVE)
    sums = [hashlib.sha1((folder / name).read_bytes()).hexdigest() for name in names]
    return Archives(base_url, *sums)


def write_fma_metadata(path: Path, *, left_out: Sequence[str] = (), backward: bool = False) -> None:
    """Write fma_metadata.zip; its columns may lack some, or stand in another order."""
    columns = [("album", "title"), ("artist", "id"), ("set", "split"), ("set", "subset")]
    columns += [("track", "genre_top"), ("track", "title")]
    columns = [column for column in columns if ".".join(column) not in left_out]
    columns.sort(reverse=backward)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["", *(table for table, _ in columns)])
    writer.writerow(["", *(name for _, name in columns)])
    writer.writerow(["track_id", *("" for _ in columns)])
    for track, (genre, split, subset, artist) in reversed(FMA_TRACKS.items()):
        values = {("set", "split"): split, ("set", "subset"): subset, ("artist", "id"): artist}
        values |= {("track", "genre_top"): genre, ("track", "title"): 'Two "lines,\nhere'}
        writer.writerow([track, *(values.get(column, "") for column in columns)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("fma_metadata/tracks.csv", text.getvalue())


def _fma_clips(folder: Path) -> dict[int, bytes]:
    rate = 22_050
    sounds = {
        2: tone(30.0, rate, 440.0) + noise(30.0, rate),
        5: tone(30.0, rate, 1760.0),
        10: noise(31.0, rate),
        31: noise(5.0, rate),
        32: silence(30.0, rate),
    }
    clips = {}
    for track, sound in sounds.items():
        path = write_sound(folder / "clip.mp3", sound, rate)
        clips[track] = path.read_bytes()
        path.unlink()
    return clips | {20: clips[10], 30: b"no sound " * 500, 99134: b""}


def arrays_of(path: Path) -> dict[str, Any]:
    """Read a feature file as it stands."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def left_out_of(path: Path) -> dict[str, str]:
    """Read the list of what was left out: {name: why}."""
    with path.open(newline="", encoding="utf-8") as file:
        return {Path(row["path"]).stem: row["why"] for row in csv.DictReader(file)}
