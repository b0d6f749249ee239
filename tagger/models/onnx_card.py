"""The card of a network that a user brings as ONNX: a TOML file beside it, read without loading it.

What the file is called says which is whose: ``ear.onnx`` has its card in ``ear.toml``. Running it
is for ``tagger.models.onnx_network``.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tagger.errors import CheckpointError, os_reason, plain
from tagger.genre_text import id_of
from tagger.models.card import ModelCard
from tagger.models.plausible import ONNX_NETWORK

ONNX = ".onnx"
_CARD = ".toml"
ACTIVATIONS = ("softmax", "sigmoid")
VALUES = ("logits", "probabilities")

_MOST_OF_CARD = 2**20
# Every worker holds a copy, and beside it what the network computes.
_MOST_BYTES = 512 * 2**20
_MOST_SEGMENTS = 256
_MOST_AT_ONCE = 4096
_MOST_S = 120
# Weights in a file of their own: how an entry that names it begins in a tensor's protobuf.
_EXTERNAL = b"\x0a\x08location"


@dataclass(frozen=True, slots=True)
class Features:
    """What a named front end makes of a segment, as far as it is known without torch.

    Args:
        sample_rate: Samples a second; 0 where the card says it.
        n_fft: Samples a frame.
        hop_length: Samples from one frame to the next.
        n_mels: Mel bands; 0 where the waveform itself is heard.
        n_frames: Frames a segment, unless the card says otherwise; 0 where it must.
    """

    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    n_frames: int


FRONT_ENDS: Mapping[str, Features] = {
    "ours": Features(44_100, 2048, 10_336, 128, 32),
    "musicnn": Features(16_000, 512, 256, 96, 187),
    "maest": Features(16_000, 512, 256, 96, 1876),
    "yamnet": Features(16_000, 400, 160, 64, 96),
    "vggish": Features(16_000, 400, 160, 64, 96),
    "waveform": Features(0, 400, 400, 0, 0),
}
"""Those that a card may name; docs/models.md says where each is from."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a network's file is fed and read.

    Args:
        file: The network's file.
        front_end: A key of ``FRONT_ENDS``.
        input: The name of its input.
        layout: The dimensions of the input in order: batch, channel, frames and mels, or samples.
        batch: How many segments it takes at once, if it takes no other number; else 0.
        embedding: The name of the output that is the embedding.
        embedding_dim: Its length.
        scores: The name of the output with a number for each label; "" where there is none.
        values: Whether those are logits or probabilities.
        activation: What makes probabilities of logits.
        groups: For each label of the model the outputs that mean it.
        n_scores: How many numbers ``scores`` has.
    """

    file: str
    front_end: str
    input: str
    layout: tuple[str, ...]
    batch: int
    embedding: str
    embedding_dim: int
    scores: str = ""
    values: str = "logits"
    activation: str = "softmax"
    groups: tuple[tuple[int, ...], ...] = ()
    n_scores: int = 0

    @classmethod
    def of(cls, card: ModelCard) -> Wiring:
        """Return how the network of a card is fed and read."""
        values = dict(card.network)
        values["layout"] = tuple(values["layout"])
        values["groups"] = tuple(map(tuple, values["groups"]))
        return cls(**values)


def is_onnx(path: Path) -> bool:
    """Return whether a file is a network in ONNX, by its name."""
    return path.suffix.lower() == ONNX


def network_beside(card: Path) -> Path | None:
    """Return the network in ONNX whose card this file would be, if it is there."""
    networks = (card.with_suffix(ending) for ending in (ONNX, ONNX.upper()))
    return next((path for path in networks if path.is_file()), None)


def _card_of_file(path: Path) -> Path:
    """Return where a network's card lies: beside its name, or beside what that is a link to."""
    beside = path.with_suffix(_CARD)
    return beside if beside.exists() or not path.is_symlink() else path.resolve().with_suffix(_CARD)


def read_onnx_card(path: Path) -> ModelCard:
    """Return the card of a network in an ONNX file.

    Raises:
        CheckpointError: one of the two files is missing or too large, or the card does not say what
            is needed, or keeps its weights elsewhere.
    """
    digest = _digest(path)
    toml = _card_of_file(path)
    if not toml.exists():
        raise CheckpointError(f"it needs a card beside it, {plain(toml.name)}", path)
    try:
        said = tomllib.loads(_content(toml, _MOST_OF_CARD).decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise CheckpointError(f"this card is no TOML in UTF-8 ({plain(str(exc))})", toml) from exc
    try:
        return _card_of(_Table("", said), path.absolute(), digest)
    except _CardError as exc:
        raise CheckpointError(plain(str(exc)), toml) from exc


def _digest(path: Path) -> str:
    """Return the digest of a network's file, of which all weights must be in it."""
    content = _content(path, _MOST_BYTES)
    if _EXTERNAL in content:
        raise CheckpointError(
            "it keeps weights in another file; save it with all of them inside "
            "(onnx.save_model with save_as_external_data=False)",
            path,
        )
    return hashlib.sha256(content).hexdigest()


def _content(path: Path, most_bytes: int) -> bytes:
    """Return what is in a file; raise CheckpointError where it is none, or holds too much."""
    try:
        # A FIFO would be waited for, and a device has no end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CheckpointError("it is not a regular file", path)
            if status.st_size > most_bytes:
                has, most = status.st_size >> 20, most_bytes >> 20
                raise CheckpointError(f"it has {has} MiB; at most {most} can be used", path)
            return file.read(most_bytes)
    except OSError as exc:
        raise CheckpointError(os_reason(exc), path) from exc


class _CardError(ValueError):
    """A card does not say what it must."""


@dataclass(frozen=True, slots=True)
class _Labels:
    """What a card says of the labels; nothing where the network has none.

    Args:
        names: The model's labels: of outputs that mean one genre that genre.
        genres: Those of them that are genres.
        groups: For each the numbers of the outputs that mean it.
        n_scores: How many outputs there are.
        output, values, activation: As in ``Wiring``.
    """

    names: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    n_scores: int = 0
    output: str = ""
    values: str = VALUES[0]
    activation: str = ACTIVATIONS[0]


def _card_of(top: _Table, file: Path, digest: str) -> ModelCard:
    """Return the model's card.

    Args:
        top: All that its card says.
        file: The network's file.
        digest: Of the file.

    Raises:
        _CardError: something is missing, or is not what it must be.
    """
    name, licence = top.text("name"), top.text("licence")
    features = _features(top)
    n_segments = top.number("segments", 8, most=_MOST_SEGMENTS)
    labels = _labels(top)
    wiring = _wiring(top, file, features, labels)
    top.close()
    heard = (asdict(replace(wiring, file=digest)), asdict(features), asdict(labels), n_segments)
    return ModelCard(
        model_id=id_of(name, hashlib.sha256(json.dumps(heard).encode()).hexdigest()[:10]),
        architecture=ONNX_NETWORK,
        network=asdict(wiring),
        front_end=asdict(features),
        sample_rate=features.sample_rate,
        n_samples=(features.n_frames - 1) * features.hop_length + features.n_fft,
        max_segments=n_segments,
        labels=labels.names,
        writable=(),  # nothing of it was ever measured: tagger learn does that
        thresholds={},
        temperature=1.0,
        album_temperature=1.0,
        n_parameters=0,
        provenance={"licence": licence},
        exclusive=labels.activation == "softmax",
        genres=labels.genres,
    )


def _features(top: _Table) -> Features:
    front_end = top.one_of("front_end", FRONT_ENDS)
    known = FRONT_ENDS[front_end]
    sample_rate = top.number("sample_rate", least=8000, most=192_000)
    if known.sample_rate not in (0, sample_rate):
        raise _CardError(f"front end {front_end} hears {known.sample_rate} samples a second")
    if known.n_mels:
        return replace(known, n_frames=top.number("frames", known.n_frames, most=10_000))
    n_samples = top.number("samples", least=known.n_fft, most=_MOST_S * sample_rate)
    return Features(sample_rate, n_samples, n_samples, 0, 1)


def _wiring(top: _Table, file: Path, features: Features, labels: _Labels) -> Wiring:
    fed, embedding = top.table("input"), top.table("embedding")
    layout = fed.texts("layout")
    expected = {"frames", "mels"} if features.n_mels else {"samples"}
    if set(layout) - {"batch", "channel"} != expected or len(set(layout)) < len(layout):
        names = ", ".join(sorted(expected))
        raise _CardError(f"[input] layout must name {names}, each once; besides batch, channel")
    wiring = Wiring(
        file=str(file),
        front_end=top.text("front_end"),
        input=fed.text("name"),
        layout=layout,
        batch=fed.number("batch", 0, least=0, most=_MOST_AT_ONCE),
        embedding=embedding.text("output"),
        embedding_dim=embedding.number("size", most=65_536),
        scores=labels.output,
        values=labels.values,
        activation=labels.activation,
        groups=labels.groups,
        n_scores=labels.n_scores,
    )
    fed.close()
    embedding.close()
    return wiring


def _labels(top: _Table) -> _Labels:
    table, means = top.table("labels"), top.table("genres").all_texts()
    if not top.has("labels"):
        return _Labels()
    outputs = table.texts("names")
    names, groups = _grouped(outputs, means)
    labels = _Labels(
        names=names,
        genres=tuple(name for name in names if name in set(means.values())),
        groups=groups,
        n_scores=len(outputs),
        output=table.text("output"),
        values=table.one_of("values", VALUES),
        activation=table.one_of("activation", ACTIVATIONS),
    )
    table.close()
    if not labels.genres:
        raise _CardError("[genres] says of no label which genre it means")
    return labels


def _grouped(
    names: tuple[str, ...], means: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return the labels of a model, and for each the numbers of the outputs that mean it.

    Raises:
        _CardError: an output stands twice, or is spoken of and not there, or one that means no
            genre is called as a genre.
    """
    if len(set(names)) < len(names):
        raise _CardError("[labels] names has a name twice")
    strange = sorted(means.keys() - set(names))
    if strange:
        raise _CardError(f"[genres] speaks of {strange[0]!r}, which is no name in [labels]")
    genres = set(means.values())
    groups: dict[str, list[int]] = {}
    for n, name in enumerate(names):
        if name not in means and name in genres:
            raise _CardError(f"{name!r} is a genre in [genres] and a label that means none")
        groups.setdefault(means.get(name, name), []).append(n)
    return tuple(groups), tuple(map(tuple, groups.values()))


class _Table:
    """A table of the card.

    Args:
        name: What it is called; "" at the top.
        said: What stands in it.
    """

    def __init__(self, name: str, said: object) -> None:
        if not isinstance(said, Mapping):
            raise _CardError(f"[{name}] must be a table")
        self._name = name
        self._said = said
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Return whether something is said."""
        return key in self._said

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            raise _CardError(f"{self._called(key)} must be a text")
        return self._shown(key, value)

    def one_of(self, key: str, known: Collection[str]) -> str:
        """Return a text that must be one of some."""
        value = self.text(key)
        if value not in known:
            raise _CardError(f"{self._called(key)} is {value!r}; there are: {', '.join(known)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts that must be there."""
        value = self._take(key)
        if not isinstance(value, list) or not value or not all(isinstance(x, str) for x in value):
            raise _CardError(f"{self._called(key)} must be a list of texts")
        return tuple(self._shown(key, one) for one in value)

    def number(self, key: str, usual: int | None = None, *, least: int = 1, most: int) -> int:
        """Return a whole number; one that must be there, unless there is a usual one."""
        value = self._take(key, usual)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _CardError(f"{self._called(key)} must be a number from {least} to {most}")
        return value

    def table(self, key: str) -> _Table:
        """Return a table within this one; it is empty if it is not there."""
        return _Table(key, self._take(key, {}))

    def all_texts(self) -> Mapping[str, str]:
        """Return a table whose keys are anybody's."""
        for key in self._said:
            self._shown("a name", key)
            self.text(key)
        return dict(self._said)

    def close(self) -> None:
        """Make sure that nothing else is said."""
        unknown = sorted(self._said.keys() - self._asked)
        if unknown:
            raise _CardError(f"{self._called(unknown[0])} is nothing that a card can say")

    def _take(self, key: str, usual: object = None) -> object:
        self._asked.add(key)
        return self._said.get(key, usual)

    def _shown(self, key: str, value: str) -> str:
        """Return a text that stands still on a terminal, and in a tag."""
        if not value.isprintable():
            raise _CardError(f"{self._called(key)} has control characters: {value!r}")
        return value

    def _called(self, key: str) -> str:
        return f"[{self._name}] {key}" if self._name else key
