"""Opening the door: an address on this machine, a browser that is shown the way, Ctrl-C."""

from __future__ import annotations

import asyncio
import html
import os
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from tagger.errors import TaggerError, os_reason
from tagger.review.guard import OPEN_PATH, Keys

LOOPBACK = "127.0.0.1"
_ALL = ("0.0.0.0", "::")
# Addresses that stand for others in documentation: no machine has them.
_FAR_AWAY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_MOST_CONNECTIONS = 64  # a browser opens six
_MOST_HEADERS = 16 << 10  # bytes
_NOBODY_LOOKS_S = 3.0


class ReviewError(TaggerError):
    """The review cannot be served."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where the page is served.

    Args:
        host: An address of this machine.
        port: 0 is any that is free.
    """

    host: str = LOOPBACK
    port: int = 0

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines can reach it."""
        return self.host not in (LOOPBACK, "::1", "localhost")

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called by whom it was opened to; all addresses together are no name."""
        return () if self.host in _ALL else (self.host,)


def listen(door: Door) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        ReviewError: it cannot.
    """
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    try:
        return socket.create_server((door.host, door.port), family=family)
    except OSError as exc:
        raise ReviewError(
            f"nothing can be served at {door.host} port {door.port}: {os_reason(exc)}"
        ) from exc


def address(sock: socket.socket, door: Door) -> str:
    """Return the address of the page, without a token."""
    is_here = not door.is_open_to_others or door.host in _ALL
    return address_of("localhost" if is_here else door.host, sock)


def address_of(host: str, sock: socket.socket) -> str:
    """Return the address of the page under a name or an address of this machine."""
    port = sock.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def own_addresses(door: Door) -> list[str]:
    """Return the addresses at which other machines reach this one, if all of them are served."""
    if door.host not in _ALL:
        return []
    known = [_address_towards(family, far) for family, far in _FAR_AWAY]
    with suppress(OSError):
        known += [str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None)]
    # The IPv4 socket answers at no IPv6 address; the other one, of most systems, at both.
    is_served = (one for one in known if one and (door.host == "::" or ":" not in one))
    usable = (one for one in is_served if not ip_address(one.partition("%")[0]).is_loopback)
    return list(dict.fromkeys(usable))


def _address_towards(family: socket.AddressFamily, far: str) -> str:
    """Return this machine's address on the way to another; nothing is sent there."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((far, 9))
            return str(sock.getsockname()[0])
    except OSError:
        return ""


def way_in(base: str, keys: Keys) -> str:
    """Return the address that lets its reader in, once."""
    return f"{base}{OPEN_PATH}?token={keys.once}"


@contextmanager
def shown_the_way(url: str) -> Iterator[Path]:
    """Give a file that leads to an address, and that nobody else can read; it goes at the end.

    A browser's command line can be read by every user of a machine; a file of mode 0600 cannot.
    """
    folder = os.environ.get("XDG_RUNTIME_DIR") or None
    if folder is not None and not os.access(folder, os.W_OK):
        folder = None
    descriptor, name = tempfile.mkstemp(".html", "tagger-review-", folder)  # of mode 0600
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(
                '<!doctype html><meta charset="utf-8"><title>tagger review</title>'
                f'<meta http-equiv="refresh" content="0;url={html.escape(url)}">'
            )
        yield path
    finally:
        path.unlink(missing_ok=True)


class Behind:
    """What is done behind the page: once it is shown, or soon if nobody looks.

    The page comes first: what is imported and started behind it would hold it up.

    Args:
        begin: Does it; called once, in a thread of its own.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=begin, name="behind", daemon=True)
        self._timer = threading.Timer(_NOBODY_LOOKS_S, self.page_is_shown)
        self._timer.daemon = True
        self._lock = threading.Lock()

    def server_is_ready(self) -> None:
        """Say that the page can be asked for."""
        self._timer.start()

    def page_is_shown(self) -> None:
        """Say that the page has been sent."""
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()


def open_browser(path: Path) -> None:
    """Show a file in the user's browser, without waiting for it."""
    threading.Thread(target=webbrowser.open, args=(path.as_uri(),), daemon=True).start()


def serve(app: ASGIApp, sock: socket.socket, when_ready: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        app: What answers.
        sock: That listens.
        when_ready: Called once requests are answered.
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,  # addresses may hold a token
        proxy_headers=False,  # no header says who somebody is
        server_header=False,
        lifespan="off",
        ws="none",
        http=Connection,
        h11_max_incomplete_event_size=_MOST_HEADERS,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    server.when_ready = when_ready
    server.run(sockets=[sock])


class Connection(H11Protocol):
    """A connection that gives way to newer ones while nothing that it asked for is under way.

    Else whoever holds many open, or half a request on each, would keep the owner out. What a
    stranger asks for is refused at once, so only who was let in has anything under way.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take its place, and have the one close that has waited longest if there are too many."""
        super().connection_made(transport)
        self._since = self.loop.time()
        held = [one for one in self.connections if isinstance(one, Connection) and one.is_open]
        if len(held) > _MOST_CONNECTIONS:
            waiting = (one for one in held if one is not self and one.is_waiting)
            min(waiting, key=lambda one: one._since, default=self).transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether it has not been closed; what has been is forgotten a little later."""
        return not self.transport.is_closing()

    @property
    def is_waiting(self) -> bool:
        """Whether nothing that it asked for is under way."""
        return self.cycle is None or self.cycle.response_complete


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    when_ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.when_ready()
