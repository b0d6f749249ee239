"""What looks wrong, looked for in a process of its own: the page stands meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import LearnError, TaggerError
from tagger.genre_list import ANY, GenreList
from tagger.models.card import ModelCard
from tagger.review.apart import DiedError, apart
from tagger.review.learner import can_learn
from tagger.review.questions import Suspect

if TYPE_CHECKING:  # numpy and SQLAlchemy come with it, which the page does without
    from tagger.catalog import Catalog
    from tagger.learning.doubting import Doubtful, Sound

log = logging.getLogger(__name__)

_DIED = "the process that looked for them has died; end the review by Ctrl-C, and start it anew"
_NONE_KNOWN = (
    "no track with a genre of yours is known yet; run tagger tag --no-write on your music first"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found.

    Args:
        suspects: The tracks whose genre looks wrong, the surest first.
        why_not: Why nothing could be judged, or "".
    """

    suspects: tuple[Suspect, ...] = ()
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look, and by what.

    Args:
        location: The catalogue.
        folders: Only tracks in these; () is anywhere.
        treat_as_blank: Genres that count as none.
        cards: Of models that may have heard, where too little can be learned.
        genre_list: The owner's.
    """

    location: str | Path
    folders: tuple[Path, ...] = ()
    treat_as_blank: tuple[str, ...] = ()
    cards: tuple[ModelCard, ...] = ()
    genre_list: GenreList = ANY


def look(search: Search) -> Looked:
    """Return the tracks whose genre looks wrong; runs in its own process."""
    from tagger.catalog import Catalog
    from tagger.learning.doubting import find_doubtful

    try:
        with Catalog.open(search.location, create=False, read_only=True) as catalog:
            doubts = find_doubtful(
                catalog,
                search.folders,
                sound=_sound(catalog, search),
                treat_as_blank=search.treat_as_blank,
                kept=catalog.kept_genres(),
                genre_list=search.genre_list,
            )
            suspects = tuple(_suspects(catalog, search, doubts.found))
    except TaggerError as exc:
        return Looked(why_not=str(exc))
    return Looked(suspects, "" if doubts.n_judged else _NONE_KNOWN)


def _sound(catalog: Catalog, search: Search) -> Sound:
    """Return what tells how tracks sound: the owner's other tracks, or else a model at hand."""
    from tagger.learning.doubting import heard_by, learned

    if can_learn():
        from tagger.learning.reviewing import judged_in

        try:
            return learned(judged_in(catalog, search.folders, search.genre_list))
        except LearnError as exc:
            log.info("nothing is learned: %s", exc)
    return heard_by(catalog, search.cards, search.genre_list)


def _suspects(catalog: Catalog, search: Search, found: Sequence[Doubtful]) -> Iterator[Suspect]:
    doubtful = {one.file_id for one in found}
    asked = catalog.unanswered(search.folders, only_blank=False)
    tracks = {track.file_id: track for track in asked if track.file_id in doubtful}
    for one in found:
        track = tracks.get(one.file_id)
        # Another run may have recorded it in between.
        if track is not None and (track.path, track.tags.genres) == (one.path, one.genres):
            yield Suspect(track, _likely(one), tuple(_whys(one)))


def _likely(doubt: Doubtful) -> tuple[str, ...]:
    """Return what a track seems to be, likeliest first."""
    rest = () if doubt.rest is None else doubt.rest.genres
    heard = () if doubt.heard is None else (doubt.heard.suggestion,)
    return tuple(dict.fromkeys((*rest, *heard)))


def _whys(doubt: Doubtful) -> Iterator[str]:
    """Yield in words what speaks against a track's genre."""
    if doubt.rest is not None:
        rest = doubt.rest
        whose = f"the rest of its {rest.kind.value}"
        n = f"{rest.n_agreeing} of {rest.n_recordings}"
        yield f"{n} others say {', '.join(rest.genres)}: {whose}"
    if doubt.heard is not None and doubt.heard.is_doubt:
        heard = doubt.heard
        own = "" if heard.likelihood is None else f", its own {heard.likelihood:.0%}"
        yield f"sounds like {heard.suggestion} {heard.confidence:.0%}{own}"


@dataclass
class Doubter:
    """Looks once; what it has found comes by itself.

    Args:
        search: Where to look.
        take: Given what was found.
    """

    search: Search
    take: Callable[[Looked], None]

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="doubting", daemon=True).start()

    def _run(self) -> None:
        try:
            self.take(apart(look, self.search))
        except DiedError:
            self.take(Looked(why_not=_DIED))
