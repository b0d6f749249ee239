"""Reads the variables of a TensorFlow checkpoint (format V2) without TensorFlow.

Sources: tensorflow/core/util/tensor_bundle (what the two files hold) and LevelDB's table_format.md
(how the index is laid out). Only what a small checkpoint has is read: one data file, an index that
is not compressed, float32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.records import FloatArray

_MAGIC = 0xDB4775248B80FB57  # ends a LevelDB table
_FOOTER_BYTES = 48
_FLOAT32 = 1  # DT_FLOAT in types.proto
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a variable lies in the data file."""

    dtype: int
    shape: tuple[int, ...]
    offset: int
    n_bytes: int


def read_bundle(prefix: str) -> dict[str, FloatArray]:
    """Return {name: float32 variable} of PREFIX.index and PREFIX.data-00000-of-00001.

    Raises:
        OSError: a file cannot be read.
        ValueError: they are not such a checkpoint.
    """
    index = Path(f"{prefix}.index").read_bytes()
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    try:
        entries = {name.decode(): _entry(value) for name, value in _table(index) if name}
    except (IndexError, struct.error) as exc:
        raise ValueError("its index is damaged") from exc
    return {
        name: np.frombuffer(data, "<f4", e.n_bytes // 4, e.offset).reshape(e.shape)
        for name, e in entries.items()
        if e.dtype == _FLOAT32
    }


def _table(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a LevelDB table."""
    footer = table[-_FOOTER_BYTES:]
    if len(footer) < _FOOTER_BYTES or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("not the index of a checkpoint")
    _, at = _handle(footer, 0)
    (offset, n_bytes), _ = _handle(footer, at)
    for _, handle in _block(table, offset, n_bytes):
        (offset, n_bytes), _ = _handle(handle, 0)
        yield from _block(table, offset, n_bytes)


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    n_bytes, at = _varint(data, at)
    return (offset, n_bytes), at


def _block(table: bytes, offset: int, n_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield what a block holds; each key is stored as what it does not share with the last."""
    block = table[offset : offset + n_bytes]
    if table[offset + n_bytes]:
        raise ValueError("its index is compressed")
    end = len(block) - 4 - 4 * int(struct.unpack("<I", block[-4:])[0])
    key, at = b"", 0
    while at < end:
        n_shared, at = _varint(block, at)
        n_own, at = _varint(block, at)
        n_value, at = _varint(block, at)
        key = key[:n_shared] + block[at : at + n_own]
        yield key, block[at + n_own : at + n_own + n_value]
        at += n_own + n_value


def _entry(message: bytes) -> _Entry:
    fields = list(_fields(message))
    number = {n: value for n, value, _ in fields}
    sizes = [dict(_numbers(size)) for n, _, shape in fields if n == 2 for size in _parts(shape)]
    shape = tuple(size.get(1, 0) for size in sizes)
    return _Entry(number.get(1, 0), shape, number.get(4, 0), number.get(5, 0))


def _numbers(message: bytes) -> Iterator[tuple[int, int]]:
    return ((number, value) for number, value, _ in _fields(message))


def _parts(message: bytes) -> Iterator[bytes]:
    return (part for number, _, part in _fields(message) if number == 2)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the fields of a protocol buffer: number, and its value as a number or as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value, b""
            continue
        if kind == _BYTES:
            n_bytes, at = _varint(message, at)
        elif kind in (_FIXED32, _FIXED64):
            n_bytes = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("its index is damaged")
        yield number, 0, message[at : at + n_bytes]
        at += n_bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that begins at a place, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
