"""Playlists that are made anew when the library has changed, as far as nobody else changed them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tagger.catalog import Reader
from tagger.config import load_settings
from tagger.errors import CatalogError, TaggerError, printable
from tagger.recommending.ears import chosen_ear
from tagger.recommending.keeping import Standing, sealed, standing_of, write_playlist
from tagger.recommending.playlist import m3u8
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
        output: Its file.
        n_tracks: How many tracks it has now, or would have.
        why: Why it was kept, or failed.
    """

    name: str
    became: Became
    output: Path
    n_tracks: int = 0
    why: str = ""


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
    with Reader.open(settings.catalog) as reader:
        for name, recipe in recipes.items():
            assert recipe.output is not None, "whoever keeps a recipe has given it one"
            try:
                yield _refreshed(reader, name, recipe, recipe.output, force=force, dry_run=dry_run)
            except TaggerError as exc:
                log.info("a playlist is not made", exc_info=True)
                yield Refreshed(name, Became.FAILED, recipe.output, why=str(exc))


def _refreshed(
    reader: Reader, name: str, recipe: Recipe, output: Path, *, force: bool, dry_run: bool
) -> Refreshed:
    text, n_tracks = playlist_of(reader, _with_known_seeds(reader, recipe), output)
    standing = standing_of(output, sealed(text))
    if standing is Standing.SAME:
        return Refreshed(name, Became.UNCHANGED, output, n_tracks)
    if standing in (Standing.CHANGED, Standing.THEIRS) and not force:
        return Refreshed(name, Became.KEPT, output, n_tracks, standing.value)
    if dry_run:
        return Refreshed(name, Became.PLANNED, output, n_tracks)
    write_playlist(output, text, force=force)
    return Refreshed(name, Became.WRITTEN, output, n_tracks)


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
    settings, sources = load_settings({"model": recipe.model or None})
    if recipe.path_map is None:
        recipe = replace(recipe, path_map=settings.path_map)
    songs = songs_of(reader, recipe, chosen_ear(reader, settings, sources))
    # Of a link its target is written.
    folder = Path.cwd() if output is None else Path(os.path.realpath(output)).parent
    return m3u8(songs, None if recipe.absolute else folder, recipe.mapped), len(songs)
