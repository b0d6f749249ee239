"""How many segments a verdict needs, and where: `python -m tools.count_segments MUSIC`.

Of each recording under MUSIC as many segments are heard as fit; the likeliest genre, of those that
are no kind of another, is compared with that by fewer: so many as the tagger would place them
("placed"), and some of all of them; at last as many as the tagger hears of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tagger.audio import load_segments
from tagger.errors import DatasetError, TaggerError
from tagger.hearing import analysis
from tagger.hearing.analysis import score_segments, segment_plan
from tagger.models.card import ModelCard
from tagger.models.checkpoint import LoadedModel, load_checkpoint
from tagger.models.files import find_model
from tagger.models.voting import vote
from tagger.records import FloatArray

_MOST = 1000  # segments; no recording has so many
_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_Rows = NDArray[np.int64]


def main() -> int:
    """Listen, print a line a number of segments; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("music", type=Path, metavar="MUSIC")
    parser.add_argument("--model", default="musicnn", metavar="NAME|FILE")
    parser.add_argument("--each", type=int, default=1, metavar="N", help="only each N-th recording")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(path for path in arguments.music.rglob("*") if path.is_file())
    paths = paths[:: arguments.each]
    try:
        if not paths:
            raise DatasetError("holds no recordings", arguments.music)
        _compare(load_checkpoint(find_model(arguments.model)), paths)
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _compare(model: LoadedModel, paths: Sequence[Path]) -> None:
    heard = [listen(model, path, _MOST) for path in paths]
    whole = [likeliest(model.card, logits) for logits in heard]
    print(f"{len(heard)} recordings of up to {max(map(len, heard))} segments")
    print("likeliest genre as by all:  segments   placed", *(f"{name:>8s}" for name in PLACES))
    for n in _COUNTS:
        some = [[listen(model, path, n) for path in paths]]
        some += [[one[place(len(one), n)] for one in heard] for place in PLACES.values()]
        shares = [_agreement(model.card, logits, whole) for logits in some]
        print(f"{n:36d}", *(f"{share:8.1%}" for share in shares), flush=True)
    tagged = [analysis.score_track(model, partial(load_segments, path))[0].logits for path in paths]
    n_mean = sum(map(len, tagged)) / len(tagged)
    share = _agreement(model.card, tagged, whole)
    print(f"as many as it hears, {n_mean:.1f} a recording: {share:.1%}")


def _agreement(card: ModelCard, some: Sequence[FloatArray], whole: Sequence[str]) -> float:
    said = [likeliest(card, logits) for logits in some]
    return sum(one == other for one, other in zip(said, whole, strict=True)) / len(whole)


def listen(model: LoadedModel, path: Path, max_segments: int) -> FloatArray:
    """Return the logits (n_segments, n_labels) of a recording's segments, placed as in tagging.

    Raises:
        AudioDecodeError: it cannot be decoded.
    """
    plan = segment_plan(model.card, max_segments)
    return score_segments(model, load_segments(path, plan).waveforms).logits


def spread(n_all: int, n: int) -> _Rows:
    """Return the places of n of all segments, each in the middle of its own n-th.

    >>> spread(12, 3).tolist(), spread(2, 3).tolist()
    ([2, 6, 10], [0, 1])
    """
    n = min(n, n_all)
    return ((np.arange(n) + 0.5) * n_all / n).astype(np.int64)


def middle(n_all: int, n: int) -> _Rows:
    """Return the places of n of all segments, one after the other in the middle.

    >>> middle(12, 3).tolist(), middle(2, 3).tolist()
    ([4, 5, 6], [0, 1])
    """
    n = min(n, n_all)
    return (n_all - n) // 2 + np.arange(n)


def inner(n_all: int, n: int) -> _Rows:
    """Return the places of n of all segments, spread over the middle half.

    >>> inner(12, 3).tolist(), inner(2, 3).tolist()
    ([4, 6, 8], [0, 1])
    """
    n_inner = max(min(n, n_all), n_all // 2)
    return (n_all - n_inner) // 2 + spread(n_inner, n)


def start(n_all: int, n: int) -> _Rows:
    """Return the places of the first n of all segments.

    >>> start(12, 3).tolist()
    [0, 1, 2]
    """
    return np.arange(min(n, n_all))


PLACES: dict[str, Callable[[int, int], _Rows]] = {
    "spread": spread,
    "inner": inner,
    "middle": middle,
    "start": start,
}


def likeliest(card: ModelCard, logits: FloatArray) -> str:
    """Return the likeliest genre by segments' logits that is no kind of another."""
    probabilities = vote(logits, card.temperature, exclusive=card.exclusive)
    by_label = dict(zip(card.labels, probabilities.tolist(), strict=True))
    return max(card.main_genres, key=lambda label: by_label[label])


if __name__ == "__main__":
    sys.exit(main())
