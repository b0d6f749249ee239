"""MPD: the song that plays now, and songs to be played after it.

Host, port and password are found as mpc finds them. Source: mpc(1), "ENVIRONMENT VARIABLES";
mpd.readthedocs.io, "Protocol".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mpd import CommandError, FailureResponseCode, MPDClient, MPDError

from tagger.catalog import Reader
from tagger.errors import PlayerError, os_reason, plain, printable

_PORT = 6600
_TIMEOUT_S = 30.0
_SOCKET = Path("/run/mpd/socket")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an MPD listens.

    Args:
        host: A name, or the path of a socket.
        port: Of a host.
        password: "" where none is needed.
    """

    host: str
    port: int = _PORT
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return where it is, for a person."""
        is_socket = self.host.startswith(("/", "@"))
        return plain(self.host if is_socket else f"{self.host}:{self.port}")


def address_of(environment: Mapping[str, str]) -> Address:
    """Return where mpc would look for MPD.

    >>> address_of({"MPD_HOST": "secret@nas", "MPD_PORT": "6601"}).host
    'nas'
    >>> str(address_of({"MPD_HOST": "@abstract"}))
    '@abstract'

    Raises:
        PlayerError: MPD_PORT is no number.
    """
    named, port = environment.get("MPD_HOST", ""), environment.get("MPD_PORT", "")
    if port and not port.isdecimal():
        raise PlayerError(f"MPD_PORT is no number: {plain(port)}")
    password, at, host = named.partition("@")
    if not (at and password):  # an @ at the start is an abstract socket's
        password, host = "", named
    if not host and not port:
        host = next((str(one) for one in _sockets(environment) if one.exists()), "")
    return Address(host or "localhost", int(port or _PORT), password)


def _sockets(environment: Mapping[str, str]) -> Iterator[Path]:
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "mpd", "socket")
    yield _SOCKET


class Mpd:
    """An MPD that one is connected to; users call ``connected``."""

    def __init__(self, client: Any, address: Address) -> None:
        self._client = client
        self._address = address

    def playing(self) -> str:
        """Return the song that plays, or at which it was stopped, as a path from MPD's folder.

        Raises:
            PlayerError: There is none, or it is no file of MPD's folder.
        """
        song = self._asked(self._client.currentsong)
        uri = str(song.get("file", ""))
        if not uri:
            raise PlayerError(f"MPD at {self._address} plays nothing; start a song there first")
        if "://" in uri or uri.startswith("/"):
            raise PlayerError(f"what MPD plays is no file of its music folder: {plain(uri)}")
        return uri

    def queued(self) -> frozenset[str]:
        """Return all songs in the queue."""
        return frozenset(str(song["file"]) for song in self._asked(self._client.playlistinfo))

    def folder(self) -> Path | None:
        """Return the folder of MPD's music; it tells that on its local socket alone."""
        try:
            told = self._asked(self._client.config)
        except _RefusedError:
            return None
        # Newer versions tell several things by name.
        return Path(told.get("music_directory", "") if isinstance(told, dict) else told)

    def add(self, uris: Iterable[str]) -> list[str]:
        """Put songs behind the queue; return those that MPD does not know."""
        unknown = []
        for uri in uris:
            try:
                self._asked(self._client.add, uri)
            except _RefusedError as exc:
                if not exc.is_unknown:
                    raise
                unknown.append(uri)
        return unknown

    def _asked(self, command: Callable[..., Any], *arguments: str) -> Any:
        with _reported(self._address):
            return command(*arguments)


class _RefusedError(PlayerError):
    """MPD was asked, and said no.

    Args:
        reason: What it said.
        is_unknown: It knows no such song.
    """

    def __init__(self, reason: str, *, is_unknown: bool) -> None:
        super().__init__(reason)
        self.is_unknown = is_unknown


@contextmanager
def _reported(address: Address) -> Iterator[None]:
    try:
        yield
    except CommandError as exc:
        said = plain(exc.msg or str(exc))
        is_unknown = exc.errno is FailureResponseCode.NO_EXIST
        raise _RefusedError(f"MPD at {address} says: {said}", is_unknown=is_unknown) from exc
    except OSError as exc:
        raise PlayerError(f"MPD at {address} does not answer: {os_reason(exc)}") from exc
    except (MPDError, UnicodeError) as exc:
        raise PlayerError(f"MPD at {address} cannot be understood: {plain(str(exc))}") from exc


@contextmanager
def connected(environment: Mapping[str, str] | None = None) -> Iterator[Mpd]:
    """Give the MPD that mpc would speak to.

    Args:
        environment: In place of ``os.environ``.

    Raises:
        PlayerError: It does not answer, or does not let us in.
    """
    address = address_of(os.environ if environment is None else environment)
    client: Any = MPDClient()
    client.timeout = _TIMEOUT_S
    with _reported(address):
        client.connect(address.host, address.port)
    try:
        if address.password:
            with _reported(address):
                client.password(address.password)
        yield Mpd(client, address)
    finally:
        with suppress(MPDError, OSError):
            client.disconnect()


def music_folder(reader: Reader, uri: str, told: Path | None) -> Path:
    """Return the folder of MPD's music, as the catalogue calls it.

    Args:
        reader: The catalogue.
        uri: A song of MPD's.
        told: What MPD or the user calls the folder; another machine or container calls it
            otherwise.

    Raises:
        PlayerError: The catalogue has no such song, or several.
    """
    if told is not None and reader.track_at(told / uri) is not None:
        return told
    end = b"/" + os.fsencode(uri)
    whole = {os.fsencode(path) for path in reader.paths_named(Path(uri).name)}
    folders = sorted(path.removesuffix(end) for path in whole if path.endswith(end))
    if not folders:
        raise PlayerError(f"the song that MPD plays is not in the catalogue: {plain(uri)}; tag it")
    if len(folders) > 1:
        several = ", ".join(printable(Path(os.fsdecode(one))) for one in folders)
        raise PlayerError(f"several folders have it: {several}; set mpd_music to MPD's")
    return Path(os.fsdecode(folders[0]) or "/")


def uris_of(paths: Sequence[Path], folder: Path) -> list[str]:
    r"""Return what MPD calls some files; those outside its folder are left out.

    So are names that its protocol cannot carry: MPD itself does not take them up.

    >>> uris_of([Path("/m/a/b.mp3"), Path("/n/c.mp3"), Path("/m/two\nlines.mp3")], Path("/m"))
    ['a/b.mp3']
    """
    inside = (path.relative_to(folder) for path in paths if path.is_relative_to(folder))
    return [str(one) for one in inside if _can_be_sent(str(one))]


def _can_be_sent(text: str) -> bool:
    is_utf8 = not any("\ud800" <= letter <= "\udfff" for letter in text)
    return is_utf8 and "\n" not in text
