"""Where the owner is: the question shown, what was answered, skipped and taken back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tagger.catalog import (
    REVIEW,
    Action,
    AnsweredState,
    Catalog,
    GivenAnswer,
    NamedFile,
    fold,
)
from tagger.errors import ConfigError
from tagger.genre_text import why_no_genre, without_repeats
from tagger.records import RunSummary, Status
from tagger.review.questions import Question, Questions, Suspect
from tagger.review.suggesting import N_BUTTONS, OfferedGenre, Suggesting
from tagger.review.writing import Writer

_MOST_GENRES = 8  # in one answer
_MOST_LETTERS = 200  # in a genre
_MOST_FOUND = 20  # by a search
_MOST_WHYS = 3
_PASSED_OVER = "the catalogue has forgotten it since the review began; start it anew to be asked"


def _tell_nobody() -> None:
    pass


class StaleError(Exception):
    """What was answered is not what is asked now: another window went on meanwhile."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the session is.

    Args:
        n_answers: Answers that stand.
        n_settled: Tracks that they settle.
        n_blank: Tracks without a genre that are still to be asked about, or in doubt.
        n_questions: Questions that are left.
        n_open: Tracks that are answered and not written yet.
        n_left: Tracks whose files could not be written.
        trouble: What keeps the writer from its work, or "".
        is_looking: What looks wrong is still being looked for.
    """

    n_answers: int
    n_settled: int
    n_blank: int
    n_questions: int
    n_open: int
    n_left: int
    trouble: str
    is_looking: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is shown.

    Args:
        question: What it is about.
        suggestions: The genres on the buttons.
        heard: What it sounds like: (genre, p), likeliest first.
        stands: The genres that stand in its files, and in how many.
        whys: What speaks against the genres that stand there, if they are in doubt.
    """

    question: Question
    suggestions: Sequence[OfferedGenre]
    heard: Sequence[tuple[str, float]]
    stands: Sequence[tuple[str, int]]
    whys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Done:
    """Something that ``undo`` takes back.

    Args:
        removed: Questions that were asked no longer by it.
        added: Questions that took their place.
        answer_id: Of an answer.
        genres: What was answered.
        n_tracks: How many tracks that settles.
        passed_over: Files that the answer says nothing of: they are others meanwhile.
    """

    removed: tuple[int, ...]
    added: tuple[int, ...] = ()
    answer_id: int | None = None
    genres: tuple[str, ...] = ()
    n_tracks: int = 0
    passed_over: tuple[NamedFile, ...] = ()


@dataclass
class Session:
    """One person at one library; every method may be called from any thread.

    Args:
        catalog: Where answers are kept; used under the session's own lock.
        questions: All that may be asked.
        suggesting: What is offered.
        writer: Carries answers out.
        paths: What the user asked to review, for the list of runs.
        is_doubtful: Genres that look wrong are asked about, and no blanks.
        most_answers: After so many it is over; None is never.
        on_answer: Called when an answer was given or taken back.
    """

    catalog: Catalog
    questions: Questions
    suggesting: Suggesting
    writer: Writer
    paths: Sequence[Path] = ()
    is_doubtful: bool = False
    most_answers: int | None = None
    on_answer: Callable[[], None] = _tell_nobody
    run_id: int | None = None
    why_none: str = ""
    _is_looking: bool = False
    _order: list[int] = field(default_factory=list)
    _skipped: list[int] = field(default_factory=list)
    _done: list[_Done] = field(default_factory=list)
    _blanks: dict[int, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._is_looking = self.is_doubtful
        numbers = (question.number for question in self.questions)
        self._order = sorted(numbers, key=lambda number: (-self._n_blank(number), number))

    # What is shown

    @property
    def current(self) -> int | None:
        """The number of the question that is asked now; None: there is none, or it is over."""
        with self._lock:
            if self.is_over:
                return None
            return self._order[0] if self._order else None

    @property
    def is_over(self) -> bool:
        """Whether as many answers were given as were asked for."""
        return self.most_answers is not None and self._n_answers >= self.most_answers

    def asked(self) -> Asked | None:
        """Return the question that is asked now."""
        with self._lock:
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
        with self._lock:
            left = (self.questions[number] for number in self._order)
            return [track.track_id for question in left for track in question.tracks]

    def learn(self, likely: Mapping[int, Sequence[tuple[str, float]]]) -> None:
        """Offer from now on what was learned: {track_id: genres, likeliest first}."""
        with self._lock:
            self.suggesting.take(likely)

    def take_suspects(self, suspects: Sequence[Suspect], why_none: str) -> None:
        """Ask about tracks whose genre looks wrong, the surest first."""
        with self._lock:
            self._order += self.questions.add_suspects(suspects)
            self.why_none = why_none
            self._is_looking = False

    def progress(self) -> Progress:
        """Return how far it is."""
        with self._lock:
            states = {} if self.run_id is None else self.catalog.answered([self.run_id])
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
        """Return the files that answers of this session could not be written to, and why."""
        with self._lock:
            passed_over = [(path, _PASSED_OVER) for path in self._passed_over]
            if self.run_id is None:
                return passed_over
            return [*self.catalog.answers_left([self.run_id]), *passed_over]

    def find(self, text: str) -> list[Question]:
        """Return open questions whose artist, album or track has a text in its name."""
        key = fold(text.strip())
        if not key:
            return []
        with self._lock:
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
        with self._lock:
            self._give(number, action, wanted)
            self.suggesting.use(wanted, 1)

    def keep(self, number: int) -> None:
        """Say that the genres in doubt are right.

        Raises:
            StaleError, CatalogError: As for ``answer``.
        """
        with self._lock:
            if self.is_doubtful:
                self._give(number, Action.KEEP, ())

    def never(self, number: int) -> None:
        """Never ask about the tracks of a question again.

        Raises:
            StaleError, CatalogError: As for ``answer``.
        """
        with self._lock:
            self._give(number, Action.NEVER, ())

    def skip(self, number: int) -> None:
        """Ask it again when all others have been asked.

        Raises:
            StaleError: Another question is asked now.
        """
        with self._lock:
            self._check(number)
            self._order.append(self._order.pop(0))
            self._skipped.append(number)

    def back(self) -> None:
        """Ask the question again that was skipped last."""
        with self._lock:
            while self._skipped:
                number = self._skipped.pop()
                if number in self._order:
                    self._to_front(number)
                    return

    def jump(self, number: int) -> None:
        """Ask an open question now."""
        with self._lock:
            if number in self._order:
                self._to_front(number)

    def split(self, number: int) -> None:
        """Ask about the parts of a question, since they differ.

        Raises:
            StaleError: Another question is asked now.
        """
        with self._lock:
            self._check(number)
            parts = tuple(one.number for one in self.questions.split(self.questions[number]))
            if parts:
                self._order[:1] = parts
                self._done.append(_Done((number,), parts))

    def join(self, numbers: Sequence[int]) -> None:
        """Ask open questions together, as one."""
        with self._lock:
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
        with self._lock:
            if not self._done:
                return
            last = self._done[-1]
            if last.answer_id is not None:
                self.catalog.withdraw_answer(last.answer_id)
                self.suggesting.use(last.genres, -1)
                self.writer.wake()
                self.on_answer()
            self._done.pop()
            rest = [n for n in self._order if n not in last.added]
            self._order = [*last.removed, *rest]

    def end(self) -> None:
        """Note in the catalogue that it is over."""
        with self._lock:
            if self.run_id is None:
                return
            counts = self.writer.counts()
            by_status = {
                Status.WRITTEN: counts[AnsweredState.WRITTEN],
                Status.FAILED: counts[AnsweredState.LEFT],
                Status.RESTORED: counts[AnsweredState.RESTORED],
            }
            summary = RunSummary(
                {status: n for status, n in by_status.items() if n},
                elapsed_s=time.monotonic() - self._started,
            )
            self.catalog.end_run(self.run_id, summary)

    @property
    def _n_answers(self) -> int:
        return sum(done.answer_id is not None for done in self._done)

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

    def _give(self, number: int, action: Action, genres: tuple[str, ...]) -> None:
        self._check(number)
        question = self.questions[number]
        if self.run_id is None:
            self.run_id = self.catalog.begin_run(REVIEW, None, self.paths)
        tracks = question.tracks
        subject = " – ".join(dict.fromkeys(filter(None, (question.artist, question.name))))
        answer = GivenAnswer(action, subject, genres, tuple(track.named for track in tracks))
        noted = self.catalog.give_answer(self.run_id, answer)
        gone = noted.passed_over
        n_settled = 0 if action is Action.NEVER else len(tracks) - len(gone)
        self._done.append(_Done((number,), (), noted.answer_id, genres, n_settled, gone))
        self._order.pop(0)
        self.writer.wake()
        self.on_answer()

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
