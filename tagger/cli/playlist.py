"""``tagger playlist``: tracks that go together, as an M3U8 file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Reader, TrackRow
from tagger.cli import completing
from tagger.cli.options import catalog_option, model_option, overwrite_file_option, verbose_option
from tagger.cli.output import say
from tagger.cli.seeding import query_of, query_options
from tagger.config import load_settings
from tagger.errors import PlaylistError, printable
from tagger.files.paths import absolute
from tagger.recommending.ears import chosen_ear
from tagger.recommending.playlist import m3u8, write_playlist
from tagger.recommending.sequences import alike, step_by_step

_PATH = click.Path(path_type=Path)


@click.command("playlist")
@click.argument("more", metavar="[PATH]...", nargs=-1, type=_PATH)
@click.option(
    "--genre",
    "genres",
    multiple=True,
    shell_complete=completing.genres,
    help="Of this genre (or of several).",
)
@click.option("--like", multiple=True, type=_PATH, help="Like this track (and those after it).")
@click.option("--from", "first", type=_PATH, metavar="PATH", help="Step by step from this track …")
@click.option("--to", "last", type=_PATH, metavar="PATH", help="… to this one, both among them.")
@click.option("-n", "n", type=click.IntRange(2), default=25, show_default=True, help="How many.")
@query_options
@click.option(
    "-o", "--output", type=_PATH, metavar="FILE", help="Where to; stdout if - or not given."
)
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

    Example: tagger playlist --like ~/Music/song.mp3 -n 40 -o mine.m3u8
    """
    if more and not like:
        raise click.UsageError("say --like before the tracks")
    if (first is None) != (last is None):
        raise click.UsageError("--from and --to go together")
    if first is not None and last is not None and absolute(first) == absolute(last):
        raise click.UsageError("--from and --to name the same track")
    if not (genres or like or first) or (like and first):
        raise click.UsageError("give one of --genre, --like and --from … --to")
    settings, sources = load_settings({"catalog": catalog, "model": model})
    query = query_of(n, genres, options)
    with Reader.open(settings.catalog) as reader:
        ear = chosen_ear(reader, settings, sources)
        if first and last:
            ends = (absolute(first), absolute(last))
            rows = step_by_step(reader, ends, query, ear)
        else:
            rows = alike(reader, [absolute(path) for path in (*like, *more)], query, ear)
    _put(rows, output, is_absolute=is_absolute, force=force)
    return 0


def _put(rows: Sequence[TrackRow], output: Path | None, *, is_absolute: bool, force: bool) -> None:
    if output == Path("-"):
        output = None
    # Of a link its target is written.
    folder = Path.cwd() if output is None else Path(os.path.realpath(absolute(output))).parent
    text = m3u8(rows, None if is_absolute else folder)
    if output is None:
        say(text.removesuffix("\n"))
        return
    if output.is_dir():
        raise PlaylistError("this is a folder; name a file in it with -o", output)
    write_playlist(absolute(output), text, force=force)
    click.echo(f"{len(rows)} tracks in {printable(output)}", err=True)
