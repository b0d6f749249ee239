"""How much of a library its owner's own tags fill, and how often they are right.

`python -m benchmarks.evidence --features FILE`

FILE is an `.npz` of features as training takes them; of it only genres, artists and tracks are
used. An artist's tracks are put on albums of at most four, as even as they go and in the order of
their numbers, and half of all are blank; what the other half says of them is written where it is
sure enough. `--order shuffled` puts an artist's tracks on albums by chance instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import click
import numpy as np

from tagger.evidence.draws import BoolArray, IntArray
from tagger.evidence.trials import Class, Rates, measure
from tagger.evidence.weighing import Said, weigh
from tagger.evidence.witnesses import Witnesses, about
from tagger.records import TagsFound

_ALBUM_TRACKS = 4
_BAR = 0.75  # from which on a class counts, as in the tagger


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks with a genre each.

    Args:
        genre: (n,) the number of its genre.
        artist: (n,) the number of its artist.
        track_id: (n,) the number of the track.
        labels: The genres' names.
    """

    genre: IntArray
    artist: IntArray
    track_id: IntArray
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A state that a library may be in.

    Args:
        name: In words.
        blanks_albums: Whole albums are blank, not tracks.
        wrong_tracks: Share of tracks whose genre is wrong.
        wrong_albums: Share of albums that are wrong throughout.
    """

    name: str
    blanks_albums: bool = False
    wrong_tracks: float = 0.0
    wrong_albums: float = 0.0


CASES = (
    Case("half of the tracks blank"),
    Case("the same, a tenth of the tags wrong", wrong_tracks=0.1),
    Case("half of the albums blank", blanks_albums=True),
    Case("the same, a tenth of the tags wrong", blanks_albums=True, wrong_tracks=0.1),
    Case("half of the tracks blank, a tenth of the albums wrong throughout", wrong_albums=0.1),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one library.

    Args:
        n_blank: Tracks without a genre.
        n_filled: Those that were filled.
        n_right: Those of them that were filled rightly.
    """

    n_blank: int
    n_filled: int
    n_right: int


@click.command()
@click.option("--features", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seeds", "n_seeds", default=20, show_default=True)
@click.option("--order", type=click.Choice(["numbers", "shuffled"]), default="numbers")
@click.option("--classes", "shows_classes", is_flag=True, help="Print the classes' rates as well.")
def main(features: Path, n_seeds: int, order: str, shows_classes: bool) -> None:
    """Fill libraries by their own tags, and print how much was filled, and how much rightly."""
    tracks = read_tracks(features)
    click.echo(f"{len(tracks.genre)} tracks, {len(np.unique(tracks.artist))} artists")
    click.echo("| library | filled | right |\n|:--|--:|--:|")
    for case in CASES:
        found = [
            try_case(tracks, case, seed, is_shuffled=order == "shuffled") for seed in range(n_seeds)
        ]
        outcomes = [outcome for outcome, _ in found]
        filled = mean(one.n_filled / one.n_blank for one in outcomes)
        right = mean(one.n_right / max(1, one.n_filled) for one in outcomes)
        click.echo(f"| {case.name} | {filled:.1%} | {right:.1%} |")
        if shows_classes:
            click.echo("\n".join(describe(found[0][1])))
    click.echo(f"seeds: 0 to {n_seeds - 1}")


def read_tracks(features: Path) -> Tracks:
    """Return the tracks of a file of features."""
    with np.load(features) as arrays:
        return Tracks(
            arrays["genre"].astype(np.int64),
            arrays["artist_id"].astype(np.int64),
            arrays["track_id"].astype(np.int64),
            tuple(arrays["labels"].tolist()),
        )


def try_case(
    tracks: Tracks, case: Case, seed: int, *, is_shuffled: bool = False
) -> tuple[Outcome, Rates]:
    """Return what evidence fills in a library of a certain state, and the rates measured there.

    Args:
        tracks: The tracks, rightly tagged.
        case: What the library is like.
        seed: Of what is blank and what is wrong.
        is_shuffled: Whether chance puts an artist's tracks on albums.
    """
    rng = np.random.default_rng(seed)
    album = make_albums(tracks, rng if is_shuffled else None)
    said = make_wrong(tracks, album, case, rng)
    is_blank = rng.random(len(album)) < 0.5
    if case.blanks_albums:
        is_blank = is_blank[album]
    filled = list(fill(tracks, album, said, is_blank))
    n_right = sum(tracks.labels[tracks.genre[n]] == one.genres[0] for n, one, _ in filled)
    rates = filled[0][2] if filled else measure(Witnesses().library())
    return Outcome(int(is_blank.sum()), len(filled), n_right), rates


def make_albums(tracks: Tracks, rng: np.random.Generator | None) -> IntArray:
    """Return the number of each track's album."""
    album = np.empty(len(tracks.artist), np.int64)
    n_albums = 0
    for artist in np.unique(tracks.artist):
        rows = np.flatnonzero(tracks.artist == artist)
        rows = rows[np.argsort(tracks.track_id[rows])] if rng is None else rng.permutation(rows)
        for part in np.array_split(rows, -(-len(rows) // _ALBUM_TRACKS)):
            album[part] = n_albums
            n_albums += 1
    return album


def make_wrong(tracks: Tracks, album: IntArray, case: Case, rng: np.random.Generator) -> IntArray:
    """Return what the owner says of each track: some are wrong, each by chance."""
    n_genres = len(tracks.labels)
    is_wrong = rng.random(len(album)) < case.wrong_tracks
    shift = np.where(is_wrong, rng.integers(1, n_genres, len(album)), 0)
    n_albums = int(album.max()) + 1
    is_wrong_album = rng.random(n_albums) < case.wrong_albums
    shift += np.where(is_wrong_album, rng.integers(1, n_genres, n_albums), 0)[album]
    wrong: IntArray = (tracks.genre + shift) % n_genres
    return wrong


def fill(
    tracks: Tracks, album: IntArray, said: IntArray, is_blank: BoolArray
) -> Iterator[tuple[int, Said, Rates]]:
    """Yield the blank tracks that the others fill, and by what."""
    abouts = [about(*one) for one in files_of(tracks, album)]
    witnesses = Witnesses()
    for n in np.flatnonzero(~is_blank).tolist():
        witnesses.add(n, abouts[n], (tracks.labels[said[n]],))
    library = witnesses.library()
    rates = measure(library)
    for n in np.flatnonzero(is_blank).tolist():
        one = weigh(abouts[n], library, rates)
        if one is not None and one.confidence >= _BAR:
            yield n, one, rates


def files_of(tracks: Tracks, album: IntArray) -> Sequence[tuple[Path, TagsFound]]:
    """Return a file and its tags for each track."""
    return [
        (
            Path(f"/music/{artist}/{on}/{track}.mp3"),
            TagsFound(title=f"Track {track}", artist=f"Artist {artist}", album=f"Album {on}"),
        )
        for artist, on, track in zip(
            tracks.artist.tolist(), album.tolist(), tracks.track_id.tolist(), strict=True
        )
    ]


def describe(rates: Rates) -> Iterator[str]:
    """Yield the rate of each class, in words."""
    for one, rate in rates.measured.items():
        yield f"  {words(one)}: {rate.share:.1%} of {rate.n_trials}, surely {rate.least:.1%}"


def words(one: Class) -> str:
    """Return a class in words."""
    return f"{one.kind} {one.n_agreeing}{'+' * (one.n_agreeing == 3)} {one.rest}"


if __name__ == "__main__":
    main()
