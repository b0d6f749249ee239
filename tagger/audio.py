"""Sound files in, waveforms out: mono float32 at one sample rate, and only the stretches asked for.

Every format goes through PyAV, whose wheel brings FFmpeg's decoders with it. libsndfile reads PCM
a little faster, but reads a whole MP3 to seek in it, misjudges the length of VBR MP3s that have
no Xing header, and knows no AAC: a second path would have to earn its keep.

This module owns decoding, seeking, the downmix and resampling. It leaves features to the front
end, and which tracks are worth hearing to its callers.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import soxr  # type: ignore[import-untyped]
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from tagger.errors import AudioDecodeError, os_reason
from tagger.records import FloatArray, Segments

log = logging.getLogger(__name__)

# FFmpeg knows formats that are lists of other files (concat, HLS): a text file named .mp3 must not
# make it open those. Further formats are added here, with their decoders below.
_DEMUXERS = "aac,aiff,ape,asf,dsf,flac,iff,mov,mp3,mpc,mpc8,ogg,tta,wav,wv"

# Opening a file makes FFmpeg decode the start of every stream that it has a decoder for. A PNG
# cover of 7 MB cost 28 ms, as much as all segments of the track: only these may be tried.
_DECODERS = (
    "aac,alac,ape,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,dst,flac,mp1float,mp2float,"
    "mp3float,mpc7,mpc8,opus,libopus,vorbis,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,"
    "pcm_mulaw,pcm_s16be,pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,speex,"
    "libspeex,tta,wavpack,wmalossless,wmapro,wmav1,wmav2,wmavoice"
)

# Without an index of their own; FFmpeg guesses their length from the bit rate at the start.
_BARE_STREAMS = frozenset({"aac", "mp3"})

# A decoder needs what came before: an MP3 frame borrows up to 511 bytes from frames before it
# (0.15 s at 32 kbit/s), Opus converges in 80 ms, AAC and Vorbis overlap one block. A seek in an
# MP3 lands up to two frames late.
_PREROLL_S = 0.25
# FFmpeg's decoder gives nothing of the first 32 frames of 26 ms after a seek.
_PREROLLS_S = {"mpc7": 1.0}

# Samples turned to mono at once. A decoder fills the processor's caches, so that each NumPy call
# between two of its frames costs a twentieth of its work: by batches, decoding and downmix take
# a sixth less. Larger batches cost more again: beyond 128 KB each array is mapped afresh.
_BATCH = 16384

# Lost packets may add up to this much of a segment before it counts as damaged. Less than this
# cannot be seen in features whose hop is 46 ms.
_MAX_GAP_S = 0.05

# FFmpeg's sample formats: NumPy type, value of silence, value of full scale.
_SAMPLE_FORMATS: dict[str, tuple[np.dtype[Any], float, float]] = {
    "u8": (np.dtype(np.uint8), 128.0, 128.0),
    "s16": (np.dtype(np.int16), 0.0, 2.0**15),
    "s32": (np.dtype(np.int32), 0.0, 2.0**31),
    "flt": (np.dtype(np.float32), 0.0, 1.0),
    "dbl": (np.dtype(np.float64), 0.0, 1.0),
}

# That of DSD at 1024 times the CD's rate, of which FFmpeg makes an eighth.
_MAX_SAMPLE_RATE = 44100 * 1024 // 8

_OPTIONS = {
    "protocol_whitelist": "file,subfile",
    "format_whitelist": _DEMUXERS,
    # Seek by an MP3's own table or by proportion, in place of reading all that lies before.
    "fflags": "+fastseek",
}

# FFmpeg looks for DTS hidden in WAV in up to 5 MB, which takes 26 ms where the segments take 4:
# in this much it still finds it.
_WAV_OPTIONS = {"probesize": "32768"}

# WavPack, Monkey's Audio and Musepack, in front of which FFmpeg knows no ID3v2 tag.
_WITHOUT_ID3 = (b"wvpk", b"MAC ", b"MPCK", b"MP+")

_FAST_SEEK = 0x80000  # AVFMT_FLAG_FAST_SEEK, which the option above sets

_NOT_AUDIO = (
    "not audio that can be decoded: replace the file if it should be, "
    "or leave it out with --exclude"
)


@dataclass(frozen=True)
class SegmentPlan:
    """Which stretches of each track the network is to hear.

    Args:
        sample_rate: Samples a second of the waveforms wanted.
        n_samples: Length of each, in samples at that rate.
        max_segments: How many at most; a short track gives fewer.
    """

    sample_rate: int
    n_samples: int
    max_segments: int

    @property
    def segment_s(self) -> float:
        """Length of each segment, seconds."""
        return self.n_samples / self.sample_rate


@dataclass(frozen=True)
class _Sound:
    """An open file, ready to decode.

    Args:
        samples_per_tick: Samples in a unit of the stream's time stamps.
        origin_s: Time stamp of the first sample that is music and not encoder delay, seconds.
        duration_s: The length it claims, or that was counted, seconds.
    """

    container: InputContainer
    stream: AudioStream
    sample_rate: int
    samples_per_tick: float
    origin_s: float
    duration_s: float

    def place(self, frame: AudioFrame, start_s: float) -> int:
        """Return where a frame begins, in samples from ``start_s``; negative if before."""
        start = (self.origin_s + start_s) * self.sample_rate
        return round((frame.pts or 0) * self.samples_per_tick - start)


def segment_starts(duration_s: float, segment_s: float, max_segments: int) -> tuple[float, ...]:
    """Return where segments begin: each in the middle of its own n-th of the track, seconds.

    They never overlap: a track too short for all of them gets fewer, and one shorter than a
    single segment gets none.

    >>> segment_starts(12.0, 2.0, 3)
    (1.0, 5.0, 9.0)
    >>> segment_starts(2.0, 2.0, 3)
    (0.0,)
    >>> segment_starts(1.9, 2.0, 3)
    ()
    """
    # Less than a sample, so that a length rounded to microseconds still counts as a fit.
    n_fitting = int(duration_s / segment_s + 1e-6)
    n_segments = min(max_segments, n_fitting)
    part_s = duration_s / n_segments if n_segments else 0.0
    return tuple(max(0.0, (i + 0.5) * part_s - segment_s / 2) for i in range(n_segments))


def load_segments(path: Path, plan: SegmentPlan) -> Segments:
    """Decode only the planned segments of a track, by seeking.

    Positions are exact in most formats. In an MP3 they are as good as its header's table, so
    that only the bytes needed are read: to 0.08 s at a constant bit rate, to about 1/200 of the
    track at a variable one. WMA is found to 0.1 s. The sound is bit for bit that of the whole
    track.

    A stretch that is damaged, or lies beyond the true end of a truncated file, is never given: a
    neighbouring one takes its place, or there is one segment fewer. A track shorter than a
    segment gives waveforms of shape (0, n_samples) and its true length.

    Raises:
        AudioDecodeError: Nothing in the file can be decoded.
    """
    with _opened(path) as sound:
        planned = segment_starts(sound.duration_s, plan.segment_s, plan.max_segments)
        segments = _decode_segments(sound, plan, n_tries=1)
        if len(segments.starts_s) < max(1, len(planned)):
            counted = replace(sound, duration_s=_counted_duration_s(sound))
            segments = _decode_segments(counted, plan, n_tries=3)
            _check_something_was_decoded(segments, plan, path)
        return segments


def load_waveform(
    path: Path, sample_rate: int | None = None, duration_s: float | None = None
) -> tuple[FloatArray, int]:
    """Decode a file from its beginning.

    Args:
        path: The file.
        sample_rate: Samples a second wanted; None keeps the file's own.
        duration_s: Give no more than this; None gives all.

    Returns:
        (n_samples,) float32 in [-1, 1], mono, and its sample rate.

    Raises:
        AudioDecodeError: Nothing in the file can be decoded.
    """
    with _opened(path) as sound:
        n_wanted = None if duration_s is None else round(duration_s * sound.sample_rate)
        parts: list[FloatArray] = []
        n_samples = 0
        frames = _frames_from(sound, 0.0)
        while (n_wanted is None or n_samples < n_wanted) and (batch := _take(frames, _BATCH)):
            parts.append(_mono(batch))
            n_samples += len(parts[-1])
        if not n_samples:
            raise AudioDecodeError(_NOT_AUDIO, path)
        waveform = np.concatenate(parts)[:n_wanted]
        target_rate = sample_rate or sound.sample_rate
        return _resampled(waveform, sound.sample_rate, target_rate), target_rate


def _decode_segments(sound: _Sound, plan: SegmentPlan, *, n_tries: int) -> Segments:
    """Decode the plan's segments, leaving out those that cannot be had whole.

    Each is looked for at its own place, and with three tries also at the beginning and the end of
    its own part of the track, where it still overlaps no other.
    """
    planned = segment_starts(sound.duration_s, plan.segment_s, plan.max_segments)
    slack_s = sound.duration_s / max(1, len(planned)) - plan.segment_s
    waveforms = np.empty((len(planned), plan.n_samples), dtype=np.float32)
    starts_s: list[float] = []
    for planned_s in planned:
        places_s = (planned_s, planned_s - slack_s / 2, planned_s + slack_s / 2)[:n_tries]
        for start_s in places_s:
            if _decode_segment(sound, start_s, plan.sample_rate, waveforms[len(starts_s)]):
                starts_s.append(start_s)
                break
    return Segments(waveforms[: len(starts_s)], tuple(starts_s), plan.sample_rate, sound.duration_s)


def _decode_segment(sound: _Sound, start_s: float, sample_rate: int, out: FloatArray) -> bool:
    """Fill ``out``, (n_samples,), with the sound from ``start_s`` on; say whether it is whole."""
    if sample_rate == sound.sample_rate:
        return _fill(sound, start_s, out)
    n_source = -(-len(out) * sound.sample_rate // sample_rate)  # rounded up
    source = np.empty(n_source, dtype=np.float32)
    if not _fill(sound, start_s, source):
        return False
    out[:] = _resampled(source, sound.sample_rate, sample_rate)[: len(out)]
    return True


def _fill(sound: _Sound, start_s: float, out: FloatArray) -> bool:
    """Fill ``out`` with sound at the file's own rate; say whether it is whole and sane."""
    preroll_s = _PREROLLS_S.get(sound.stream.codec_context.name, _PREROLL_S)
    frames = _frames_from(sound, start_s - preroll_s)
    max_gap = round(_MAX_GAP_S * sound.sample_rate)
    n_filled = 0
    while n_filled < len(out):
        batch = _take(frames, min(_BATCH, len(out) - n_filled))
        if not batch:
            return False
        mono = _mono(batch)
        # Where the batch belongs in ``out``: before its beginning during the pre-roll.
        place = n_filled or sound.place(batch[0], start_s)
        gap = sound.place(batch[-1], start_s) - (place + len(mono) - batch[-1].samples)
        if max(place - n_filled, gap) > max_gap:
            return False
        part = mono[max(0, -place) :][: len(out) - n_filled]
        out[n_filled : n_filled + len(part)] = part
        n_filled += len(part)
    # A float file may hold NaN, which would make every probability NaN.
    return bool(np.isfinite(out.sum()))


def _take(frames: Iterator[AudioFrame], n_samples: int) -> list[AudioFrame]:
    """Take frames until they hold that many samples, or there are no more."""
    taken: list[AudioFrame] = []
    for frame in frames:
        taken.append(frame)
        n_samples -= frame.samples
        if n_samples <= 0:
            break
    return taken


def _frames_from(sound: _Sound, start_s: float) -> Iterator[AudioFrame]:
    """Seek, and decode what ends after ``start_s``.

    A packet that cannot be decoded is left out: real files have some. The caller sees the gap.
    """
    from_tick = int((sound.origin_s + start_s) * sound.sample_rate / sound.samples_per_tick)
    try:
        sound.container.seek(max(0, from_tick), stream=sound.stream)
    except av.error.FFmpegError as error:
        log.debug("%s: cannot seek to %.1f s: %s", sound.container.name, start_s, error)
        return
    for packet in _packets(sound):
        # An MP3's table has 100 rows, so that a seek may land seconds too early.
        if packet.pts is not None and packet.pts + (packet.duration or 0) < from_tick:
            continue
        try:
            yield from _placed(packet.decode(), sound)
        except av.error.FFmpegError as error:
            log.debug("%s: packet left out: %s", sound.container.name, error)


def _placed(frames: list[AudioFrame], sound: _Sound) -> Iterator[AudioFrame]:
    """Yield the frames of a packet, each with its place; many decoders give that of the first."""
    next_pts: int | None = None
    for frame in frames:
        if frame.pts is None:
            frame.pts = next_pts
        if frame.sample_rate == sound.sample_rate and frame.pts is not None:
            yield frame
        if frame.pts is not None:
            next_pts = frame.pts + round(frame.samples / sound.samples_per_tick)


def _packets(sound: _Sound) -> Iterator[Packet[AudioStream]]:
    """Yield packets from where the file stands, to its end or to where it cannot be read on."""
    try:
        yield from sound.container.demux(sound.stream)
    except av.error.FFmpegError as error:
        log.debug("%s: cannot be read on: %s", sound.container.name, error)


def _mono(frames: list[AudioFrame]) -> FloatArray:
    """Return the mean of the channels of consecutive frames, (n_samples,) float32 in [-1, 1]."""
    # Files that were joined may change their kind half-way.
    parts = [_downmix(list(run)) for _, run in groupby(frames, key=_kind)]
    mono = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return _clip(mono)


def _kind(frame: AudioFrame) -> tuple[str, int]:
    """Return a frame's sample format and number of channels."""
    return frame.format.name, frame.layout.nb_channels


def _downmix(frames: list[AudioFrame]) -> FloatArray:
    """Return the mean of the channels of frames of one kind, (n_samples,) float32.

    Channels are added one by one: ``mean`` over the two columns of stereo is forty times slower.
    """
    format_name, n_channels = _kind(frames[0])
    dtype, silence, full_scale = _SAMPLE_FORMATS[format_name.removesuffix("p")]
    if frames[0].format.is_planar:
        views = [[_view(plane, dtype, f.samples) for plane in f.planes] for f in frames]
        channels = [np.concatenate(views_of_one) for views_of_one in zip(*views, strict=True)]
    else:
        views_packed = [_view(f.planes[0], dtype, f.samples * n_channels) for f in frames]
        channels = list(np.concatenate(views_packed).reshape(-1, n_channels).T)
    mono = channels[0].astype(np.float32, copy=False)  # a view of what was just copied
    for channel in channels[1:]:
        np.add(mono, channel, mono, dtype=np.float32, casting="same_kind")
    if silence:
        mono -= silence * n_channels
    mono *= 1 / (full_scale * n_channels)
    return mono


# PyAV's stubs leave out that a plane is a buffer.
_view = cast(Callable[[AudioPlane, np.dtype[Any], int], NDArray[Any]], np.frombuffer)


def _resampled(waveform: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    """Return (n_samples,) float32 at another sample rate."""
    if from_rate == to_rate:
        return waveform
    return _clip(np.asarray(soxr.resample(waveform, from_rate, to_rate), dtype=np.float32))


def _clip(waveform: FloatArray) -> FloatArray:
    """Keep a waveform within [-1, 1], in place, as a player's output stage does.

    Lossy decoders overshoot full scale on loud music, and so do resamplers at steep edges.
    """
    return np.clip(waveform, -1, 1, out=waveform)


@contextmanager
def _opened(path: Path) -> Iterator[_Sound]:
    """Open a file for decoding, and close it again.

    Raises:
        AudioDecodeError: It is no regular file, may not be read, or holds no sound known here.
    """
    _check_is_a_file(path)
    try:
        # "file:" keeps a name like "12:30.mp3" from being taken for a URL.
        container = _container(f"file:{path}", path)
    except av.error.FFmpegError as exc:
        container = _container_behind_id3(path, exc)
    with container:
        yield _sound(container, path)


def _container(url: str, path: Path) -> InputContainer:
    is_wav = path.suffix.lower() == ".wav"
    return av.open(
        url,
        container_options=_OPTIONS | (_WAV_OPTIONS if is_wav else {}),
        options={"codec_whitelist": _DECODERS},
        # A tag that is not UTF-8 is no reason to refuse the sound.
        metadata_errors="replace",
    )


def _container_behind_id3(path: Path, refusal: av.error.FFmpegError) -> InputContainer:
    """Open a file that FFmpeg refused: it knows no ID3v2 tag in front of some formats.

    Raises:
        AudioDecodeError: There is no such tag, or nothing known behind it.
    """
    reason = os_reason(refusal) if isinstance(refusal, OSError) else _NOT_AUDIO
    try:
        with path.open("rb") as file:
            header = file.read(10)
            size = 10 + sum(byte << 7 * n for n, byte in enumerate(reversed(header[6:])))
            file.seek(size)
            if not header.startswith(b"ID3") or not file.read(4).startswith(_WITHOUT_ID3):
                raise AudioDecodeError(reason, path) from refusal
        return _container(f"subfile,,start,{size},end,0,,:file:{path}", path)
    except (OSError, av.error.FFmpegError) as exc:
        raise AudioDecodeError(reason, path) from exc


def _check_is_a_file(path: Path) -> None:
    """Refuse what would hang (a FIFO) or fail with a riddle (an empty file)."""
    try:
        status = path.stat()
    except OSError as exc:
        raise AudioDecodeError(os_reason(exc), path) from exc
    if stat.S_ISDIR(status.st_mode):
        raise AudioDecodeError("a folder, not a sound file: give the files in it", path)
    if not stat.S_ISREG(status.st_mode):
        raise AudioDecodeError("not a regular file: leave it out with --exclude", path)
    if not status.st_size:
        raise AudioDecodeError("the file is empty: delete it or put the real one back", path)


def _sound(container: InputContainer, path: Path) -> _Sound:
    """Find the sound in an open container and how long it is."""
    if not container.streams.audio:
        raise AudioDecodeError("holds no sound: leave it out with --exclude", path)
    stream = container.streams.audio[0]
    if not stream.codec_context or stream.time_base is None:
        raise AudioDecodeError("its codec is not known here, or it is encrypted", path)
    if not 0 < stream.codec_context.sample_rate <= _MAX_SAMPLE_RATE:
        # FFmpeg takes the name's word for it that a text file is an MP3, and a header's for a rate.
        raise AudioDecodeError(_NOT_AUDIO, path)
    stream.codec_context.thread_count = 1  # workers are processes, one a core
    sample_rate = stream.codec_context.sample_rate
    samples_per_tick = float(stream.time_base) * sample_rate
    origin_s = float((stream.start_time or 0) * stream.time_base)
    sound = _Sound(container, stream, sample_rate, samples_per_tick, origin_s, 0.0)
    claimed_s = _claimed_duration_s(sound)
    if claimed_s is not None:
        return replace(sound, duration_s=claimed_s)
    # Reading all packets, without decoding, also makes the index that exact seeks need.
    container.flags &= ~_FAST_SEEK
    return replace(sound, duration_s=_counted_duration_s(sound))


def _claimed_duration_s(sound: _Sound) -> float | None:
    """Return the length that the file's header gives, seconds; None if there is none to trust."""
    is_guess = sound.container.format.name in _BARE_STREAMS and not len(sound.stream.index_entries)
    # FFmpeg's guess from the first frames holds at a constant bit rate only.
    if is_guess and not _has_constant_bit_rate(sound):
        return None
    if sound.stream.duration is not None and sound.stream.time_base is not None:
        return float(sound.stream.duration * sound.stream.time_base)
    if sound.container.duration is not None:
        return sound.container.duration / av.time_base
    return None


def _has_constant_bit_rate(sound: _Sound) -> bool:
    """Say whether packets from all over the file have one size, but for a byte of padding."""
    sizes: set[int] = set()
    for quarter in range(4):
        try:
            sound.container.seek((sound.stream.duration or 0) * quarter // 4, stream=sound.stream)
        except av.error.FFmpegError:
            return False
        sizes.update(packet.size for packet in islice(_packets(sound), 20) if packet.size)
    return bool(sizes) and max(sizes) - min(sizes) <= 1


def _counted_duration_s(sound: _Sound) -> float:
    """Return the length by reading every packet, without decoding any, seconds."""
    assert sound.stream.time_base is not None
    try:
        sound.container.seek(0, stream=sound.stream)
    except av.error.FFmpegError:
        return 0.0
    ends = (p.pts + (p.duration or 0) for p in _packets(sound) if p.pts is not None)
    return max(0.0, float(max(ends, default=0) * sound.stream.time_base) - sound.origin_s)


def _check_something_was_decoded(segments: Segments, plan: SegmentPlan, path: Path) -> None:
    """Tell a short track, which is fine, from one in which nothing can be decoded."""
    if not segments.duration_s:
        raise AudioDecodeError(_NOT_AUDIO, path)
    if not segments.starts_s and segments.duration_s >= plan.segment_s:
        raise AudioDecodeError(
            f"damaged: no stretch of {plan.segment_s:.1f} s can be decoded; replace the file", path
        )
