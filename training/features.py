"""From a clip's audio to a feature row, and from feature rows to the segments a network sees.

A feature row is what the shared FMA features are: 128 frames picked out of a clip's dense log-mel,
as bytes. Everything here goes through ``tagger.networks.frontend``: the tagger's own features are
the only ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagger.networks.frontend import FrontEndConfig, LogMel, relative_db, rereference
from tagger.records import FloatArray

ROW_FRAMES = 128
_DENSE_HOP = 512  # the hop at which a clip's maximum is looked for


def clip_to_row(waveform: FloatArray, config: FrontEndConfig) -> NDArray[np.uint8]:
    """Return the feature row (n_mels, 128) of a clip (n_samples,), mono in [-1, 1].

    0..255 spans least to greatest of the clip's whole log-mel (hop 512, centred frames, dB below
    the clip's maximum, at least -80), of whose T frames number int((i + .5) / 128 * T) is kept.
    """
    dense = LogMel(replace(config, hop_length=_DENSE_HOP))
    half = config.n_fft // 2
    padded = torch.nn.functional.pad(torch.from_numpy(waveform), (half, half))
    with torch.inference_mode():
        db = relative_db(dense.mel_power(padded.unsqueeze(0)), config.top_db)[0]
    least, greatest = db.min(), db.max()
    scaled = (db - least) / (greatest - least).clamp_min(1e-6) * 255.0
    picked = ((np.arange(ROW_FRAMES) + 0.5) / ROW_FRAMES * db.shape[1]).astype(int)
    row: NDArray[np.uint8] = scaled[:, picked].round().to(torch.uint8).numpy()
    return row


def row_to_db(rows: Tensor) -> Tensor:
    """Return rows of bytes (..., n_mels, n_frames) as float32 dB in [-80, 0]."""
    return rows.to(torch.float32) * (80.0 / 255.0) - 80.0


def crop(rows: Tensor, starts: Tensor, config: FrontEndConfig) -> Tensor:
    """Cut one segment out of each row, referenced to its own maximum as a tagger's would be.

    Args:
        rows: (n, n_mels, 128) bytes.
        starts: (n,) first frame of each segment.
        config: The front end, for the length of a segment and the range.

    Returns:
        (n, n_mels, n_frames) float32 in [-80, 0] dB.
    """
    index = starts[:, None, None] + torch.arange(config.n_frames)
    cut = torch.gather(rows, 2, index.expand(-1, rows.shape[1], -1))
    return rereference(row_to_db(cut), config.top_db)


def even_starts(config: FrontEndConfig, n_segments: int) -> list[int]:
    """Return the first frames of segments spread evenly over a row, as the tagger spreads them.

    >>> even_starts(FrontEndConfig(), 4)
    [0, 32, 64, 96]
    """
    room = ROW_FRAMES / n_segments
    last = ROW_FRAMES - config.n_frames
    return [
        min(last, max(0, round((i + 0.5) * room - config.n_frames / 2))) for i in range(n_segments)
    ]
