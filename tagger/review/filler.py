"""Offering to fill: a set is prepared, some of it is judged, and what passed is filled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagger.errors import ConfigError
from tagger.review.apart import DiedError, apart
from tagger.review.filling import (
    HOPED,
    N_DRAWN,
    N_ENOUGH,
    SURER,
    SUREST,
    WORTH,
    FillSet,
    Judging,
    Prepared,
    Proposal,
    Wanted,
    fill_set,
    is_right,
    prepare,
    save,
)
from tagger.review.session import Session, StaleError
from tagger.review.shown import Asked, Filling, Judged, Passed

_MOST_SHOWN = 200  # tracks of a set
_DIED = "the process that learns has died; nothing was written"


@dataclass
class Filler:
    """Offers to fill what was learned surely; it asks in between, as the session's interlude.

    Args:
        session: Whose blanks are filled.
        location: The catalogue.
        in_process: Runs a function in a process of its own.
    """

    session: Session
    location: str | Path
    in_process: Callable[[Callable[[Any], Any], Any], Any] = apart
    share: float = HOPED
    _n_sure: int = 0
    _is_preparing: bool = False
    _note: str = ""
    _judging: Judging | None = None
    _numbers: dict[int, int] = field(default_factory=dict)

    def shown(self) -> Filling:
        """Return what is told of it."""
        with self.session.lock:
            return Filling(
                n_offered=self._n_sure if self._may_be_offered else 0,
                n_drawn=N_DRAWN,
                is_preparing=self._is_preparing,
                passed=self._passed(),
                note=self._note,
            )

    def learned(self, sure: Collection[int]) -> None:
        """Take the tracks that a new head is sure of; a set that is judged stays as it is."""
        with self.session.lock:
            self._n_sure = sum(track.track_id in sure for track in self.session.blanks())

    def begin(self) -> None:
        """Have a set prepared; it is judged as soon as it is there."""
        with self.session.lock:
            if not self._may_be_offered:
                raise StaleError
            self._is_preparing, self._note = True, ""
            track_ids = [track.track_id for track in self.session.blanks()]
        listed = self.session.suggesting.genre_list
        wanted = Wanted(self.location, track_ids, self.share, listed)
        threading.Thread(target=self._prepare, args=(wanted,), daemon=True).start()

    def fill(self) -> None:
        """Keep the model, and have the rest of a set written of which enough was right.

        Raises:
            StaleError: No set has passed.
            ConfigError: The model cannot be kept; nothing is written.
            CatalogError: What is to be written cannot be kept; nothing is written.
        """
        with self.session.lock:
            judging = self._judging
        if judging is None or not judging.has_passed:
            raise StaleError
        try:
            why_not = self.in_process(save, judging.filling.prepared)
        except DiedError:
            why_not = _DIED
        if why_not:
            raise ConfigError(f"nothing is filled: {why_not}")
        with self.session.lock:
            if self._judging is not judging:  # it was left, or filled, from another window
                raise StaleError
            run_id = self.session.fill(judging.filling, self._forget)
            self._end(
                f"{judging.n_right} of {N_DRAWN} were right: {len(judging.filling.rest)} tracks "
                f"are filled. tagger undo {run_id} takes them back; now u does."
            )

    def mark(self, number: int, *, is_right: bool) -> None:
        """Say that what would be written is right, or that it is wrong and what is right unknown.

        Raises:
            StaleError: Another track is judged now.
            CatalogError: It cannot be kept.
        """
        with self.session.lock:
            if number != self.number or self._judging is None or self._judging.asked is None:
                raise StaleError
            if is_right:
                self.answer((self._judging.asked.genre,))
            else:
                self.session.note_nothing(self._judging.verdicts.pop)
                self._take(verdict=False)

    # As the session's interlude

    @property
    def number(self) -> int | None:
        """The question about the track that is judged now."""
        one = None if self._judging is None else self._judging.asked
        return None if one is None else self._number_of(one)

    @property
    def may_undo(self) -> bool:
        """Whether a track has been judged."""
        return self._judging is not None and bool(self._judging.verdicts)

    def asked(self) -> Asked | None:
        """Return the track that is judged now."""
        judging = self._judging
        one = None if judging is None else judging.asked
        if judging is None or one is None:
            return None
        question = self.session.questions[self._number_of(one)]
        suggesting = self.session.suggesting
        genres = one.track.tags.genres
        return Asked(
            question,
            [other for other in suggesting.of(question) if not is_right(one, [other.genre])],
            suggesting.heard(question.tracks)[:3],
            [(", ".join(genres), 1)] if genres else [],
            judged=Judged(
                one.genre,
                one.confidence,
                len(judging.filling.proposals),
                N_DRAWN,
                len(judging.verdicts),
                judging.n_right,
            ),
        )

    def answer(self, genres: Sequence[str]) -> None:
        """Take what a person says of the track; that is written as the person's."""
        judging = self._judging
        one = None if judging is None else judging.asked
        assert judging is not None, "it is asked while something is judged"
        assert one is not None, "it is asked while something is judged"
        self.session.settle_alone(self._number_of(one), tuple(genres), judging.verdicts.pop)
        self._take(verdict=is_right(one, genres))

    def leave(self) -> None:
        """Judge no more; what would be filled next time has to be surer."""
        if self._judging is not None:
            self._fail("Nothing is filled, since it was left.")

    # Within

    @property
    def _may_be_offered(self) -> bool:
        is_busy = self._is_preparing or self._judging is not None or self.session.is_doubtful
        return self._n_sure >= WORTH and not is_busy and self._are_answers_left

    @property
    def _are_answers_left(self) -> bool:
        left = self.session.n_answers_left
        return left is None or left >= N_DRAWN

    def _prepare(self, wanted: Wanted) -> None:
        try:
            prepared = self.in_process(prepare, wanted)
        except DiedError:
            prepared = Prepared(why_not=_DIED)
        with self.session.lock:
            self._is_preparing = False
            self._begin_judging(prepared)

    def _begin_judging(self, prepared: Prepared) -> None:
        chosen = fill_set(prepared, self.session.blanks())
        if prepared.why_not:
            self._note = f"Nothing can be filled: {prepared.why_not}"
        elif not self._are_answers_left:
            self._note = "There are fewer answers left than have to be judged: nothing is filled."
        elif len(chosen.proposals) < WORTH:
            self._n_sure = 0  # until more is learned
            self._note = (
                f"Only {len(chosen.proposals)} tracks are sure enough to be filled, too few to "
                f"judge {N_DRAWN} of them; more answers help."
            )
        else:
            self._judging = Judging(chosen)
            self._numbers = {}
            self.session.interlude = self

    def _number_of(self, one: Proposal) -> int:
        """Return the number of the question about a track that was drawn."""
        if one.track.file_id not in self._numbers:
            question = self.session.questions.alone(one.track)
            self._numbers[one.track.file_id] = question.number
        return self._numbers[one.track.file_id]

    def _take(self, *, verdict: bool) -> None:
        assert self._judging is not None, "it is asked while something is judged"
        self._judging.verdicts.append(verdict)
        if self._judging.has_failed:
            n_wrong = len(self._judging.verdicts) - self._judging.n_right
            self._fail(
                f"{n_wrong} of {len(self._judging.verdicts)} were wrong, where {N_ENOUGH} of "
                f"{N_DRAWN} have to be right: nothing is filled. What is offered next has to be "
                "surer."
            )

    def _fail(self, note: str) -> None:
        self.share = min(self.share + SURER, SUREST)
        self._end(note)

    def _end(self, note: str) -> None:
        self._judging, self._n_sure, self._note = None, 0, note
        self.session.interlude = None

    def _forget(self) -> None:
        self._note = ""

    def _passed(self) -> Passed | None:
        judging = self._judging
        if judging is None or not judging.has_passed:
            return None
        chosen = judging.filling
        return Passed(
            judging.n_right,
            N_DRAWN,
            len(chosen.proposals),
            len(chosen.rest),
            chosen.by_genre,
            _names(chosen),
        )


def _names(chosen: FillSet) -> list[tuple[str, str, str]]:
    """Return (name, artist, genre) of the first tracks that would be filled."""
    return [
        (one.track.tags.title.strip() or one.track.path.name, one.track.tags.artist, one.genre)
        for one in chosen.rest[:_MOST_SHOWN]
    ]
