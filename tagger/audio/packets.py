"""Which packets of a file must be decoded, so that what is wanted of it sounds right."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from tagger.audio.source import Sound, length_of, packets

log = logging.getLogger(__name__)

# A decoder needs what came before: an MP3 frame borrows up to 511 bytes from those before it
# (0.15 s at 32 kbit/s), Opus converges in some 80 ms, AAC and Vorbis overlap one block. A seek in
# an MP3 lands up to two frames late.
_PREROLL_S = 0.25
# FFmpeg's decoder gives nothing of the first 32 frames of 26 ms after a seek.
_PREROLLS_S = {"mpc7": 1.0}


# Time stamps of some formats, WMA's among them, are whole milliseconds.
_JITTER_S = 0.002


class Stretch(NamedTuple):
    """Samples at the file's own rate, counted from the beginning of a segment."""

    begin: int
    end: int  # the first that is no longer part of it


class Placed(NamedTuple):
    """A decoded frame and where it begins, in samples from the beginning of the segment."""

    frame: AudioFrame
    place: int


@dataclass(frozen=True, slots=True)
class _Lead:
    """What a decoder must have decoded just before a packet, so that this one comes out right.

    Args:
        n_packets: The packets before it that must have come out right but for their beginning.
        n_bytes: What those packets may borrow from the ones before them, bytes.
    """

    n_packets: int
    n_bytes: int = 0

    def of(self, skipped: Sequence[Packet[AudioStream]]) -> list[Packet[AudioStream]]:
        """Return the last ones of the packets just skipped, as many as are needed."""
        n_taken, n_bytes = 0, self.n_bytes
        while n_taken < len(skipped) and (n_taken < self.n_packets or n_bytes > 0):
            n_taken += 1
            if n_taken > self.n_packets:
                n_bytes -= max(0, skipped[-n_taken].size - _SIDE_BYTES)
        return list(skipped)[len(skipped) - n_taken :]


# Header, checksum and side information of an MP3 frame, which lend nothing: at most this.
_SIDE_BYTES = 4 + 2 + 32

# The codecs of which packets between two stretches can be left out. A frame of an MP3 overlaps the
# one before it, whose bits may begin 511 bytes earlier; at low rates it is but half as long. A
# block of AAC overlaps one other. Opus converges: after six packets, 120 ms, log-mels are off by
# 0.02 dB in the mean (after the 80 ms of RFC 7845 by 0.1). Blocks of Vorbis overlap as well, but
# FFmpeg misplaces them where long and short ones meet; the bands that HE-AAC makes up build on
# those before. The rest stand alone.
_LEADS = {
    "mp3float": _Lead(1, n_bytes=511),
    "aac": _Lead(1),
    "opus": _Lead(6),
    "flac": _Lead(0),
    "alac": _Lead(0),
}
_HALF_FRAMES_HZ = 32_000  # MP3s below this rate
_LEAD_OF_HALF_FRAMES = _Lead(2, n_bytes=511)
_PLAIN_AAC = "LC"
_MOST_SKIPPED = 32  # of 24 bytes each at least: what an MP3 frame can borrow from is among them


def frames_from(sound: Sound, start_s: float, stretches: Sequence[Stretch]) -> Iterator[Placed]:
    """Seek, and yield all frames that overlap stretches, and perhaps others, in their order.

    A packet that cannot be decoded is left out: real files have some. The caller sees the gap.

    Args:
        sound: The file.
        start_s: The segment's beginning, seconds.
        stretches: What is wanted of it, in order; what lies between two may be left out.
    """
    lead = _lead_of(sound) if len(stretches) > 1 else None
    *others, last = stretches
    jitter_s = max(_JITTER_S, sound.step_s)
    padded = (*others, Stretch(last.begin, last.end + ceil(jitter_s * sound.sample_rate)))
    rest = deque((sound.tick(a, start_s), sound.tick(b, start_s)) for a, b in padded)
    skipped: deque[Packet[AudioStream]] = deque(maxlen=_MOST_SKIPPED)
    for packet in _packets_from(sound, start_s):
        if packet.pts is not None and packet.duration:
            while rest and packet.pts >= rest[0][1]:
                rest.popleft()
            if not rest:
                return
            if lead is not None and packet.pts + length_of(packet) <= rest[0][0]:
                skipped.append(packet)
                continue
        if lead is not None and skipped:
            for early in lead.of(skipped):
                _decoded(early, sound)
            skipped.clear()
        yield from _placed(_decoded(packet, sound), sound, start_s)


def _lead_of(sound: Sound) -> _Lead | None:
    """Return what a file's decoder needs before a packet; None if it must hear all of them."""
    codec = sound.stream.codec_context
    if codec.name.startswith("pcm_"):
        return _Lead(0)
    if codec.name == "mp3float" and sound.sample_rate < _HALF_FRAMES_HZ:
        return _LEAD_OF_HALF_FRAMES
    if codec.name == "aac" and codec.profile != _PLAIN_AAC:
        return None
    return _LEADS.get(codec.name)


def _packets_from(sound: Sound, start_s: float) -> Iterator[Packet[AudioStream]]:
    """Seek to a little before, and yield packets from there on."""
    preroll_s = _PREROLLS_S.get(sound.stream.codec_context.name, _PREROLL_S)
    from_tick = sound.tick(0, start_s - preroll_s)
    try:
        sound.container.seek(max(0, from_tick), stream=sound.stream)
    except MemoryError:
        raise
    except av.error.FFmpegError as error:
        log.debug("%s: cannot seek to %.1f s: %s", sound.container.name, start_s, error)
        return
    for packet in packets(sound):
        # An MP3's table has 100 rows, so that a seek may land seconds too early.
        if packet.pts is None or packet.pts + length_of(packet) >= from_tick:
            yield packet


def _decoded(packet: Packet[AudioStream], sound: Sound) -> list[AudioFrame]:
    try:
        return packet.decode()
    except av.error.FFmpegError as error:
        log.debug("%s: packet left out: %s", sound.container.name, error)
        return []


def _placed(frames: list[AudioFrame], sound: Sound, start_s: float) -> Iterator[Placed]:
    """Yield the frames of a packet, each with its place; many decoders give that of the first."""
    pts: int | None = None
    for frame in frames:
        pts = frame.pts if frame.pts is not None else pts
        if pts is None:
            continue
        if frame.sample_rate == sound.sample_rate:
            yield Placed(frame, sound.place(pts, start_s))
        pts += round(frame.samples / sound.samples_per_tick)
