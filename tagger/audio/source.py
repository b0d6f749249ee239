"""Opening sound files: which formats, how far FFmpeg is trusted, and how long the sound is.

Every format goes through PyAV, whose wheel brings FFmpeg's decoders with it. libsndfile reads PCM
a little faster, but reads a whole MP3 to seek in it, misjudges the length of VBR MP3s that have
no Xing header, and knows no AAC: a second path would have to earn its keep.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from math import floor
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from tagger.errors import AudioDecodeError
from tagger.reasons import Reason, ReasonCode, why_system_failed

log = logging.getLogger(__name__)

# FFmpeg knows formats that are lists of other files (concat, HLS): a text file named .mp3 must not
# make it open those. Further formats are added here, with their decoders below.
_DEMUXERS = "aac,aiff,ape,asf,dsf,flac,iff,mov,mp3,mpc,mpc8,ogg,tta,wav,wv"

# Opening a file makes FFmpeg decode the start of every stream that it has a decoder for. A PNG
# cover of 7 MB cost 28 ms, as much as all segments of the track: only these may be tried.
_DECODERS = (
    "aac,ac3,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,alac,ape,dca,dsd_lsbf,dsd_lsbf_planar,dsd_msbf,"
    "dsd_msbf_planar,dst,eac3,flac,mp1,mp1float,mp2,mp2float,mp3float,mpc7,mpc8,opus,libopus,vorbis,"
    "pcm_alaw,pcm_f16le,pcm_f24le,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,"
    "pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s64be,pcm_s64le,pcm_s8,pcm_u8,speex,"
    "libspeex,tta,wavpack,wmalossless,wmapro,wmav1,wmav2,wmavoice"
)

_RAW = ("pcm_", "dsd_")
_SPEEX = b"Speex   "  # begins the header, with the rate 36 bytes on
_PAGE = 4096
_NO_RATE = "its header says 0 samples a second, which no decoder takes; make the file anew"

# Without an index of their own; FFmpeg guesses their length from the bit rate at the start.
_BARE_STREAMS = frozenset({"aac", "mp3"})

# That of DSD at 1024 times the CD's rate, of which FFmpeg makes an eighth.
_MAX_SAMPLE_RATE = 44100 * 1024 // 8

# Some programs stamp the packets of a WMA by tenths of a second or more; three seconds tell.
_N_STAMPS = 64
_MOST_STEP_S = 2.0

# Silence of Monkey's Audio, the thriftiest there is, has seven bytes a second.
_MOST_S_A_BYTE = 10.0

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

NOT_AUDIO = Reason(ReasonCode.NOT_AUDIO)


@dataclass(frozen=True)
class Sound:
    """An open file, ready to decode.

    Args:
        samples_per_tick: Samples in a unit of the stream's time stamps.
        origin_s: Time stamp of the first sample that is music and not encoder delay, seconds.
        duration_s: The length it claims, or that was counted, seconds.
        step_s: How coarse its time stamps are: the same for all packets of so many seconds. 0
            where each packet has its own.
    """

    container: InputContainer
    stream: AudioStream
    sample_rate: int
    samples_per_tick: float
    origin_s: float
    duration_s: float
    step_s: float = 0.0

    def tick(self, place: int, start_s: float) -> int:
        """Return the time stamp of a place in samples from ``start_s``."""
        start = (self.origin_s + start_s) * self.sample_rate
        return floor((start + place) / self.samples_per_tick)

    def place(self, pts: int, start_s: float) -> int:
        """Return where a time stamp lies, in samples from ``start_s``; negative if before."""
        start = (self.origin_s + start_s) * self.sample_rate
        # Rounded, but halves, which are common, all go the same way.
        return floor(pts * self.samples_per_tick - start + 0.501)


@contextmanager
def opened(path: Path) -> Iterator[Sound]:
    """Open a file for decoding, and close it again.

    Raises:
        AudioDecodeError: It is no regular file, may not be read, or holds no sound known here.
    """
    _check_is_a_file(path)
    try:
        # "file:" keeps a name like "12:30.mp3" from being taken for a URL.
        container = _container(f"file:{path}", path)
    except MemoryError:
        raise
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
    reason = why_system_failed(refusal) if isinstance(refusal, OSError) else NOT_AUDIO
    try:
        with path.open("rb") as file:
            if _is_speex_of_no_rate(file.read(_PAGE)):
                raise AudioDecodeError(Reason.told(_NO_RATE), path) from refusal
            file.seek(0)
            header = file.read(10)
            size = 10 + sum(byte << 7 * n for n, byte in enumerate(reversed(header[6:])))
            file.seek(size)
            if not header.startswith(b"ID3") or not file.read(4).startswith(_WITHOUT_ID3):
                raise AudioDecodeError(reason, path) from refusal
        return _container(f"subfile,,start,{size},end,0,,:file:{path}", path)
    except MemoryError:
        raise
    except (OSError, av.error.FFmpegError) as exc:
        raise AudioDecodeError(reason, path) from exc


def _is_speex_of_no_rate(start: bytes) -> bool:
    at = start.find(_SPEEX)
    return at >= 0 and start[at + 36 : at + 40] == bytes(4)


def _check_is_a_file(path: Path) -> None:
    """Refuse what would hang (a FIFO) or fail with a riddle (an empty file)."""
    try:
        status = path.stat()
    except OSError as exc:
        raise AudioDecodeError(why_system_failed(exc), path) from exc
    if stat.S_ISDIR(status.st_mode):
        raise AudioDecodeError(Reason(ReasonCode.FOLDER), path)
    if not stat.S_ISREG(status.st_mode):
        raise AudioDecodeError(Reason(ReasonCode.NOT_A_FILE), path)
    if not status.st_size:
        raise AudioDecodeError(Reason(ReasonCode.EMPTY), path)


def _sound(container: InputContainer, path: Path) -> Sound:
    """Find the sound in an open container and how long it is."""
    if not container.streams.audio:
        raise AudioDecodeError(Reason(ReasonCode.NO_SOUND), path)
    stream = container.streams.audio[0]
    if not stream.codec_context or stream.time_base is None:
        raise AudioDecodeError(Reason(ReasonCode.UNKNOWN_CODEC, {"codec": "no name"}), path)
    codec = stream.codec_context.name
    # FFmpeg keeps to the list while it opens a file; PyAV chooses a decoder without it.
    if codec not in _DECODERS.split(","):
        raise AudioDecodeError(Reason(ReasonCode.UNKNOWN_CODEC, {"codec": codec}), path)
    if not 0 < stream.codec_context.sample_rate <= _MAX_SAMPLE_RATE:
        # FFmpeg takes the name's word for it that a text file is an MP3, and a header's for a rate.
        raise AudioDecodeError(NOT_AUDIO, path)
    stream.codec_context.thread_count = 1  # workers are processes, one a core
    _forget_places_of_channels(stream)
    sample_rate = stream.codec_context.sample_rate
    samples_per_tick = float(stream.time_base) * sample_rate
    origin_s = float((stream.start_time or 0) * stream.time_base)
    sound = Sound(container, stream, sample_rate, samples_per_tick, origin_s, 0.0)
    if container.format.name == "asf":
        sound = replace(sound, step_s=_step_s(sound))
    claimed_s = _claimed_duration_s(sound)
    if claimed_s is not None:
        return replace(sound, duration_s=claimed_s)
    # Reading all packets, without decoding, also makes the index that exact seeks need.
    container.flags &= ~_FAST_SEEK
    return replace(sound, duration_s=counted_duration_s(sound))


def _forget_places_of_channels(stream: AudioStream) -> None:
    """Have a decoder give channels without saying where each belongs, which nobody asks here.

    AIFF and MP4 can give each channel a place of its own. PyAV 18 frees such a list twice, with
    each frame that has it. Only raw sound takes its channels as the file lists them; other
    decoders find them out.
    """
    codec = stream.codec_context
    n_channels = codec.layout.nb_channels if codec.name.startswith(_RAW) else 0
    if n_channels:  # a damaged header may say 0, and such a file is refused when it is decoded
        codec.layout = f"{n_channels} channels"


def _claimed_duration_s(sound: Sound) -> float | None:
    """Return the length that the file's header gives, seconds; None if there is none to trust."""
    is_guess = sound.container.format.name in _BARE_STREAMS and not len(sound.stream.index_entries)
    # FFmpeg's guess from the first frames holds at a constant bit rate only.
    if is_guess and not _has_constant_bit_rate(sound):
        return None
    claimed_s = None
    if sound.stream.duration is not None and sound.stream.time_base is not None:
        claimed_s = float(sound.stream.duration * sound.stream.time_base)
    elif sound.container.duration is not None:
        claimed_s = sound.container.duration / av.time_base
    # Below 0, or years in a few kilobytes: a count of samples that has wrapped around.
    most_s = _MOST_S_A_BYTE * sound.container.size
    return None if claimed_s is None or not 0 <= claimed_s <= most_s else claimed_s


def _step_s(sound: Sound) -> float:
    """Return how far apart time stamps are, seconds, where several packets share one; else 0."""
    assert sound.stream.time_base is not None
    stamps = [p.pts for p in islice(packets(sound), _N_STAMPS) if p.pts is not None]
    steps = [later - earlier for earlier, later in pairwise(stamps)]
    if all(steps):
        return 0.0
    return min(_MOST_STEP_S, float(max(steps) * sound.stream.time_base))


def _has_constant_bit_rate(sound: Sound) -> bool:
    """Say whether packets from all over the file have one size, but for a byte of padding."""
    sizes: set[int] = set()
    for quarter in range(4):
        try:
            sound.container.seek((sound.stream.duration or 0) * quarter // 4, stream=sound.stream)
        except MemoryError:
            raise
        except av.error.FFmpegError:
            return False
        sizes.update(packet.size for packet in islice(packets(sound), 20) if packet.size)
    return bool(sizes) and max(sizes) - min(sizes) <= 1


def counted_duration_s(sound: Sound) -> float:
    """Return the length by reading every packet, without decoding any, seconds."""
    assert sound.stream.time_base is not None
    try:
        sound.container.seek(0, stream=sound.stream)
    except MemoryError:
        raise
    except av.error.FFmpegError:
        return 0.0
    ends = (p.pts + length_of(p) for p in packets(sound) if p.pts is not None)
    return max(0.0, float(max(ends, default=0) * sound.stream.time_base) - sound.origin_s)


def length_of(packet: Packet[AudioStream]) -> int:
    """Return how long a packet lasts, in units of its time stamps; 0 where that is not known.

    FFmpeg gives the last packet of a short Ogg a length below 0, which wraps in 32 bits.
    """
    duration = packet.duration or 0
    return duration if duration < 1 << 31 else duration - (1 << 32)


def packets(sound: Sound) -> Iterator[Packet[AudioStream]]:
    """Yield packets from where the file stands, to its end or to where it cannot be read on."""
    try:
        yield from sound.container.demux(sound.stream)
    except MemoryError:
        raise
    except av.error.FFmpegError as error:
        log.debug("%s: cannot be read on: %s", sound.container.name, error)
