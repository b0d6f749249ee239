"""Large files over HTTP: resumed where a transfer broke off, believed by checksum only."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tagger.errors import DatasetError, os_reason

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all, 0 where the server does not tell."""

_CHUNK = 2**20
_TIMEOUT_S = 30.0  # without a single byte
_RANGE_NOT_SATISFIABLE = 416
_WORTH_ANOTHER_TRY = (408, 429)  # and what begins with 5: the server's own troubles


class BrokenOffError(Exception):
    """A transfer ended before its time; what came is kept."""


def _ignore(_done: int, _total: int) -> None:
    """Show nothing."""


def fetch(
    url: str,
    path: Path,
    sha1: str,
    *,
    on_bytes: Progress = _ignore,
    n_tries: int = 5,
    wait_s: float = 2.0,
) -> None:
    """Download a file; it bears its name only when it is whole and right.

    Until then it is PATH.part, from whose end a later call goes on.

    Args:
        url: Where from.
        path: Where to.
        sha1: What its SHA-1 must be, in hexadecimal.
        on_bytes: Told how far it is.
        n_tries: Tries in a row that may bring nothing before it is given up.
        wait_s: Seconds before the second of them; each further one waits longer.

    Raises:
        DatasetError: it cannot be had, cannot be stored, or is not what it should be.
    """
    part = path.with_name(f"{path.name}.part")
    n_failed = 0
    while True:
        before = _size(part)
        try:
            _receive(url, part, on_bytes)
            break
        except BrokenOffError as exc:
            n_failed = 1 if _size(part) > before else n_failed + 1
            if n_failed >= n_tries:
                raise DatasetError(f"{exc} ({url}); run again to go on from there", part) from exc
            time.sleep(wait_s * n_failed)
    try:
        verify(part, sha1)
    except DatasetError as exc:
        part.unlink(missing_ok=True)
        raise DatasetError(f"what {url} gave is not the file expected; run again", path) from exc
    part.replace(path)


def verify(path: Path, sha1: str, *, on_bytes: Progress = _ignore) -> None:
    """Check a file against its checksum.

    Raises:
        DatasetError: it cannot be read, or is another.
    """
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                on_bytes(file.tell(), _size(path))
    except OSError as exc:
        raise DatasetError(os_reason(exc), path) from exc
    if digest.hexdigest() != sha1:
        raise DatasetError(
            f"damaged or another file: its SHA-1 is {digest.hexdigest()}, not {sha1}; "
            "delete it and run again with --download",
            path,
        )


def _receive(url: str, part: Path, on_bytes: Progress) -> None:
    """Ask for what is missing of a file, and append it.

    Raises:
        BrokenOffError: something is still missing.
        DatasetError: another try would fare no better.
    """
    n_have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={n_have}-"} if n_have else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            is_continued = response.status == http.HTTPStatus.PARTIAL_CONTENT
            n_have = n_have if is_continued else 0  # without ranges it starts over
            n_total = _n_total(response, n_have)
            _append(response, part, n_have, n_total, on_bytes)
    except urllib.error.HTTPError as exc:
        if exc.code == _RANGE_NOT_SATISFIABLE and n_have:
            return  # there is no more: the checksum will tell whether all is here
        if exc.code >= 500 or exc.code in _WORTH_ANOTHER_TRY:
            raise BrokenOffError(f"the server says {exc.code} {exc.reason}") from exc
        raise DatasetError(f"the server says {exc.code} {exc.reason}: {url}") from exc
    except (OSError, http.client.HTTPException) as exc:
        raise BrokenOffError(f"the connection failed: {exc or type(exc).__name__}") from exc
    if _size(part) < n_total:
        raise BrokenOffError(f"the connection broke off after {_size(part)} of {n_total} bytes")


def _n_total(response: http.client.HTTPResponse, n_have: int) -> int:
    n_coming = response.headers.get("Content-Length")
    return n_have + int(n_coming) if n_coming and n_coming.isdigit() else 0


def _append(
    response: http.client.HTTPResponse, part: Path, n_have: int, n_total: int, on_bytes: Progress
) -> None:
    """Write what comes behind the first ``n_have`` bytes of a file."""
    try:
        file = part.open("r+b" if n_have else "wb")
    except OSError as exc:
        raise DatasetError(os_reason(exc), part) from exc
    with file:
        file.seek(n_have)
        while chunk := response.read(_CHUNK):
            try:
                file.write(chunk)
                file.flush()
            except OSError as exc:
                raise DatasetError(os_reason(exc), part) from exc
            on_bytes(file.tell(), n_total)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
