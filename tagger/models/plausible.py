"""What a model's card may say: numbers that are numbers and of a size that can be, names as text.

A card may come from anywhere. What it asks for is allocated, computed with and shown on terminals,
so it is looked at before. Whether card and weights fit together is for ``checkpoint`` to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tagger.genre_text import why_no_genre

if TYPE_CHECKING:
    from tagger.models.card import ModelCard

ONNX_NETWORK = "onnx"
"""The architecture of networks that a user brings."""

# Many times what any network here has, and little enough to be tried on any machine.
_FRONT_END = {
    "sample_rate": 768_000,
    "n_fft": 1 << 15,
    "hop_length": 1 << 24,
    "n_mels": 1 << 10,
    "n_frames": 1 << 16,
}
_MOST_UNITS = 1 << 14  # of any layer
_MOST_SEGMENTS = 256
_MOST_SECONDS = 600  # a segment
_MOST_SAMPLES = 1 << 24  # in all frames of a segment


def why_implausible(card: ModelCard) -> str:
    """Return what in a card cannot be, "" if it may be used."""
    return next((why for check in _CHECKS for why in check(card)), "")


def _names(card: ModelCard) -> Iterator[str]:
    if not card.labels:
        yield "it has no labels"
    named = (*card.labels, *card.thresholds, *card.further)
    yield from (why for name in named if (why := _why_no_name(name)))
    for name in (card.model_id, card.architecture, *card.bases):
        if not isinstance(name, str) or not name.isprintable():
            yield f"{name!r:.80} is no name"


def _why_no_name(name: object) -> str:
    return why_no_genre(name) if isinstance(name, str) else f"{name!r:.80} is no genre"


def _confidences(card: ModelCard) -> Iterator[str]:
    for what in ("temperature", "album_temperature"):
        if not _is_number(getattr(card, what)) or getattr(card, what) <= 0:
            yield f"its {what} is {getattr(card, what)!r:.80}, not a number above 0"
    for label, least in (*card.thresholds.items(), *card.further.items()):
        if not _is_number(least) or least < 0:
            yield f"the threshold of {label} is {least!r:.80}, not a number from 0 on"
    novelty = None if card.head is None else card.head.novelty
    if novelty is not None and not math.isfinite(novelty.limit):
        yield f"its limit of what is strange is {novelty.limit}"


def _sizes(card: ModelCard) -> Iterator[str]:
    yield from _beyond({"max_segments": card.max_segments}, {"max_segments": _MOST_SEGMENTS})
    few = {"first_segments": card.first_segments, "album_segments": card.album_segments}
    yield from _beyond(few, dict.fromkeys(few, _MOST_SEGMENTS), least=0)
    if card.architecture == ONNX_NETWORK:  # its own card is looked at where it is read
        return
    yield from _beyond(card.front_end, _FRONT_END)
    if not _is_number(card.front_end.get("top_db", 0.0)):
        yield f"its top_db is {card.front_end['top_db']!r:.80}, not a number"


def _segments(card: ModelCard) -> Iterator[str]:
    """Say what segments cannot be, where each number by itself can."""
    yield from _beyond({"sample_rate": card.sample_rate}, _FRONT_END)
    yield from _beyond(
        {"n_samples": card.n_samples}, {"n_samples": _MOST_SECONDS * card.sample_rate}
    )
    if card.architecture == ONNX_NETWORK:
        return
    frames = [card.front_end.get(name, 1) for name in ("n_frames", "n_fft")]
    if math.prod(frames) > _MOST_SAMPLES:
        yield f"its segments have {frames[0]} frames of {frames[1]} samples, which is too much"


def _layers(card: ModelCard) -> Iterator[str]:
    if card.architecture == ONNX_NETWORK:
        return
    for name, value in card.network.items():
        for one in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
            if isinstance(one, float) and not 0 <= one < 1:
                yield f"its {name} is {one!r:.80}, not a number from 0 to 1"
            elif isinstance(one, int) and not 0 <= one <= _MOST_UNITS:
                yield f"its {name} is {one!r:.80}, not a number up to {_MOST_UNITS}"


_CHECKS: Sequence[Callable[[ModelCard], Iterator[str]]] = (
    _names,
    _confidences,
    _sizes,
    _segments,
    _layers,
)


def _beyond(values: Mapping[str, Any], most: Mapping[str, int], least: int = 1) -> Iterator[str]:
    """Say which values are no whole numbers up to the most there may be."""
    for name in values.keys() & most.keys():
        value = values[name]
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not least <= value <= most[name]:
            yield f"its {name} is {value!r:.80}, not a whole number from {least} to {most[name]}"


def _is_number(value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)  # type: ignore[arg-type]
