"""One clip to one feature row, or the reason why not; runs in the workers.

A clip in an archive is taken out of it for the moment of its decoding: that costs a copy of 1 MB
in the page cache, where extracting all would cost 7 GB of disk and a second pass over them.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tagger.audio import SegmentPlan, load_segments, load_waveform
from tagger.errors import AudioDecodeError, DatasetError, os_reason
from tagger.networks.frontend import FrontEndConfig
from tagger.records import FloatArray
from training.features import clip_to_row

# What a row's 128 frames span. Of less, they would stand closer together than in other rows.
CLIP_S = 30.0
_SHORTEST_S = 29.0

# As in tagging: below this no listener hears anything at an ordinary volume.
_SILENCE_RMS = 10 ** (-60 / 20)

# Reasons for leaving a clip out, in one word for the list of them.
DAMAGED, TOO_SHORT, SILENT = "damaged", "too short", "silent"


@dataclass(frozen=True, slots=True)
class Clip:
    """Where a clip's sound is.

    Args:
        name: What the lists call it: its path inside the archive or folder.
        path: A sound file, of which the middle 30 s count; or an archive.
        is_in_archive: Whether ``path`` is an archive, in which ``name`` is the clip: its first
            30 s count, at its own sample rate, as in the published features of FMA.
        version: Changes when the sound file does.
    """

    name: str
    path: Path
    is_in_archive: bool = False
    version: str = ""

    @property
    def identity(self) -> str:
        """Tells this clip, in this version, from all others of its collection."""
        return f"{self.name}\t{self.version}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A clip that is not in the feature file.

    Args:
        name: The clip's.
        why: One word or two, from a fixed set.
        detail: What a person should know.
    """

    name: str
    why: str
    detail: str


@dataclass(frozen=True)
class Track:
    """A clip and what is known of it; ``split`` is "" where nobody made one."""

    clip: Clip
    track_id: int
    artist_id: int
    genre: str
    split: str = ""


@dataclass(frozen=True)
class Prepared:
    """What became of a clip: its row (128, 128) uint8, or why it has none."""

    clip: Clip
    outcome: NDArray[np.uint8] | LeftOut


def prepare_clip(clip: Clip, scratch: Path) -> Prepared:
    """Return a clip's feature row, or why it has none.

    Args:
        clip: The clip.
        scratch: A folder for the moment of decoding.

    Raises:
        DatasetError: the archive is gone, or there is no room in ``scratch``.
    """
    torch.set_num_threads(1)  # the workers are the parallelism
    try:
        waveform, sample_rate = _sound_of(clip, scratch)
    except AudioDecodeError as exc:
        return Prepared(clip, LeftOut(clip.name, DAMAGED, exc.reason))
    unfit = _reason_against(clip, waveform, sample_rate)
    if unfit:
        return Prepared(clip, unfit)
    return Prepared(clip, clip_to_row(waveform, FrontEndConfig(sample_rate=sample_rate)))


def _sound_of(clip: Clip, scratch: Path) -> tuple[FloatArray, int]:
    if not clip.is_in_archive:
        return _middle_of(clip.path)
    content = _taken_out(clip)
    try:
        with tempfile.NamedTemporaryFile(dir=scratch, suffix=Path(clip.name).suffix) as file:
            file.write(content)
            file.flush()
            return load_waveform(Path(file.name), duration_s=CLIP_S)
    except OSError as exc:
        raise DatasetError(os_reason(exc), scratch) from exc


def _middle_of(path: Path) -> tuple[FloatArray, int]:
    """Return the middle 30 s of a file, or all of a shorter one, at the tagger's sample rate."""
    rate = FrontEndConfig().sample_rate
    segments = load_segments(path, SegmentPlan(rate, round(CLIP_S * rate), max_segments=1))
    if len(segments.waveforms):
        return segments.waveforms[0], rate
    return load_waveform(path, rate, CLIP_S)


def _taken_out(clip: Clip) -> bytes:
    try:
        return _archive(clip.path).read(clip.name)
    except KeyError as exc:
        raise AudioDecodeError("missing from the archive", clip.path) from exc
    except (zipfile.BadZipFile, zlib.error, EOFError) as exc:
        raise AudioDecodeError(f"damaged in the archive: {exc}", clip.path) from exc
    except OSError as exc:
        raise DatasetError(os_reason(exc), clip.path) from exc


@lru_cache(maxsize=1)
def _archive(path: Path) -> zipfile.ZipFile:
    """Open an archive, once a worker: reading its list of 8,000 clips takes 50 ms."""
    return zipfile.ZipFile(path)


def _reason_against(clip: Clip, waveform: FloatArray, sample_rate: int) -> LeftOut | None:
    duration_s = len(waveform) / sample_rate
    if duration_s < _SHORTEST_S:
        return LeftOut(clip.name, TOO_SHORT, f"{duration_s:.1f} s, {_SHORTEST_S:.0f} s needed")
    rms = float(np.sqrt(np.square(waveform).mean()))
    if not np.isfinite(rms):
        return LeftOut(clip.name, DAMAGED, "its samples are not numbers")
    if rms < _SILENCE_RMS:
        return LeftOut(clip.name, SILENT, "quieter than -60 dB below full scale")
    return None
