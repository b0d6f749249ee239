"""How it is told what became of playlists that are kept fresh."""

from __future__ import annotations

from tagger.cli.output import plain
from tagger.errors import printable
from tagger.recommending.refreshing import Became, Refreshed

_WIDTH = max(map(len, Became))


def refreshed_line(one: Refreshed) -> str:
    """Return what became of a playlist as one line of text."""
    told = f"{one.became:<{_WIDTH}}  {plain(one.name)}"
    if one.became is Became.FAILED:
        return f"{told}: {one.why}"
    line = f"{told}  {one.n_tracks} tracks in {printable(one.output)}"
    hint = f"left as it is: {one.why}; --refresh --force replaces it"
    return f"{told}  {printable(one.output)} is {hint}" if one.became is Became.KEPT else line
