"""Which embedding finds, and teaches, best: `python -m benchmarks.embeddings VECTORS`.

VECTORS is a file of arrays over labelled clips of several collections: `collection`, `group` (its
artist), `target` and `weight` (n, n_genres), `judged`, `musicnn_embedding` and `default_embedding`
(of the CNN–GRU–Attention network). Clips of one genre look for others of it by other artists, in
their own collection; and genres are learned from four fifths of the artists. The head's logits are
those of a head that was fitted on the other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.retrieval import Array, cosine, interval, retrieve
from tagger.learning.examples import Examples
from tagger.learning.fitting import folds_of, held_out_logits
from tools.clip_truth import Truth
from tools.head_fitting import HeardClips, fit_head

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MUSICNN, OTHER, BOTH, HEAD = (
    "musicnn",
    "the other network",
    "both side by side",
    "the head's logits",
)


@click.command()
@click.argument("vectors", type=_FILE)
def main(vectors: Path) -> None:
    """Print a table a question: similar tracks, and genres learned."""
    with np.load(vectors) as stored, threadpool_limits(1):
        arrays = {name: stored[name] for name in stored.files}
        click.echo(
            "| collection | embedding | mean average precision | precision at 10 | learned |"
        )
        click.echo("|---|---|--:|--:|--:|")
        for row in rows(arrays):
            click.echo(row)


def rows(arrays: Mapping[str, Array]) -> Iterator[str]:
    """Yield a line for each collection and embedding."""
    for name in np.unique(arrays["collection"]):
        own = arrays["collection"] == name
        ways = embeddings(arrays, own)
        is_one = (arrays["target"][own] > 0).sum(axis=1) == 1
        genre = arrays["target"][own].argmax(axis=1)[is_one]
        artist = np.unique(arrays["group"][own], return_inverse=True)[1][is_one]
        for way, vectors in ways.items():
            found = retrieve(cosine(vectors[is_one]), genre, artist)
            told = [
                _percent(found.average_precision, artist),
                _percent(found.precision, artist),
                _percent(learned(vectors[is_one], genre, artist), artist),
            ]
            yield f"| {name}, {is_one.sum()} | {way} | {' | '.join(told)} |"


def embeddings(arrays: Mapping[str, Array], own: Array) -> Mapping[str, Array]:
    """Return {what: (n, dim)} of the clips of one collection."""
    musicnn, other = (_even(arrays[f"{one}_embedding"][own]) for one in ("musicnn", "default"))
    head = _head_of_others(arrays, own)
    logits = arrays["musicnn_embedding"][own] @ head[0].T + head[1]
    return {
        MUSICNN: musicnn,
        OTHER: other,
        BOTH: np.concatenate([musicnn, other], axis=1),
        HEAD: logits - logits.mean(axis=1, keepdims=True),
    }


def _even(vectors: Array) -> Array:
    """Return vectors (n, dim) of length 1, so that none of two counts more than the other."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    even: Array = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return even


def _head_of_others(arrays: Mapping[str, Array], own: Array) -> tuple[Array, Array]:
    """Return weight and bias of the default's head, fitted without one collection."""
    rest = ~own
    truth = Truth(arrays["judged"][rest], arrays["target"][rest], arrays["weight"][rest])
    group = np.unique(arrays["group"][rest], return_inverse=True)[1]
    vectors = arrays["musicnn_embedding"][rest]
    collection = np.unique(arrays["collection"][rest], return_inverse=True)[1]
    head = fit_head(
        HeardClips(vectors, vectors, truth, group, collection),
        np.empty((0, vectors.shape[1]), np.float32),
    )
    return head.weight, head.bias


def learned(vectors: Array, genre: Array, artist: Array) -> Array:
    """Return whether each clip (n,) is named right by a head that its artist had no part in."""
    names, first = np.unique(genre, return_inverse=True)
    truth = np.eye(len(names), dtype=np.bool_)[first]
    examples = Examples(vectors.astype(np.float32), truth, first, artist)
    logits = held_out_logits(examples, folds_of(examples, seed=0))
    is_right: Array = (logits.argmax(axis=1) == first).astype(np.float64)
    return is_right


def _percent(values: Array, artist: Array) -> str:
    mean, low, high = (100 * value for value in interval(values, artist))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    main()
