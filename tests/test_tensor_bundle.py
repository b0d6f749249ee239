"""Reading TensorFlow's checkpoints without it: a small one, made by hand after the format."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tools.tensor_bundle import read_bundle

VARIABLES = {
    "dense/bias": np.arange(3, dtype=np.float32),
    "dense/kernel": np.linspace(-1, 1, 600, dtype=np.float32).reshape(200, 3),
}


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(values: np.ndarray, offset: int, dtype: int = 1) -> bytes:
    shape = b"".join(field(2, field(1, size)) for size in values.shape)
    place = field(4, offset) + field(5, values.nbytes)
    return field(1, dtype) + field(2, shape) + place + varint(6 << 3 | 5) + bytes(4)


def block(entries: dict[bytes, bytes]) -> bytes:
    """A block whose keys are shortened by what they share with the one before."""
    out, last = b"", b""
    for key, value in entries.items():
        n_shared = 0
        while n_shared < min(len(key), len(last)) and key[n_shared] == last[n_shared]:
            n_shared += 1
        sizes = varint(n_shared) + varint(len(key) - n_shared) + varint(len(value))
        out, last = out + sizes + key[n_shared:] + value, key
    return out + struct.pack("<II", 0, 1)


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    entries, data = {b"": field(1, 1)}, b""
    for name, values in VARIABLES.items():
        entries[name.encode()] = entry(values, len(data))
        data += values.tobytes()
    entries[b"global_step"] = entry(np.zeros(1, np.int64), len(data), dtype=9)
    content = block(entries)
    index = block({b"z": varint(0) + varint(len(content))})
    handles = varint(0) + varint(0) + varint(len(content) + 5) + varint(len(index))
    footer = handles.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    (tmp_path / ".index").write_bytes(content + bytes(5) + index + bytes(5) + footer)
    (tmp_path / ".data-00000-of-00001").write_bytes(data + bytes(8))
    return f"{tmp_path}/"


def test_variables_come_back_in_their_shapes(prefix: str) -> None:
    found = read_bundle(prefix)
    assert list(found) == list(VARIABLES)
    for name, values in VARIABLES.items():
        assert np.array_equal(found[name], values)


def test_what_is_no_such_index_is_refused(prefix: str) -> None:
    index = Path(f"{prefix}.index")
    whole = index.read_bytes()
    for damaged in (b"", b"no index", whole[:-1], b"\xff" * 30 + whole[-48:]):
        index.write_bytes(damaged)
        with pytest.raises(ValueError, match="index"):
            read_bundle(prefix)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_bundle(f"{tmp_path}/")
