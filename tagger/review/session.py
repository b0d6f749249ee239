"""Where the owner is: the question shown, what was answered, skipped and taken back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tagger.catalog import (
    REVIEW,
    Action,
    AnsweredState,
    GivenAnswer,
    NamedFile,
    Unanswered,
    by_status,
    fold,
)
from tagger.errors import ConfigError
from tagger.genre_text import why_no_genre, without_repeats
from tagger.records import RunSummary
from tagger.review.filling import FillSet, recorded
from tagger.review.questions import Question, Questions, Suspect
from tagger.review.shown import Asked, Progress
from tagger.review.suggesting import N_BUTTONS, OfferedGenre, Suggesting
from tagger.review.writing import Writer

if TYPE_CHECKING:
    from tagger.catalog import Catalog

_MOST_GENRES = 8  # in one answer
_MOST_LETTERS = 200  # in a genre
_MOST_FOUND = 20  # by a search
_MOST_WHYS = 3
_MOST_LEFT = 50  # files that are named
_PASSED_OVER = "the catalogue has forgotten it since the review began; start it anew to be asked"


def _tell_nobody() -> None:
    pass


class StaleError(Exception):
    """What was answered is not what is asked now: another window went on meanwhile."""


@dataclass(frozen=True, slots=True)
class _Done:
    """Something that ``undo`` takes back.

    Args:
        removed: Questions that were asked no longer by it.
        added: Questions that took their place.
        order: What was to be asked before it, where questions all over the order were changed.
        answer_ids: Of an answer, or of all that a filling wrote.
        genres: What was answered.
        n_tracks: How many tracks that settles.
        passed_over: Files that the answer says nothing of: they are others meanwhile.
        is_fill: It is the tagger's, and no answer.
        undone: Called when it is taken back.
    """

    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    order: tuple[int, ...] | None = None
    answer_ids: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()
    n_tracks: int = 0
    passed_over: tuple[NamedFile, ...] = ()
    is_fill: bool = False
    undone: Callable[[], object] = _tell_nobody

    @property
    def is_answer(self) -> bool:
        """Whether a person gave an answer."""
        return bool(self.answer_ids) and not self.is_fill


class Interlude(Protocol):
    """What asks in between: the questions wait meanwhile. All is done under the session's lock."""

    @property
    def number(self) -> int | None:
        """The question that is asked now, if one is."""

    @property
    def may_undo(self) -> bool:
        """Whether the last thing that was done was done here."""

    def asked(self) -> Asked | None:
        """Return that question."""

    def answer(self, genres: Sequence[str]) -> None:
        """Take an answer to it."""

    def leave(self) -> None:
        """Ask no more; the questions go on."""


@dataclass
class Session:
    """One person at one library; every method may be called from any thread.

    Args:
        open_catalog: Gives where answers are kept; used under the session's own lock.
        questions: All that may be asked.
        suggesting: What is offered.
        writer: Carries answers out.
        paths: What the user asked to review, for the list of runs.
        is_doubtful: Genres that look wrong are asked about, and no blanks.
        most_answers: After so many it is over; None is never.
        on_answer: Called when an answer was given.
        on_undo: Called when one was taken back.
        interlude: What asks in between, if anything does.
    """

    open_catalog: Callable[[], Catalog]
    questions: Questions
    suggesting: Suggesting
    writer: Writer
    paths: Sequence[Path] = ()
    is_doubtful: bool = False
    most_answers: int | None = None
    on_answer: Callable[[], None] = _tell_nobody
    on_undo: Callable[[], None] = _tell_nobody
    interlude: Interlude | None = None
    run_id: int | None = None
    fill_run_ids: list[int] = field(default_factory=list)
    why_none: str = ""
    _is_looking: bool = False
    _order: list[int] = field(default_factory=list)
    _skipped: list[int] = field(default_factory=list)
    _done: list[_Done] = field(default_factory=list)
    _blanks: dict[int, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._is_looking = self.is_doubtful
        numbers = (question.number for question in self.questions)
        self._order = sorted(numbers, key=lambda number: (-self._n_blank(number), number))

    @property
    def catalog(self) -> Catalog:
        """Where answers are kept; opened when it is first needed.

        Raises:
            CatalogError: It cannot be opened.
        """
        return self.open_catalog()

    # What is shown

    @property
    def current(self) -> int | None:
        """The number of the question that is asked now; None: there is none, or it is over."""
        with self.lock:
            if self.interlude is not None:
                return self.interlude.number
            if self.is_over:
                return None
            return self._order[0] if self._order else None

    @property
    def is_over(self) -> bool:
        """Whether as many answers were given as were asked for."""
        return self.most_answers is not None and self._n_answers >= self.most_answers

    def asked(self) -> Asked | None:
        """Return the question that is asked now."""
        with self.lock:
            if self.interlude is not None:
                return self.interlude.asked()
            number = self.current
            if number is None:
                return None
            question = self.questions[number]
            if self.is_doubtful:
                return self._in_doubt(question)
            return Asked(
                question,
                self.suggesting.of(question),
                self.suggesting.heard(question.tracks)[:3],
                _stands(question),
            )

    def _in_doubt(self, question: Question) -> Asked:
        """Return the question whether the genre that stands is right."""
        suspects = self.questions.suspects(question)
        likely = Counter(genre for one in suspects for genre in one.likely)
        whys = Counter(why for one in suspects for why in one.whys)
        # What stands is no change, and what it seems to be comes first.
        told = {genre for track in question.tracks for genre in track.tags.genres} | set(likely)
        others = (one for one in self.suggesting.of(question) if one.genre not in told)
        offered = [*(OfferedGenre(genre) for genre, _ in likely.most_common()), *others]
        return Asked(
            question,
            offered[:N_BUTTONS],
            (),
            _stands(question),
            [why for why, _ in whys.most_common(_MOST_WHYS)],
        )

    def track_ids(self) -> list[int]:
        """Return the tracks that are still to be asked about."""
        with self.lock:
            left = (self.questions[number] for number in self._order)
            return [track.track_id for question in left for track in question.tracks]

    def blanks(self) -> list[Unanswered]:
        """Return the tracks without a genre that are still to be asked about."""
        with self.lock:
            left = (self.questions[number] for number in self._order)
            tracks = (track for question in left for track in question.tracks)
            return list(filter(self.questions.is_blank, tracks))

    @property
    def n_answers_left(self) -> int | None:
        """How many more answers are asked for; None is no end."""
        return None if self.most_answers is None else self.most_answers - self._n_answers

    def learn(self, likely: Mapping[int, Sequence[tuple[str, float]]]) -> None:
        """Offer from now on what was learned: {track_id: genres, likeliest first}."""
        with self.lock:
            self.suggesting.take(likely)

    def take_suspects(self, suspects: Sequence[Suspect], why_none: str) -> None:
        """Ask about tracks whose genre looks wrong, the surest first."""
        with self.lock:
            self._order += self.questions.add_suspects(suspects)
            self.why_none = why_none
            self._is_looking = False

    def progress(self) -> Progress:
        """Return how far it is."""
        with self.lock:
            states = self.catalog.answered(self._run_ids) if self._run_ids else {}
            return Progress(
                n_answers=self._n_answers,
                n_settled=sum(done.n_tracks for done in self._done),
                n_blank=sum(map(self._n_blank, self._order)),
                n_questions=len(self._order),
                n_open=states.get(AnsweredState.OPEN, 0),
                n_left=states.get(AnsweredState.LEFT, 0) + len(self._passed_over),
                trouble=self.writer.trouble,
                is_looking=self._is_looking,
            )

    def left(self) -> list[tuple[Path, str]]:
        """Return the first files that answers of this session could not be written to, and why."""
        with self.lock:
            left = [(path, _PASSED_OVER) for path in self._passed_over]
            if self._run_ids:
                left = [*self.catalog.answers_left(self._run_ids, _MOST_LEFT), *left]
            return left[:_MOST_LEFT]

    def find(self, text: str) -> list[Question]:
        """Return open questions whose artist, album or track has a text in its name."""
        key = fold(text.strip())
        if not key:
            return []
        with self.lock:
            found = (q for q in map(self.questions.__getitem__, self._order) if _mentions(q, key))
            return [question for question, _ in zip(found, range(_MOST_FOUND), strict=False)]

    # What the owner does

    def answer(self, number: int, genres: Sequence[str]) -> None:
        """Keep an answer to the question that is asked, and have it written.

        Raises:
            StaleError: Another question is asked now.
            ConfigError: No tag can hold a genre.
            CatalogError: It cannot be kept.
        """
        wanted = checked_genres(genres)
        action = Action.CHANGE if self.is_doubtful else Action.GENRES
        with self.lock:
            if self.interlude is not None:
                self._check(number)
                self.interlude.answer(wanted)
                return
            self._give(number, action, wanted)
            self.suggesting.use(wanted, 1)

    def keep(self, number: int) -> None:
        """Say that the genres in doubt are right.

        Raises:
            StaleError, CatalogError: As for ``answer``.
        """
        with self.lock:
            self._check_no_interlude()
            if self.is_doubtful:
                self._give(number, Action.KEEP, ())

    def never(self, number: int) -> None:
        """Never ask about the tracks of a question again.

        Raises:
            StaleError, CatalogError: As for ``answer``.
        """
        with self.lock:
            self._check_no_interlude()
            self._give(number, Action.NEVER, ())

    def skip(self, number: int) -> None:
        """Ask it again when all others have been asked.

        Raises:
            StaleError: Another question is asked now.
        """
        with self.lock:
            self._check(number)
            self._check_no_interlude()
            self._order.append(self._order.pop(0))
            self._skipped.append(number)

    def back(self) -> None:
        """Ask the question again that was skipped last."""
        with self.lock:
            self._check_no_interlude()
            while self._skipped:
                number = self._skipped.pop()
                if number in self._order:
                    self._to_front(number)
                    return

    def jump(self, number: int) -> None:
        """Ask an open question now."""
        with self.lock:
            self._check_no_interlude()
            if number in self._order:
                self._to_front(number)

    def split(self, number: int) -> None:
        """Ask about the parts of a question, since they differ, each when its turn comes.

        Raises:
            StaleError: Another question is asked now.
        """
        with self.lock:
            self._check(number)
            self._check_no_interlude()
            parts = tuple(one.number for one in self.questions.split(self.questions[number]))
            if parts:
                self._order.pop(0)
                if self.is_doubtful:  # what is asked is ranked by how wrong it looks
                    self._order[:0] = parts
                else:
                    self._put_in_place(parts)
                self._done.append(_Done((number,), parts))

    def join(self, numbers: Sequence[int]) -> None:
        """Ask open questions together, as one."""
        with self.lock:
            self._check_no_interlude()
            chosen = tuple(number for number in dict.fromkeys(numbers) if number in self._order)
            if len(chosen) < 2:
                return
            joined = self.questions.join([self.questions[number] for number in chosen])
            self._order = [joined.number, *(n for n in self._order if n not in chosen)]
            self._done.append(_Done(chosen, (joined.number,)))

    def undo(self) -> None:
        """Take the last answer, split or join back; what was asked then is asked again.

        Raises:
            CatalogError: That cannot be kept.
        """
        with self.lock:
            if not self._done or (self.interlude is not None and not self.interlude.may_undo):
                return
            last = self._done[-1]
            if last.answer_ids:
                self.catalog.withdraw_answers(*last.answer_ids)
                self.suggesting.use(last.genres, -1)
                self.writer.wake()
                self.on_undo()
            self._done.pop()
            rest = (n for n in self._order if n not in last.added)
            self._order = list(last.order or (*last.removed, *rest))
            last.undone()

    # What is done in between

    def leave(self) -> None:
        """Go on with the questions."""
        with self.lock:
            if self.interlude is not None:
                self.interlude.leave()

    def settle_alone(
        self, number: int, genres: tuple[str, ...], undone: Callable[[], object]
    ) -> None:
        """Keep an answer about a track that is part of a question; the rest of that is asked on.

        Args:
            number: Of the question about the track alone.
            genres: The answer.
            undone: Called when it is taken back.

        Raises:
            CatalogError: It cannot be kept.
        """
        done = self._kept(self.questions[number], Action.GENRES, genres)
        order = tuple(self._order)
        self._take_out({track.file_id for track in self.questions[number].tracks})
        self._note(replace(done, order=order, undone=undone))
        self.suggesting.use(genres, 1)

    def note_nothing(self, undone: Callable[[], object]) -> None:
        """Note something that is no answer, and that ``undo`` takes back."""
        self._done.append(_Done(order=tuple(self._order), undone=undone))

    def fill(self, chosen: FillSet, undone: Callable[[], object] = _tell_nobody) -> int:
        """Have the tagger write what its owner let it write; return the run that does.

        Args:
            chosen: The set; what was judged of it is left out.
            undone: Called when it is taken back.

        Raises:
            CatalogError: It cannot be kept; then nothing is written.
        """
        with self.lock:
            order = tuple(self._order)
            run_id, noted = recorded(self.catalog, chosen, self.paths)
            self.fill_run_ids.append(run_id)
            gone = tuple(file for one in noted for file in one.passed_over)
            ids = tuple(one.answer_id for one in noted)
            self._take_out({one.track.file_id for one in chosen.rest})
            n_tracks = len(chosen.rest) - len(gone)
            self._done.append(
                _Done((), (), order, ids, (), n_tracks, gone, is_fill=True, undone=undone)
            )
            self.writer.wake()
            return run_id

    def end(self) -> None:
        """Note in the catalogue that it is over."""
        with self.lock:
            if self.run_id is None:
                return
            counts = self.catalog.answered([self.run_id])
            elapsed_s = time.monotonic() - self._started
            self.catalog.end_run(self.run_id, RunSummary(by_status(counts), elapsed_s=elapsed_s))

    @property
    def _run_ids(self) -> list[int]:
        """The runs of this session: its answers', and those that filled."""
        return [*([] if self.run_id is None else [self.run_id]), *self.fill_run_ids]

    @property
    def _n_answers(self) -> int:
        return sum(done.is_answer for done in self._done)

    @property
    def _passed_over(self) -> list[Path]:
        """The files that answers say nothing of, since they are others meanwhile."""
        return [file.path for done in self._done for file in done.passed_over]

    def _n_blank(self, number: int) -> int:
        """Return how many tracks of a question have no genre, or one in doubt."""
        if number not in self._blanks:
            tracks = self.questions[number].tracks
            n_blank = sum(map(self.questions.is_blank, tracks))
            self._blanks[number] = len(tracks) if self.is_doubtful else n_blank
        return self._blanks[number]

    def _check(self, number: int) -> None:
        if number != self.current:
            raise StaleError

    def _check_no_interlude(self) -> None:
        if self.interlude is not None:
            raise ConfigError("first judge these tracks, or leave that with s")

    def _give(self, number: int, action: Action, genres: tuple[str, ...]) -> None:
        self._check(number)
        done = self._kept(self.questions[number], action, genres)
        self._order.pop(0)
        self._note(replace(done, removed=(number,)))

    def _kept(self, question: Question, action: Action, genres: tuple[str, ...]) -> _Done:
        """Keep an answer about a question's tracks; return what ``undo`` has to know of it."""
        if self.run_id is None:
            self.run_id = self.catalog.begin_run(REVIEW, None, self.paths)
        tracks = question.tracks
        subject = " – ".join(dict.fromkeys(filter(None, (question.artist, question.name))))
        answer = GivenAnswer(action, subject, genres, tuple(track.named for track in tracks))
        noted = self.catalog.give_answer(self.run_id, answer)
        gone = noted.passed_over
        n_settled = 0 if action is Action.NEVER else len(tracks) - len(gone)
        return _Done(
            answer_ids=(noted.answer_id,), genres=genres, n_tracks=n_settled, passed_over=gone
        )

    def _note(self, done: _Done) -> None:
        self._done.append(done)
        self.writer.wake()
        self.on_answer()

    def _take_out(self, file_ids: set[int]) -> None:
        """Ask no longer about some files; what is left of their questions is asked on."""
        rest = (self.questions.without(self.questions[n], file_ids) for n in self._order)
        self._order = [question.number for question in rest if question is not None]

    def _put_in_place(self, numbers: Sequence[int]) -> None:
        """Ask questions in their turn: before those that settle as little, or were skipped."""
        skipped = set(self._skipped)
        for number in reversed(numbers):  # of parts alike the first stays first
            n_blank = self._n_blank(number)
            smaller = (
                place
                for place, other in enumerate(self._order)
                if other in skipped or self._n_blank(other) <= n_blank
            )
            self._order.insert(next(smaller, len(self._order)), number)

    def _to_front(self, number: int) -> None:
        self._order.remove(number)
        self._order.insert(0, number)


def checked_genres(genres: Sequence[str]) -> tuple[str, ...]:
    """Return genres as they are to be written, each once.

    Raises:
        ConfigError: There is none, there are too many, or no tag can hold one.
    """
    wanted = without_repeats(genres)
    if not wanted:
        raise ConfigError("name a genre")
    if len(wanted) > _MOST_GENRES or max(map(len, wanted)) > _MOST_LETTERS:
        raise ConfigError(f"at most {_MOST_GENRES} genres of {_MOST_LETTERS} letters each")
    for genre in wanted:
        if why := why_no_genre(genre):
            raise ConfigError(why)
    return wanted


def _stands(question: Question) -> list[tuple[str, int]]:
    """Return the genres that stand in a question's files, and in how many."""
    found: dict[str, int] = {}
    for track in question.tracks:
        if track.tags.genres:
            name = ", ".join(track.tags.genres)
            found[name] = found.get(name, 0) + 1
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def _mentions(question: Question, key: str) -> bool:
    names = (question.name, question.artist, *question.albums)
    return any(key in fold(name) for name in names) or any(
        key in fold(track.tags.title) for track in question.tracks
    )
