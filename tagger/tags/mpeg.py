"""Telling MPEG audio and AAC from other bytes: frames that follow one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from tagger.tags.splices import peek_at

SEARCHED = 1 << 16  # Between ID3v2 and the audio there may be padding or junk.


def stream_kind(file: BinaryIO, start: int) -> str | None:
    """Return "MP3" or "AAC" for what frames follow one another behind ``start``; None for none."""
    data = peek_at(file, start, SEARCHED)
    at = data.find(b"\xff")
    while at >= 0:
        for kind, frame_length in _FRAMES.items():
            if _frames_follow(data, at, frame_length):
                return kind
        at = data.find(b"\xff", at + 1)
    return None


def _frames_follow(data: bytes, at: int, frame_length: Callable[[bytes], int]) -> bool:
    """Return whether three frames follow one another, or fewer up to the end of the data."""
    # One header alone occurs in any data by chance; at the very start it is hardly chance.
    least = 2 if at else 1
    for n in range(3):
        header = data[at : at + 6]
        if len(header) < 6:
            return n >= least
        length = frame_length(header)
        if not length:
            return False
        at += length
    return True


def _mpeg_frame_length(header: bytes) -> int:
    """Return the length of an MPEG audio frame from its header, 0 where it is none.

    Source: ISO/IEC 11172-3, 2.4.2.3; 13818-3.
    """
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    wrong = version == 1 or layer == 0 or bitrate in (0, 15) or rate == 3
    if header[0] != 0xFF or header[1] & 0xE0 != 0xE0 or wrong:
        return 0
    sample_rate = (44100, 48000, 32000)[rate] >> {3: 0, 2: 1, 0: 2}[version]
    kbps = _BITRATES[(version == 3, layer)][bitrate - 1]
    padding = header[2] >> 1 & 1
    if layer == 3:
        return (12000 * kbps // sample_rate + padding) * 4
    samples = 576 if layer == 1 and version != 3 else 1152
    return samples // 8 * kbps * 1000 // sample_rate + padding


def _adts_frame_length(header: bytes) -> int:
    """Return the length of an AAC frame from its ADTS header, 0 where it is none.

    Source: ISO/IEC 13818-7, 6.2.
    """
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0


_FRAMES = {"MP3": _mpeg_frame_length, "AAC": _adts_frame_length}

# (is MPEG 1, layer bits: 3 is layer I, 2 is II, 1 is III) -> kbit/s for the indices 1 to 14.
_LOW = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_BITRATES = {
    (True, 3): tuple(range(32, 449, 32)),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): _LOW,
    (False, 1): _LOW,
}
