"""Tracks that another program holds: its tags are the owner's word, and it writes what comes of it.

What is heard stands in the catalogue as ever. No file is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import Catalog
from tagger.evidence.library import Library
from tagger.evidence.trials import Kind
from tagger.evidence.weighing import Said
from tagger.evidence.witnesses import Witnesses, about
from tagger.records import Status, TagsFound, TrackFailure, TrackResult
from tagger.tagging.request import TagRequest, Wish, make_request
from tagger.tagging.run import TagRun
from tagger.tagging.testimony import Places, Testimony
from tagger.tags import is_ours, provenance_text


@dataclass(frozen=True, slots=True)
class HeldTrack:
    """A track as another program has it: its file, and what its tags are there."""

    path: Path
    tags: TagsFound


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to become of a track.

    Args:
        path: Its file.
        genres: To be written by who holds it; () is nothing.
        field_text: What is to stand in our own field then.
        reason: Why nothing is, in words.
        failure: Why it could not be handled, or None.
    """

    path: Path
    genres: tuple[str, ...] = ()
    field_text: str = ""
    reason: str = ""
    failure: TrackFailure | None = None


def propose(
    wish: Wish, catalog: Catalog, library: Iterable[HeldTrack], tell: Callable[[str], None]
) -> Generator[Proposal, None, None]:
    """Yield what is to become of the tracks that a wish names.

    Args:
        wish: Its paths are the files asked about; it writes nothing.
        catalog: What is heard is recorded there.
        library: All that the program holds, whose genres speak for those that are blank.
        tell: Takes what a person should know of what was asked.

    Raises:
        TaggerError: nothing could begin.
    """
    assert not wish.write, "who holds the tracks writes them"
    request, _ = make_request(wish, catalog)
    for note in request.notes:
        tell(note)
    run = TagRun(request, catalog, testify=lambda: _testimony(request, library))
    with closing(run.results()) as results:
        for result in results:
            yield _proposal(result, request.card.model_id)


def _proposal(result: TrackResult, model_id: str) -> Proposal:
    found = result.tags
    # What was predicted before and still is stands as unchanged, with what decided on it.
    is_open = result.status in (Status.UNCHANGED, Status.MOVED) and result.evidence is not None
    is_to_be_written = is_open and result.genres != result.before
    if is_to_be_written or result.status in (Status.PREDICTED, Status.PLANNED):
        source = str(result.evidence) if result.evidence in tuple(Kind) else model_id
        text = provenance_text(result.genres, result.confidence, source)
        return Proposal(result.path, result.genres, text)
    if found is not None and is_ours(found):  # in the file, and not yet with who holds it
        return Proposal(result.path, found.genres, found.provenance or "")
    return Proposal(result.path, reason=str(result.reason or ""), failure=result.failure)


def _testimony(request: TagRequest, library: Iterable[HeldTrack]) -> Testimony:
    """Return what the tags of a library say, but for those that are to be replaced."""
    given_up = frozenset(request.paths) if request.intent.overwrite else frozenset()
    witnesses = Witnesses(request.intent.treat_as_blank)
    held: dict[Path, TagsFound] = {}
    for one in library:
        held[one.path] = one.tags
        if not is_ours(one.tags) and one.path not in given_up:
            genres = request.policy.genre_list.telling(one.tags.genres)
            witnesses.add(len(held), about(one.path, one.tags), genres)
    return _HeldTestimony(witnesses.library(), held, request.evidence)


class _Unchanging(Places):
    """Places that stand as they did: the word of who holds the tracks counts, not the files'."""

    def stands(self, place: int) -> bool:  # noqa: ARG002
        return True


class _HeldTestimony(Testimony):
    """What a library's tags say of its tracks, by the tags that they have there."""

    def __init__(self, library: Library, held: Mapping[Path, TagsFound], kinds: tuple[Kind, ...]):
        super().__init__(library, _Unchanging(), kinds)
        self._held = held

    def said(self, path: Path, tags: TagsFound) -> Said | None:
        return super().said(path, self._held.get(path, tags))
