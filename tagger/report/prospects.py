"""What would fill blank tracks, and how many each way: for the end of a run, and for a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagger.catalog import fold
from tagger.evidence.names import artist_id_of, artist_of, is_nobody
from tagger.reasons import Reason, ReasonCode
from tagger.records import TagsFound
from tagger.report.commands import Step
from tagger.report.facts import ANSWERABLE, Blank, Promise, Prospects
from tagger.tagging.albums import album_key
from tagger.wording import count, counted

MOST_STEPS = 2  # that are named first
ENOUGH_TO_LEARN = 40  # tracks; ``tagger learn`` says what else it takes
_WORTH_A_WORD = 3  # tracks
_N_ANSWERS = 10  # a minute or two of somebody's time
_LOWER = 0.6  # a confidence at which most of what is written is still right


@dataclass(frozen=True, slots=True)
class BlankTrack:
    """A track without a genre.

    Args:
        path, tags: Which one.
        why: The group it belongs to.
        reason: Why exactly, if that is known.
        chance: How likely its likeliest genre is, in [0, 1]; 0 where nothing was heard.
    """

    path: Path
    tags: TagsFound
    why: Blank
    reason: Reason | None
    chance: float


class Prospector:
    """Counts blank tracks by what would fill them.

    >>> Prospector().told()
    Prospects(n_answers=0, n_answered=0, unasked=Promise(n_tracks=0, n_right=0), \
unsure=Promise(n_tracks=0, n_right=0))
    """

    def __init__(self) -> None:
        self._by_question: Counter[Hashable] = Counter()
        self._unasked: list[float] = []
        self._unsure: list[float] = []

    def see(self, track: BlankTrack) -> None:
        """Take one more track into account."""
        if track.why in ANSWERABLE:
            self._by_question[_question(track)] += 1
        code = track.reason.code if track.reason else None
        if track.chance > 0 and code is ReasonCode.UNASKED:
            self._unasked.append(track.chance)
        elif track.chance >= _LOWER and code is ReasonCode.UNSURE:
            self._unsure.append(track.chance)

    def told(self) -> Prospects:
        """Return what there is to hope for."""
        largest = [n for _, n in self._by_question.most_common(_N_ANSWERS)]
        return Prospects(
            len(largest), sum(largest), _promise(self._unasked), _promise(self._unsure)
        )


def filling_steps(prospects: Prospects, where: str, model: str = "") -> list[Step]:
    """Return the commands that would fill more than a few blanks, those that fill most first.

    Args:
        prospects: How many each would fill.
        where: The folders, and whatever else a command takes.
        model: How a command names the model, with a blank before it; "" where it need not.
    """
    tag, answers = f"tagger tag{model}", counted(prospects.n_answers, "answer")
    settled = f"{answers} in your browser settle {count(prospects.n_answered)} of them"
    unasked, unsure = prospects.unasked, prospects.unsure
    found = [
        (prospects.n_answered, Step(settled, f"tagger review {where}")),
        (unasked.n_tracks, Step(_words(unasked), f"{tag} --genres all {where}")),
        (unsure.n_tracks, Step(_words(unsure), f"{tag} --min-confidence {_LOWER} {where}")),
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    return [step for n, step in found if n >= _WORTH_A_WORD]


def with_learning(steps: Sequence[Step], n_taught: int, where: str) -> list[Step]:
    """Return steps with learning behind the first: how many it fills is not known before."""
    if n_taught < ENOUGH_TO_LEARN:
        return list(steps)
    why = f"learns from {counted(n_taught, 'track')} with a genre of yours"
    return [*steps[:1], Step(why, f"tagger learn {where}"), *steps[1:]]


def _promise(chances: Sequence[float]) -> Promise:
    return Promise(len(chances), round(sum(chances)))


def _words(promise: Promise) -> str:
    return f"writes {count(promise.n_tracks)} more, about {count(promise.n_right)} of them rightly"


def _question(track: BlankTrack) -> Hashable:
    """Return what blanks that one answer settles have in common: an artist, or else an album."""
    artist = artist_of(track.tags)
    if is_nobody(artist, artist_id_of(track.tags)):
        return album_key(track.path, track.tags) or track.path
    return fold(artist)
