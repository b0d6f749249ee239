"""``tagger playlist``: tracks that go together, as an M3U8 file; and such files kept fresh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tagger.catalog import Reader
from tagger.cli import completing
from tagger.cli.after import after_change
from tagger.cli.options import (
    catalog_option,
    model_option,
    quiet_option,
    verbose_option,
)
from tagger.cli.output import plain, say
from tagger.cli.refreshing import refreshed_line, sent_line
from tagger.cli.seeding import parse_path_map, query_options
from tagger.config import load_settings
from tagger.errors import ConfigError, PlayerError, PlaylistError, printable
from tagger.files.paths import absolute
from tagger.players.refreshing import (
    Became,
    check_keepable,
    playlist_of,
    refreshed,
    send,
)
from tagger.recommending.keeping import Standing, check_replaceable, sealed, write_playlist
from tagger.recommending.recipes import LENGTH, Recipe, why_not, why_not_kept
from tagger.recommending.saved import check_savable, kept_recipes, save_recipe
from tagger.wording import counted

_PATH = click.Path(path_type=Path)
_OF_REFRESH = ("more", "refresh", "dry_run", "force", "catalog", "quiet")
"""What goes with --refresh; all else stands in the playlist's table."""


@click.command("playlist")
@click.argument("more", metavar="[PATH|NAME]...", nargs=-1, type=_PATH)
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
@click.option(
    "-n", "n", type=click.IntRange(2), default=LENGTH, show_default=True, help="How many."
)
@query_options
@click.option("--albums", is_flag=True, help="Whole albums, until there are so many tracks (-n).")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Another draw of what is near, by number."
)
@click.option(
    "--extend",
    type=_PATH,
    metavar="PLAYLIST",
    help="Begin with this playlist, and go on with -n tracks that go with it.",
)
@click.option(
    "--exclude-playlist",
    multiple=True,
    type=_PATH,
    metavar="PLAYLIST",
    help="Nothing that stands in this playlist; may be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    metavar="FILE",
    help="Where to; stdout if - or not given. FILE.nsp is a smart playlist for Navidrome.",
)
@click.option(
    "--subsonic",
    metavar="NAME",
    help="Have the Subsonic server of the settings hold it by this name.",
)
@click.option("--absolute", "is_absolute", is_flag=True, help="Paths from the root, not from FILE.")
@click.option(
    "--path-map",
    multiple=True,
    metavar="HERE=THERE",
    callback=lambda _context, _option, values: parse_path_map(values),
    help="What a folder is called by the program that reads the playlist; may be repeated.",
)
@click.option(
    "--save",
    metavar="NAME",
    help="Keep what FILE is made of by this name, for --refresh and watch.",
)
@click.option(
    "--refresh",
    is_flag=True,
    help="Make the playlists that are kept anew (or those of NAME), unless somebody changed them.",
)
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="Say what would be written.")
@click.option(
    "--force", is_flag=True, help="Replace what the tagger did not write, or somebody changed."
)
@catalog_option
@model_option
@quiet_option
@verbose_option
def command(
    more: tuple[Path, ...],
    is_absolute: bool,
    save: str | None,
    refresh: bool,
    dry_run: bool,
    force: bool,
    catalog: str | None,
    quiet: bool,
    **options: Any,
) -> int:
    """Make a playlist: of a genre, of what is like some tracks, or from one track to another.

    tagger playlist --like A.mp3 B.mp3 -o mine.m3u8

    tagger playlist --refresh makes those anew that were kept by --save, or stand in config.toml.

    Example: tagger playlist --like ~/Music/song.mp3 -n 40 -o mine.m3u8
    """
    if refresh:
        _check_goes_with_refresh(click.get_current_context())
        return _refresh(list(map(str, more)), catalog, force=force, dry_run=dry_run, quiet=quiet)
    if more and not options["like"]:
        raise click.UsageError("say --like before the tracks")
    recipe = _recipe(more, options, is_absolute=is_absolute)
    if why := why_not(recipe):
        raise click.UsageError(why)
    if save is not None and (not (recipe.output or recipe.subsonic) or not save.strip()):
        raise click.UsageError("--save needs a name, and -o FILE (or --subsonic) to keep fresh")
    if save is not None and (why := why_not_kept(recipe)):
        raise click.UsageError(why)
    if save is not None:
        check_savable(save, recipe)
    settings, _ = load_settings({"catalog": catalog})
    with Reader.open(settings.catalog) as reader:
        if save is not None:
            check_keepable(reader, recipe)
        if recipe.output is not None or not recipe.subsonic:
            text, n_tracks = playlist_of(reader, recipe, recipe.output)
            if recipe.output is None:
                say(sealed(text).removesuffix(b"\n"))
            else:
                _put(recipe.output, text, n_tracks, force=force, dry_run=dry_run, quiet=quiet)
        if recipe.subsonic:
            _send(reader, recipe, force=force, dry_run=dry_run, quiet=quiet)
    if save is not None and not dry_run:
        save_recipe(save, recipe)
    return 0


def _recipe(more: Sequence[Path], options: dict[str, Any], *, is_absolute: bool) -> Recipe:
    """Return what the options ask for."""
    first, last, output = options["first"], options["last"], options["output"]
    return Recipe(
        like=tuple(absolute(path) for path in (*options["like"], *more)),
        genres=tuple(options["genres"]),
        first=None if first is None else absolute(first),
        last=None if last is None else absolute(last),
        n=options["n"],
        max_per_artist=options["max_per_artist"],
        under=options["under"],
        years=options["year"],
        min_duration=options["min_duration"],
        max_duration=options["max_duration"],
        model=_lasting(options["model"] or ""),
        albums=options["albums"],
        seed=options["seed"],
        extend=None if options["extend"] is None else absolute(options["extend"]),
        exclude_playlist=tuple(map(absolute, options["exclude_playlist"])),
        output=None if output in (None, Path("-")) else absolute(output),
        subsonic=options["subsonic"] or "",
        absolute=is_absolute,
        path_map=options["path_map"] or None,
    )


def _lasting(model: str) -> str:
    """Return what names a model wherever one works: of a file its whole path."""
    return str(absolute(Path(model))) if Path(model).is_file() else model


def _put(
    output: Path, text: str, n_tracks: int, *, force: bool, dry_run: bool, quiet: bool
) -> None:
    if output.is_dir():
        raise PlaylistError("this is a folder; name a file in it with -o", output)
    write = check_replaceable if dry_run else write_playlist
    write(output, text, force=force)
    if not quiet:
        would = " would be written" if dry_run else ""
        click.echo(f"{counted(n_tracks, 'track')} in {printable(output)}{would}", err=True)


def _send(reader: Reader, recipe: Recipe, *, force: bool, dry_run: bool, quiet: bool) -> None:
    sent = send(reader, recipe, force=force, dry_run=dry_run)
    if sent.standing in (Standing.CHANGED, Standing.THEIRS) and not force:
        why = f"{plain(recipe.subsonic)} is left as it is: {sent.standing.value}"
        raise PlayerError(f"{why}; --force replaces it")
    if not quiet:
        click.echo(sent_line(recipe.subsonic, sent, dry_run=dry_run), err=True)


def _check_goes_with_refresh(context: click.Context) -> None:
    """Refuse options that --refresh would pass over in silence."""
    for parameter in context.command.params:
        name = parameter.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if is_given and parameter.expose_value and name not in _OF_REFRESH:
            raise click.UsageError(
                f"{parameter.opts[-1]} does not go with --refresh; it stands in a playlist's table"
            )


def _refresh(
    names: list[str], catalog: str | None, *, force: bool, dry_run: bool, quiet: bool
) -> int:
    kept = kept_recipes()
    unknown = [name for name in names if name not in kept]
    if unknown or not kept:
        there = ", ".join(map(plain, kept)) or "none; keep one with --save NAME"
        raise ConfigError(
            f"no playlist is called {plain(', '.join(unknown)) or 'so'}; there are: {there}"
        )
    asked = {name: kept[name] for name in names or kept}
    found = set()
    for one in refreshed(asked, catalog, force=force, dry_run=dry_run):
        found.add(one.became)
        if not quiet or one.became is Became.FAILED:
            say(refreshed_line(one))
    code = 1 if Became.FAILED in found else 0
    return after_change(load_settings({})[0], code) if Became.WRITTEN in found else code
