"""Playlists that are made anew when the library has changed, as far as nobody else changed them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from tagger.catalog import Reader
from tagger.config import load_settings
from tagger.errors import CatalogError, TaggerError, plain, printable
from tagger.players.server_playlists import Sent, send_playlist
from tagger.players.subsonic import Server, account_of
from tagger.recommending.ears import chosen_ear
from tagger.recommending.keeping import Standing, sealed, standing_of, write_playlist
from tagger.recommending.playlist import Song, m3u8
from tagger.recommending.recipes import Recipe
from tagger.recommending.sequences import songs_of
from tagger.recommending.smart import is_smart, smart_playlist

log = logging.getLogger(__name__)


class Became(StrEnum):
    """What became of a playlist."""

    WRITTEN = "written"
    PLANNED = "planned"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A playlist, and what became of it.

    Args:
        name: Its name.
        became: What became of it.
        where: Its file, or the server that holds it.
        n_tracks: How many tracks it has now, or would have.
        why: Why it was kept, or failed.
        unknown: Songs that the server does not know.
    """

    name: str
    became: Became
    where: str
    n_tracks: int = 0
    why: str = ""
    unknown: tuple[Song, ...] = ()


def refreshed(
    recipes: Mapping[str, Recipe],
    catalog: str | None = None,
    *,
    force: bool = False,
    dry_run: bool = False,
) -> Iterator[Refreshed]:
    """Make playlists anew; yield what became of each. One that fails stops no other.

    Args:
        recipes: {name: recipe}, each with an output.
        catalog: The catalogue, if not that of the settings.
        force: Write over what somebody changed or made.
        dry_run: Write nothing.

    Raises:
        CatalogError: the catalogue cannot be read.
    """
    settings, _ = load_settings({"catalog": catalog})
    how = _How(force=force, dry_run=dry_run)
    with Reader.open(settings.catalog) as reader:
        for name, recipe in recipes.items():
            if recipe.output is not None:
                yield _told(name, printable(recipe.output), partial(_in_file, reader, recipe, how))
            if recipe.subsonic:
                where = f"{plain(recipe.subsonic)} on {plain(settings.subsonic.get('url', '?'))}"
                yield _told(name, where, partial(_on_server, reader, recipe, how))


@dataclass(frozen=True, slots=True)
class _How:
    force: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    standing: Standing
    n_tracks: int
    unknown: tuple[Song, ...] = ()

    def became(self, how: _How) -> Became:
        """Return what became of the playlist."""
        if self.standing is Standing.SAME:
            return Became.UNCHANGED
        if self.standing in (Standing.CHANGED, Standing.THEIRS) and not how.force:
            return Became.KEPT
        return Became.PLANNED if how.dry_run else Became.WRITTEN


def _told(name: str, where: str, make: Callable[[], tuple[Became, _Outcome]]) -> Refreshed:
    """Return what became of a playlist that is made now."""
    try:
        became, found = make()
    except TaggerError as exc:
        log.info("a playlist is not made", exc_info=True)
        return Refreshed(name, Became.FAILED, where, why=str(exc))
    why = found.standing.value if became is Became.KEPT else ""
    return Refreshed(name, became, where, found.n_tracks, why, found.unknown)


def _in_file(reader: Reader, recipe: Recipe, how: _How) -> tuple[Became, _Outcome]:
    assert recipe.output is not None, "whoever asks has seen one"
    text, n_tracks = playlist_of(reader, _with_known_seeds(reader, recipe), recipe.output)
    found = _Outcome(standing_of(recipe.output, sealed(text)), n_tracks)
    became = found.became(how)
    if became is Became.WRITTEN:
        write_playlist(recipe.output, text, force=how.force)
    return became, found


def _on_server(reader: Reader, recipe: Recipe, how: _How) -> tuple[Became, _Outcome]:
    known = _with_known_seeds(reader, recipe)
    sent = send(reader, known, force=how.force, dry_run=how.dry_run)
    found = _Outcome(sent.standing, sent.n_songs, sent.unknown)
    return found.became(how), found


def send(reader: Reader, recipe: Recipe, *, force: bool = False, dry_run: bool = False) -> Sent:
    """Have the Subsonic server of the settings hold a playlist.

    Args:
        reader: The catalogue.
        recipe: What it is made of, and what it is called there.
        force: Replace what is not ours as well.
        dry_run: Change nothing.

    Raises:
        TaggerError: There is nothing to be named, or the server is away or says no.
    """
    settings, _ = load_settings({})
    server = Server(account_of(settings.subsonic, os.environ))
    songs = _songs(reader, recipe)
    return send_playlist(server, recipe.subsonic, songs, force=force, dry_run=dry_run)


def _with_known_seeds(reader: Reader, recipe: Recipe) -> Recipe:
    """Return a recipe without the seeds that are gone; that is said, as long as one is left."""
    known = tuple(path for path in recipe.like if reader.track_at(path) is not None)
    if len(known) == len(recipe.like):
        return recipe
    if not known:
        raise CatalogError("none of the tracks that it is to be like is in the catalogue any more")
    for path in recipe.like:
        if path not in known:
            log.warning("%s: not in the catalogue, left out", printable(path))
    return replace(recipe, like=known)


def check_keepable(reader: Reader, recipe: Recipe) -> None:
    """Check that the catalogue will know what a playlist is to be like, whenever it is made anew.

    Raises:
        CatalogError: It does not know one of the tracks.
    """
    for path in recipe.like:
        if reader.track_at(path) is None:
            raise CatalogError("a playlist that is kept needs it in the catalogue: tag it", path)


def playlist_of(reader: Reader, recipe: Recipe, output: Path | None) -> tuple[str, int]:
    """Return the text of a playlist, and how many tracks it has.

    Args:
        reader: The catalogue.
        recipe: What it is made of.
        output: Where it is to lie; None is the folder that one works in.
    """
    if output is not None and is_smart(output):
        return smart_playlist(reader, recipe, output), recipe.n
    if recipe.path_map is None:
        recipe = replace(recipe, path_map=load_settings({})[0].path_map)
    songs = _songs(reader, recipe)
    # Of a link its target is written.
    folder = Path.cwd() if output is None else Path(os.path.realpath(output)).parent
    return m3u8(songs, None if recipe.absolute else folder, recipe.mapped), len(songs)


def _songs(reader: Reader, recipe: Recipe) -> list[Song]:
    settings, sources = load_settings({"model": recipe.model or None})
    return songs_of(reader, recipe, chosen_ear(reader, settings, sources))
