"""A playlist's place on the disk: ours to write anew, or somebody's to leave alone.

Each playlist says by whom it was made, with a sum over all of its text. Whatever another hand has
changed in it no longer has that sum, and is from then on a person's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from tagger.errors import PlaylistError, os_reason
from tagger.files.atomic import FileKind, replaced

_SAID = "made by tagger, which replaces it only while nobody has changed it: "
_N_DIGITS = 32
SEAL = _SAID + _N_DIGITS * "0"
"""Stands in the text of a playlist, near its start, until its sum is known."""
_HEAD_BYTES = 4096
_ANY = FileKind(b"", "", PlaylistError)  # what may be replaced is judged here


class Standing(Enum):
    """What is at a playlist's place."""

    FREE = "nothing"
    SAME = "it, as it would be written"
    OURS = "an older one of ours"
    CHANGED = "it was changed by hand"
    THEIRS = "the tagger did not write it"


def sealed(text: str) -> bytes:
    """Return a playlist as it is written, with its sum in place of ``SEAL``'s zeros."""
    data = text.encode("utf-8")
    return data.replace(SEAL.encode(), (_SAID + _sum(data)).encode(), 1)


def sealed_comment(ids: Sequence[str]) -> str:
    """Return what says that a playlist on a server is ours, with a sum over its songs."""
    return _SAID + _sum("\n".join(ids).encode())


def is_comment_of_ours(comment: str) -> bool:
    """Return whether a comment was ours once, whatever has become of the songs since."""
    return comment.startswith(_SAID)


def is_sealed(data: bytes) -> bool:
    """Return whether a playlist is as it was written."""
    before, said, after = data.partition(_SAID.encode())
    digits, rest = after[:_N_DIGITS], after[_N_DIGITS:]
    return digits == _sum(before + said + _N_DIGITS * b"0" + rest).encode()


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_N_DIGITS]


def standing_of(path: Path, data: bytes) -> Standing:
    """Return what is at a playlist's place.

    Args:
        path: The place.
        data: The playlist that would be written there.

    Raises:
        PlaylistError: It cannot be read.
    """
    try:
        if not path.exists():
            return Standing.FREE
        if not path.is_file():
            return Standing.THEIRS
        found = _read(path)
    except OSError as exc:
        raise PlaylistError(f"cannot be read: {os_reason(exc)}", path) from exc
    if found == data:
        return Standing.SAME
    if _SAID.encode() not in found[:_HEAD_BYTES]:
        return Standing.THEIRS
    return Standing.OURS if is_sealed(found) else Standing.CHANGED


def _read(path: Path) -> bytes:
    """Return a playlist, or the start of a file that is none of ours, however large."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        return head + file.read() if _SAID.encode() in head else head


def check_replaceable(path: Path, text: str, *, force: bool = False) -> Standing:
    """Return what is at a playlist's place, if it may be replaced.

    Raises:
        PlaylistError: It may not: it is not ours.
    """
    return _replaceable(path, sealed(text), force=force)


def write_playlist(path: Path, text: str, *, force: bool = False) -> Standing:
    """Write a playlist so that the file is there as a whole, or as it was.

    Args:
        path: Where; a link's target is written.
        text: What, as from ``m3u8``.
        force: Write over what is not ours.

    Returns:
        What was there before; if that is ``SAME``, nothing was touched.

    Raises:
        PlaylistError: It cannot be written, or what is there is not ours.
    """
    data = sealed(text)
    before = _replaceable(path, data, force=force)
    if before is Standing.SAME:
        return before
    with replaced(path, _ANY) as draft:
        draft.write_bytes(data)
        _replaceable(path, data, force=force)  # what was saved there meanwhile stays
    return before


def _replaceable(path: Path, data: bytes, *, force: bool) -> Standing:
    standing = standing_of(path, data)
    if standing in (Standing.CHANGED, Standing.THEIRS) and not force:
        raise PlaylistError(f"left as it is: {standing.value}; --force replaces it", path)
    return standing
