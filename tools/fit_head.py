"""Make the default model: `python -m tools.fit_head COLLECTION… -o tagger/models/wide.pt`.

A head on the bundled musicnn's embedding, fitted to labelled clips (`tools.head_fitting`). Each
COLLECTION is one as `tools.labelled_clips` knows them; those used, and where they are public, are
in docs/models.md. It prints what is written, and of that right, on artists left out of the fit,
five parts in turn, and on each collection left out: no clip counted there had part in anything
that was fitted. What was chosen by hand (UNASKED, the head's form) is the same for all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tagger.errors import DatasetError, TaggerError
from tagger.genre_text import id_of
from tagger.hearing.analysis import analyse_file, load_model
from tagger.learning.thresholds import NEVER
from tagger.models.card import ModelCard
from tagger.models.checkpoint import load_checkpoint, save_card
from tagger.models.files import BUNDLED, read_card
from tagger.models.head import Head
from tagger.records import FloatArray, TrackFailure
from tools.clip_truth import GENRES, truth_of
from tools.head_fitting import (
    LABELS,
    N_FOLDS,
    UNASKED,
    FittedHead,
    HeardClips,
    Written,
    fit_head,
    folds_of,
    joined,
    written_on,
    written_together,
)
from tools.labelled_clips import Clip, find_clips
from tools.musicnn_strangeness import odd_embeddings

BASE = BUNDLED / "musicnn.pt"
ALBUM_SEGMENTS, MAX_SEGMENTS = 4, 8
N_ODD = 12  # sounds of a kind: with 4 three of 151 others were given a genre, with 12 one


def main() -> int:
    """Hear, judge, fit, save; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("collections", type=Path, nargs="+", metavar="COLLECTION")
    parser.add_argument("-o", "--output", type=Path, help="the model; without it judge only")
    arguments = parser.parse_args()
    try:
        clips, odd = hear(arguments.collections)
        told = {}
        for name, written in judged(clips, odd, [path.name for path in arguments.collections]):
            print(_line(name, written), flush=True)
            told[name] = {"written": written.n, "right": written.n_right}
        if arguments.output is not None:
            save_card(arguments.output, card_of(fit_head(clips, odd), about(clips, told)))
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def hear(folders: Sequence[Path]) -> tuple[HeardClips, FloatArray]:
    """Return labelled clips as the tagger hears them, and the embeddings of odd sounds.

    Raises:
        DatasetError: a collection holds no clips, or one cannot be heard.
    """
    load_model(BASE)
    found = [find_clips(folder) for folder in folders]
    clips = [clip for of_one in found for clip in of_one]
    artists = np.array([clip.artist.casefold() for clip in clips])
    heard = HeardClips(
        np.stack([_embedding(clip, MAX_SEGMENTS) for clip in clips]),
        np.stack([_embedding(clip, ALBUM_SEGMENTS) for clip in clips]),
        truth_of(clips),
        np.unique(artists, return_inverse=True)[1],
        np.repeat(np.arange(len(folders)), [len(of_one) for of_one in found]),
    )
    return heard, odd_embeddings(load_checkpoint(BASE), n_each=N_ODD)


def _embedding(clip: Clip, n_segments: int) -> FloatArray:
    heard = analyse_file(clip.path, BASE, n_segments)
    if isinstance(heard, TrackFailure):
        raise DatasetError(heard.reason, clip.path)
    if heard.embedding is None:
        raise DatasetError(str(heard.unheard), clip.path)
    return heard.embedding


def judged(
    clips: HeardClips, odd: FloatArray, names: Sequence[str]
) -> Iterator[tuple[str, Written]]:
    """Yield what is written on clips that are left out of the fit, by what is left out."""
    folds = folds_of(clips.groups)
    alone, together, by_their_own = [], [], []
    for k in range(N_FOLDS):
        head, rest = fit_head(clips.take(folds != k), odd), clips.take(folds == k)
        alone.append(written_on(head, rest))
        together.append(written_together(head, rest))
        by_their_own.append(written_together(head, rest, by_their_own=True))
    yield "artists left out", joined(alone)
    yield "the same, an artist's clips together", joined(together)
    yield "the same, by thresholds of such votes", joined(by_their_own)
    for n, name in enumerate(names):
        head, rest = fit_head(clips.take(clips.collections != n), odd), clips.collections == n
        yield f"{name} left out", written_on(head, clips.take(rest))


def card_of(head: FittedHead, provenance: Mapping[str, Any]) -> ModelCard:
    """Return the card of a head on the bundled network."""
    base = read_card(BASE)
    own = Head((base.model_id,), head.weight, head.bias, None)
    digest = hashlib.sha256(json.dumps(own.to_plain(), sort_keys=True).encode())
    return replace(
        base,
        model_id=id_of("wide", digest.hexdigest()[:10]),
        first_segments=0,
        max_segments=MAX_SEGMENTS,
        album_segments=ALBUM_SEGMENTS,
        labels=LABELS,
        genres=GENRES,
        broader={},
        exclusive=True,
        temperature=1.0,
        album_temperature=head.album_temperature,
        thresholds=head.thresholds,
        writable=tuple(genre for genre in UNASKED if head.thresholds[genre] < NEVER),
        n_parameters=base.n_parameters + head.weight.size + head.bias.size,
        provenance=provenance,
        head=own,
    )


def about(clips: HeardClips, told: Mapping[str, Mapping[str, int]]) -> Mapping[str, Any]:
    """Return what a card says of how its head was made."""
    n_artists = len(np.unique(clips.groups))
    return {"n_clips": len(clips), "n_artists": n_artists, "left_out_of_the_fit": told}


def _line(name: str, written: Written) -> str:
    """Return how many are written, of that right, and the same of each genre."""
    by_genre = {genre: written.of(n) for n, genre in enumerate(GENRES)}
    each = (f"{genre} {one.n}, {one.n_right}" for genre, one in by_genre.items() if one.n)
    n_clips, genres = len(written.genre), "; ".join(each)
    return f"{name}: {n_clips} clips, {written.n} written, {written.n_right} right; {genres}"


if __name__ == "__main__":
    sys.exit(main())
