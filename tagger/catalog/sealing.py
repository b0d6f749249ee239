"""Whose word a note of the journal is: this user's, another one's, or nobody's.

A catalogue may come from anybody, and what its journal says of bytes to put back is carried out.
So each note is sealed with a key that lies in the user's data folder, not in the catalogue, where
it could be forged: what bears this user's seal was noted by this user, wherever the catalogue has
been moved to since. Notes of versions before this one have no seal.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from contextlib import suppress
from enum import StrEnum
from functools import cache
from pathlib import Path

import platformdirs

from tagger.errors import os_reason

log = logging.getLogger(__name__)

_KEY_BYTES = 32
_NAME_BYTES = 8
_SEAL_BYTES = 24
SEAL_BYTES = 1 + _NAME_BYTES + _SEAL_BYTES
"""How long a seal is."""
_MARK = b"*"


class Seal(StrEnum):
    """Whose seal a note bears."""

    OWN = "own"
    OTHER = "other"
    NONE = "none"


def sealed(note: bytes) -> bytes:
    """Return a note with this user's seal behind it; without one where no key can be kept."""
    key = _key(_key_file())
    return note if key is None else note + _seal(note, key)


def whose(note: bytes, seal: bytes) -> Seal:
    """Return whose seal stands behind a note; raise ValueError where it is none."""
    if not seal:
        return Seal.NONE
    if len(seal) != SEAL_BYTES or not seal.startswith(_MARK):
        raise ValueError("no seal")
    key = _found(_key_file())
    is_own = key is not None and hmac.compare_digest(seal, _seal(note, key))
    return Seal.OWN if is_own else Seal.OTHER


def _seal(note: bytes, key: bytes) -> bytes:
    name = hashlib.blake2b(key, digest_size=_NAME_BYTES).digest()
    return _MARK + name + hashlib.blake2b(note, key=key, digest_size=_SEAL_BYTES).digest()


def _key_file() -> Path:
    return platformdirs.user_data_path("tagger") / "seal.key"


@cache
def _key(path: Path) -> bytes | None:
    """Return this user's key, made if there is none yet; None where none can be kept."""
    try:
        return _found(path) or _made(path)
    except OSError as exc:
        log.warning(
            "%s cannot be made (%s): should this run be broken off, tagger catalog adopt has to "
            "be run before what it wrote is put back",
            path,
            os_reason(exc),
        )
        return None


def _found(path: Path) -> bytes | None:
    try:
        key = path.read_bytes()
    except OSError:
        return None
    return key if len(key) == _KEY_BYTES else None


def _made(path: Path) -> bytes | None:
    """Make a key; where another process is quicker, its key is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    return _found(path)
