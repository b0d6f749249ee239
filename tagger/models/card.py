"""A checkpoint's card: what the model is called, hears, may write, and was made from.

Read without torch, which takes two seconds to import: a run over an unchanged library needs to
know its model but never loads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import CheckpointError, plain
from tagger.models.joint import Joint
from tagger.models.plausible import why_implausible

FORMAT = "tagger-checkpoint"
VERSION = 3  # 2 had neither labels that exclude no other nor labels that are no genres
_READABLE = (2, VERSION)

if TYPE_CHECKING:  # it brings numpy, which most cards do without
    from tagger.models.head import Head


@dataclass(frozen=True, slots=True)
class ModelCard:
    """All of a checkpoint but its weights.

    Args:
        model_id: Name and digest of the weights; no two models share it.
        architecture: A key of ``tagger.networks.ARCHITECTURES``.
        network: Arguments of NetworkConfig.
        front_end: Arguments of FrontEndConfig.
        sample_rate: Samples a second of the segments.
        n_samples: Samples a segment.
        max_segments: Segments heard of a track, at most.
        first_segments: Segments heard at first; the rest only where these leave it open which genre
            is the likeliest, or not all of them can be heard. 0 is all at once.
        album_segments: Segments heard of a track that votes with an album's others, at most; 0 is
            as many as of any.
        labels: What the outputs are called, in order.
        writable: The labels that may be written as genres unless the user says otherwise.
        thresholds: {label: least confidence at which it is written}.
        temperature: Divides a track's mean logits.
        album_temperature: Divides the mean log-probabilities of tracks voting together.
        n_parameters: Numbers fitted.
        provenance: Data, split, seed, scores, versions: whatever tells how it was made.
        exclusive: A track has one label (softmax); else each label is true or not by itself
            (sigmoid).
        genres: The labels that are genres, and not moods or decades; () is all.
        broader: {genre: the one that it is a kind of}.
        head: In place of the network's own outputs, where a person's genres were learned.
        joint: In place of a network, where several are heard as one.
        further: {label: least confidence at which it is written behind a likelier one}; empty where
            ``thresholds`` hold for that as well.
    """

    model_id: str
    architecture: str
    network: Mapping[str, Any]
    front_end: Mapping[str, Any]
    sample_rate: int
    n_samples: int
    max_segments: int
    labels: tuple[str, ...]
    writable: tuple[str, ...]
    thresholds: Mapping[str, float]
    temperature: float
    album_temperature: float
    n_parameters: int
    provenance: Mapping[str, Any]
    exclusive: bool = True
    genres: tuple[str, ...] = ()
    broader: Mapping[str, str] = field(default_factory=dict)
    head: Head | None = None
    joint: Joint | None = None
    further: Mapping[str, float] = field(default_factory=dict)
    first_segments: int = 0
    album_segments: int = 0

    @property
    def bases(self) -> tuple[str, ...]:
        """The models from whose hearing a track's verdict follows; () for a network's own."""
        if self.joint is not None:
            return tuple(member.model_id for member in self.joint.members)
        return () if self.head is None else self.head.bases

    @property
    def heard_by(self) -> tuple[str, ...]:
        """The networks whose embeddings tell what it hears: its bases, or itself."""
        return self.bases or (self.model_id,)

    @property
    def is_joint(self) -> bool:
        """Whether it hears by several networks, of which each has an embedding of its own."""
        return len(self.bases) > 1

    @property
    def n_at_once(self) -> int:
        """Segments that its networks are to hear of a track at once; 0 is as their cards say."""
        return 0 if self.first_segments else self.max_segments

    @property
    def genre_labels(self) -> tuple[str, ...]:
        """The labels that are genres."""
        return self.genres or self.labels

    @property
    def main_genres(self) -> tuple[str, ...]:
        """The genres that are no kind of another."""
        return tuple(label for label in self.genre_labels if label not in self.broader)

    @property
    def segment_s(self) -> float:
        """Seconds a segment."""
        return self.n_samples / self.sample_rate

    def to_json(self) -> str:
        """Return the card as JSON text, as the checkpoint holds it."""
        assert self.joint is None, "several networks are no checkpoint"
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del values["joint"]
        values["head"] = None if self.head is None else self.head.to_plain()
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, path: Path) -> ModelCard:
        """Read a card.

        Raises:
            CheckpointError: it is not one, says what cannot be, or is from another version.
        """
        try:
            values = json.loads(text)
            # Version 2 had no genres and broader, and only learned models know of further.
            values = {"genres": (), "broader": {}, "further": {}, **values}
            for name in ("labels", "writable", "genres"):
                values[name] = tuple(values[name])
            for name in ("network", "front_end", "thresholds", "provenance", "broader", "further"):
                values[name] = dict(values[name])
            if values.get("head") is not None:
                from tagger.models.head import Head

                values["head"] = Head.from_plain(values["head"])
            card = cls(**values)
            refusal = why_implausible(card)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
            raise CheckpointError(f"its card cannot be read ({plain(str(exc))})", path) from exc
        if refusal:
            raise CheckpointError(f"its card cannot be: {plain(refusal)}", path)
        if card.contradicts_itself:
            raise CheckpointError("its labels contradict each other; get the file anew", path)
        return card

    @property
    def contradicts_itself(self) -> bool:
        """Whether a label stands twice, or one is spoken of that there is not."""
        labels, genres = set(self.labels), set(self.genre_labels)
        spoken_of = {*self.writable, *self.broader, *self.broader.values()}
        if self.head is not None and len(self.head.bias) != len(self.labels):
            return True
        return not (len(labels) == len(self.labels) and genres <= labels and spoken_of <= genres)


def card_of(payload: object, path: Path) -> ModelCard:
    """Return the card in what a checkpoint file holds.

    Raises:
        CheckpointError: the payload is not one of ours, or from a newer version.
    """
    if not isinstance(payload, dict) or payload.get("format") != FORMAT:
        raise CheckpointError("not a checkpoint made by this project", path)
    version = payload.get("version")
    if version not in _READABLE:
        newer = isinstance(version, int) and version > VERSION
        remedy = "update it" if newer else "get or train the model anew"
        named = version if isinstance(version, int) else "of another kind"
        raise CheckpointError(f"has version {named}, this tagger reads {VERSION}; {remedy}", path)
    card = payload.get("card")
    return ModelCard.from_json(card if isinstance(card, str) else "", path)
