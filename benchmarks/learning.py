"""How well genres are learned from few tracks, and what would be written of them.

`python -m benchmarks.learning CLIPS`

CLIPS is a folder of folders named by genre. Each way learns from some clips of each genre and names
those of a fifth that it has not seen; no artist that tags name is on both sides. All ways learn
from the same clips, which are drawn anew with each seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.retrieval import Array
from benchmarks.similarity import MELS, hear
from tagger.evidence.names import artist_of
from tagger.learning.calibration import to_probabilities
from tagger.learning.examples import Examples
from tagger.learning.fitting import N_FOLDS, learn
from tagger.learning.linear import fit_linear
from tagger.models.checkpoint import load_checkpoint
from tagger.models.files import BUNDLED
from tagger.models.novelty import capped
from tagger.tags import read_tags

OURS = "our head"
ALL = "embeddings together"
N_NEIGHBOURS = 5
_FILE = click.Path(path_type=Path)

# Names the genres of the last vectors after a look at the first and their genres.
Way = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True, slots=True)
class Clips:
    """Clips, what is heard in them, and whose they are.

    Args:
        vectors: {what: (n, dim)}.
        genre: (n,) the number of its folder.
        artist: (n,) the number of its artist; a clip whose tags name none has one of its own.
        n_unnamed: How many those are.
    """

    vectors: Mapping[str, Array]
    genre: Array
    artist: Array
    n_unnamed: int


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--features", type=_FILE, help="Others' features: an .npz of path (n,), a (n, dim).")
@click.option("--name", default="other features", show_default=True, help="What to call those.")
@click.option("-n", "sizes", type=int, multiple=True, default=(5, 10, 20, 35), show_default=True)
@click.option("--seeds", "n_seeds", default=5, show_default=True)
@click.option("--by-chance", is_flag=True, help="Give the genres to clips by chance.")
def main(
    folder: Path,
    features: Path | None,
    name: str,
    sizes: tuple[int, ...],
    n_seeds: int,
    by_chance: bool,
) -> None:
    """Learn genres from some clips, name the others, and print how many were named right."""
    paths = sorted(path for path in folder.glob("*/*") if path.is_file())
    vectors = hear_all(paths)
    if features is not None:
        vectors = {**vectors, name: read_features(features, paths)}
    clips = make_clips(paths, vectors)
    if by_chance:
        clips = replace(clips, genre=np.random.default_rng(0).permutation(clips.genre))
    right = {
        (what, how): [measure(clips, vectors[what], way, n, n_seeds) for n in sizes]
        for what in vectors
        for how, way in WAYS.items()
    }
    click.echo(table(right, sizes))
    written = {
        what: [what_is_written(clips, heard, n, n_seeds) for n in sizes]
        for what, heard in vectors.items()
        if what.startswith("embedding")
    }
    click.echo(f"\n{table_of_written(written, sizes)}")
    click.echo(f"\n{about(clips, n_seeds)}")


def hear_all(paths: Sequence[Path]) -> Mapping[str, Array]:
    """Return each bundled network's embeddings of clips, these together, and mel statistics."""
    embeddings: dict[str, Array] = {}
    mels: dict[str, Array] = {}
    for model in sorted(BUNDLED.glob("*.pt")):
        loaded = load_checkpoint(model)
        heard = [hear(loaded, path) for path in paths]
        embeddings[f"embedding, {model.stem}"] = np.stack([one for _, one, _ in heard])
        mels.setdefault(MELS, np.stack([one for _, _, one in heard]))
    together = {ALL: np.concatenate(list(embeddings.values()), axis=1)}
    return {**embeddings, **(together if len(embeddings) > 1 else {}), **mels}


def read_features(file: Path, paths: Sequence[Path]) -> Array:
    """Return features (n, dim) of clips from a file that knows them by folder and name."""
    with np.load(file) as stored:
        rows = {Path(text).parts[-2:]: n for n, text in enumerate(stored["path"].tolist())}
        features: Array = stored["a"][[rows[path.parts[-2:]] for path in paths]]
    return features


def make_clips(paths: Sequence[Path], vectors: Mapping[str, Array]) -> Clips:
    """Return clips with their folders' genres and their tags' artists."""
    names = [artist_of(read_tags(path)).casefold() for path in paths]
    groups = [name or f"\n{path}" for name, path in zip(names, paths, strict=True)]
    genre = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
    artist = np.unique(groups, return_inverse=True)[1]
    return Clips(vectors, genre, artist, sum(not name for name in names))


def by_head(known: Array, genre: Array, asked: Array) -> Array:
    """Name genres with the head that `tagger learn` fits."""
    truth = np.eye(int(genre.max()) + 1, dtype=np.bool_)[genre]
    examples = Examples(known.astype(np.float32), truth, genre, np.arange(len(genre)))
    weight, bias = fit_linear(examples, exclusive=True)
    said: Array = (asked @ weight.T + bias).argmax(axis=1)
    return said


def by_neighbours(known: Array, genre: Array, asked: Array) -> Array:
    """Name the genre that most of the nearest have."""
    nearest = KNeighborsClassifier(N_NEIGHBOURS, weights="distance", metric="cosine")
    said: Array = make_pipeline(StandardScaler(), nearest).fit(known, genre).predict(asked)
    return said


def by_svm(known: Array, genre: Array, asked: Array) -> Array:
    """Name genres with a support vector machine, scikit-learn's settings left as they are."""
    said: Array = make_pipeline(StandardScaler(), SVC()).fit(known, genre).predict(asked)
    return said


WAYS: Mapping[str, Way] = {OURS: by_head, f"{N_NEIGHBOURS} nearest": by_neighbours, "SVM": by_svm}


def measure(clips: Clips, vectors: Array, way: Way, n: int, n_seeds: int) -> Array:
    """Return the share of clips named right, (n_seeds,), after n clips of each genre.

    Args:
        clips: All of them.
        vectors: (n_clips, dim) of what is listened to.
        way: How it is learned from.
        n: Clips of each genre; fewer where a genre has fewer by other artists.
        n_seeds: Draws.
    """
    shares = []
    for seed in range(n_seeds):
        said = np.empty_like(clips.genre)
        for known, asked in draws(clips, n, seed):
            said[asked] = way(vectors[known], clips.genre[known], vectors[asked])
        shares.append((said == clips.genre).mean())
    return np.array(shares)


def what_is_written(clips: Clips, vectors: Array, n: int, n_seeds: int) -> tuple[float, float]:
    """Return the share of clips that `tagger learn` and `tag` give a genre, and a wrong one.

    Args:
        clips: All of them.
        vectors: (n_clips, dim) of what is listened to.
        n: Clips of each genre to learn from, as for ``measure``.
        n_seeds: Draws.
    """
    names = [str(genre) for genre in np.unique(clips.genre)]
    truth, heard = np.eye(len(names), dtype=np.bool_)[clips.genre], vectors.astype(np.float32)
    everything = Examples(heard, truth, clips.genre, clips.artist)
    n_written = n_wrong = 0
    for known, asked in (draw for seed in range(n_seeds) for draw in draws(clips, n, seed)):
        learned = learn(everything.take(known), names, ["heard"])
        p = to_probabilities(learned.head.logits(heard[asked]), exclusive=learned.exclusive)
        novelty = learned.head.novelty
        assert novelty is not None  # what is learned from an owner's tags always has one
        p = capped(p, novelty.is_novel(heard[asked]))
        said = p.argmax(axis=1)
        is_written = p.max(axis=1) >= np.array([learned.thresholds[one] for one in names])[said]
        n_written += int(is_written.sum())
        n_wrong += int((is_written & (said != clips.genre[asked])).sum())
    n_asked = n_seeds * len(clips.genre)
    return n_written / n_asked, n_wrong / n_asked


def draws(clips: Clips, n: int, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield rows to learn from, n a genre, and rows to name; each is named once."""
    rng = np.random.default_rng(seed)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for others, asked in folds.split(clips.genre, clips.genre, clips.artist):
        others = rng.permutation(others)
        each = [others[clips.genre[others] == one][:n] for one in np.unique(clips.genre)]
        yield np.concatenate(each), asked


def table(right: Mapping[tuple[str, str], Sequence[Array]], sizes: Sequence[int]) -> str:
    """Return shares named right as a table, in percent: mean and deviation over the seeds."""
    lines = [
        f"| heard | learned by | {' | '.join(f'{n} a genre' for n in sizes)} |",
        f"|---|---|{'--:|' * len(sizes)}",
    ]
    for (what, how), shares in right.items():
        told = [f"{100 * one.mean():.1f} ± {100 * one.std():.1f}" for one in shares]
        lines.append(f"| {what} | {how} | {' | '.join(told)} |")
    return "\n".join(lines)


def table_of_written(
    written: Mapping[str, Sequence[tuple[float, float]]], sizes: Sequence[int]
) -> str:
    """Return what would be written as a table, in percent of all clips."""
    lines = [
        f"| heard | {' | '.join(f'{n} a genre' for n in sizes)} |",
        f"|---|{'--:|' * len(sizes)}",
    ]
    for what, shares in written.items():
        told = [f"{100 * share:.1f}, wrong {100 * wrong:.1f}" for share, wrong in shares]
        lines.append(f"| {what} | {' | '.join(told)} |")
    return "\n".join(lines)


def about(clips: Clips, n_seeds: int) -> str:
    """Return what the figures are of."""
    n_artists = len(np.unique(clips.artist)) - clips.n_unnamed
    return (
        f"{len(clips.genre)} clips, {len(np.unique(clips.genre))} genres, by {n_artists} artists; "
        f"{clips.n_unnamed} without an artist in their tags, each taken for another's. In percent, "
        f"mean and deviation over {n_seeds} seeds."
    )


if __name__ == "__main__":
    main()
