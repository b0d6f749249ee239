"""What ``import tagger`` offers: the rooms that the command line uses, for other programs.

Settings go by the names that they have in the config file; one that is not given comes from the
environment, the config file, or is the default. Nothing is printed (docs/api.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.config import Settings, Sourced, load_settings
from tagger.errors import ConfigError
from tagger.files.paths import absolute
from tagger.recommending.recommend import Match, SimilarQuery
from tagger.records import TrackResult

if TYPE_CHECKING:
    from tagger.catalog import TrackRow

AnyPath = str | PathLike[str]


def classify(path: AnyPath, **settings: Any) -> TrackResult:
    """Return what a file sounds like, and the genres that would be written if it had none.

    Nothing is written, and no catalogue is asked.

    Args:
        path: A file.
        settings: ``model``, ``genres``, ``min_confidence``, ``max_genres``, ``genre_map``.

    Raises:
        TaggerError: nothing can be heard in it, or a setting makes no sense.
    """
    from tagger.tagging.classifying import classify

    return classify(_path(path), _settings(settings)[0])


def tag(
    paths: Iterable[AnyPath],
    *,
    write: bool = True,
    dry_run: bool = False,
    force: bool = False,
    refresh: bool = False,
    **settings: Any,
) -> Iterator[TrackResult]:
    """Fill blank genres as ``tagger tag`` does; yield what became of each track.

    The run goes on as results are taken: nothing happens before the first is asked for, and a run
    that is left early stands in the catalogue as interrupted.

    Args:
        paths: Folders and files.
        write: Write tags, and not only the catalogue.
        dry_run: Touch nothing, not even the catalogue.
        force: Analyse again what is known, and write again what was taken back.
        refresh: Analyse what only another model has heard, though no model is named.
        settings: Any of the config file.

    Raises:
        TaggerError: nothing could begin; a file that fails is a result.
    """
    from tagger.catalog import Catalog
    from tagger.tagging.request import Wish, make_request
    from tagger.tagging.run import TagRun

    in_force, sources = _settings(settings)
    wish = Wish(
        tuple(map(_path, paths)),
        in_force,
        sources,
        write=write,
        refresh=refresh,
        dry_run=dry_run,
        force=force,
    )
    with Catalog.open(in_force.catalog, read_only=dry_run) as catalog:
        request, _ = make_request(wish, catalog)
        with closing(TagRun(request, catalog).results()) as results:
            yield from results


def similar(
    paths: Iterable[AnyPath], query: SimilarQuery | None = None, **settings: Any
) -> list[Match]:
    """Return the tracks of the catalogue that sound most like some files, the likest first.

    Args:
        paths: Files; one that the catalogue does not know is heard now, and not added.
        query: How many, and which tracks may be named.
        settings: ``catalog``, ``model``.

    Raises:
        TaggerError: there is nothing to compare, or no such file.
    """
    from tagger.catalog import Reader
    from tagger.recommending.ears import chosen_ear, seed_of_paths
    from tagger.recommending.recommend import recommend

    in_force, sources = _settings(settings)
    with Reader.open(in_force.catalog) as reader:
        ear = chosen_ear(reader, in_force, sources)
        seed = seed_of_paths(reader, list(map(_path, paths)), ear)
        return recommend(reader, seed, query or SimilarQuery())


def playlist(
    paths: Iterable[AnyPath] = (), query: SimilarQuery | None = None, **settings: Any
) -> list[TrackRow]:
    """Return tracks like some files, or of the genres of a query, in an order to be played.

    Args:
        paths: Files.
        query: How many, and which tracks may be named.
        settings: ``catalog``, ``model``.

    Raises:
        TaggerError: there is nothing to compare, or no such file.
    """
    from tagger.catalog import Reader
    from tagger.recommending.ears import chosen_ear
    from tagger.recommending.sequences import alike

    in_force, sources = _settings(settings)
    with Reader.open(in_force.catalog) as reader:
        ear = chosen_ear(reader, in_force, sources)
        return alike(reader, list(map(_path, paths)), query or SimilarQuery(n=25), ear)


def _path(path: AnyPath) -> Path:
    return absolute(Path(fspath(path)).expanduser())


def _settings(given: Mapping[str, Any]) -> tuple[Settings, Mapping[str, Sourced]]:
    """Return the settings in force, and where each came from.

    Raises:
        ConfigError: one is unknown, or makes no sense.
    """
    known = [field.name for field in fields(Settings)]
    for name in given:
        if name not in known:
            raise ConfigError(f"unknown setting {name!r}; known: {', '.join(known)}")
    return load_settings(
        {name: str(v) if isinstance(v, PathLike) else v for name, v in given.items()}
    )
