"""How many segments a verdict needs: `python -m tools.count_segments CLIPS [--model NAME]`.

Of each recording under CLIPS as many segments are heard as fit; the likeliest genre, of those that
are no kind of another, by some of them, evenly spread, is compared with that by all.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tagger.analysis import score, segment_plan
from tagger.audio import load_segments
from tagger.card import ModelCard, find_model
from tagger.checkpoint import LoadedModel, load_checkpoint
from tagger.errors import TaggerError
from tagger.records import FloatArray
from tagger.voting import vote
from tools.judge_models import main_genres

_MOST = 1000  # segments; no recording has so many
_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12)


def main() -> int:
    """Listen, print a line a number of segments; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--model", default="musicnn", metavar="NAME|FILE")
    parser.add_argument("--each", type=int, default=1, metavar="N", help="only each N-th recording")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(path for path in arguments.clips.rglob("*") if path.is_file())
    try:
        model = load_checkpoint(find_model(arguments.model))
        heard = [listen(model, path) for path in paths[:: arguments.each]]
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    whole = [likeliest(model.card, logits) for logits in heard]
    print(f"{len(heard)} recordings of up to {max(map(len, heard), default=0)} segments")
    for n in _COUNTS:
        some = [likeliest(model.card, logits[spread(len(logits), n)]) for logits in heard]
        print(f"{n:3d} segments: {np.mean(np.array(some) == np.array(whole)):6.1%} as by all")
    return 0


def listen(model: LoadedModel, path: Path) -> FloatArray:
    """Return the logits (n_segments, n_labels) of all segments of a recording.

    Raises:
        AudioDecodeError: it cannot be decoded.
    """
    plan = replace(segment_plan(model.card), max_segments=_MOST)
    return score(model, load_segments(path, plan).waveforms).logits


def spread(n_all: int, n: int) -> NDArray[np.int64]:
    """Return the places of n of all segments, each in the middle of its own n-th.

    >>> spread(12, 3).tolist(), spread(2, 3).tolist()
    ([2, 6, 10], [0, 1])
    """
    n = min(n, n_all)
    return ((np.arange(n) + 0.5) * n_all / n).astype(np.int64)


def likeliest(card: ModelCard, logits: FloatArray) -> str:
    """Return the likeliest genre by segments' logits that is no kind of another."""
    probabilities = vote(logits, card.temperature, exclusive=card.exclusive)
    by_label = dict(zip(card.labels, probabilities.tolist(), strict=True))
    return max(main_genres(card), key=lambda label: by_label[label])


if __name__ == "__main__":
    sys.exit(main())
