"""Check our features against the stored ones: `python -m tools.parity CLIPS FEATURES`.

CLIPS is a folder of FMA clips named by their track ids (`000002.mp3`), FEATURES a feature file
with rows of those tracks that something else than this project made, in decibels from -80 to 0.
Three things are compared, each as the mean absolute difference over bands and frames:

- row: the clip decoded whole and made into a feature row, as `python -m training prepare` does;
- segments: a few segments decoded alone by seeking, as the tagger does, with frames taken at the
  very places where the stored ones lie, and both sides referenced to their own maximum. A seek in
  an MP3 may land a few MP3 frames off: the shift that fits best is taken. What lies at the stored
  row's floor is left out, since a quiet segment's own floor is lower;
- heard: the same segments with frames where the tagger takes them. The stored ones lie up to some
  hundredths of a second beside them, so that this shows how much a moment differs from the next;
  it has no target.

The exit code is 1 where a clip's row differs by more than 0.2 dB, 2 where nothing could be
compared.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagger.audio import SegmentPlan, load_segments, load_waveform
from tagger.errors import DatasetError, TaggerError
from tagger.networks.frontend import FrontEndConfig, LogMel, relative_db, rereference
from tagger.records import FloatArray, Segments
from training.dataset import load_features
from training.features import ROW_FRAMES, clip_to_row, crop, row_to_db

TOLERANCE_DB = 0.2
CLIP_S = 30.0
MAX_SEGMENTS = 4

DENSE_HOP = 512
MP3_FRAME = 1152
SHIFTS = MP3_FRAME * np.arange(-3, 4)  # where a seek may have landed, in samples

Row = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parity:
    """How far our features of a clip lie from the stored ones, mean absolute difference in dB."""

    track_id: int
    row_db: float
    segments_db: float
    heard_db: float


def main() -> int:
    """Compare, print a line a clip and the means; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS", help="folder of FMA clips")
    parser.add_argument("features", type=Path, metavar="FEATURES", help="feature file (.npz)")
    arguments = parser.parse_args()
    try:
        clips = find_clips(arguments.clips.expanduser())
        rows = load_rows(arguments.features.expanduser())
        return report(compare_all(clips, rows, FrontEndConfig()))
    except TaggerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def find_clips(folder: Path) -> dict[int, Path]:
    """Return the clips of a folder by track id.

    Raises:
        DatasetError: there is none.
    """
    clips = {int(path.stem): path for path in sorted(folder.glob("*.mp3")) if path.stem.isdigit()}
    if not clips:
        raise DatasetError("no clips named by track id, as 000002.mp3 is", folder)
    return clips


def load_rows(features: Path) -> dict[int, Row]:
    """Return a feature file's rows (n_mels, 128) by track id.

    Raises:
        DatasetError: it cannot be read.
    """
    stored = load_features(features)
    return dict(zip(stored.track_id.tolist(), stored.mel, strict=True))


def compare_all(
    clips: dict[int, Path], rows: dict[int, Row], config: FrontEndConfig
) -> Iterator[Parity]:
    """Yield the parity of each clip that has a stored row, and say which have none."""
    for track_id, path in clips.items():
        if track_id in rows:
            yield compare(track_id, path, rows[track_id], config)
        else:
            print(f"{track_id:6d}  not in the feature file")


def compare(track_id: int, path: Path, stored: Row, config: FrontEndConfig) -> Parity:
    """Return how far our features of a clip lie from its stored row.

    Raises:
        AudioDecodeError: the clip cannot be decoded.
    """
    plan = SegmentPlan(config.sample_rate, config.n_samples, MAX_SEGMENTS)
    segments = load_segments(path, plan)
    waveform, sample_rate = load_waveform(path, duration_s=CLIP_S)
    places = stored_places(round(len(waveform) / sample_rate * config.sample_rate))
    return Parity(
        track_id,
        row_difference(waveform, sample_rate, stored),
        segment_difference(segments, places, stored, config),
        heard_difference(segments, places, stored, config),
    )


def stored_places(n_clip: int) -> Places:
    """Return the middle of each frame of a row, in samples, of a clip of ``n_clip`` samples.

    >>> stored_places(30 * 44_100)[:3]
    array([ 5120, 15360, 25600])
    """
    n_dense = 1 + n_clip // DENSE_HOP
    picked = ((np.arange(ROW_FRAMES) + 0.5) / ROW_FRAMES * n_dense).astype(np.int64)
    return picked * DENSE_HOP


def row_difference(waveform: FloatArray, sample_rate: int, stored: Row) -> float:
    """Return the mean difference of a clip's row, at the clip's own sample rate, in dB."""
    ours = clip_to_row(waveform, FrontEndConfig(sample_rate=sample_rate))
    return _mean_db(row_to_db(torch.from_numpy(ours)) - row_to_db(torch.from_numpy(stored)))


def segment_difference(
    segments: Segments, places: Places, stored: Row, config: FrontEndConfig
) -> float:
    """Return the mean difference of segments from their rows, frame on frame, in dB."""
    return float(
        np.mean(
            [
                min(
                    frame_difference(waveform, places - round(shifted), stored, config)
                    for shifted in start_s * config.sample_rate + SHIFTS
                )
                for start_s, waveform in zip(segments.starts_s, segments.waveforms, strict=True)
            ]
        )
    )


def frame_difference(
    waveform: FloatArray, places: Places, stored: Row, config: FrontEndConfig
) -> float:
    """Return the mean difference of the frames of a row that lie within a waveform, in dB.

    Args:
        waveform: (n_samples,).
        places: (128,) the middle of each frame of the row, in samples of the waveform.
        stored: (n_mels, 128) bytes.
        config: The front end.
    """
    half = config.n_fft // 2
    inside = np.flatnonzero((places >= half) & (places <= len(waveform) - half))
    frames = np.stack([waveform[p - half : p + half] for p in places[inside]])
    power = LogMel(config).mel_power(torch.from_numpy(frames))  # (n_inside, n_mels, 1)
    ours = relative_db(power.permute(2, 1, 0), config.top_db)
    row = torch.from_numpy(stored)[None, :, inside]
    difference = ours - rereference(row_to_db(row), config.top_db)
    return _mean_db(difference[row > 0])


def heard_difference(
    segments: Segments, places: Places, stored: Row, config: FrontEndConfig
) -> float:
    """Return the mean difference of what the tagger hears from the nearest crops, in dB."""
    ours = LogMel(config)(torch.from_numpy(segments.waveforms))
    middles = np.array(segments.starts_s) * config.sample_rate + config.n_fft / 2
    nearest = np.abs(places[None, :] - middles[:, None]).argmin(axis=1)
    starts = torch.from_numpy(np.minimum(nearest, ROW_FRAMES - config.n_frames))
    rows = torch.from_numpy(stored).expand(len(starts), -1, -1)
    return _mean_db(ours - crop(rows, starts, config))


def report(parities: Iterator[Parity]) -> int:
    """Print a line a clip and the means; return the exit code."""
    print(" track  row dB  segments dB  heard dB")
    found: list[Parity] = []
    for parity in parities:
        found.append(parity)
        verdict = "" if parity.row_db <= TOLERANCE_DB else f"  over {TOLERANCE_DB} dB"
        print(f"{parity.track_id:6d}{_columns(parity)}{verdict}")
    if not found:
        print("error: none of the clips has a row in the feature file", file=sys.stderr)
        return 2
    print(f"  mean{_columns(_mean(found))}  ({len(found)} clips)")
    return 1 if any(parity.row_db > TOLERANCE_DB for parity in found) else 0


def _columns(parity: Parity) -> str:
    return f"  {parity.row_db:6.3f}  {parity.segments_db:11.3f}  {parity.heard_db:8.3f}"


def _mean(parities: Sequence[Parity]) -> Parity:
    rows, segments, heard = np.mean([(p.row_db, p.segments_db, p.heard_db) for p in parities], 0)
    return Parity(0, rows, segments, heard)


def _mean_db(difference: Tensor) -> float:
    return float(difference.abs().mean())


if __name__ == "__main__":
    sys.exit(main())
