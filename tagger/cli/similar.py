"""``tagger similar``: the tracks most like a track, several, an artist or a mix of genres."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Reader
from tagger.cli import completing
from tagger.cli.options import catalog_option, format_option, model_option, verbose_option
from tagger.cli.output import Printer, plain
from tagger.cli.rows import COLUMNS, row_line, row_record
from tagger.cli.seeding import parse_mix, query_of, query_options
from tagger.config import load_settings
from tagger.errors import printable
from tagger.files.paths import absolute
from tagger.recommending.ears import Ear, chosen_ear, seed_of_paths
from tagger.recommending.recommend import Match, SimilarQuery, recommend
from tagger.recommending.seeds import Seed, from_artist, from_mix
from tagger.wording import counted

_WHY = ("shared_genres", "nearest")


@click.command("similar")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--artist", help="Tracks like all those by this artist, in place of PATH.")
@click.option(
    "--mix",
    multiple=True,
    callback=parse_mix,
    metavar="GENRE=SHARE,…",
    help='Like a mix of genres, in place of PATH: of "Rock=2,Electronic" two of three are Rock.',
)
@click.option("-n", "n", type=click.IntRange(1), default=10, show_default=True, help="How many.")
@click.option(
    "--genre",
    "genres",
    multiple=True,
    shell_complete=completing.genres,
    help="Only this genre (or one of several).",
)
@click.option("--same-genre", is_flag=True, help="Only genres of PATH or of what stands for it.")
@query_options
@click.option(
    "--mpd",
    is_flag=True,
    help="Like the song that MPD plays now, in place of PATH, and queue them there. Host, port and "
    "password as mpc has them: MPD_HOST, MPD_PORT.",
)
@click.option("--dry-run", "--pretend", "dry_run", is_flag=True, help="With --mpd: queue nothing.")
@click.option("--why", is_flag=True, help="Say what each track has in common with PATH.")
@catalog_option
@model_option
@format_option
@verbose_option
def command(
    paths: tuple[Path, ...],
    artist: str | None,
    mix: Mapping[str, float],
    n: int,
    genres: tuple[str, ...],
    same_genre: bool,
    mpd: bool,
    dry_run: bool,
    why: bool,
    catalog: str | None,
    model: str | None,
    format_: str,
    **options: Any,
) -> int:
    """Show the tracks of the catalogue that sound most like PATH, or like several together.

    A file that is not in the catalogue is listened to now, and not added.

    Example: tagger similar ~/Music/song.mp3 -n 20 --same-genre
    """
    if sum(map(bool, (paths, artist, mix, mpd))) != 1:
        raise click.UsageError("name tracks, or one of --artist, --mix and --mpd")
    if dry_run and not mpd:
        raise click.UsageError("--dry-run goes with --mpd; all else is only shown")
    settings, sources = load_settings({"catalog": catalog, "model": model})
    query = query_of(n, genres, options, same_genre=same_genre)
    printer = Printer(format_, (*COLUMNS, "similarity", *(_WHY if why else ())))

    def show(matches: Iterable[Match]) -> None:
        for match in matches:
            printer.print(_record(match, why=why), _line(match, why=why))

    with Reader.open(settings.catalog) as reader:
        ear = chosen_ear(reader, settings, sources)
        if not mpd:
            show(recommend(reader, _seed(reader, ear, paths, artist, mix), query))
            return 0
        return _queue(reader, ear, query, settings.mpd_music, show, dry_run=dry_run)


def _queue(
    reader: Reader,
    ear: Ear | None,
    query: SimilarQuery,
    mpd_music: str,
    show: Callable[[Iterable[Match]], None],
    *,
    dry_run: bool,
) -> int:
    """Put what goes with the song that MPD plays behind its queue; 1 if it does not know some."""
    from tagger.players.mpd import connected
    from tagger.players.queueing import next_songs

    told = absolute(Path(mpd_music)) if mpd_music else None
    with connected() as player:
        found = next_songs(reader, player, query, ear=ear, told=told)
        show(found.matches)
        unknown = [] if dry_run else player.add(found.uris)
    n = len(found.uris) - len(unknown)
    what = counted(n, "track")
    done = f"would queue {what}" if dry_run else f"queued {what}"
    click.echo(f"{done} to go with {printable(found.playing)}", err=True)
    for uri in unknown:
        click.echo(f"MPD does not know {plain(uri)}; have it look: mpc update", err=True)
    return 1 if unknown else 0


def _seed(
    reader: Reader,
    ear: Ear | None,
    paths: tuple[Path, ...],
    artist: str | None,
    mix: Mapping[str, float],
) -> Seed:
    by = ear.model_id if ear else None
    if artist:
        return from_artist(reader, artist, by)
    return (
        from_mix(reader, mix, by)
        if mix
        else seed_of_paths(reader, [absolute(path) for path in paths], ear)
    )


def _record(match: Match, *, why: bool) -> Mapping[str, Any]:
    record = {**row_record(match.row), "similarity": match.similarity}
    if not why:
        return record
    return {
        **record,
        "shared_genres": list(match.shared_genres),
        "nearest": None if match.nearest is None else str(match.nearest.path),
    }


def _line(match: Match, *, why: bool) -> str:
    line = f"{match.similarity:.3f}  {row_line(match.row)}"
    if not why:
        return line
    shared = plain(", ".join(match.shared_genres))
    reasons = [f"both {shared}" if shared else "no genre in common"]
    if match.nearest is not None:
        reasons.append(f"most like {printable(match.nearest.path)}")
    return f"{line}\n       {'; '.join(reasons)}"
