"""What to write: a track's probabilities, the genres that stand in its file, and what was asked.

Pure: no file is looked at. The table of outcomes is the whole policy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from tagger.errors import ConfigError
from tagger.evidence.trials import BAR
from tagger.evidence.weighing import Said
from tagger.genre_list import GenreList
from tagger.genre_text import are_among, why_no_genre
from tagger.reasons import Reason, ReasonCode, Value
from tagger.records import Decision, Status, Suggestion, TagsFound, TrackPrediction

_N_SUGGESTIONS = 5
_TWO = 2  # recordings that must agree before what was written by sound follows them


@dataclass(frozen=True, slots=True)
class Rival:
    """What another network has heard in a track, or in its album together.

    Args:
        model: Its id.
        label: The likeliest of its genres.
        confidence: How sure it is of that.
    """

    model: str
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class GenrePolicy:
    """Which labels may be written, from which confidence on, and as what.

    Args:
        writable: Labels that may be written.
        thresholds: {label: least confidence, in [0, 1]; above 1 is never}.
        max_genres: How many a track, at most.
        genre_map: {label: the genre to write for it; "" is never}; others stand for themselves.
        genres: The labels that are genres, and not moods or decades; None is all.
        broader: {genre: the one that it is a kind of}. A narrower one is believed no more than
            that, and written besides it or in its stead, never instead of another.
        further: {label: least confidence behind a likelier one}; empty where ``thresholds`` hold
            for that as well.
        evidence_bar: From which confidence on the owner's own tags count.
        evidence_genres: Genres that they may bring; None is all.
        uses_sound: Whether what was heard may decide.
        genre_list: The owner's genres, in whose words all is written.
        with_parents: Write what genres are kinds of as well; ``max_genres`` does not count that.
    """

    writable: frozenset[str]
    thresholds: Mapping[str, float]
    max_genres: int = 1
    genre_map: Mapping[str, str] = field(default_factory=dict)
    genres: frozenset[str] | None = None
    broader: Mapping[str, str] = field(default_factory=dict)
    further: Mapping[str, float] = field(default_factory=dict)
    evidence_bar: float = BAR
    evidence_genres: tuple[str, ...] | None = None
    uses_sound: bool = True
    genre_list: GenreList = field(default_factory=GenreList)
    with_parents: bool = False

    def believes(self, said: Said) -> bool:
        """Return whether what the owner's tags say may be written."""
        is_asked = self.evidence_genres is None or are_among(said.genres, self.evidence_genres)
        # Of what is worth nothing no bar is low enough.
        return is_asked and said.confidence >= self.evidence_bar and said.confidence > 0

    def genre_of(self, label: str) -> str:
        """Return what is written for a label; "" if nothing ever is."""
        return self.genre_list.named(self._mapped(label))

    def _mapped(self, label: str) -> str:
        return self.genre_map.get(label, label)

    def listed(self, genres: Iterable[str]) -> tuple[str, ...]:
        """Return what is written for genres, by the owner's list; () if none of them may be."""
        return self.genre_list.written(genres, with_parents=self.with_parents)

    def choose(self, probabilities: Mapping[str, float]) -> tuple[str, ...]:
        """Return the genres to write, likeliest first; () if the likeliest is not one of them.

        >>> policy = GenrePolicy(frozenset({"Rock"}), {"Rock": 0.75, "Folk": 0.75})
        >>> policy.choose({"Rock": 0.8, "Folk": 0.2}), policy.choose({"Rock": 0.2, "Folk": 0.8})
        (('Rock',), ())
        """
        passing = map(self.genre_of, self._passing(probabilities))
        return self.listed(tuple(dict.fromkeys(passing))[: self.max_genres])

    def confidence(self, probabilities: Mapping[str, float]) -> float:
        """Return how sure the first genre to write is; without one, the likeliest."""
        first = (self._passing(probabilities) or self._ranked(probabilities))[:1]
        return max((self._belief(label, probabilities) for label in first), default=0.0)

    def suggest(self, probabilities: Mapping[str, float]) -> tuple[Suggestion, ...]:
        """Return the likeliest genres, however unsure they are, without those never written."""
        beliefs: dict[str, float] = {}
        for label in self._ranked(probabilities):
            if genre := self.genre_of(label):
                beliefs.setdefault(genre, self._belief(label, probabilities))
        return tuple(Suggestion(*one) for one in beliefs.items())[:_N_SUGGESTIONS]

    def why_not(self, probabilities: Mapping[str, float]) -> Reason:
        """Return why ``choose`` gives nothing."""
        ranked = self._ranked(probabilities)
        if not ranked:
            return Reason(ReasonCode.NO_LABELS)
        label = ranked[0]
        needed = self.thresholds.get(label, 2.0)
        heard: Mapping[str, Value] = {"label": label, "confidence": probabilities[label]}
        if not self._mapped(label):
            return Reason(ReasonCode.NEVER, heard)
        if not self.genre_of(label):
            return Reason(ReasonCode.NOT_LISTED, {"genres": (self._mapped(label),)})
        if needed > 1:  # --genres alone would not help
            return Reason(ReasonCode.UNTRUSTED, heard)
        if label in self.writable:
            return Reason(ReasonCode.UNSURE, {**heard, "needed": needed})
        if probabilities[label] >= needed:
            return Reason(ReasonCode.UNASKED, heard)
        return Reason(ReasonCode.UNASKED_UNSURE, {**heard, "needed": needed})

    def _ranked(self, probabilities: Mapping[str, float]) -> list[str]:
        """Return the labels that are genres, likeliest first, none before its broader one."""
        genres = [x for x in probabilities if self.genres is None or x in self.genres]
        if not self.broader:  # asked of every track, several times
            return sorted(genres, key=probabilities.__getitem__, reverse=True)
        return sorted(genres, key=lambda x: (-self._belief(x, probabilities), x in self.broader))

    def _passing(self, probabilities: Mapping[str, float]) -> list[str]:
        """Return the labels to write, if the likeliest or one narrower than it is among them."""
        ranked = self._ranked(probabilities)
        # Without narrower ones the likeliest alone may be first; of most tracks it does not pass.
        if not ranked or not (
            self.broader or self._passes(ranked[0], probabilities, self.thresholds)
        ):
            return []
        passing = [x for x in ranked if self._passes(x, probabilities, self.thresholds)][:1]
        if not passing or ranked[0] not in (passing[0], self.broader.get(passing[0])):
            return []
        behind = ranked[ranked.index(passing[0]) + 1 :]
        needed = self.further or self.thresholds
        return passing + [x for x in behind if self._passes(x, probabilities, needed)]

    def _belief(self, label: str, probabilities: Mapping[str, float]) -> float:
        broader = self.broader.get(label, label)
        return min(probabilities[label], probabilities[broader])

    def _passes(
        self, label: str, probabilities: Mapping[str, float], needed: Mapping[str, float]
    ) -> bool:
        if label not in self.writable or not self.genre_of(label):
            return False
        return self._belief(label, probabilities) >= needed.get(label, 2.0)


def make_policy(
    labels: Iterable[str],
    writable: Iterable[str],
    thresholds: Mapping[str, float],
    *,
    genres: tuple[str, ...] = (),
    min_confidence: float | None = None,
    max_genres: int = 1,
    genre_map: Mapping[str, str] | None = None,
    broader: Mapping[str, str] | None = None,
    further: Mapping[str, float] | None = None,
    uses_sound: bool = True,
    library_genres: Collection[str] = (),
    genre_list: GenreList | None = None,
    with_parents: bool = False,
) -> GenrePolicy:
    """Return the policy of a model's card and of what the user asked.

    Args:
        labels: The model's labels that are genres.
        writable: Those that its card calls writable.
        thresholds: Its card's thresholds.
        genres: ``--genres``: names, or "all", or () for the card's.
        min_confidence: ``--min-confidence``, for every label, or None for the card's.
        max_genres: ``--max-genres``.
        genre_map: The setting of that name: what to write for a label.
        broader: Which label is a kind of which.
        further: The card's thresholds for labels behind a likelier one.
        uses_sound: Whether what was heard may decide.
        library_genres: Those of ``genres`` that stand in the library and need not be labels.
        genre_list: The owner's genres.
        with_parents: ``--with-parents``.

    Raises:
        ConfigError: a name is none of the labels, or no tag could hold a genre.
    """
    named = {label.casefold(): label for label in labels}
    if min_confidence is not None:
        further = {}
        thresholds = dict.fromkeys(named.values(), min_confidence)
    chooses_all = not genres or [name.casefold() for name in genres] == ["all"]
    if not genres:
        chosen = frozenset(writable)
    elif chooses_all:
        chosen = frozenset(named.values())
    else:
        asked = [g for g in genres if g.casefold() in named or g not in library_genres]
        chosen = frozenset(_labels(named, asked, "--genres"))
    mapped = genre_map or {}
    renamed = dict(zip(_labels(named, mapped, "genre_map"), mapped.values(), strict=True))
    policy = GenrePolicy(
        chosen,
        thresholds,
        max_genres,
        renamed,
        frozenset(named.values()),
        broader or {},
        further or {},
        evidence_bar=BAR if min_confidence is None else min_confidence,
        evidence_genres=None if chooses_all else (genre_list or GenreList()).renamed(genres),
        uses_sound=uses_sound,
        genre_list=genre_list or GenreList(),
        with_parents=with_parents,
    )
    for genre in filter(None, map(policy.genre_of, chosen)):
        if why := why_no_genre(genre):
            raise ConfigError(f"{why}; name another in genre_map")
    return policy


def _labels(named: Mapping[str, str], names: Iterable[str], setting: str) -> list[str]:
    """Return the labels that a user means, whatever their case."""
    unknown = [name for name in names if name.casefold() not in named]
    if unknown:
        known = ", ".join(named.values())
        raise ConfigError(
            f"{setting}: this model does not know {', '.join(unknown)}; it knows {known}"
        )
    return [named[name.casefold()] for name in names]


@dataclass(frozen=True, slots=True)
class Intent:
    """What the user wants done with the genres chosen.

    Args:
        overwrite: Replace genres that somebody else set.
        write: Write tags; else only record.
        dry_run: Touch nothing, not even the catalogue.
        treat_as_blank: Genres that count as none, however they are spelt.
    """

    overwrite: bool = False
    write: bool = True
    dry_run: bool = False
    treat_as_blank: tuple[str, ...] = ()

    @property
    def when_sure(self) -> Status:
        """What becomes of a track whose genre is to be written."""
        if self.dry_run:
            return Status.PLANNED
        return Status.WRITTEN if self.write else Status.PREDICTED


class _Stands(Enum):
    """Whose genre stands in a file."""

    NOBODYS = auto()
    OURS = auto()
    PERSONS = auto()
    GIVEN_UP = auto()  # A person's, with --overwrite.


class _Heard(Enum):
    """What was heard, next to the genre that stands there."""

    ANOTHER = auto()
    THE_SAME = auto()
    NOTHING_SURE = auto()


_THERE = Reason(ReasonCode.SAME)
_SOMEBODYS = Reason(ReasonCode.SOMEBODYS)
_GONE = Reason(ReasonCode.EVIDENCE_GONE)
SOUND = "sound"
"""What decides where the owner's own tags do not."""

# "Written" is "planned" in a dry run and "predicted" with --no-write. Where nothing sure was heard
# the reason is why.
_OUTCOMES: Mapping[tuple[_Stands, _Heard], tuple[Status, Reason | None]] = {
    (_Stands.NOBODYS, _Heard.ANOTHER): (Status.WRITTEN, None),
    (_Stands.NOBODYS, _Heard.THE_SAME): (Status.KEPT, _THERE),
    (_Stands.NOBODYS, _Heard.NOTHING_SURE): (Status.UNSURE, None),
    (_Stands.OURS, _Heard.ANOTHER): (Status.WRITTEN, None),
    (_Stands.OURS, _Heard.THE_SAME): (Status.UNCHANGED, _THERE),
    (_Stands.OURS, _Heard.NOTHING_SURE): (Status.UNCHANGED, None),
    (_Stands.PERSONS, _Heard.ANOTHER): (Status.KEPT, _SOMEBODYS),
    (_Stands.PERSONS, _Heard.THE_SAME): (Status.KEPT, _SOMEBODYS),
    (_Stands.PERSONS, _Heard.NOTHING_SURE): (Status.KEPT, _SOMEBODYS),
    (_Stands.GIVEN_UP, _Heard.ANOTHER): (Status.WRITTEN, None),
    (_Stands.GIVEN_UP, _Heard.THE_SAME): (Status.KEPT, _THERE),
    (_Stands.GIVEN_UP, _Heard.NOTHING_SURE): (Status.KEPT, None),
}


def decide(
    prediction: TrackPrediction,
    probabilities: Mapping[str, float],
    found: TagsFound,
    *,
    ours: bool,
    policy: GenrePolicy,
    intent: Intent,
    was_evidence: bool = False,
    said: Said | None = None,
    rivals: Sequence[Rival] = (),
) -> Decision:
    """Return what is to be done with one track's tag, by the table above.

    The genres of "kept" are those that would be written were it allowed.

    Args:
        prediction: What was heard.
        probabilities: What is decided on: the track's own, or those of its album.
        found: What the file's tags say.
        ours: Whether the genre that stands there is the tagger's own.
        policy: Which labels may be written, and as what.
        intent: What the user asked.
        was_evidence: Whether the owner's tags decided on that genre of ours.
        said: What the owner's tags say of the track.
        rivals: What other networks have heard: one that is surer of another genre is believed as
            far as nothing is written.
    """
    stands = _stands(found, intent, ours=ours)
    sound = _unless_heard_otherwise(_sound(prediction, probabilities, policy), policy, rivals)
    word = _of_both(said, sound, found, stands, policy, was_evidence=was_evidence)
    heard = _heard(word, found)
    status, reason = _OUTCOMES[stands, heard]
    keeps_ours = stands is _Stands.OURS and heard is _Heard.NOTHING_SURE
    if reason is None:
        reason = word.reason
    if reason is not None and heard is _Heard.NOTHING_SURE:
        reason = replace(reason, keeps=stands is not _Stands.NOBODYS)
    return Decision(
        prediction.path,
        found.genres if keeps_ours else word.genres,
        intent.when_sure if status is Status.WRITTEN else status,
        word.confidence,
        reason,
        () if prediction.unheard else policy.suggest(probabilities),
        word.evidence if word.genres else None,
    )


@dataclass(frozen=True, slots=True)
class _Word:
    """What is to be written by one kind of evidence; without genres, why nothing is."""

    evidence: str
    genres: tuple[str, ...]
    confidence: float
    reason: Reason | None


def _sound(
    prediction: TrackPrediction, probabilities: Mapping[str, float], policy: GenrePolicy
) -> _Word:
    if prediction.unheard:
        return _Word(SOUND, (), 0.0, prediction.unheard)
    confidence = policy.confidence(probabilities)
    if not policy.uses_sound:
        return _Word(SOUND, (), confidence, Reason(ReasonCode.NO_EVIDENCE))
    chosen = policy.choose(probabilities)
    if chosen and prediction.is_novel:  # however little a person asks to be sure of
        heard: Mapping[str, Value] = {"label": chosen[0], "confidence": confidence}
        return _Word(SOUND, (), confidence, Reason(ReasonCode.STRANGE, heard))
    return _Word(SOUND, chosen, confidence, None if chosen else policy.why_not(probabilities))


def _unless_heard_otherwise(sound: _Word, policy: GenrePolicy, rivals: Sequence[Rival]) -> _Word:
    """Return what was heard, or that another network is surer of something else."""
    others = [
        rival
        for rival in rivals
        if sound.genres
        and rival.confidence > sound.confidence
        and not are_among([policy.genre_of(rival.label) or rival.label], sound.genres)
    ]
    if not others:
        return sound
    surest = max(others, key=lambda rival: rival.confidence)
    values: Mapping[str, Value] = {
        "model": surest.model,
        "label": surest.label,
        "confidence": surest.confidence,
    }
    return replace(sound, genres=(), reason=Reason(ReasonCode.HEARD_OTHERWISE, values))


def _of_both(
    said: Said | None,
    sound: _Word,
    found: TagsFound,
    stands: _Stands,
    policy: GenrePolicy,
    *,
    was_evidence: bool,
) -> _Word:
    """Return what counts: the owner's own tags, unless they do not say enough."""
    # An album would overrule its true exception, were persons' genres replaced by its word.
    if said is None or stands is _Stands.GIVEN_UP or not policy.believes(said):
        return replace(sound, genres=(), reason=_GONE) if was_evidence else sound
    genres = policy.listed(said.genres)
    agrees = are_the_same(genres, found.genres)
    if stands is _Stands.OURS and not agrees and not _gives_way(said, was_evidence=was_evidence):
        return sound
    is_surer = sound.genres and sound.confidence > said.confidence
    if said.is_of_one and is_surer and not are_the_same(genres, sound.genres):
        return sound
    if not genres:  # the sound is not asked: the owner has said that it is something else
        reason = Reason(ReasonCode.NOT_LISTED, {"genres": said.genres})
        return _Word(said.kind.value, (), said.confidence, reason)
    values = {"n_agreeing": float(said.n_agreeing), "n_all": float(said.n_recordings)}
    reason = Reason(ReasonCode(said.kind.value), values)
    return _Word(said.kind.value, genres, said.confidence, reason)


def _gives_way(said: Said, *, was_evidence: bool) -> bool:
    """Return whether a genre of ours follows the owner: one correction, or two if it was heard."""
    return was_evidence or said.n_agreeing >= _TWO


def follows(
    said: Said | None, genres: tuple[str, ...], policy: GenrePolicy, *, was_evidence: bool
) -> bool:
    """Return whether genres of ours are to become what the owner's tags say.

    Args:
        said: What those say of the track.
        genres: What stands there.
        policy: What may be written.
        was_evidence: Whether the owner's tags decided on what stands there.
    """
    if said is None or not policy.believes(said):
        return False
    listed = policy.listed(said.genres)
    if not listed or are_the_same(listed, genres):
        return False
    return _gives_way(said, was_evidence=was_evidence)


def are_the_same(genres: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Return whether two sets of genres say the same, however they are spelt."""
    return are_among(genres, others) and are_among(others, genres)


def _stands(found: TagsFound, intent: Intent, *, ours: bool) -> _Stands:
    if ours:
        return _Stands.OURS
    if are_among(found.genres, intent.treat_as_blank):
        return _Stands.NOBODYS
    return _Stands.GIVEN_UP if intent.overwrite else _Stands.PERSONS


def _heard(word: _Word, found: TagsFound) -> _Heard:
    if not word.genres:
        return _Heard.NOTHING_SURE
    if word.evidence == SOUND:
        return _Heard.THE_SAME if word.genres == found.genres else _Heard.ANOTHER
    return _Heard.THE_SAME if are_the_same(word.genres, found.genres) else _Heard.ANOTHER
