"""How many segments a verdict needs: `python -m tools.count_segments CLIPS [--model NAME]`.

The likeliest genre of each recording under CLIPS, of those that are no kind of another, by as many
segments as fit, is compared with that by at most so many, placed as the tagger places them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from tagger.analysis import score, segment_plan
from tagger.audio import load_segments
from tagger.card import find_model
from tagger.checkpoint import LoadedModel, load_checkpoint
from tagger.errors import DatasetError, TaggerError
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
    paths = paths[:: arguments.each]
    try:
        if not paths:
            raise DatasetError("holds no recordings", arguments.clips)
        model = load_checkpoint(find_model(arguments.model))
        whole = likeliest(model, paths, _MOST)
        print(f"{len(paths)} recordings")
        for n in _COUNTS:
            some = likeliest(model, paths, n)
            n_alike = sum(one == other for one, other in zip(some, whole, strict=True))
            print(f"{n:3d} segments: {n_alike / len(paths):6.1%} as by all", flush=True)
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def likeliest(model: LoadedModel, paths: Sequence[Path], max_segments: int) -> list[str]:
    """Return the likeliest genre of recordings that is no kind of another.

    Raises:
        AudioDecodeError: one cannot be decoded.
    """
    card = model.card
    plan = replace(segment_plan(card), max_segments=max_segments)
    genres = []
    for path in paths:
        logits = score(model, load_segments(path, plan).waveforms).logits
        probabilities = vote(logits, card.temperature, exclusive=card.exclusive)
        by_label = dict(zip(card.labels, probabilities.tolist(), strict=True))
        genres.append(max(main_genres(card), key=lambda label: by_label[label]))
    return genres


if __name__ == "__main__":
    sys.exit(main())
