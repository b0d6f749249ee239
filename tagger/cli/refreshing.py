"""Playlists that are kept fresh: how it is told what became of them, once or while watching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from tagger.cli.output import plain
from tagger.config import Settings
from tagger.errors import TaggerError
from tagger.players.refreshing import Became, Refreshed, refreshed
from tagger.players.server_playlists import Sent
from tagger.recommending.playlist import Song
from tagger.recommending.saved import kept_recipes
from tagger.wording import counted

_WIDTH = max(map(len, Became))


def refreshed_line(one: Refreshed) -> str:
    """Return what became of a playlist as one line of text."""
    told = f"{one.became:<{_WIDTH}}  {plain(one.name)}"
    if one.became is Became.FAILED:
        return f"{told}: {one.why}"
    if one.became is Became.KEPT:
        return f"{told}  {one.where} is left as it is: {one.why}; --refresh --force replaces it"
    return f"{told}  {counted(one.n_tracks, 'track')} in {one.where}{_unknown(one.unknown)}"


def _unknown(songs: Sequence[Song]) -> str:
    """Return which songs a server does not know, the first one by name."""
    if not songs:
        return ""
    first = plain(songs[0].told) or plain(Path(songs[0].place).name)
    return f"; {len(songs)} it does not know ({first}{', …' if len(songs) > 1 else ''})"


def sent_line(name: str, sent: Sent, *, dry_run: bool) -> str:
    """Return what became of a playlist that a server was sent, as one line of text."""
    would = " would be sent" if dry_run else ""
    told = f"{counted(sent.n_songs, 'track')} in {plain(name)}"
    return f"{told} on the server{would}{_unknown(sent.unknown)}"


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
