"""The end of a run: what was left blank, why, and which commands would fill the most of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tagger.errors import plain
from tagger.reasons import ReasonCode
from tagger.records import Status, TagsFound, TrackResult
from tagger.report.commands import Step, catalog_option, quoted
from tagger.report.counting import blank_for
from tagger.report.facts import Blank
from tagger.report.prospects import (
    MOST_STEPS,
    BlankTrack,
    Prospector,
    filling_steps,
    with_learning,
)
from tagger.wording import counted

_MOST_LABELS = 3  # that a reason names


class Outlook:
    """Counts the tracks that a run left blank: by the reason, and by what would fill them.

    >>> Outlook().lines()
    []
    """

    def __init__(self) -> None:
        self._likeliest: dict[Blank, Counter[str]] = {}
        self._n_tracks: Counter[Blank] = Counter()
        self._prospector = Prospector()
        self._n_waiting = self._n_persons = self._n_blank_before = 0

    def see(self, result: TrackResult) -> None:
        """Take a result."""
        self._n_waiting += _waits(result)
        self._n_persons += result.status is Status.KEPT
        self._n_blank_before += _is_blank_as_before(result)
        if result.status is not Status.UNSURE:
            return
        why = blank_for(result.reason)
        self._n_tracks[why] += 1
        likeliest = next(iter(result.suggestions), None)
        chance = likeliest.confidence if likeliest else 0.0
        tags = result.tags or TagsFound()
        self._prospector.see(BlankTrack(result.path, tags, why, result.reason, chance))
        if likeliest:
            self._likeliest.setdefault(why, Counter())[likeliest.genre] += 1

    def lines(self) -> list[str]:
        """Return what a person should know of the blanks, a line a reason."""
        told = []
        if self._n_tracks:
            told.append(f"left blank: {counted(self._n_tracks.total(), 'track')}")
        for why, n in self._n_tracks.most_common():
            told.append(f"  {n:6d}  {why.title.lower()}{self._like(why)}")
        if self._n_blank_before:
            before = counted(self._n_blank_before, "track")
            told.append(f"blank since earlier runs: {before} (tagger list --blank names them)")
        return told

    def next_steps(self, paths: Sequence[Path], catalog: str = "") -> list[Step]:
        """Return the few commands that would fill the most blanks, and how many each.

        Args:
            paths: What the run was about.
            catalog: As ``--catalog`` takes it; "" for the usual one.
        """
        where = " ".join(quoted(path) for path in paths) + catalog_option(catalog)
        if self._n_waiting:  # nothing stands in files, or not even in the catalogue yet
            why = f"writes {counted(self._n_waiting, 'genre')}"
            # Its options count too: a command made up here would drop them.
            return [Step(why, "the same command without --dry-run or --no-write")]
        steps = filling_steps(self._prospector.told(), where)
        n_taught = self._n_persons if self._n_tracks else 0
        return with_learning(steps, n_taught, where)[:MOST_STEPS]

    def _like(self, why: Blank) -> str:
        labels = self._likeliest.get(why)
        if not labels:
            return ""
        said = ", ".join(f"{plain(name)} {n}" for name, n in labels.most_common(_MOST_LABELS))
        return f" (most like {said}{', …' if len(labels) > _MOST_LABELS else ''})"


def _is_blank_as_before(result: TrackResult) -> bool:
    is_as_before = result.status in (Status.UNCHANGED, Status.MOVED)
    return is_as_before and not result.genres


def _waits(result: TrackResult) -> bool:
    """Return whether a genre is written as soon as the run may write."""
    is_left = result.reason is not None and result.reason.code is ReasonCode.LINKED
    return result.status in (Status.PLANNED, Status.PREDICTED) and not is_left
