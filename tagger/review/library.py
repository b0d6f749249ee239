"""The catalogue of a review: asked in plain SQL until its page stands, and then opened whole."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tagger.catalog import Reader
from tagger.errors import CatalogError

if TYPE_CHECKING:  # it brings SQLAlchemy, which the page does without
    from tagger.catalog import Catalog


log = logging.getLogger(__name__)


class Library:
    """A catalogue that is opened whole when something is to be kept in it, at the latest.

    What is more than a sound file of this version that its owner may write to is opened whole at
    once, so that what is wrong with it is said before there is a page.

    Args:
        location: Where it is.

    Raises:
        CatalogError: It cannot be opened.
    """

    def __init__(self, location: str | Path) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._opened = ExitStack()
        self._catalog: Catalog | None = None
        reader = Reader.at_once(location) if _may_be_written(location) else None
        self.first: Reader | Catalog = (
            self._opened.enter_context(reader) if reader else self.whole()
        )
        """What may be asked at once."""

    def __enter__(self) -> Self:
        """Return the library itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the catalogue."""
        self._opened.close()

    def whole(self) -> Catalog:
        """Return the catalogue, opened whole.

        Raises:
            CatalogError: It cannot be opened.
        """
        from tagger.catalog import Catalog

        with self._lock:
            if self._catalog is None:
                opened = Catalog.open(self._location, create=False)
                self._catalog = self._opened.enter_context(opened)
            return self._catalog

    def open_soon(self) -> None:
        """Open it whole, so that the first answer need not wait for that."""
        try:
            self.whole()
        except CatalogError as exc:  # the page says what is wrong, and the next answer tries again
            log.info("%s", exc)

    def said_of(self, track_ids: Sequence[int]) -> Mapping[int, Mapping[str, Mapping[str, float]]]:
        """Return {track_id: {model_id: {label: p}}} of what models have heard."""
        return self._now.said_of(track_ids)

    def persons_genres(self, artist: str = "") -> Mapping[tuple[str, ...], int]:
        """Return {genres that a person set: on how many tracks}, of one artist or of all."""
        return self._now.persons_genres(artist)

    @property
    def _now(self) -> Reader | Catalog:
        # The first may have been told that nobody changes the file: it is asked no longer then.
        return self._catalog or self.first


def _may_be_written(location: str | Path) -> bool:
    path = Path(location)
    return all(os.access(place, os.W_OK) for place in (path, path.parent))
