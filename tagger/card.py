"""A checkpoint's card: what the model is called, hears, may write, and was made from.

Read without torch, which takes two seconds to import: a run over an unchanged library needs to
know its model but never loads it.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tagger.errors import CheckpointError, os_reason
from tagger.genre_text import id_of
from tagger.heads import Head
from tagger.joint import Joint, Member, Rule
from tagger.unpickling import unpickle_plain

FORMAT = "tagger-checkpoint"
VERSION = 3  # 2 had neither labels that exclude no other nor labels that are no genres
_READABLE = (2, VERSION)
# What zipfile raises on damaged archives, be it from the decompressors that it calls.
_NOT_AN_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
BUNDLED = Path(__file__).parent / "models"
_JOINT = ".toml"
_KINDS = (".pt", _JOINT)


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
            CheckpointError: it is not one, or from another version.
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
                values["head"] = Head.from_plain(values["head"])
            card = cls(**values)
        except (ValueError, TypeError, KeyError) as exc:
            raise CheckpointError(f"its card cannot be read ({exc})", path) from exc
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


def find_model(name: str, learned: Path | None = None) -> Path:
    """Return the file that ``--model`` names: a bundled model, a learned one or any other.

    Args:
        name: What the user says.
        learned: The folder of models that were learned.

    Raises:
        CheckpointError: there is none.

    >>> find_model("default").name
    'default.pt'
    """
    path = Path(name).expanduser()
    folders = [BUNDLED, *([] if learned is None else [learned])]
    try:
        named = [f / f"{name}{kind}" for f in folders for kind in _KINDS]
        for candidate in ([] if "/" in name else named) + [path]:
            if candidate.is_file():
                return candidate
    except OSError as exc:
        raise CheckpointError(os_reason(exc), path) from exc
    files = [p for folder in folders for p in sorted(folder.glob("*")) if p.suffix in _KINDS]
    known = ", ".join(p.stem for p in files) or "none"
    raise CheckpointError(f"there is no such model; there are: {known}", path)


def bundled_genres() -> frozenset[str]:
    """Return the genres of all bundled models, in lower case.

    Raises:
        CheckpointError: one of them is damaged.
    """
    cards = [read_card(path) for path in BUNDLED.glob("*.pt")]
    return frozenset(genre.casefold() for card in cards for genre in card.genre_labels)


def read_card(path: Path) -> ModelCard:
    """Read a model's card, and check that its checkpoint, or each of several, is whole.

    Raises:
        CheckpointError: a file is missing, damaged, not one of ours, or from a newer version.
    """
    if path.suffix == _JOINT:
        return _read_joint(path)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            stored = archive.read(names[0]) if names and not damaged else b""
    except OSError as exc:
        raise CheckpointError(os_reason(exc), path) from exc
    except _NOT_AN_ARCHIVE as exc:
        raise CheckpointError("not a checkpoint, or damaged; get the file anew", path) from exc
    if damaged or not stored:
        raise CheckpointError("the checkpoint is damaged; get the file anew", path)
    return card_of(unpickle_plain(stored, path), path)


def find_bundled(*model_ids: str) -> Path | None:
    """Return the file of the bundled network with an id, or of the rule that joins several.

    Raises:
        CheckpointError: one of those bundled is damaged.
    """
    kind = ".pt" if len(model_ids) == 1 else _JOINT
    files = sorted(BUNDLED.glob(f"*{kind}"))
    return next((path for path in files if read_card(path).heard_by == model_ids), None)


def networks_of(card: ModelCard, path: Path) -> dict[str, Path]:
    """Return {model_id: checkpoint} of the networks that a model hears with.

    They are those that it joins; or those that it was learned on, where they are bundled, so that
    what one has heard need not be heard again for the other; or else its own.

    Raises:
        CheckpointError: a bundled network is damaged, or one of several no longer is.
    """
    if card.joint is not None:
        return {member.model_id: member.path for member in card.joint.members}
    found = {base: find_bundled(base) for base in card.bases}
    networks = {base: file for base, file in found.items() if file is not None}
    if card.is_joint and len(networks) < len(found):
        gone = ", ".join(sorted(found.keys() - networks.keys()))
        raise CheckpointError(f"it needs {gone}, no longer bundled; run tagger learn anew", path)
    return networks or {card.model_id: path}


def _read_joint(path: Path) -> ModelCard:
    """Return the card of several networks that are heard as one."""
    try:
        rule = Rule.from_toml(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise CheckpointError(os_reason(exc), path) from exc
    except ValueError as exc:
        raise CheckpointError(f"it does not say how to join models ({exc})", path) from exc
    try:
        files = {name: BUNDLED / f"{name}.pt" for name in rule.members}
        cards = {name: read_card(file) for name, file in files.items()}
    except CheckpointError as exc:
        raise CheckpointError(f"a model that it joins cannot be used: {exc}", path) from exc
    strange = [g for g in rule.agreeing if any(g not in c.genre_labels for c in cards.values())]
    if strange:
        raise CheckpointError(f"not all that it joins know {', '.join(strange)}", path)
    return _joined(path.stem, rule, list(files.values()), list(cards.values()))


def _joined(name: str, rule: Rule, files: Sequence[Path], cards: Sequence[ModelCard]) -> ModelCard:
    first = cards[0]
    owners = {
        genre: next((card for card in cards if genre in card.writable), first)
        for genre in first.genre_labels
    }
    members = tuple(
        Member(card.model_id, file, card.main_genres)
        for card, file in zip(cards, files, strict=True)
    )
    made_of = json.dumps([[c.model_id for c in cards], rule.agreeing, rule.doubt_left])
    return replace(
        first,
        model_id=id_of(name, hashlib.sha256(made_of.encode()).hexdigest()[:10]),
        architecture="joint",
        network={"embedding_dim": 0},
        labels=tuple(owners),
        genres=(),
        writable=tuple(genre for genre, owner in owners.items() if genre in owner.writable),
        thresholds={g: owner.thresholds[g] for g, owner in owners.items() if g in owner.thresholds},
        exclusive=False,
        n_parameters=sum(card.n_parameters for card in cards),
        provenance={"joins": [card.model_id for card in cards]},
        joint=Joint(
            members,
            {genre: owner.model_id for genre, owner in owners.items()},
            frozenset(rule.agreeing),
            rule.doubt_left,
        ),
    )


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
        raise CheckpointError(f"has version {version}, this tagger reads {VERSION}; {remedy}", path)
    return ModelCard.from_json(str(payload.get("card")), path)
