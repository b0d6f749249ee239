"""The end of a run: what was left blank, why, and which commands would fill the most of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path

from tagger.catalog import fold
from tagger.errors import plain
from tagger.evidence.names import artist_id_of, artist_of, is_nobody
from tagger.reasons import ReasonCode
from tagger.records import Status, TagsFound, TrackResult
from tagger.report.commands import Step, catalog_option, quoted
from tagger.report.counting import blank_for
from tagger.report.facts import ANSWERABLE, Blank
from tagger.report.words import counted
from tagger.tagging.albums import album_key

_MOST_LABELS = 3  # that a reason names
_MOST_STEPS = 2
_WORTH_A_WORD = 3  # tracks
_N_ANSWERS = 10  # a minute or two of somebody's time
_ENOUGH_TO_LEARN = 40  # tracks; ``tagger learn`` says what else it takes
_LOWER = 0.6  # a confidence at which most of what is written is still right


class Outlook:
    """Counts the tracks that a run left blank: by the reason, and by what would fill them.

    >>> Outlook().lines()
    []
    """

    def __init__(self) -> None:
        self._likeliest: dict[Blank, Counter[str]] = {}
        self._n_tracks: Counter[Blank] = Counter()
        self._by_question: Counter[Hashable] = Counter()
        self._chances: dict[ReasonCode, list[float]] = {}
        self._n_waiting = self._n_persons = 0

    def see(self, result: TrackResult) -> None:
        """Take a result."""
        self._n_waiting += _waits(result)
        self._n_persons += result.status is Status.KEPT
        if result.status is not Status.UNSURE:
            return
        why = blank_for(result.reason)
        self._n_tracks[why] += 1
        if why in ANSWERABLE:
            self._by_question[_question(result)] += 1
        if result.suggestions:
            likeliest = result.suggestions[0]
            self._likeliest.setdefault(why, Counter())[likeliest.genre] += 1
            code = ReasonCode.OTHER if result.reason is None else result.reason.code
            self._chances.setdefault(code, []).append(likeliest.confidence)

    def lines(self) -> list[str]:
        """Return what a person should know of the blanks, a line a reason."""
        if not self._n_tracks:
            return []
        told = [
            f"  {n:6d}  {why.title.lower()}{self._like(why)}"
            for why, n in self._n_tracks.most_common()
        ]
        return [f"left blank: {counted(self._n_tracks.total(), 'track')}", *told]

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
        found = [self._review(where), self._ask_for_all(where), self._ask_for_less(where)]
        found.sort(key=lambda step: step[0], reverse=True)
        steps = [step for n, step in found if n >= _WORTH_A_WORD]
        return [*steps[:1], *self._learn(where), *steps[1:]][:_MOST_STEPS]

    def _review(self, where: str) -> tuple[int, Step]:
        largest = [n for _, n in self._by_question.most_common(_N_ANSWERS)]
        why = f"{counted(len(largest), 'answer')} in your browser settle {sum(largest)} of them"
        return sum(largest), Step(why, f"tagger review {where}")

    def _ask_for_all(self, where: str) -> tuple[int, Step]:
        chances = self._chances.get(ReasonCode.UNASKED, [])
        return len(chances), Step(_promise(chances), f"tagger tag --genres all {where}")

    def _ask_for_less(self, where: str) -> tuple[int, Step]:
        chances = [p for p in self._chances.get(ReasonCode.UNSURE, []) if p >= _LOWER]
        command = f"tagger tag --min-confidence {_LOWER} {where}"
        return len(chances), Step(_promise(chances), command)

    def _learn(self, where: str) -> list[Step]:
        """Return that there is enough to learn from; how many it fills is not known before."""
        if not self._n_tracks or self._n_persons < _ENOUGH_TO_LEARN:
            return []
        why = f"learns from {counted(self._n_persons, 'track')} with a genre of yours"
        return [Step(why, f"tagger learn {where}")]

    def _like(self, why: Blank) -> str:
        labels = self._likeliest.get(why)
        if not labels:
            return ""
        said = ", ".join(f"{plain(name)} {n}" for name, n in labels.most_common(_MOST_LABELS))
        return f" (most like {said}{', …' if len(labels) > _MOST_LABELS else ''})"


def _waits(result: TrackResult) -> bool:
    """Return whether a genre is written as soon as the run may write."""
    is_left = result.reason is not None and result.reason.code is ReasonCode.LINKED
    return result.status in (Status.PLANNED, Status.PREDICTED) and not is_left


def _promise(chances: Sequence[float]) -> str:
    """Return what writing tracks of such confidence would come to."""
    return f"writes {len(chances)} more, about {round(sum(chances))} of them rightly"


def _question(result: TrackResult) -> Hashable:
    """Return what blanks that one answer settles have in common: an artist, or else an album."""
    tags = result.tags or TagsFound()
    artist = artist_of(tags)
    if is_nobody(artist, artist_id_of(tags)):
        return album_key(result.path, tags) or result.path
    return fold(artist)
