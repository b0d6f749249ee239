"""The end of a run: what was left blank, and why."""

from __future__ import annotations

from collections import Counter

from tagger.errors import plain
from tagger.records import Status, TrackResult
from tagger.report.counting import blank_for
from tagger.report.facts import Blank
from tagger.report.words import counted

_MOST_LABELS = 3  # that a reason names


class Outlook:
    """Counts the tracks that a run left blank, by the reason.

    >>> Outlook().lines()
    []
    """

    def __init__(self) -> None:
        self._likeliest: dict[Blank, Counter[str]] = {}
        self._n_tracks: Counter[Blank] = Counter()

    def see(self, result: TrackResult) -> None:
        """Take a result."""
        if result.status is not Status.UNSURE:
            return
        why = blank_for(result.reason)
        self._n_tracks[why] += 1
        if result.suggestions:
            labels = self._likeliest.setdefault(why, Counter())
            labels[result.suggestions[0].genre] += 1

    def lines(self) -> list[str]:
        """Return what a person should know of the blanks, a line a reason."""
        if not self._n_tracks:
            return []
        told = [
            f"  {n:6d}  {why.title.lower()}{self._like(why)}"
            for why, n in self._n_tracks.most_common()
        ]
        return [f"left blank: {counted(self._n_tracks.total(), 'track')}", *told]

    def _like(self, why: Blank) -> str:
        labels = self._likeliest.get(why)
        if not labels:
            return ""
        said = ", ".join(f"{plain(name)} {n}" for name, n in labels.most_common(_MOST_LABELS))
        return f" (most like {said}{', …' if len(labels) > _MOST_LABELS else ''})"
