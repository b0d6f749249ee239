"""Options that several commands share, and what they come to."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tagger.cli.completing import models
from tagger.files.paths import absolute

if TYPE_CHECKING:
    from tagger.catalog import Years

Command = TypeVar("Command", bound=Callable[..., Any])


class NumberRange(click.FloatRange):
    """A range that NaN and infinity lie outside of; click lets NaN pass."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or tell the user."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number that can be counted to.", param, ctx)
        return number


catalog_option = click.option(
    "--catalog", metavar="FILE|URL", help="The catalogue. [default: catalog.db in your data folder]"
)
model_option = click.option(
    "--model",
    metavar="NAME|FILE",
    shell_complete=models,
    help="The network: default; fast; musicnn or both; one that was learned; or a file (.pt, or "
    ".onnx with its card beside it).",
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="How results are printed.",
)
genre_list_option = click.option(
    "--genre-list",
    metavar="FILE",
    help="Your list of genres, TOML or a YAML tree. [default: genres.toml in your config folder]",
)
under_option = click.option(
    "--under",
    metavar="PATH",
    type=click.Path(path_type=Path),
    callback=lambda _ctx, _param, value: None if value is None else absolute(value),
    help="Only tracks in this folder, or this one file.",
)
year_option = click.option(
    "--year",
    metavar="YEARS",
    callback=lambda _ctx, _param, value: None if value is None else parse_years(value),
    help="Only tracks of a year or some: 1990, 1990-, -1999, 1990-1999.",
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
overwrite_file_option = click.option(
    "--force", is_flag=True, help="Write over a FILE of any kind, and not only an older one of its."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
_VERBOSE = "tagger.verbose"


def _take_verbose(context: click.Context, _param: click.Parameter, value: bool) -> None:
    context.meta[_VERBOSE] = value
    show_log(debug=value)


verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_take_verbose,
    help="Tell more: a line for each track, and where an error came from.",
)


def is_verbose() -> bool:
    """Return whether the command that runs was asked to tell more."""
    return bool(click.get_current_context().meta.get(_VERBOSE))


_COLOR = "tagger.color"


def _take_color(context: click.Context, _param: click.Parameter, value: str) -> None:
    context.meta[_COLOR] = value


color_option = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    expose_value=False,
    callback=_take_color,
    help="Whether text is coloured. [default: on a terminal, unless NO_COLOR is set]",
)


def asked_color() -> str:
    """Return what the command that runs was asked of colours: auto, always or never."""
    return str(click.get_current_context().meta.get(_COLOR, "auto"))


def show_log(*, debug: bool) -> None:
    """Send log messages to stderr: the tagger's warnings, and what is worse of others."""
    logging.basicConfig(
        format="%(levelname)s %(name)s: %(message)s", level=logging.INFO if debug else logging.ERROR
    )
    logging.getLogger("tagger").setLevel(logging.INFO if debug else logging.WARNING)


def parse_years(text: str) -> Years:
    """Return the years that a text names.

    >>> parse_years("1990"), parse_years("-1999")
    (Years(first=1990, last=1990), Years(first=None, last=1999))

    Raises:
        BadParameter: it names none.
    """
    from tagger.catalog import Years  # it brings numpy, which a page of help does without

    try:
        return Years.of_text(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc
