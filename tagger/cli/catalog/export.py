"""``tagger catalog export``: all tracks, for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tagger.catalog import Catalog, ExportedTrack
from tagger.cli.options import catalog_option, overwrite_file_option, verbose_option
from tagger.cli.output import Printer
from tagger.cli.rows import row_record
from tagger.config import load_settings
from tagger.files.atomic import FileKind, replaced
from tagger.files.paths import absolute
from tagger.tag_fields import TAG_FIELDS

_FIRST = (
    "path",
    "path_b64",
    "title",
    "artist",
    "album",
    "album_artist",
    "genres",
    "confidence",
    "duration_s",
    "status",
    "reason",
    "reason_code",
    "file_genres",
    "heard_genres",
    "provenance",
    "size_bytes",
    "mtime_ns",
    "audio",
)
_TAGS = tuple(one.name for one in TAG_FIELDS)
COLUMNS = (*_FIRST, *(name for name in _TAGS if name not in _FIRST), "model", "probabilities")

_REFUSAL = "a file that is no such export is there; name another with -o, or say --force"
_STARTS = {"csv": ",".join(COLUMNS[:3]).encode(), "jsonl": b'{"path"', "parquet": b"PAR1"}


@click.command("export")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    default="csv",
    show_default=True,
    help="What to write; parquet needs pyarrow.",
)
@click.option(
    "-o",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write it, over an older export or nothing. [default: standard output]",
)
@overwrite_file_option
@catalog_option
@verbose_option
def command(format_: str, target: Path | None, force: bool, catalog: str | None) -> int:
    """Write all that is known of every track; a path that is not UTF-8 is exact in path_b64.

    Example: tagger catalog export --format csv -o tracks.csv
    """
    if format_ == "parquet" and target is None:
        raise click.UsageError("--format parquet needs -o FILE")
    settings, _ = load_settings({"catalog": catalog})
    with Catalog.open(settings.catalog, create=False, read_only=True) as opened:
        records = map(_record, opened.exported())
        if target is None:
            _print_all(records, Printer(format_, COLUMNS))
            return 0
        kind = FileKind(_STARTS[format_], _REFUSAL).unless(force)
        with replaced(absolute(target), kind) as draft:
            if format_ == "parquet":
                from tagger.cli.catalog.parquet import write_parquet

                write_parquet(draft, records)
            else:
                with _printing_to(draft, format_) as printer:
                    _print_all(records, printer)
    return 0


def _print_all(records: Iterator[Mapping[str, Any]], printer: Printer) -> None:
    for record in records:
        printer.print(record, "")


@contextmanager
def _printing_to(path: Path, format_: str) -> Iterator[Printer]:
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        yield Printer(format_, COLUMNS, lambda line: print(line, file=file))


def _record(track: ExportedTrack) -> Mapping[str, Any]:
    tags, row = track.row.tags, row_record(track.row)
    return {
        **row,  # the path first: an export is known by its start
        **{name: _jsonable(getattr(tags, name)) for name in _TAGS if name not in row},
        "album_artist": tags.album_artist,
        "file_genres": list(tags.genres),
        "heard_genres": list(track.heard_genres),
        "provenance": tags.provenance,
        "size_bytes": track.size_bytes,
        "mtime_ns": track.mtime_ns,
        "audio": track.audio,
        "model": track.model_id,
        "probabilities": dict(track.probabilities),
    }


def _jsonable(value: str | int | tuple[str, ...] | None) -> Any:
    return list(value) if isinstance(value, tuple) else value or None
