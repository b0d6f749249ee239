"""Files that are new or changed, but whose recording is known: moved, copied, or only retagged.

A recording is told by its sound (``tagger.tags.audio_identity``). What was heard in it holds
wherever it lies; its row, with its history, follows a file that was moved.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tagger.catalog import Catalog, SameAudio
from tagger.errors import TagReadError
from tagger.files.scan import is_absent
from tagger.files.stats import device_of
from tagger.models.card import ModelCard
from tagger.models.verdict import derive
from tagger.records import TrackPrediction
from tagger.tagging.track import Track
from tagger.tags import audio_identity

_N_READERS = 8  # that wait for the disk side by side


def recognise(tracks: Sequence[Track], catalog: Catalog, card: ModelCard, *, dry_run: bool) -> None:
    """Let tracks that are new or changed take up what is known of their recordings.

    Args:
        tracks: A part of those found; those that stat(2) tells to be unchanged are left alone.
        catalog: Where rows follow their files, but for a dry run.
        card: Of the model whose predictions count.
        dry_run: Change nothing in the catalogue.
    """
    _identify(tracks, catalog, card, dry_run=dry_run)
    if card.bases:
        _derive([t for t in tracks if t.is_anothers], catalog, card)


def _identify(tracks: Sequence[Track], catalog: Catalog, card: ModelCard, *, dry_run: bool) -> None:
    asked = [track for track in tracks if track.needs_identity]
    if not asked:
        return
    with ThreadPoolExecutor(_N_READERS) as readers:
        for track, audio in zip(asked, readers.map(_identity, asked), strict=True):
            track.audio = audio
    retagged = [track for track in asked if track.has_same_sound]
    others = [track for track in asked if track.audio and not track.has_same_sound]
    known = catalog.copies(track.audio for track in others if track.audio)
    moved = _follow_moved(
        [t for t in others if t.known is None], known, catalog, card.model_id, dry_run
    )
    for track in (*retagged, *moved):
        if track.known and track.known.prediction:
            track.take_known(track.known.prediction)
    _take_from_copies([t for t in others if t.moved_from is None], known, catalog, card)


def _identity(track: Track) -> str | None:
    try:
        return audio_identity(track.file.path)
    except TagReadError:
        return None  # decoding it, or reading its tag, will say why


def _follow_moved(
    tracks: Sequence[Track],
    known: Mapping[str, Sequence[SameAudio]],
    catalog: Catalog,
    model_id: str,
    dry_run: bool,
) -> list[Track]:
    """Let the rows of files that are gone follow them to where they are now; return the tracks."""
    pairs: list[tuple[Track, SameAudio]] = []
    claimed: set[int] = set()
    for track in tracks:
        for copy in known.get(track.audio or "", ()):
            if copy.file_id not in claimed and _is_gone(copy):
                claimed.add(copy.file_id)
                pairs.append((track, copy))
                break
    if not pairs:
        return []
    there = [replace(track.file, path=copy.path, root=copy.root) for track, copy in pairs]
    before = catalog.lookup(there, model_id)
    followed = {copy.file_id for _, copy in pairs}
    if not dry_run:
        followed = set(catalog.move([(copy, track.file) for track, copy in pairs]))
    moved = []
    for (track, copy), row in zip(pairs, before, strict=True):
        if row is not None and copy.file_id in followed:
            track.known, track.moved_from = row, copy.path
            moved.append(track)
    return moved


def _take_from_copies(
    tracks: Sequence[Track],
    known: Mapping[str, Sequence[SameAudio]],
    catalog: Catalog,
    card: ModelCard,
) -> None:
    """Let tracks whose recording was heard elsewhere take up what was heard there."""
    wanted = {c.file_id: c.path for track in tracks for c in known.get(track.audio or "", ())}
    heard = _heard_in(catalog, wanted, card)
    for track in tracks:
        ids = [copy.file_id for copy in known.get(track.audio or "", ())]
        _take_up(track, [heard[file_id] for file_id in ids if file_id in heard], card)


def _derive(tracks: Sequence[Track], catalog: Catalog, card: ModelCard) -> None:
    """Let tracks that bases of a model have heard take up what the model says of that."""
    wanted = {t.known.file_id: t.file.path for t in tracks if t.known}
    heard = _heard_in(catalog, wanted, card)
    for track in tracks:
        if track.known and track.known.file_id in heard:
            _take_up(track, [heard[track.known.file_id]], card)
            if track.prediction is not None:  # the parts stand in its row as they are
                track.prediction = replace(track.prediction, parts=())


def _heard_in(
    catalog: Catalog, asked: Mapping[int, Path], card: ModelCard
) -> dict[int, dict[str, TrackPrediction]]:
    """Return {file_id: {model_id: what a model heard there, or what its bases did}}."""
    found: dict[int, dict[str, TrackPrediction]] = {}
    # What several say together has no embeddings, and is told from theirs as well as looked up.
    own = () if card.is_joint else (card.model_id,)
    for model_id in (*own, *card.bases):
        rest = {i: path for i, path in asked.items() if card.model_id not in found.get(i, {})}
        for file_id, heard in (catalog.heard_in(rest, model_id) if rest else {}).items():
            found.setdefault(file_id, {})[model_id] = heard
    return found


def _take_up(track: Track, heard: Sequence[Mapping[str, TrackPrediction]], card: ModelCard) -> None:
    """Let a track take up what was heard in copies of its recording: all, or else a part."""
    for one in heard:
        said = derive(card, one)
        if said is not None:
            track.take_known(said)
            return
    for one in heard[:1]:
        parts = [one[model_id] for model_id in card.bases if model_id in one]
        track.take_parts(part for part in parts if part.unheard or part.embedding is not None)


def _is_gone(copy: SameAudio) -> bool:
    """Return whether a file was moved away, and not its whole disk.

    Where its root is missing as well, that was moved along if the folder it lay in is on the
    device that the root was on.
    """
    if copy.has_vanished:
        return True
    try:
        if not is_absent(copy.path):
            return False
        if copy.root.is_dir():
            with os.scandir(copy.root) as entries:
                return any(entries)
        return copy.device is not None and device_of(_nearest(copy.root).stat()) == copy.device
    except OSError:  # what cannot be looked at has not gone
        return False


def _nearest(path: Path) -> Path:
    """Return the deepest folder above a path that is there."""
    return next(parent for parent in path.parents if parent.is_dir())
