"""What to write: a track's probabilities, the genres that stand in its file, and what was asked.

Pure: no file is looked at. The table in ``decide`` is the whole policy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tagger.errors import ConfigError
from tagger.records import Decision, Status, TagsFound, TrackPrediction


@dataclass(frozen=True, slots=True)
class GenrePolicy:
    """Which labels may be written, and from which confidence on.

    Args:
        writable: Labels that may be written.
        thresholds: {label: least confidence, in [0, 1]; above 1 is never}.
        max_genres: How many a track, at most.
    """

    writable: frozenset[str]
    thresholds: Mapping[str, float]
    max_genres: int = 1

    def choose(self, probabilities: Mapping[str, float]) -> tuple[str, ...]:
        """Return the genres to write, likeliest first; () if the likeliest label is not one.

        >>> policy = GenrePolicy(frozenset({"Rock"}), {"Rock": 0.75, "Folk": 0.75})
        >>> policy.choose({"Rock": 0.8, "Folk": 0.2}), policy.choose({"Rock": 0.2, "Folk": 0.8})
        (('Rock',), ())
        """
        ranked = sorted(probabilities, key=lambda label: (-probabilities[label], label))
        if not ranked or not self._passes(ranked[0], probabilities):
            return ()
        return tuple(x for x in ranked if self._passes(x, probabilities))[: self.max_genres]

    def why_not(self, probabilities: Mapping[str, float]) -> str:
        """Return in words why ``choose`` gives nothing."""
        label = max(probabilities, key=lambda name: probabilities[name])
        heard = f"sounds like {label} ({_percent(probabilities[label])} %)"
        if label not in self.writable:
            return f"{heard}, which is not written unless asked for with --genres"
        needed = self.thresholds.get(label, 2.0)
        if needed > 1:
            return f"{heard}, which this model cannot be trusted with"
        return f"{heard}, {-_percent(-needed)} % needed"

    def _passes(self, label: str, probabilities: Mapping[str, float]) -> bool:
        return label in self.writable and probabilities[label] >= self.thresholds.get(label, 2.0)


def _percent(p: float) -> int:
    """Return a probability as whole per cents, rounded down: 74.9 % must not read as 75.

    >>> _percent(0.749), -_percent(-0.741)
    (74, 75)
    """
    return math.floor(p * 100 + 1e-9)


def make_policy(
    labels: Iterable[str],
    writable: Iterable[str],
    thresholds: Mapping[str, float],
    *,
    genres: tuple[str, ...] = (),
    min_confidence: float | None = None,
    max_genres: int = 1,
) -> GenrePolicy:
    """Return the policy of a model's card and of what the user asked.

    Args:
        labels: The model's labels.
        writable: Those that its card calls writable.
        thresholds: Its card's thresholds.
        genres: ``--genres``: names, or "all", or () for the card's.
        min_confidence: ``--min-confidence``, for every label, or None for the card's.
        max_genres: ``--max-genres``.

    Raises:
        ConfigError: a name is none of the labels.
    """
    named = {label.casefold(): label for label in labels}
    if min_confidence is not None:
        thresholds = dict.fromkeys(named.values(), min_confidence)
    if not genres:
        chosen = frozenset(writable)
    elif [name.casefold() for name in genres] == ["all"]:
        chosen = frozenset(named.values())
    else:
        unknown = [name for name in genres if name.casefold() not in named]
        if unknown:
            known = ", ".join(named.values())
            raise ConfigError(
                f"--genres: this model does not know {', '.join(unknown)}; it knows {known}"
            )
        chosen = frozenset(named[name.casefold()] for name in genres)
    return GenrePolicy(chosen, thresholds, max_genres)


@dataclass(frozen=True, slots=True)
class Intent:
    """What the user wants done with the genres chosen.

    Args:
        overwrite: Replace genres that somebody else set.
        write: Write tags; else only record.
        dry_run: Touch nothing, not even the catalogue.
    """

    overwrite: bool = False
    write: bool = True
    dry_run: bool = False


def decide(
    prediction: TrackPrediction,
    probabilities: Mapping[str, float],
    found: TagsFound,
    *,
    ours: bool,
    policy: GenrePolicy,
    intent: Intent,
) -> Decision:
    """Return what is to be done with one track's tag.

    ================  =======================  =============================
    genre in the file  what was heard           outcome
    ================  =======================  =============================
    a person's         anything                 kept
    a person's         another, sure enough     written, with --overwrite
    none               a genre, sure enough     written
    none               nothing sure, unheard    unsure
    ours               the same, or not sure    unchanged
    ours               another, sure enough     written
    ================  =======================  =============================

    "Written" is "planned" in a dry run and "predicted" with --no-write. The genres of "kept" are
    those that would be written were it allowed.

    Args:
        prediction: What was heard.
        probabilities: What is decided on: the track's own, or those of its album.
        found: What the file's tags say.
        ours: Whether the genre that stands there is the tagger's own.
        policy: Which labels may be written.
        intent: What the user asked.
    """
    best = max(probabilities.values(), default=0.0)
    confidence = 0.0 if prediction.unheard else best

    def outcome(status: Status, genres: tuple[str, ...], reason: str) -> Decision:
        return Decision(prediction.path, genres, status, confidence, reason)

    chosen = () if prediction.unheard else policy.choose(probabilities)
    if found.genres and not ours and not intent.overwrite:
        return outcome(Status.KEPT, chosen, "its genre was set by somebody else")
    if chosen == found.genres and chosen:
        status = Status.UNCHANGED if ours else Status.KEPT
        return outcome(status, chosen, "the genre stands there already")
    if not chosen:
        why = prediction.unheard or policy.why_not(probabilities)
        if ours:
            return outcome(Status.UNCHANGED, found.genres, f"left as it is: {why}")
        if found.genres:
            return outcome(Status.KEPT, (), f"left as it is: {why}")
        return outcome(Status.UNSURE, (), why)
    return outcome(_when_sure(intent), chosen, "")


def _when_sure(intent: Intent) -> Status:
    if intent.dry_run:
        return Status.PLANNED
    return Status.WRITTEN if intent.write else Status.PREDICTED
