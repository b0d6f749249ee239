"""The door: ``tagger COMMAND``. A command's module is loaded only when it is called.

Here alone a TaggerError becomes a message and an exit code.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import NoReturn

import click

from tagger import __version__
from tagger.cli.lazy import LazyGroup
from tagger.cli.streams import (
    OutputClosedError,
    UnfailingWriter,
    flush_output,
    open_closed_streams,
)
from tagger.errors import TaggerError, os_reason

# Named here so that --help need not import the commands: those bring torch and SQLAlchemy.
_COMMANDS = {
    "tag": ("tagger.cli.tag", "Fill blank genres in folders of music and record all."),
    "watch": ("tagger.cli.watch", "Tag new files as they arrive."),
    "review": ("tagger.cli.review", "Choose genres yourself where the tagger is unsure."),
    "list": ("tagger.cli.list_", "Query the catalogue."),
    "similar": ("tagger.cli.similar", "Show the tracks most like some others."),
    "playlist": ("tagger.cli.playlist", "Make a playlist of tracks that go together."),
    "learn": ("tagger.cli.learn", "Learn your own genres from your own tags."),
    "doubtful": ("tagger.cli.doubtful", "List tracks whose genre looks wrong."),
    "genres": ("tagger.cli.genres", "List the library's genres, and put your own words for them."),
    "report": ("tagger.cli.report", "Write an HTML page about the library."),
    "runs": ("tagger.cli.runs", "List past runs."),
    "undo": ("tagger.cli.undo", "Put back the genres that a run replaced."),
    "info": ("tagger.cli.info", "Show what is known of a file, the catalogue or the model."),
    "catalog": ("tagger.cli.catalog", "Look after the catalogue: check, backup, export, …"),
    "service": ("tagger.cli.service", "Run it by itself: watch folders, or tag every night."),
    "completion": ("tagger.cli.completion", "Make a shell complete commands and names."),
    "help": ("tagger.cli.help", "Show what a command does."),
}

_LEAST_FILES = 10  # modules, the catalogue and its helpers, a song

EXIT_CODES = {
    0: "all done",
    1: "some files failed, or catalog check found something wrong",
    2: "wrong usage, or nothing could start",
    130: "interrupted",
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"Exit codes: {'; '.join(f'{code} {said}' for code, said in EXIT_CODES.items())}.",
)
@click.version_option(__version__, prog_name="tagger")
def cli() -> None:
    """Put genres on the music files that lack one, safely, and catalogue what was heard.

    Try: tagger tag --dry-run ~/Music
    """


def main() -> NoReturn:
    """Run a command and leave with its exit code."""
    open_closed_streams()
    sys.stderr = UnfailingWriter(sys.stderr)
    sys.exit(run())


def _check_open_files() -> None:
    """Make sure that a few files may be open at once: whatever fails later blames something else.

    Raises:
        TaggerError: They may not.
    """
    try:
        with ExitStack() as spare:
            for _ in range(_LEAST_FILES):
                spare.callback(os.close, os.open(os.devnull, os.O_RDONLY))
    except OSError as exc:
        raise TaggerError(os_reason(exc)) from exc


def run(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    try:
        _check_open_files()
        code = cli.main(arguments, prog_name="tagger", standalone_mode=False)
    except click.exceptions.Exit as exc:
        code = exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = 130
    except click.ClickException as exc:
        exc.show()
        code = exc.exit_code
    except TaggerError as exc:
        if _wants_traceback(arguments):
            import traceback  # 5 ms, for nothing in almost every call

            traceback.print_exc()
        click.echo(f"error: {exc}", err=True)
        code = 2
    except OutputClosedError:
        code = 0
    flush_output()
    return code if isinstance(code, int) else 0


def _wants_traceback(arguments: list[str] | None) -> bool:
    given = sys.argv[1:] if arguments is None else arguments
    return "--verbose" in given or "-v" in given
