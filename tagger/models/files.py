"""Where models lie, and what is in their files: bundled, learned, or any that a user names.

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
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tagger.errors import CheckpointError, os_reason
from tagger.genre_text import id_of
from tagger.models.card import ModelCard, card_of
from tagger.models.joint import Joint, Member, Rule
from tagger.models.onnx_card import ONNX, Wiring, is_onnx, network_beside, read_onnx_card
from tagger.models.plausible import ONNX_NETWORK
from tagger.models.unpickling import unpickle_plain

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
BUNDLED = Path(__file__).parent
_JOINT = ".toml"
_KINDS = (".pt", ONNX, _JOINT)  # a card of an ONNX file is no model by itself

DEFAULT, FAST = "default", "fast"
_NAMED = {DEFAULT: "wide", FAST: "default"}
"""{what ``--model`` says: what its file is called here}, of the bundled models."""


def find_model(name: str, learned: Path | None = None) -> Path:
    """Return the file that ``--model`` names: a bundled model, a learned one or any other.

    Args:
        name: What the user says.
        learned: The folder of models that were learned.

    Raises:
        CheckpointError: there is none.

    >>> find_model("default").name, find_model("fast").name
    ('wide.pt', 'default.pt')
    """
    path = Path(name).expanduser()
    folders = [BUNDLED, *([] if learned is None else [learned])]
    try:
        named = [*_bundled_as(name), *(f / f"{name}{kind}" for f in folders for kind in _KINDS)]
        for candidate in ([] if "/" in name else named) + [path]:
            if candidate.is_file():
                return candidate
    except OSError as exc:
        raise CheckpointError(os_reason(exc), path) from exc
    if is_onnx(path):
        raise CheckpointError("there is no such file; say where the network is now", path)
    files = [p for folder in folders for p in sorted(folder.glob("*")) if p.suffix in _KINDS]
    known = ", ".join(dict.fromkeys(map(name_of_file, files))) or "none"
    raise CheckpointError(f"there is no such model; there are: {known}", path)


def name_of_file(path: Path) -> str:
    """Return what ``--model`` calls the file of a bundled or learned model.

    >>> name_of_file(find_model("fast")), name_of_file(find_model("both"))
    ('fast', 'both')
    """
    others = (name for name in _NAMED if path in _bundled_as(name)[:1])
    return next(others, path.stem) if path.parent == BUNDLED else path.stem


def is_stand_in(path: Path) -> bool:
    """Return whether a bundled file is heard by in place of the default model, which lacks one."""
    return path.stem != _NAMED[DEFAULT] and (BUNDLED / f"{_NAMED[DEFAULT]}.pt").is_file()


def _bundled_as(name: str) -> list[Path]:
    """Return the bundled files that a name may mean: not a head whose network is not there.

    Whoever may not use the weights of another's network deletes that file, and goes on without.
    """
    own = [BUNDLED / f"{_NAMED[name]}.pt"] if name in _NAMED else []
    return [path for path in own if path.is_file() and _has_its_networks(path)]


def _has_its_networks(path: Path) -> bool:
    return all(find_bundled(base) is not None for base in read_card(path).bases)


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
    if is_onnx(path):
        return read_onnx_card(path)
    if path.suffix == _JOINT:
        network = network_beside(path)
        if network is not None:
            raise CheckpointError(f"it is the card of {network.name}; name that", path)
        return _read_joint(path)
    try:
        with zipfile.ZipFile(path) as archive:
            # Ours are stored as they are. What inflates, or lies in a file twice, may be endless.
            n_bytes = sum(entry.file_size for entry in archive.infolist())
            damaged = n_bytes > path.stat().st_size or archive.testzip()
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
    cards = ((path, read_card(path)) for path in files)
    own = (path for path, card in cards if card.head is None and card.heard_by == model_ids)
    return next(own, None)


def lost_network(path: Path) -> Path | None:
    """Return where the network of a model lay that was learned on one of a user's, and is gone.

    Raises:
        CheckpointError: the model is damaged.
    """
    card = read_card(path)
    if path.suffix != ".pt" or card.architecture != ONNX_NETWORK:
        return None
    network = Path(Wiring.of(card).file)
    return None if network.is_file() else network


def find_base(card: ModelCard) -> Path | None:
    """Return the file of the network that a head is on: bundled, or where a user's lay.

    Raises:
        CheckpointError: it is damaged, or another network lies there by now.
    """
    if not card.bases:
        return None
    bundled = find_bundled(*card.bases)
    if bundled is not None or card.architecture != ONNX_NETWORK:
        return bundled
    path = Path(Wiring.of(card).file)
    if not path.is_file():
        raise CheckpointError(
            "the network that it was learned on is not there any more; put it back, or learn anew "
            "(tagger learn --model FILE.onnx)",
            path,
        )
    found = read_card(path).model_id
    if found not in card.bases:
        raise CheckpointError(f"it is {found} now, and not {card.bases[0]}; learn anew", path)
    return path


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
    if card.architecture == ONNX_NETWORK and card.head is not None:
        found = {card.bases[0]: find_base(card)}
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
