"""Synthetic sounds that are no music, in two groups that have no family of sounds in common.

A network may be trained against TRAINED_KINDS, which are noise or hold their pitch. It must never
have met HELD_OUT_KINDS, which glide, click, talk, or drone on low harmonics: what is claimed of
sounds that it does not know is then measured on such. Each family has a module of its own here.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagger.networks.frontend import FrontEndConfig
from tagger.records import FloatArray
from training.features import clip_to_row
from training.odd_sounds import clicks, drones, glides, noises, steady_tones, voices
from training.odd_sounds.synthesis import Canvas, filtered, loud, power_law

_TRAINED = noises.KINDS | steady_tones.KINDS
_HELD_OUT = clicks.KINDS | drones.KINDS | glides.KINDS | voices.KINDS
_MAKERS = _TRAINED | _HELD_OUT

TRAINED_KINDS: tuple[str, ...] = tuple(_TRAINED)
HELD_OUT_KINDS: tuple[str, ...] = tuple(_HELD_OUT)
# {kind: family}: a kind is at most a variant of another of its own family.
FAMILIES = {kind: make.__module__.rpartition(".")[2] for kind, make in _MAKERS.items()}

CLIP_S = 30.0

_FAINT = frozenset({"near_silence"})  # what would be another sound if it were louder


def make_sound(kind: str, rng: np.random.Generator, sample_rate: int, n_samples: int) -> FloatArray:
    """Return a sound (n_samples,) in [-1, 1] of a kind, the same for the same state of ``rng``.

    Its peak lies between -15 and -0.5 dB of full scale; half of the sounds have a background of
    faint noise, as most recordings do. Near silence is as it is.

    Raises:
        KeyError: there is no such kind.
    """
    canvas = Canvas(rng, sample_rate, n_samples)
    sound = _MAKERS[kind](canvas)
    if kind in _FAINT:
        return sound
    if canvas.chance(0.5):
        background = filtered(canvas.white(), sample_rate, power_law(canvas.between(0.0, 2.0)))
        sound = loud(sound) + np.float32(canvas.scale(0.001, 0.1)) * loud(background)
    peak = np.abs(sound).max()
    return sound * np.float32(10 ** (canvas.between(-15.0, -0.5) / 20) / max(peak, 1e-9))


def nth_sound(kind: str, i: int, seed: int, sample_rate: int, n_samples: int) -> FloatArray:
    """Return sound number ``i`` of a kind; it depends on no other kind or number."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), i])
    return make_sound(kind, rng, sample_rate, n_samples)


def odd_rows(
    kinds: Sequence[str], n_each: int, seed: int, config: FrontEndConfig
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return feature rows of clips of 30 s, and the kind of each.

    Args:
        kinds: Of TRAINED_KINDS or HELD_OUT_KINDS.
        n_each: Clips of each kind; more begin with the same ones.
        seed: Which clips.
        config: The front end.

    Returns:
        (len(kinds) * n_each, n_mels, 128) uint8 as ``clip_to_row`` gives them, and as many names.
    """
    n_samples = round(CLIP_S * config.sample_rate)
    names = tuple(kind for kind in kinds for _ in range(n_each))
    rows = [
        clip_to_row(nth_sound(kind, i, seed, config.sample_rate, n_samples), config)
        for kind in kinds
        for i in range(n_each)
    ]
    return np.stack(rows), names
