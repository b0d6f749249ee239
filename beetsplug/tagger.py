"""The plugin ``tagger`` for beets: fills blank genres, which beets writes, and finds what is alike.

A door like the command line: beets is known here alone, and all logic is in the rooms. What beets
wrote is undone by beets (docs/beets.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from optparse import Values
from pathlib import Path
from typing import Any

import mediafile
from beets import ui
from beets.dbcore import types
from beets.exceptions import UserError
from beets.library import Album, Item, Library
from beets.plugins import BeetsPlugin

import tagger
from tagger.catalog import Catalog
from tagger.config import load_settings, refuse_unknown
from tagger.errors import TaggerError
from tagger.genre_text import are_among
from tagger.records import TagsFound
from tagger.tagging.held import HeldTrack, Proposal, propose
from tagger.tagging.request import Wish

FIELD = "tagger_genre"
"""What our own field is called in beets: ``GENRE; CONFIDENCE; SOURCE``."""

_OWN_OPTIONS = {"auto": True, "force": False, "pretend": False}
_N_SIMILAR = 10


class TaggerPlugin(BeetsPlugin):
    """Fills blank genres at import and by ``beet tagger``; ``beet similar``."""

    item_types = {FIELD: types.STRING}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.config.add(_OWN_OPTIONS)
        self._imported: list[int] = []
        if FIELD not in mediafile.MediaFile.fields():
            self.add_media_field(FIELD, _media_field())
        if self.config["auto"].get(bool):
            self.register_listener("album_imported", self._album_imported)
            self.register_listener("item_imported", self._item_imported)
            self.register_listener("import", self._import_is_over)

    # At import: all at once when it is over, with the files in their places

    def _album_imported(self, **told: Any) -> None:
        self._note(told["album"].items())

    def _item_imported(self, **told: Any) -> None:
        self._note([told["item"]])

    def _note(self, items: Iterable[Item]) -> None:
        self._imported += [item.id for item in items if item.id is not None]

    def _import_is_over(self, **told: Any) -> None:
        lib: Library = told["lib"]
        found = [lib.get_item(number) for number in dict.fromkeys(self._imported)]
        self._imported.clear()
        try:
            self._fill(lib, [item for item in found if item is not None])
        except TaggerError as exc:  # what was imported is imported
            self._log.error("{}", exc)

    # Commands

    def commands(self) -> list[ui.Subcommand]:
        """Return what ``beet`` can be asked for."""
        fill = ui.Subcommand("tagger", help="fill blank genres by your own tags, or by ear")
        fill.parser.usage = "%prog [options] [QUERY]"
        fill.parser.add_option(
            "-p", "--pretend", action="store_true", help="show what would be done, and do nothing"
        )
        fill.parser.add_option(
            "-f", "--force", action="store_true", help="replace genres that are there, yours too"
        )
        fill.func = self._tagger
        alike = ui.Subcommand("similar", help="list the tracks that sound most like those of QUERY")
        alike.parser.usage = "%prog [options] QUERY"
        alike.parser.add_option(
            "-n", dest="n", type="int", default=_N_SIMILAR, help="at most so many (default: 10)"
        )
        alike.parser.add_all_common_options()
        alike.func = self._similar
        return [fill, alike]

    def _tagger(self, lib: Library, opts: Values, args: list[str]) -> None:
        self.config.set_args(vars(opts))
        try:
            self._fill(lib, list(lib.items(args)))
        except TaggerError as exc:
            raise UserError(str(exc)) from exc

    def _similar(self, lib: Library, opts: Values, args: list[str]) -> None:
        if not args:
            raise UserError("similar to what? name tracks by a query")
        asked = [_path_of(item) for item in lib.items(args)]
        if not asked:
            raise UserError("no track in your library matches that query")
        try:
            # Of what the catalogue knows beets may hold a part.
            query = tagger.SimilarQuery(n=max(1, len(lib.items())))
            matches = tagger.similar(asked, query, **self._settings())
        except TaggerError as exc:
            raise UserError(str(exc)) from exc
        held = _by_path(lib.items())
        named = [held[one.row.path] for one in matches if one.row.path in held]
        for item in named[: opts.n]:
            ui.print_(format(item, opts.format or ""))

    # Filling

    def _fill(self, lib: Library, items: Sequence[Item]) -> None:
        """Fill the genres of items that have none; of all, if told to.

        Raises:
            TaggerError: nothing could begin.
        """
        force, pretend = self.config["force"].get(bool), self.config["pretend"].get(bool)
        settings, sources = load_settings({**self._settings(), "overwrite": force})
        blank = settings.treat_as_blank
        asked = _by_path(item for item in items if force or _is_blank(item, blank))
        if not asked:
            return
        wish = Wish(tuple(asked), settings, sources, write=False, dry_run=pretend)
        held = map(_held, lib.items())
        with (
            Catalog.open(settings.catalog, read_only=pretend) as catalog,
            closing(propose(wish, catalog, held, self._tell)) as proposals,
        ):
            filled = [asked[one.path] for one in proposals if self._take(one, asked, pretend)]
        n_left = sum(_is_blank(item, blank) for item in asked.values())
        self._log.info("left blank: {} of {}; beet -v tagger says why", n_left, len(asked))
        if not pretend:
            for album in _albums_of(lib, filled):
                _fill_album(album, blank)

    def _take(self, one: Proposal, asked: dict[Path, Item], pretend: bool) -> bool:
        """Have beets show, write and store what is proposed; return whether it did."""
        item = asked.get(one.path)
        if item is None:
            return False
        if one.failure is not None:
            self._log.warning("{}: {}", item, one.reason)
        elif not one.genres:
            self._log.debug("{}: {}", item, one.reason)
        if not one.genres:
            return False
        item["genres"] = list(one.genres)
        item[FIELD] = one.field_text
        ui.show_model_changes(item, fields=["genres"])
        if pretend or (ui.should_write() and not item.try_write()):
            return False  # what beets could not write stays blank, to be filled another time
        item.store()
        return True

    def _tell(self, note: str) -> None:
        self._log.warning("{}", note)  # an import shows nothing less

    def _settings(self) -> dict[str, Any]:
        """Return the tagger's own settings that stand in beets' config.

        Raises:
            ConfigError: one is none.
        """
        found = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in self.config.flatten().items()
            if name not in _OWN_OPTIONS
        }
        refuse_unknown(found)
        return found


def _media_field() -> mediafile.MediaField:
    """Return our own field as each format has it."""
    return mediafile.MediaField(
        mediafile.MP3DescStorageStyle("TAGGER_GENRE"),
        mediafile.MP4StorageStyle("----:tagger:GENRE"),
        mediafile.StorageStyle("TAGGER_GENRE"),
        mediafile.ASFStorageStyle("TAGGER/GENRE"),
    )


def _path_of(item: Item) -> Path:
    return Path(os.fsdecode(item.path))


def _by_path(items: Iterable[Item]) -> dict[Path, Item]:
    return {_path_of(item): item for item in items}


def _genres_of(model: Item | Album) -> tuple[str, ...]:
    """Return the genres of an item, not those of its album; or of an album."""
    found = model.get("genres", with_album=False) if isinstance(model, Item) else model.genres
    return tuple(found or ())


def _is_blank(model: Item | Album, treat_as_blank: Sequence[str]) -> bool:
    return are_among(_genres_of(model), treat_as_blank)


def _held(item: Item) -> HeldTrack:
    """Return an item as the tagger takes it: beets' tags, not the file's."""
    return HeldTrack(
        _path_of(item),
        TagsFound(
            genres=_genres_of(item),
            provenance=item.get(FIELD) or None,
            title=item.title,
            artist=item.artist,
            album=item.album,
            album_artist=item.albumartist,
            mb_recording=item.mb_trackid or "",
            isrc=item.isrc or "",
            mb_artists=_ids(item.mb_artistids, item.mb_artistid),
            mb_album_artists=_ids(item.mb_albumartistids, item.mb_albumartistid),
        ),
    )


def _ids(several: Sequence[str] | None, one: str | None) -> tuple[str, ...]:
    return tuple(several or filter(None, [one]))


def _albums_of(lib: Library, items: Iterable[Item]) -> Iterator[Album]:
    for number in dict.fromkeys(item.album_id for item in items):
        album = lib.get_album(number) if number else None
        if album is not None:
            yield album


def _fill_album(album: Album, treat_as_blank: Sequence[str]) -> None:
    """Give an album that has no genre the one that all its tracks have."""
    of_tracks = {_genres_of(item) for item in album.items()}
    if len(of_tracks) == 1 and _is_blank(album, treat_as_blank):
        album["genres"] = list(of_tracks.pop())
        album.store(inherit=False)
