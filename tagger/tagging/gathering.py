"""The owner's tags as a run gathers them, before anything is heard or decided.

All files that the run covers are looked at first, and the catalogue is asked for the rest, so that
neither the order of the walk nor how it is cut changes what the tags say.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from tagger.catalog import Catalog
from tagger.catalog.witnesses import Before, TaggedFile
from tagger.errors import ConfigError, TagReadError
from tagger.evidence.artists import marks_of
from tagger.evidence.folders import Layouts, readings_of
from tagger.evidence.library import Library
from tagger.evidence.names import Album, artist_of
from tagger.evidence.trials import Kind
from tagger.evidence.witnesses import Witnesses, about
from tagger.files.paths import absolute
from tagger.files.scan import ScanTally, scan
from tagger.genre_text import are_among
from tagger.records import AudioFile, TagsFound
from tagger.tagging.chunking import chunks
from tagger.tagging.request import TagRequest
from tagger.tagging.testimony import Ours, Places, Testimony, Whose, whose
from tagger.tagging.track import is_as_found
from tagger.tags import is_ours, overruled_in, read_tags, source_of

_AT_ONCE = 1000  # files looked up at a time
_N_READERS = 8  # that wait for the disk side by side
_ANYWHERE = Path("/folder/file")  # an album's name alone is compared


def gather(
    request: TagRequest, catalog: Catalog, tick: Callable[[int], object] = lambda _n: None
) -> Testimony:
    """Return what the owner's tags say, in the files of a run and in the catalogue.

    How sure that is takes the whole library to tell; it is gone through where anything in it
    speaks of an artist or an album of which a file of the run is blank, or ours.

    Args:
        request: Whose files are looked at.
        catalog: What it knows is not read again.
        tick: Told of how many more files were looked at.

    Raises:
        ConfigError: a genre that was asked for is nowhere.
    """
    if not request.evidence:
        return Testimony.none()
    gathering = _Gathering(request, catalog, tick)
    gathering.look()
    # Of a library that has nothing to say of what is asked about, nothing else need be known.
    if not (request.unknown_genres or gathering.may_be_told()):
        return Testimony.none()
    gathering.ask_for_the_rest()
    held = gathering.layouts.surest()
    library = gathering.witnesses.library(held)
    _check_names(request, library)
    return Testimony(library, gathering.places, request.evidence, ours=gathering.ours, held=held)


def _check_names(request: TagRequest, library: Library) -> None:
    """Raise ConfigError if a genre that was asked for stands in no tag of the library either."""
    borne = [genre for genres in library.written for genre in genres]
    listed = request.policy.genre_list.word_for
    strange = [name for name in request.unknown_genres if not are_among([listed(name)], borne)]
    if strange:
        known = ", ".join(request.card.genre_labels)
        raise ConfigError(
            f"--genres: neither this model nor your library knows {', '.join(strange)}; the model "
            f"knows {known}"
        )


class _Gathering:
    """Looks at the files of a run, and then asks the catalogue for those elsewhere."""

    def __init__(
        self, request: TagRequest, catalog: Catalog, tick: Callable[[int], object]
    ) -> None:
        self._request = request
        self._tick = tick
        self._asked: set[tuple[str, Album | None]] = set()
        self._catalog = catalog
        self._answers = catalog.answer_of_tracks()
        self._seen = array("q")
        self._held = array("q")  # files with a person's genre, while nobody asks for one
        self.places = Places()
        self.witnesses = Witnesses(request.intent.treat_as_blank)
        self.layouts = Layouts()
        self.ours: Counter[Ours] = Counter()
        self._asks_folders = False

    def look(self) -> None:
        """Take the files that the run covers: as recorded where they have not changed since."""
        request = self._request
        with ThreadPoolExecutor(_N_READERS) as readers:
            for files in chunks(scan(request.paths, request.scan, ScanTally()), _AT_ONCE):
                known = self._catalog.recorded(files)
                self._seen.extend(known.unchanged.values())
                for file, tags in known.blank:
                    self._ask(whose(file.path, tags))
                for one in known.tagged:
                    if self._may_wait(one):
                        self._held.append(one.file_id)
                    elif not self._take_known(one):
                        self._count(one.file, one.tags, one.decided_by)
                new = [n for n in range(len(files)) if n not in known.unchanged]
                read = zip(new, readers.map(_tags, [files[n] for n in new]), strict=True)
                self._take_new((files[n], tags, known.changed.get(n, Before())) for n, tags in read)
                self._tick(len(files))
                if self._asked and self._held:
                    self._take_held()

    def _may_wait(self, one: TaggedFile) -> bool:
        """Return whether a file can only speak for others, and none of them has come up yet.

        Where all of a library bears its owner's genres, as on most nights, nobody is asked at all.
        """
        if self._asked or self._request.unknown_genres:
            return False
        blank = self._request.intent.treat_as_blank
        is_blank = bool(blank) and are_among(one.tags.genres, blank)
        return not (is_blank or is_ours(one.tags, one.written))

    def _take_held(self) -> None:
        """Take the files that were held back, now that they are asked."""
        held, self._held = self._held.tolist(), array("q")
        for one in self._catalog.tagged_files(held):
            self._take_known(one)

    def _take_new(self, found: Iterable[tuple[AudioFile, TagsFound, Before]]) -> None:
        """Take files that are not as recorded, but for copies of those that we have written."""
        tagged = []
        for file, tags, before in found:
            if tags.genres:
                overruled = overruled_in(tags, before.written, before.tags)
                tagged.append((file, replace(tags, overruled=overruled), before.written))
            else:
                self._ask(whose(file.path, tags))
        sizes = {file.size_bytes for file, _, _ in tagged}
        ours = self._catalog.written_unsigned(sizes) if sizes else set()
        for file, tags, written in tagged:
            if is_ours(tags, written):
                self._count(file, tags, "")
            elif (file.size_bytes, tags.genres) not in ours:
                self._take(file, tags)

    def _count(self, file: AudioFile, tags: TagsFound, decided_by: str) -> None:
        """Note a genre of ours, which may follow what the owner's tags say."""
        one = whose(file.path, tags)
        self._ask(one)
        is_by_evidence = (source_of(tags) or decided_by) in tuple(Kind)
        self.ours[Ours(one, tags.genres, is_by_evidence)] += 1

    def _ask(self, one: Whose) -> None:
        """Note whose track, and of what, is blank or ours, so that the library may be asked."""
        if one.artist or one.album:
            self._asked.add((one.artist, one.album))
        self._asked.update((artist, album) for _, artist, album in one.told)
        self._asks_folders |= bool(one.told)

    def may_be_told(self) -> bool:
        """Return whether any tag could say anything of what is to be asked."""
        if any(self.witnesses.speak_of(*one) for one in self._asked):
            return True
        artists = {mark for artist, _ in self._asked for mark in marks_of(artist)}
        albums = {name for _, album in self._asked if album for name in _names_of(album)}
        if not (artists or albums):
            return False
        for tags in self._catalog.tagged_names():
            if self._asks_folders and not (artist_of(tags) and tags.album):
                return True  # its folders may tell, and are not told here
            track = about(_ANYWHERE, tags)
            if not artists.isdisjoint(marks_of(track.artist)):
                return True
            if track.album and not albums.isdisjoint(_names_of(track.album)):
                return True
        return False

    def ask_for_the_rest(self) -> None:
        """Take what the catalogue knows of other files."""
        seen = np.unique(np.array(self._seen, np.int64))
        others = np.setdiff1d(self._catalog.tagged_ids(), seen, assume_unique=True)
        for one in self._catalog.tagged_files(others.tolist()):
            # The walk has just passed by without finding it as it was recorded.
            if not self._is_covered(one.file) or is_as_found(one.file):
                self._take_known(one)

    def _is_covered(self, file: AudioFile) -> bool:
        """Return whether the run looks at the place where a file is."""
        folders = self._request.scan.folders
        if folders is not None:
            return file.folder in folders
        return any(file.path.is_relative_to(absolute(path)) for path in self._request.paths)

    def _take_known(self, one: TaggedFile) -> bool:
        """Take a file, unless its genres are ours; return whether they are not."""
        if is_ours(one.tags, one.written):
            return False
        self._take(one.file, one.tags, self._answers.get(one.track_id, -1))
        return True

    def _take(self, file: AudioFile, tags: TagsFound, answer: int = -1) -> None:
        intent, one = self._request.intent, about(file.path, tags)
        if intent.treat_as_blank and are_among(tags.genres, intent.treat_as_blank):
            self._ask(whose(file.path, tags))
            return
        # What is given up is not taken for granted: it is to be replaced by this run.
        is_given_up = intent.overwrite and self._is_covered(file)
        genres = self._request.policy.genre_list.telling(tags.genres)
        if is_given_up:
            return
        self.layouts.take(file.path, tags)
        place = len(self.places)
        speaks = self.witnesses.add(place, one, genres, answer=answer)
        for reading in readings_of(file.path, tags):
            told = about(file.path, reading.told(tags))
            speaks |= self.witnesses.add(place, told, genres, answer=answer, reading=reading)
        if speaks:
            self.places.add(file)


def _names_of(album: Album) -> set[tuple[str, str]]:
    """Return what another album may have in common with this one, in whatever folder it lies."""
    return {(album.title, mark) for mark in marks_of(album.artist)} or {(album.title, "")}


def _tags(file: AudioFile) -> TagsFound:
    """Return what a file's tags say; nothing where they cannot be read."""
    try:
        return read_tags(file.path)
    except TagReadError:
        return TagsFound()
