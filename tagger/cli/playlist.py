"""``tagger playlist``: tracks that go together, as an M3U8 file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Reader, TrackRow
from tagger.cli.options import (
    absolute,
    catalog_option,
    model_option,
    overwrite_file_option,
    verbose_option,
)
from tagger.cli.output import say
from tagger.cli.seeding import query_of, query_options
from tagger.config import load_settings
from tagger.errors import PlaylistError, printable
from tagger.recommending.ears import Ear, chosen_ear, seed_of_paths
from tagger.recommending.playlist import m3u8, write_playlist
from tagger.recommending.recommend import SimilarQuery, path_between, recommend, spread
from tagger.recommending.seeds import from_mix, from_paths

_PATH = click.Path(path_type=Path)


@click.command("playlist")
@click.argument("more", metavar="[PATH]...", nargs=-1, type=_PATH)
@click.option("--genre", "genres", multiple=True, help="Of this genre (or of several).")
@click.option("--like", multiple=True, type=_PATH, help="Like this track (and those after it).")
@click.option("--from", "first", type=_PATH, metavar="PATH", help="Step by step from this track …")
@click.option("--to", "last", type=_PATH, metavar="PATH", help="… to this one, both among them.")
@click.option("-n", "n", type=click.IntRange(2), default=25, show_default=True, help="How many.")
@query_options
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Where to; default: stdout.")
@click.option("--absolute", "is_absolute", is_flag=True, help="Paths from the root, not from FILE.")
@overwrite_file_option
@catalog_option
@model_option
@verbose_option
def command(
    more: tuple[Path, ...],
    genres: tuple[str, ...],
    like: tuple[Path, ...],
    first: Path | None,
    last: Path | None,
    n: int,
    output: Path | None,
    is_absolute: bool,
    force: bool,
    catalog: str | None,
    model: str | None,
    **options: Any,
) -> int:
    """Make a playlist: of a genre, of what is like some tracks, or from one track to another.

    tagger playlist --like A.mp3 B.mp3 -o mine.m3u8
    """
    if more and not like:
        raise click.UsageError("say --like before the tracks")
    if (first is None) != (last is None):
        raise click.UsageError("--from and --to go together")
    if not (genres or like or first) or (like and first):
        raise click.UsageError("give one of --genre, --like and --from … --to")
    settings, sources = load_settings({"catalog": catalog, "model": model})
    query = query_of(n, genres, options)
    with Reader.open(settings.catalog) as reader:
        ends = (first, last) if first and last else None
        rows = _rows(reader, chosen_ear(reader, settings, sources), query, (*like, *more), ends)
    _put(rows, output, is_absolute=is_absolute, force=force)
    return 0


def _rows(
    reader: Reader,
    ear: Ear | None,
    query: SimilarQuery,
    like: Sequence[Path],
    ends: tuple[Path, Path] | None,
) -> list[TrackRow]:
    by = ear.model_id if ear else None
    if ends:
        first, last = map(absolute, ends)
        if first == last:
            raise click.UsageError("--from and --to name the same track")
        return path_between(reader, from_paths(reader, (first, last), by=by), query)
    if like:
        seed = seed_of_paths(reader, [absolute(path) for path in like], ear)
    else:
        seed = from_mix(reader, dict.fromkeys(query.genres, 1.0), by)
    return spread([match.row for match in recommend(reader, seed, query)])


def _put(rows: Sequence[TrackRow], output: Path | None, *, is_absolute: bool, force: bool) -> None:
    folder = Path.cwd() if output is None else absolute(output).parent
    text = m3u8(rows, None if is_absolute else folder)
    if output is None:
        say(text.removesuffix("\n"))
        return
    if output.is_dir():
        raise PlaylistError("this is a folder; name a file in it with -o", output)
    write_playlist(absolute(output), text, force=force)
    click.echo(f"{len(rows)} tracks in {printable(output)}", err=True)
