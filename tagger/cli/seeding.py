"""Which tracks may be recommended, as the command line gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tagger.cli.options import Command, NumberRange, under_option, year_option
from tagger.files.paths import absolute
from tagger.recommending.recommend import MAX_PER_ARTIST, SimilarQuery

_SECONDS = NumberRange(0)


def query_options(command: Command) -> Command:
    """Give a command the options that say which tracks may be named."""
    for option in reversed(_QUERY_OPTIONS):
        command = option(command)
    return command


_QUERY_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--max-per-artist",
        type=click.IntRange(0),
        metavar="N",
        default=MAX_PER_ARTIST,
        show_default=True,
        help="At most so many by one artist; 0: any number.",
    ),
    under_option,
    year_option,
    click.option("--min-duration", type=_SECONDS, metavar="SECONDS", help="Only tracks as long."),
    click.option("--max-duration", type=_SECONDS, metavar="SECONDS", help="Only tracks as short."),
)


def query_of(
    n: int, genres: Sequence[str], options: Mapping[str, Any], *, same_genre: bool = False
) -> SimilarQuery:
    """Return the query that the options come to."""
    return SimilarQuery(
        n=n,
        genres=tuple(genres),
        same_genre=same_genre,
        max_per_artist=options["max_per_artist"] or None,
        under=options["under"],
        min_duration_s=options["min_duration"],
        max_duration_s=options["max_duration"],
        years=options["year"],
    )


def parse_mix(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> Any:
    """Return {genre: share} of ``"Rock=2,Electronic"``, given once or several times."""
    shares: dict[str, float] = {}
    for part in (part for value in values for part in value.split(",") if part.strip()):
        genre, equals, share = part.partition("=")
        try:
            shares[genre.strip()] = float(share) if equals else 1.0
        except ValueError as exc:
            raise click.BadParameter(f"{share!r} is no number; say for instance Rock=2") from exc
    if any(not genre or not 0 < share < float("inf") for genre, share in shares.items()):
        raise click.BadParameter("each part is a genre and how much of it, such as Rock=2")
    return shares


def parse_path_map(values: Sequence[str]) -> Mapping[str, str]:
    """Return {folder here: folder there} of ``"/home/me/Music=/music"``, given several times.

    >>> parse_path_map(["/home/me/Music=/music"])
    {'/home/me/Music': '/music'}
    """
    folders = {}
    for value in values:
        here, equals, there = value.partition("=")
        if not here or not equals:
            raise click.BadParameter(f"{value!r}: say for instance /home/me/Music=/music")
        folders[str(absolute(Path(here)))] = there
    return folders
