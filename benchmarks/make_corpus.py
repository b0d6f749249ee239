"""Make distinct four-minute tracks: `python -m benchmarks.make_corpus SOURCES TARGET -n 660`.

SOURCES is a folder of recordings, searched through. Each track is a row of 30-second pieces in an
order of its own; each piece is a stretch of one recording with another mixed in. So no two tracks
are the same anywhere for longer than a piece, and hundreds are made in a minute, since an MP3
piece is encoded once and its packets go into many tracks. They lie in albums of twelve under
TARGET/FORMAT, with title, artist, album and number but no genre.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click
import numpy as np

from benchmarks.encoding import ENCODINGS, MP3_FRAME, encode_mp3_packets, write_mp3
from training.encoding import SAMPLE_RATE, Channels, encode, load_stereo

PIECE_S = 30
N_PIECES = 64
ALBUM_TRACKS = 12
_SOURCE_ENDINGS = frozenset({".aiff", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"})
_MIN_SOURCE_S = 20  # a jingle repeated for half a minute is no music

Writer = Callable[[Sequence[int], Path, dict[str, str]], None]


@click.command()
@click.argument("sources", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("-n", "n_tracks", default=120, show_default=True, help="Tracks of each format.")
@click.option("--duration", "duration_s", default=240.0, show_default=True, help="Seconds each.")
@click.option("--format", "formats", multiple=True, type=click.Choice(list(ENCODINGS)))
@click.option("--pieces", "n_pieces", default=N_PIECES, show_default=True, help="To choose from.")
@click.option("--seed", default=1, show_default=True)
def main(
    sources: Path,
    target: Path,
    n_tracks: int,
    duration_s: float,
    formats: tuple[str, ...],
    n_pieces: int,
    seed: int,
) -> None:
    """Make N tracks of each format under TARGET from the recordings in SOURCES.

    Tracks that are there are kept: a longer corpus begins with the shorter one.
    """
    pieces = Pieces(load_recordings(sources), n_pieces, seed)
    for format_ in formats or ("mp3",):
        is_mp3 = format_ == "mp3"
        write = pieces.mp3_writer(duration_s) if is_mp3 else pieces.writer(format_, duration_s)
        for i in range(n_tracks):
            path = target / format_ / track_path(i, format_)
            if not path.exists():
                write(piece_order(i, n_pieces, duration_s, seed), path, tags_of(i))
        click.echo(f"{n_tracks} tracks of {duration_s:g} s in {target / format_}")


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Give a draft's path, which becomes the track once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    yield draft
    draft.replace(path)


class Pieces:
    """Half-minutes of music, the same each time for one seed.

    Args:
        recordings: What they are cut from.
        n_pieces: How many there are.
        seed: Which.
    """

    def __init__(self, recordings: Sequence[Channels], n_pieces: int, seed: int) -> None:
        self.recordings = recordings
        self.n_pieces = n_pieces
        self.seed = seed

    def sound(self, i: int) -> Channels:
        """Return piece number i, (2, n_samples)."""
        rng = np.random.default_rng([self.seed, i])
        first, second = (self._stretch(rng) for _ in range(2))
        mixed: Channels = np.float32(0.8) * first + np.float32(rng.uniform(0.1, 0.3)) * second
        return np.clip(mixed, -1, 1, out=mixed)

    def _stretch(self, rng: np.random.Generator) -> Channels:
        recording = self.recordings[int(rng.integers(len(self.recordings)))]
        n_samples = recording.shape[1]
        places = rng.integers(n_samples) + np.arange(PIECE_S * SAMPLE_RATE)
        return recording[:, places % n_samples]

    def mp3_writer(self, duration_s: float) -> Writer:
        """Return what writes MP3s; each piece is encoded when it is first needed."""
        packets = cache(lambda i: encode_mp3_packets(self.sound(i)))
        n_packets = round(duration_s * SAMPLE_RATE / MP3_FRAME)

        def write(order: Sequence[int], path: Path, tags: dict[str, str]) -> None:
            every = itertools.chain.from_iterable(packets(i) for i in order)
            with _whole(path) as draft:
                write_mp3(itertools.islice(every, n_packets), draft, tags)

        return write

    def writer(self, format_: str, duration_s: float) -> Writer:
        """Return what writes tracks of another format, each encoded from end to end."""
        n_samples = round(duration_s * SAMPLE_RATE)

        def write(order: Sequence[int], path: Path, tags: dict[str, str]) -> None:
            sound = np.concatenate([self.sound(i) for i in order], axis=1)[:, :n_samples]
            with _whole(path) as draft:
                encode(sound, ENCODINGS[format_], draft, tags)

        return write


def load_recordings(folder: Path) -> list[Channels]:
    """Return the recordings under a folder that are long enough.

    Raises:
        click.UsageError: there is none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SOURCE_ENDINGS)
    recordings = [load_stereo(path) for path in paths]
    long = [r for r in recordings if r.shape[1] >= _MIN_SOURCE_S * SAMPLE_RATE]
    if not long:
        raise click.UsageError(f"{folder} holds no recording of {_MIN_SOURCE_S} s or more")
    return long


def piece_order(i: int, n_pieces: int, duration_s: float, seed: int) -> list[int]:
    """Return the pieces of track number i.

    >>> piece_order(0, 64, 60.0, 1) == piece_order(1, 64, 60.0, 1)
    False
    """
    n_needed = -(-duration_s // PIECE_S)
    rounds = itertools.count()
    orders = (np.random.default_rng([seed, i, r]).permutation(n_pieces).tolist() for r in rounds)
    return list(itertools.islice(itertools.chain.from_iterable(orders), int(n_needed)))


def track_path(i: int, format_: str) -> Path:
    """Return where track number i lies.

    >>> track_path(13, "mp3").as_posix()
    'Album 002/02 Track 0014.mp3'
    """
    album, number = divmod(i, ALBUM_TRACKS)
    return Path(f"Album {album + 1:03d}") / f"{number + 1:02d} Track {i + 1:04d}.{format_}"


def tags_of(i: int) -> dict[str, str]:
    """Return the tags of track number i, by FFmpeg's names."""
    album, number = divmod(i, ALBUM_TRACKS)
    return {
        "title": f"Track {i + 1:04d}",
        "artist": f"Artist {album % 40 + 1:02d}",
        "album": f"Album {album + 1:03d}",
        "track": f"{number + 1}/{ALBUM_TRACKS}",
    }


if __name__ == "__main__":
    main()
