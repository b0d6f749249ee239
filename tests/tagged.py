"""Small tagged files of all formats, made by encoders and by hand, and readers to compare them.

What is built and read here by hand shares no code with the writer it tests.
"""

from __future__ import annotations

import io
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import soundfile
import taglib
from mutagen.flac import Picture
from mutagen.mp4 import MP4Cover
from numpy.typing import NDArray

from tests import streams

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 12
_RATE = 44100
_MOVFLAGS = {
    "m4a_faststart": "+faststart",
    "m4a_fragmented": "+frag_keyframe+empty_moov+default_base_moof+skip_trailer",
    "m4a_fragmented_indexed": "+frag_keyframe+empty_moov",
}


@cache
def tone() -> NDArray[np.float32]:
    """Return (n_samples, 2) float32: a second of two tones and a little noise."""
    t = np.arange(_RATE) / _RATE
    noise = np.random.default_rng(1).normal(0, 0.01, (_RATE, 2))
    return (np.stack([np.sin(2764 * t), np.sin(1257 * t)], 1) * 0.3 + noise).astype(np.float32)


@cache
def sound(kind: str) -> bytes:
    """Return a file without tags: mp3, flac, ogg, opus, oga, m4a, m4a_…, wav, aiff, or rarer."""
    if kind in streams.KINDS:
        return streams.stream(kind, tone())
    if kind in ("oga", "m4a", *_MOVFLAGS):
        return _by_pyav(kind)
    names = {"ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"), "mp3": ("MP3", "MPEG_LAYER_III")}
    format_, subtype = names.get(kind, (kind.upper(), "PCM_16"))
    file = io.BytesIO()
    rate = 48000 if kind == "opus" else _RATE
    soundfile.write(file, tone(), rate, format=format_, subtype=subtype)
    data = file.getvalue()
    return data[_id3_size(data) :] if kind == "mp3" else data


def _by_pyav(kind: str) -> bytes:
    # FFmpeg's "faststart" opens the file a second time, by its name.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        options = {"movflags": _MOVFLAGS[kind]} if kind in _MOVFLAGS else {}
        is_flac = kind == "oga"
        with av.open(str(path), "w", format="ogg" if is_flac else "ipod", options=options) as out:
            stream = out.add_stream("flac" if is_flac else "aac", rate=_RATE, layout="stereo")
            for frame in _frames("s16" if is_flac else "fltp"):
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path.read_bytes()


def _frames(sample_format: str) -> Iterator[av.AudioFrame]:
    size = 4096
    for start in range(0, _RATE, size):
        part = tone()[start : start + size]
        packed = part.T if sample_format == "fltp" else (part.reshape(1, -1) * 32767)
        typed = packed.astype(np.float32 if sample_format == "fltp" else np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(typed), format=sample_format, layout="stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
        yield frame


def _id3_size(data: bytes) -> int:
    return 10 + synchsafe_number(data[6:10]) if data[:3] == b"ID3" else 0


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def synchsafe_number(four: bytes) -> int:
    return four[0] << 21 | four[1] << 14 | four[2] << 7 | four[3]


def frame(version: int, frame_id: str, body: bytes, flags: int = 0) -> bytes:
    """Return an ID3v2 frame as bytes."""
    if version == 2:
        return frame_id.encode() + len(body).to_bytes(3, "big") + body
    size = synchsafe(len(body)) if version == 4 else len(body).to_bytes(4, "big")
    return frame_id.encode() + size + flags.to_bytes(2, "big") + body


def text_frame(version: int, frame_id: str, text: str) -> bytes:
    return frame(version, frame_id, b"\0" + text.encode("latin-1"))


def id3(version: int, frames: Sequence[bytes], padding: int = 512, flags: int = 0) -> bytes:
    """Return an ID3v2 tag as bytes."""
    body = b"".join(frames) + bytes(padding)
    return b"ID3" + bytes((version, 0, flags)) + synchsafe(len(body)) + body


def id3v1(genre: int = 255, title: str = "Old title") -> bytes:
    text = title.encode("latin-1").ljust(30, b"\0") + b"Old artist".ljust(30, b"\0")
    text += b"Old album".ljust(30) + b"1999" + b"A comment".ljust(28, b"\0")
    return b"TAG" + text + b"\0\x07" + bytes([genre])


def ape(items: Sequence[tuple[str, bytes]]) -> bytes:
    """Return an APEv2 tag with a header; pictures are marked as binary, all else as text."""
    body = b"".join(
        struct.pack("<II", len(value), 2 * key.startswith("Cover")) + key.encode() + b"\0" + value
        for key, value in items
    )
    ends = b"APETAGEX" + struct.pack("<III", 2000, len(body) + 32, len(items))
    header = ends + struct.pack("<I", 1 << 31 | 1 << 29) + bytes(8)
    return header + body + ends + struct.pack("<I", 1 << 31) + bytes(8)


LYRICS3 = b"LYRICSBEGININD0000210INF00005hello"
LYRICS3 += b"%06dLYRICS200" % len(LYRICS3)


def frames_of(data: bytes) -> list[tuple[str, bytes]]:
    """Return id and all bytes of each frame of a tag that has no unsynchronisation."""
    version, end = data[3], _id3_size(data)
    width, at, found = (3 if version == 2 else 4), 10, []
    while at < end and data[at]:
        size_bytes = data[at + width : at + 2 * width]
        size = synchsafe_number(size_bytes) if version == 4 else int.from_bytes(size_bytes, "big")
        stop = at + (6 if version == 2 else 10) + size
        found.append((data[at : at + width].decode("latin-1"), data[at:stop]))
        at = stop
    return found


def chunk(chunk_id: bytes, body: bytes, size: str = "<I") -> bytes:
    """Return a chunk; ``size`` is how its length is written: "<I" in WAV, ">I", or ">Q"."""
    return chunk_id + struct.pack(size, len(body)) + body + bytes(len(body) % 2)


_SIZES = {b"RIFF": "<I", b"FORM": ">I", b"FRM8": ">Q"}


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Return a WAV, AIFF or DSDIFF file with more chunks at its end."""
    size = _SIZES[data[:4]]
    start = 4 + struct.calcsize(size)
    body = data[start:] + b"".join(chunks)
    return data[:4] + struct.pack(size, len(body)) + body


def chunks_of(data: bytes) -> list[tuple[bytes, bytes]]:
    size = _SIZES[data[:4]]
    width = struct.calcsize(size)
    at, found = 8 + width, []
    while at < len(data):
        (length,) = struct.unpack_from(size, data, at + 4)
        body = at + 4 + width
        found.append((data[at : at + 4], data[body : body + length]))
        at = body + length + length % 2
    return found


def info(*texts: tuple[bytes, str]) -> bytes:
    return chunk(b"LIST", b"INFO" + b"".join(chunk(i, t.encode() + b"\0") for i, t in texts))


def rich_id3(version: int, genre: str | None = None, padding: int = 512) -> bytes:
    """Return a tag with what mutagen is known to lose: doubles, odd ids, malformed frames."""
    title, artist, picture = ("TT2", "TP1", "PIC") if version == 2 else ("TIT2", "TPE1", "APIC")
    frames = [text_frame(version, title, "A title"), text_frame(version, artist, "An artist")]
    image = b"\0PNG\x03\0" if version == 2 else b"\0image/png\0\x03cover\0"
    frames.append(frame(version, picture, image + PICTURE))
    if version > 2:
        frames += [
            frame(version, "PRIV", b"owner\0first"),
            frame(version, "PRIV", b"owner\0second"),
            frame(version, "APIC", b"\0broken"),
            frame(version, "POPM", b"no rating"),
            frame(version, "XSOT", b"\0sorted", flags=0x4000),
            frame(version, "TXXX", b"\0MOOD\0glad"),
            frame(version, "TXXX", b"\0MOOD\0sad"),
            frame(version, "ZZ9Y", b"\x01\x02\xff\xfe"),
        ]
    if genre is not None:
        frames.insert(1, text_frame(version, "TCO" if version == 2 else "TCON", genre))
    return id3(version, frames, padding)


def rich_flac(picture: bytes = PICTURE) -> bytes:
    """Return a FLAC file with doubled comments and a picture."""
    flac = Filling(sound("flac"))
    flac.tags["title"], flac.tags["artist"] = "A title", "An artist"
    flac.tags["comment"] = ["one", "one"]
    cover: Any = Picture()
    cover.data, cover.type, cover.mime = picture, 3, "image/png"
    flac.tags.add_picture(cover)
    return flac.saved()


def rich_ogg(kind: str, n_characters: int = 9000) -> bytes:
    """Return an Ogg file whose comments fill several pages."""
    ogg = Filling(sound(kind))
    ogg.tags["title"], ogg.tags["artist"] = "A title", "An artist"
    ogg.tags["metadata_block_picture"] = "A" * n_characters
    return ogg.saved(padding=lambda info: 0)


def rich_mp4(kind: str = "m4a", picture: bytes = PICTURE) -> bytes:
    """Return an MP4 file with cover art and a freeform tag of two values."""
    mp4 = Filling(sound(kind))
    mp4.tags["\xa9nam"], mp4.tags["\xa9ART"], mp4.tags["aART"] = "A title", "An artist", "A band"
    mp4.tags["covr"] = [MP4Cover(picture, MP4Cover.FORMAT_PNG)]
    mp4.tags["----:com.apple.iTunes:MOOD"] = [b"glad", b"sad"]
    return mp4.saved()


def rich_wma(picture: bytes = PICTURE) -> bytes:
    """Return a WMA file with a picture and values of several types."""
    asf = Filling(sound("wma"))
    asf.tags["Title"], asf.tags["Author"] = "A title", "An artist"
    asf.tags["WM/AlbumTitle"], asf.tags["WM/Mood"] = "An album", ["glad", "sad"]
    asf.tags["WM/Picture"] = b"\3" + len(picture).to_bytes(4, "little") + picture
    asf.tags["WM/Shared"] = [1 << 31, True]
    return asf.saved()


class Filling:
    """A file in memory whose tags mutagen fills."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.tags: Any = mutagen.File(self._file)

    def saved(self, **options: Any) -> bytes:
        """Return the file with its tags."""
        self._file.seek(0)
        self.tags.save(self._file, **options)
        return self._file.getvalue()


def rich_wav(id3_tag: bytes | None = None) -> bytes:
    tag = id3_tag or rich_id3(3)
    return with_chunks(
        sound("wav"), chunk(b"bext", b"somebody's"), info((b"INAM", "A title")), chunk(b"id3 ", tag)
    )


def rich_aiff() -> bytes:
    return with_chunks(
        sound("aiff"), chunk(b"ANNO", b"a note.", ">I"), chunk(b"ID3 ", rich_id3(4), ">I")
    )


def rich_dsdiff() -> bytes:
    return with_chunks(
        sound("dff"), chunk(b"XTRA", b"a note.", ">Q"), chunk(b"ID3 ", rich_id3(3), ">Q")
    )


def edited_dsdiff() -> bytes:
    """Return a DSDIFF file with DSDIFF's own texts, which are no ID3 tag."""
    texts = ((b"DIAR", b"An artist"), (b"DITI", b"A title"))
    inner = [chunk(i, len(text).to_bytes(4, "big") + text, ">Q") for i, text in texts]
    return with_chunks(sound("dff"), chunk(b"DIIN", b"".join(inner), ">Q"))


def with_dsf_tag(data: bytes, tag: bytes) -> bytes:
    """Return a DSF file with an ID3v2 tag."""
    sizes = struct.pack("<QQ", len(data) + len(tag), len(data))
    return data[:12] + sizes + data[28:] + tag


def rich_ape(genre: str | None = None) -> bytes:
    """Return an APE tag with a picture and an item of odd bytes."""
    items = [("Title", b"A title"), ("ARTIST", b"An artist\0Another"), ("Odd", b"\xff\xfe")]
    items.append(("Cover Art (Front)", b"cover.png\0" + PICTURE))
    return ape(items if genre is None else [*items, ("Genre", genre.encode())])


RICH: dict[str, Callable[[], bytes]] = {
    "mp3 v2.2": lambda: rich_id3(2) + sound("mp3"),
    "mp3 v2.3": lambda: rich_id3(3) + sound("mp3"),
    "mp3 v2.4": lambda: rich_id3(4) + sound("mp3") + id3v1(),
    "mp3 v2.4 without padding": lambda: rich_id3(4, "Blues", 0) + sound("mp3"),
    "aac": lambda: rich_id3(3) + sound("aac"),
    "tta": lambda: rich_id3(4) + sound("tta") + id3v1(),
    "ape": lambda: sound("ape") + rich_ape(),
    "wv": lambda: sound("wv") + rich_ape("Blues"),
    "mpc": lambda: sound("mpc") + rich_ape(),
    "dsf": lambda: with_dsf_tag(sound("dsf"), rich_id3(4)),
    "dff": rich_dsdiff,
    "wma": rich_wma,
    "flac": rich_flac,
    "ogg": lambda: rich_ogg("ogg"),
    "opus": lambda: rich_ogg("opus"),
    "oga": lambda: rich_ogg("oga"),
    "spx": lambda: rich_ogg("spx"),
    "m4a": rich_mp4,
    "m4a_faststart": lambda: rich_mp4("m4a_faststart"),
    "wav": rich_wav,
    "aiff": rich_aiff,
}
_KINDS = ("mp3", "flac", "ogg", "opus", "oga", "m4a", "m4a_faststart", "wav", "aiff")
BARE = tuple(f"bare {kind}" for kind in (*_KINDS, *streams.KINDS))
# Formats whose sound lies in one piece between tags.
STREAMS = ("mp3", "aac", "tta", "ape", "wv", "mpc", "mpc_sv7")
# In these the tag is an APE tag behind the sound.
BEHIND = frozenset(
    f"{bare}{kind}" for bare in ("", "bare ") for kind in ("ape", "wv", "mpc", "mpc_sv7")
)
# In these the genres stand in an ID3v2.2 or v2.3 tag, which holds one text.
JOINS = frozenset(
    {"mp3 v2.2", "mp3 v2.3", "aac", "wav", "dff"}
    | {f"bare {kind}" for kind in ("mp3", "aac", "tta", "wav", "aiff", "dsf", "dff")}
)


def extension(kind: str) -> str:
    return "." + kind.removeprefix("bare ").split()[0].split("_")[0]


def make(folder: Path, kind: str) -> Path:
    """Write a tagged file of a kind in RICH, or one without tags of a kind in BARE."""
    path = folder / f"song{extension(kind)}"
    path.write_bytes(RICH[kind]() if kind in RICH else sound(kind.removeprefix("bare ")))
    return path


def decoded(path: Path) -> bytes:
    """Return the samples of a file as PyAV decodes them."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.audio[0]
        frames = [f.to_ndarray().tobytes() for f in container.decode(stream)]
    return b"".join(frames)


def taglib_tags(path: Path) -> dict[str, list[str]]:
    """Return the tags of a file as TagLib reads them."""
    with taglib.File(str(path)) as file:
        return dict(file.tags)
