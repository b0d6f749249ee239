"""How much of a library its owner's own tags fill, and how often they are right.

`python -m benchmarks.evidence --features FILE`

FILE is an `.npz` of features as training takes them; of it only genres, artists and tracks are
used. An artist's tracks are put on albums of at most four, as even as they go and in the order of
their numbers, and half of all are blank; what the other half says of them is written where it is
sure enough. `--order shuffled` puts an artist's tracks on albums by chance instead.
`--embedding VGGISH` fills by sound as well, alone and behind the tags: see `benchmarks.ear`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.ear import Ear, listen
from tagger.evidence.draws import BoolArray, IntArray
from tagger.evidence.trials import BAR, Class, Rates, measure
from tagger.evidence.weighing import Said, weigh
from tagger.evidence.witnesses import Witnesses, about
from tagger.records import TagsFound, TrackPrediction
from tagger.tagging.decision import Intent, decide

_ALBUM_TRACKS = 4
_FILE = click.Path(exists=True, path_type=Path)
WAYS = ("tags", "sound", "tags, then sound")


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

    @property
    def shares(self) -> tuple[float, float]:
        """How much was filled, and how much of that rightly."""
        return self.n_filled / self.n_blank, self.n_right / max(1, self.n_filled)


@dataclass(frozen=True, slots=True)
class Library:
    """One library of a case.

    Args:
        album: (n,) the number of each track's album.
        said: (n,) what the owner says of it.
        is_blank: (n,) whether its tag does not say so.
    """

    album: IntArray
    said: IntArray
    is_blank: BoolArray


@click.command()
@click.option("--features", required=True, type=_FILE)
@click.option("--embedding", type=_FILE, help="Of the same tracks (.npz), to hear them by.")
@click.option("--seeds", "n_seeds", default=20, show_default=True)
@click.option("--order", type=click.Choice(["numbers", "shuffled"]), default="numbers")
@click.option("--classes", "shows_classes", is_flag=True, help="Print the classes' rates as well.")
def main(
    features: Path, embedding: Path | None, n_seeds: int, order: str, shows_classes: bool
) -> None:
    """Fill libraries by their own tags, and print how much was filled, and how much rightly."""
    tracks = read_tracks(features)
    click.echo(f"{len(tracks.genre)} tracks, {len(np.unique(tracks.artist))} artists")
    ear = listen(features, embedding) if embedding else None
    if ear:
        click.echo(f"the ear by itself: {ear.share_right:.1%} of all tracks")
    ways = WAYS if ear else WAYS[:1]
    click.echo("| library | " + " | ".join(f"{way}: filled | right" for way in ways) + " |")
    click.echo("|:--" + "|--:|--:" * len(ways) + "|")
    for case in CASES:
        tried = [
            try_case(tracks, case, seed, ear, is_shuffled=order == "shuffled")
            for seed in range(n_seeds)
        ]
        shares = np.mean([[one.shares for one in outcomes] for outcomes, _ in tried], axis=0)
        click.echo(f"| {case.name} | {' | '.join(f'{x:.1%}' for x in shares.flat)} |")
        if shows_classes:
            click.echo("\n".join(describe(tried[0][1])))
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
    tracks: Tracks, case: Case, seed: int, ear: Ear | None = None, *, is_shuffled: bool = False
) -> tuple[list[Outcome], Rates]:
    """Return what is filled in a library of a certain state, and the rates measured there.

    Args:
        tracks: The tracks, rightly tagged.
        case: What the library is like.
        seed: Of what is blank and what is wrong.
        ear: What is heard in them; without it they are filled by tags alone.
        is_shuffled: Whether chance puts an artist's tracks on albums.

    Returns:
        What each of ``WAYS`` comes to, or the first alone.
    """
    rng = np.random.default_rng(seed)
    album = make_albums(tracks, rng if is_shuffled else None)
    said = make_wrong(tracks, album, case, rng)
    is_blank = rng.random(len(album)) < 0.5
    library = Library(album, said, is_blank[album] if case.blanks_albums else is_blank)
    told, rates = ask(tracks, library)
    filled = [{n: one.genres[0] for n, one in told.items() if one.confidence >= BAR}]
    if ear:
        filled += [hear(library, ear, {}), hear(library, ear, told)]
    return [_outcome(tracks, library, genres) for genres in filled], rates


def _outcome(tracks: Tracks, library: Library, filled: Mapping[int, str]) -> Outcome:
    n_right = sum(tracks.labels[tracks.genre[n]] == genre for n, genre in filled.items())
    return Outcome(int(library.is_blank.sum()), len(filled), n_right)


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


def ask(tracks: Tracks, library: Library) -> tuple[dict[int, Said], Rates]:
    """Return what the tags of the others say of the blank tracks, and what each class is worth."""
    abouts = [about(*one) for one in files_of(tracks, library.album)]
    witnesses = Witnesses()
    for n in np.flatnonzero(~library.is_blank).tolist():
        witnesses.add(n, abouts[n], (tracks.labels[library.said[n]],))
    known = witnesses.library()
    rates = measure(known)
    said = ((n, weigh(abouts[n], known, rates)) for n in np.flatnonzero(library.is_blank).tolist())
    return {n: one for n, one in said if one is not None}, rates


def hear(library: Library, ear: Ear, told: Mapping[int, Said]) -> dict[int, str]:
    """Return what a run would write into the blank tracks.

    Args:
        library: What is blank.
        ear: What is heard in them.
        told: What the tags of the others say.
    """
    votes, nothing = ear.votes(library.album), TagsFound()
    filled = {}
    for n in np.flatnonzero(library.is_blank).tolist():
        vote = ear.by_label(votes[n])
        heard = TrackPrediction(
            path=Path(),
            probabilities=vote,
            confidence=max(vote.values()),
            embedding=None,
            n_segments=1,
            model_id="ear",
            duration_s=30.0,
        )
        decision = decide(
            heard,
            vote,
            nothing,
            ours=False,
            policy=ear.policy(n),
            intent=Intent(),
            said=told.get(n),
        )
        if decision.genres:
            filled[n] = decision.genres[0]
    return filled


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
