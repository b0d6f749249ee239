"""Options that several commands share, and what they come to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

catalog_option = click.option(
    "--catalog", metavar="FILE|URL", help="The catalogue. [default: catalog.db in your data folder]"
)
model_option = click.option(
    "--model",
    metavar="NAME|FILE",
    help="The network: default; musicnn or both, which know more and are slower; one of yours; or "
    "a file.",
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="How results are printed.",
)
under_option = click.option(
    "--under",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    callback=lambda _ctx, _param, value: None if value is None else absolute(value),
    help="Only tracks in this folder.",
)
max_option = click.option(
    "-n", "limit", type=click.IntRange(1), metavar="N", help="At most so many."
)
preserve_mtime_option = click.option(
    "--preserve-mtime", is_flag=True, default=None, help="Keep the time of change of files written."
)
allow_copies_option = click.option(
    "--allow-copies",
    is_flag=True,
    default=None,
    help="Write a file anew also where that loses its hard links, owner or attributes.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=lambda _ctx, _param, value: show_log(debug=value),
    help="Tell more; show where an error came from.",
)


def show_log(*, debug: bool) -> None:
    """Send log messages to stderr: the tagger's warnings, and what is worse of others."""
    logging.basicConfig(
        format="%(levelname)s %(name)s: %(message)s", level=logging.INFO if debug else logging.ERROR
    )
    logging.getLogger("tagger").setLevel(logging.INFO if debug else logging.WARNING)


def absolute(path: Path) -> Path:
    """Return a path from the root, ``~`` expanded, links as they are but where ``..`` crosses one.

    >>> absolute(Path("/music/./a"))
    PosixPath('/music/a')
    """
    expanded = path.expanduser() if path.parts[:1] == ("~",) else path
    return expanded.resolve() if ".." in expanded.parts else expanded.absolute()
