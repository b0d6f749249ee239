"""Untagged files of the rarer formats: by FFmpeg's encoders where it has one, else by hand.

The sound of those by hand is silence or a tone of one bit; their headers are what counts.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from mutagen.ogg import OggPage as _OggPage
from numpy.typing import NDArray

_RATE = 44100
OggPage: Any = _OggPage  # Its methods have no types.
# Kind -> (FFmpeg's container, encoder, sample format).
_ENCODED = {
    "aac": ("adts", "aac", "fltp"),
    "tta": ("tta", "tta", "s16"),
    "wv": ("wv", "wavpack", "s16p"),
    "wma": ("asf", "wmav2", "fltp"),
}
KINDS = (*_ENCODED, "spx", "ape", "mpc", "mpc_sv7", "dsf", "dff")


def stream(kind: str, waveform: NDArray[np.float32]) -> bytes:
    """Return a file of a kind in KINDS without tags; ``waveform`` is (n_samples, 2)."""
    return _encoded(kind, waveform) if kind in _ENCODED else _BY_HAND[kind]()


def _encoded(kind: str, waveform: NDArray[np.float32]) -> bytes:
    container, encoder, sample_format = _ENCODED[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        options = {"fflags": "+bitexact"}  # Else FFmpeg names itself in a tag.
        with av.open(str(path), "w", format=container, options=options) as out:
            track: Any = out.add_stream(encoder, rate=_RATE, layout="stereo")
            track.format, track.bit_rate = sample_format, 128_000
            track.codec_context.open()
            size = track.codec_context.frame_size or 4096
            for start in range(0, len(waveform), size):
                out.mux(track.encode(_frame(waveform[start : start + size], sample_format, start)))
            out.mux(track.encode(None))
        return path.read_bytes()


def _frame(part: NDArray[np.float32], sample_format: str, start: int) -> av.AudioFrame:
    planar = sample_format.endswith("p")
    shaped = part.T if planar else part.reshape(1, -1)
    typed: Any = shaped if sample_format == "fltp" else (shaped * 32767).astype(np.int16)
    array = np.ascontiguousarray(typed)
    frame = av.AudioFrame.from_ndarray(array, format=sample_format, layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
    return frame


def _monkeys_audio(n_frames: int = 3, blocks: int = 73728) -> bytes:
    """Return an APE file whose frames say that they are silent, as the format allows."""
    silent = struct.pack("<III", 0x8D1C628C, 7, 0)  # A checksum that says: flags follow.
    header_size, n_seek = 52 + 24, 4 * n_frames
    seeks = [header_size + n_seek + len(silent) * n for n in range(n_frames)]
    header = b"MAC " + struct.pack("<HHIIII", 3990, 0, 52, 24, n_seek, 0)
    header += struct.pack("<III", len(silent) * n_frames, 0, 0) + bytes(16)
    header += struct.pack("<HHIIIHHI", 2000, 32, blocks, blocks, n_frames, 16, 2, _RATE)
    return header + struct.pack(f"<{n_frames}I", *seeks) + silent * n_frames


def _musepack_8(n_frames: int = 40) -> bytes:
    """Return a Musepack SV8 file of silent frames, with the table that seeking needs."""
    n_samples = n_frames * 1152
    size = bytes([0x80 | n_samples >> 14, 0x80 | n_samples >> 7 & 127, n_samples & 127])
    header = _musepack_packet(b"SH", b"\x2a\x29\x81\x08\x08" + size + b"\0\x05\x18")
    header += _musepack_packet(b"RG", b"\x01" + bytes(8))
    frames = [_musepack_packet(b"AP", b"\x1c")] * n_frames
    distance = 5 + 4 * n_frames
    offset = _musepack_packet(b"SO", bytes([0x80 | distance >> 7, distance & 127]))
    assert len(offset) == 5
    first = len(b"MPCK" + header + offset)
    # How many places, the first two of them, and how far the steps to the others differ: not.
    bits = f"{n_frames:08b}" + "0000" + f"{first:08b}{first + 4:08b}" + ("1" + "0" * 12) * n_frames
    table = int(bits.ljust(len(bits) + -len(bits) % 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    return b"MPCK" + header + offset + b"".join(frames) + _musepack_packet(b"ST", table) + b"SE\x03"


def _musepack_packet(name: bytes, body: bytes) -> bytes:
    return name + bytes([len(body) + 3]) + body


def _musepack_7(n_frames: int = 400) -> bytes:
    """Return a Musepack SV7 file: frames of one empty band, each of 8 bits after its length."""
    header = b"MP+\x07" + struct.pack("<I", n_frames) + bytes(16)
    bits = "0" * 8 + format(8 << 8, "028b") * n_frames
    words = [int(bits[at : at + 32].ljust(32, "0"), 2) for at in range(0, len(bits), 32)]
    return header + struct.pack(f"<{len(words)}I", *words)


def _dsd(n_bytes: int) -> bytes:
    """Return sound of one bit: a first-order sigma-delta modulation of a tone at 1/4 amplitude."""
    t = np.arange(n_bytes * 8) / (64 * _RATE)
    total = np.floor(np.cumsum(0.5 + 0.125 * np.sin(2764 * t)))
    bits = np.diff(total, prepend=0).astype(np.uint8)
    return np.packbits(bits).tobytes()


def _dsf() -> bytes:
    """Return a DSF file: blocks of 4096 bytes, one for each channel in turn, first bit lowest."""
    n_blocks = 40
    sound = np.unpackbits(np.frombuffer(_dsd(4096 * n_blocks), np.uint8), bitorder="big")
    blocks = np.packbits(sound, bitorder="little").reshape(n_blocks, 1, 4096)
    data = np.repeat(blocks, 2, axis=1).tobytes()
    form = struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 64 * _RATE, 1, 4096 * 8 * n_blocks, 4096, 0)
    body = b"fmt " + form + b"data" + struct.pack("<Q", 12 + len(data)) + data
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(body), 0) + body


def _dff() -> bytes:
    """Return a DSDIFF file; its sound has an odd length, so that padding is needed."""
    sound = np.frombuffer(_dsd(4096 * 40), np.uint8)
    properties = b"SND " + _dff_chunk(b"FS  ", struct.pack(">I", 64 * _RATE))
    properties += _dff_chunk(b"CHNL", b"\0\x02SLFTSRGT")
    properties += _dff_chunk(b"CMPR", b"DSD \x0enot compressed\0")
    body = b"DSD " + _dff_chunk(b"FVER", b"\x01\x05\0\0") + _dff_chunk(b"PROP", properties)
    body += _dff_chunk(b"DSD ", np.repeat(sound, 2).tobytes())
    return b"FRM8" + struct.pack(">Q", len(body)) + body


def _dff_chunk(chunk_id: bytes, body: bytes) -> bytes:
    return chunk_id + struct.pack(">Q", len(body)) + body + bytes(len(body) % 2)


def _speex() -> bytes:
    """Return a Speex file of 50 silent packets."""
    head = b"Speex   1.1.12".ljust(28, b"\0")
    fields = (1, 80, 8000, 0, 4, 1, -1, 160, 0, 1, 0, 0, 0)
    head += struct.pack("<13i", *fields)
    packets = [head, b"\x02\0\0\0me" + bytes(4), *[bytes(10)] * 50]
    pages = [OggPage() for _ in packets]
    for number, (page, packet) in enumerate(zip(pages, packets, strict=True)):
        page.packets, page.sequence, page.serial = [packet], number, 7
        page.position = max(0, number - 1) * 160
        page.first, page.last = number == 0, number == len(packets) - 1
    return b"".join(page.write() for page in pages)


_BY_HAND: dict[str, Callable[[], bytes]] = {
    "spx": _speex,
    "ape": _monkeys_audio,
    "mpc": _musepack_8,
    "mpc_sv7": _musepack_7,
    "dsf": _dsf,
    "dff": _dff,
}
