"""Who may come in: the one browser that was shown the way, by the name of this machine.

A page on loopback is reached by every program of this machine and, through the browser, by every
page of the web. So each request must name this host (a name that an attacker's DNS turns to
127.0.0.1 is refused), must not come from another site or another port of this one, and must bring a
cookie that only who had the address was given. Cookies are sent to every port of a host, so the
name of ours has the port in it; and what changes anything must bring, in a header, a token that is
no cookie.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "x-tagger-token"
OPEN_PATH = "/open"
LOGIN_PATH = "/login"
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MOST_BODY_BYTES = 64 << 10
_MOST_AT_ONCE = 32  # requests
_MOST_REQUESTS = 600  # a minute; a person with a fast finger makes a tenth of that
_MOST_TRIES = 5  # of passwords and tokens, a minute
_MINUTE_S = 60.0

_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class RateLimit:
    """So many a minute, and no more.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[float] = deque(maxlen=most)

    def allows(self) -> bool:
        """Return whether one more is allowed now, and count it if so."""
        now = time.monotonic()
        if len(self._times) == self._most and now - self._times[0] < _MINUTE_S:
            return False
        self._times.append(now)
        return True


@dataclass
class Keys:
    """What opens the door.

    Args:
        port: That the page is served at.
        password: What a browser must say first; "" where the address is enough.
        csrf: The token that each change must bring.
    """

    port: int
    password: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _cookies: set[str] = field(default_factory=set)
    _once: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _tries: RateLimit = field(default_factory=lambda: RateLimit(_MOST_TRIES))
    _token_tries: RateLimit = field(default_factory=lambda: RateLimit(_MOST_TRIES))

    @property
    def cookie_name(self) -> str:
        """The cookie's name; the cookies of all ports of a host are sent to each."""
        return f"tagger_review_{self.port}"

    @property
    def once(self) -> str:
        """The token in the address, which works once; the next one is another."""
        return self._once

    def spend(self, token: str) -> str | None:
        """Return a new cookie for the token in the address; None: it is wrong, or was spent."""
        if not hmac.compare_digest(token.encode(), self._once.encode()):
            return None
        self._once = secrets.token_urlsafe(32)
        return self._new_cookie()

    def log_in(self, password: str) -> str | None:
        """Return a new cookie for the password; None: it is wrong."""
        if not self.password or not hmac.compare_digest(password.encode(), self.password.encode()):
            return None
        return self._new_cookie()

    def may_try(self) -> bool:
        """Return whether one more password may be tried now."""
        return self._tries.allows()

    def may_try_token(self) -> bool:
        """Return whether one more wrong token may be told so now."""
        return self._token_tries.allows()

    def knows(self, cookie: str) -> bool:
        """Return whether a cookie was given out here."""
        return any(hmac.compare_digest(cookie.encode(), own.encode()) for own in self._cookies)

    def _new_cookie(self) -> str:
        cookie = secrets.token_urlsafe(32)
        self._cookies.add(cookie)
        return cookie


class Guard:
    """Lets requests through to the pages that come from who was let in, and answers all others.

    Args:
        app: The pages.
        keys: What opens the door.
        allowed_hosts: Names of this machine besides its own, as ``Host`` has them without a port.
    """

    def __init__(self, app: ASGIApp, keys: Keys, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._keys = keys
        self._names = _OWN_NAMES | {name.casefold() for name in allowed_hosts}
        self._rate = RateLimit(_MOST_REQUESTS)
        self._n_at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            return
        send = _with_headers(send)
        refused = self._refusal(scope, Headers(scope=scope))
        if refused is None and not self._rate.allows():  # what is refused holds nobody else up
            refused = 429, "too many requests; wait a minute"
        if refused is None and self._n_at_once >= _MOST_AT_ONCE:
            refused = 503, "too many requests at once; wait a moment"
        if refused is None:
            await self._answer(scope, receive, send)
        else:
            status, why = refused
            await PlainTextResponse(why, status)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._n_at_once += 1
        try:
            await self._app(scope, _bounded(receive), send)
        finally:
            self._n_at_once -= 1

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the words by which a request is refused, or None."""
        if len(headers.getlist("host")) != 1 or not self._is_our_name(scope, headers["host"]):
            return 421, "this page has another name; tagger review --allow-host NAME lets one in"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _MOST_BODY_BYTES:
            return 413, "too long"
        if scope["path"] == OPEN_PATH and scope["method"] == "GET":
            return None  # the token in the address is all it needs, wherever that was found
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "requests from other pages are refused"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers['host']}":
            return 403, "requests from other pages are refused"
        return self._refusal_of_stranger(scope, headers)

    def _refusal_of_stranger(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        is_change = scope["method"] == "POST"
        if is_change and "origin" not in headers:
            return 403, "a change must say where it comes from"
        if scope["path"] == LOGIN_PATH or _is_for_all(scope):
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        if not self._keys.knows(cookies.get(self._keys.cookie_name, "")):
            return 401, "open the address that tagger review has printed; each works once"
        token = headers.get(TOKEN_HEADER, "")
        if is_change and not hmac.compare_digest(token.encode(), self._keys.csrf.encode()):
            return 403, "the token is missing; reload the page"
        return None

    def _is_our_name(self, scope: Scope, host: str) -> bool:
        """Return whether a Host names this machine; at any port, since one may be forwarded."""
        name = host.casefold()
        if not name.endswith("]"):
            before, colon, port = name.rpartition(":")
            if colon:
                if not port.isdecimal():
                    return False
                name = before
        return name in self._names or name == _own_address(scope)


def _own_address(scope: Scope) -> str:
    """Return the address that a connection came in at, as Host has it; an address is no name."""
    address = str((scope.get("server") or ("",))[0])
    return f"[{address}]" if ":" in address else address


def _is_for_all(scope: Scope) -> bool:
    """Return whether what is asked for is the same for everybody: the look of the page."""
    return scope["method"] == "GET" and scope["path"] in ("/page.css", "/login.js")


def _with_headers(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return send_on


class TooLongError(Exception):
    """A request's body does not end."""


def _bounded(receive: Receive) -> Receive:
    n_bytes = 0

    async def receive_some() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > _MOST_BODY_BYTES:
            raise TooLongError
        return message

    return receive_some
