"""Sound files for the corpus: how each format is written, and how MP3s are put together fast.

What sounds in the files is for ``benchmarks.make_corpus``, encoding for ``training.encoding``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av

from training.encoding import SAMPLE_RATE, Channels, Encoding, add_stream, opened, packets_of

MP3_FRAME = 1152  # samples in a packet of an MP3 at this rate

# As collections have them. LAME's fastest search is twice as fast to encode, and no different to
# decode; the room behind an ID3 tag, which most taggers leave, lets a genre fit in place.
ENCODINGS = {
    "mp3": Encoding(
        "libmp3lame",
        "fltp",
        "mp3",
        bit_rate=192_000,
        options={"compression_level": "7"},
        muxer_options={"id3v2_version": "3", "metadata_header_padding": "2048"},
    ),
    "flac": Encoding("flac", "s16", "flac"),
    "m4a": Encoding("aac", "fltp", "ipod", bit_rate=192_000),
    "opus": Encoding("libopus", "flt", "opus", sample_rate=48_000, bit_rate=128_000),
    "wav": Encoding("pcm_s16le", "s16", "wav"),
}


def encode_mp3_packets(sound: Channels) -> list[bytes]:
    """Return a sound as MP3 packets of 1152 samples that need nothing before the first."""
    mp3 = ENCODINGS["mp3"]
    with opened(io.BytesIO(), mp3) as container:
        return [bytes(packet) for packet in packets_of(sound, mp3, add_stream(container, mp3))]


def write_mp3(packets: Iterable[bytes], path: Path, tags: Mapping[str, str]) -> None:
    """Write packets as an MP3 with tags, padding and a Xing header."""
    mp3 = ENCODINGS["mp3"]
    with opened(path, mp3, tags) as container:
        stream = add_stream(container, mp3)
        for i, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream = stream
            packet.time_base = Fraction(1, SAMPLE_RATE)
            packet.pts = packet.dts = i * MP3_FRAME
            packet.duration = MP3_FRAME
            container.mux_one(packet)
