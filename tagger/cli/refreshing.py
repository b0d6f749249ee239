"""Playlists that are kept fresh: how it is told what became of them, once or while watching."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from tagger.cli.output import plain
from tagger.config import Settings
from tagger.errors import TaggerError, printable
from tagger.recommending.refreshing import Became, Refreshed, refreshed
from tagger.recommending.saved import kept_recipes
from tagger.wording import counted

_WIDTH = max(map(len, Became))


def refreshed_line(one: Refreshed) -> str:
    """Return what became of a playlist as one line of text."""
    told = f"{one.became:<{_WIDTH}}  {plain(one.name)}"
    if one.became is Became.FAILED:
        return f"{told}: {one.why}"
    line = f"{told}  {counted(one.n_tracks, 'track')} in {printable(one.output)}"
    hint = f"left as it is: {one.why}; --refresh --force replaces it"
    return f"{told}  {printable(one.output)} is {hint}" if one.became is Became.KEPT else line


@dataclass
class Freshness:
    """Makes playlists anew from time to time, and tells what is new about that, to stderr."""

    _told: set[str] = field(default_factory=set)

    def restore(self, settings: Settings, *, quiet: bool) -> bool:
        """Make all playlists that are kept anew; return whether any was written.

        What stands in the way of that is told and ends nothing; and once, not after each batch.
        """
        has_written, lines = False, set()
        try:
            for one in refreshed(kept_recipes(), settings.catalog):
                is_written = one.became is Became.WRITTEN
                has_written |= is_written
                if one.became is not Became.UNCHANGED and (
                    one.became is Became.FAILED or not quiet
                ):
                    lines.add(self._tell(refreshed_line(one), again=is_written))
        except TaggerError as exc:  # the settings make no sense now, or the catalogue is away
            lines.add(self._tell(f"playlists are not made anew: {exc}"))
        self._told = lines
        return has_written

    def _tell(self, line: str, *, again: bool = False) -> str:
        if again or line not in self._told:
            click.echo(line, err=True)
        return line
