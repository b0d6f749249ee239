"""What commands share that rewrite genres without hearing anything: a line a file, then counts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import click

from tagger.cli.after import after_change
from tagger.cli.output import OutputClosedError, Printer
from tagger.config import Settings
from tagger.errors import printable
from tagger.reasons import Reason
from tagger.records import RunSummary, Status

_CHANGED = (Status.WRITTEN, Status.RESTORED)


class Rewritten(Protocol):
    """What became of one file."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def status(self) -> Status:
        """What was done."""

    @property
    def reason(self) -> Reason | None:
        """Why, if there is anything to say."""


Result = TypeVar("Result", bound=Rewritten)
ResultOf = TypeVar("ResultOf", bound=Rewritten, covariant=True)


class Rewriting(Protocol[ResultOf]):
    """A run over files."""

    @property
    def summary(self) -> RunSummary:
        """Counts so far."""

    def results(self) -> Generator[ResultOf, None, None]:
        """Yield what became of each file, once it is done."""


@dataclass(frozen=True, slots=True)
class Telling(Generic[Result]):
    """How a run is told.

    Args:
        printer: Prints what becomes of each file.
        record: Its fields.
        line: Its line in text.
        nothing: What is said where there is nothing to do.
        quiet: Tell failures alone.
    """

    printer: Printer
    record: Callable[[Result], Mapping[str, Any]]
    line: Callable[[Result], str]
    nothing: str
    quiet: bool


def carry_out(run: Rewriting[Result], telling: Telling[Result]) -> int:
    """Carry a run out and tell of it; return with what to end."""
    try:
        with closing(run.results()) as results:
            for result in results:
                _tell(result, telling)
    except (KeyboardInterrupt, OutputClosedError):
        _sum_up(run.summary, telling)
        return 130
    _sum_up(run.summary, telling)
    return 1 if run.summary.by_status.get(Status.FAILED) else 0


def after_rewriting(summary: RunSummary, settings: Settings, code: int) -> int:
    """Run the owner's command if a run has changed a file, and was not interrupted.

    Args:
        summary: Of the run.
        settings: With the command.
        code: With what the run would end.

    Returns:
        With what to end now.
    """
    has_changed = any(summary.by_status.get(status) for status in _CHANGED)
    return after_change(settings, code) if has_changed and code != 130 else code


def _tell(result: Result, telling: Telling[Result]) -> None:
    has_failed = result.status is Status.FAILED
    if has_failed:
        click.echo(f"{printable(result.path)}: {result.reason}", err=True)
    line = "" if telling.quiet or has_failed else telling.line(result)
    telling.printer.print(telling.record(result), line)


def _sum_up(summary: RunSummary, telling: Telling[Result]) -> None:
    if telling.quiet:
        return
    counts = [f"{n} {status}" for status, n in summary.by_status.items()]
    click.echo(", ".join(counts) or telling.nothing, err=True)
    if summary.interrupted:
        click.echo("interrupted; what was finished stays finished, run again to go on", err=True)
