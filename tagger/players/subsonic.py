"""Servers that speak the Subsonic API: Navidrome, gonic, Lyrion and others.

Source: subsonic.org/pages/api.jsp; opensubsonic.netlify.app, "API Reference". What is asked goes
into the body of a POST, where no log keeps it and no length ends it.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import json
import logging
import secrets
import stat
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tagger.config import SUBSONIC_PASSWORD, config_path
from tagger.errors import PlayerError, os_reason, plain

log = logging.getLogger(__name__)

_CLIENT = "tagger"
_BY_TOKEN, _BY_PASSWORD = "1.13.0", "1.12.0"  # the API's versions that know each
_TIMEOUT_S = 30.0
_MOST_BYTES = 64 << 20
# Of errors: a parameter is missing (the password, to a server that knows no tokens), and tokens
# are not supported (for users of LDAP).
_NO_TOKENS = (10, 41)

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """Where a server is, and who we are there."""

    url: str
    user: str
    password: str = field(repr=False)


def account_of(setting: Mapping[str, str], environment: Mapping[str, str]) -> Account:
    """Return the account that the settings name; its password stands elsewhere.

    Args:
        setting: ``subsonic``: url, user and, unless a variable has the password, password_file.
        environment: May have the password.

    Raises:
        PlayerError: Something is missing.
    """
    if not setting:
        raise PlayerError(f"name the server: [subsonic] with url and user, in {config_path()}")
    password = environment.get(SUBSONIC_PASSWORD, "")
    if not password and "password_file" in setting:
        password = _first_line(Path(setting["password_file"]).expanduser())
    if not password:
        raise PlayerError(f"there is no password: set {SUBSONIC_PASSWORD}, or password_file")
    return Account(setting["url"].rstrip("/"), setting["user"], password)


def _first_line(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            log.warning("%s: others can read this password (chmod 600)", path)
        return path.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as exc:
        raise PlayerError(f"the password cannot be read: {os_reason(exc)}", path) from exc
    except UnicodeDecodeError as exc:
        raise PlayerError("the password is no text in UTF-8", path) from exc


class Server:
    """A server that one has an account with."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._knows_tokens = True

    @property
    def user(self) -> str:
        """Who we are there."""
        return self._account.user

    def ask(self, method: str, **parameters: str | int | Sequence[str]) -> Answer:
        """Return what the server answers.

        Args:
            method: Of the API.
            parameters: A list is a parameter given several times.

        Raises:
            PlayerError: It is away, says no, or is no such server.
        """
        if self._knows_tokens:
            answer = self._asked(method, parameters, self._by_token())
            if answer.get("error", {}).get("code") not in _NO_TOKENS:
                return self._granted(answer)
            self._check_private()
            self._knows_tokens = False
        return self._granted(self._asked(method, parameters, self._by_password()))

    def _by_token(self) -> Mapping[str, str]:
        salt = secrets.token_hex(8)
        token = hashlib.md5((self._account.password + salt).encode(), usedforsecurity=False)
        return {"v": _BY_TOKEN, "t": token.hexdigest(), "s": salt}

    def _by_password(self) -> Mapping[str, str]:
        return {"v": _BY_PASSWORD, "p": "enc:" + self._account.password.encode().hex()}

    def _check_private(self) -> None:
        """Refuse to send the password itself where others could read it.

        Raises:
            PlayerError: They could.
        """
        parts = urlsplit(self._account.url)
        if parts.scheme != "https" and not _is_this_machine(parts.hostname or ""):
            raise PlayerError(
                f"{self._where} knows no tokens, and the password is not sent over http; use https"
            )

    @property
    def _where(self) -> str:
        return plain(self._account.url)

    def _granted(self, answer: Answer) -> Answer:
        if answer.get("status") == "ok":
            return answer
        error = answer.get("error", {})
        said = plain(str(error.get("message") or f"error {error.get('code', '?')}"))
        raise PlayerError(f"{self._where} says: {said}")

    def _asked(
        self, method: str, parameters: Mapping[str, Any], proof: Mapping[str, str]
    ) -> Answer:
        common = {"u": self._account.user, "c": _CLIENT, "f": "json", **proof}
        body = urlencode({**common, **parameters}, doseq=True, errors="replace").encode()
        request = urllib.request.Request(f"{self._account.url}/rest/{method}.view", body)
        try:
            return _answer_in(self._sent(request))
        except ValueError as exc:
            raise PlayerError(f"{self._where} is no Subsonic server: {plain(str(exc))}") from exc

    def _sent(self, request: urllib.request.Request) -> bytes:
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                data: bytes = response.read(_MOST_BYTES)
                return data
        except urllib.error.HTTPError as exc:
            # Some say what is wrong in the body of an answer with an error's code.
            return exc.read(_MOST_BYTES) or f"it answers with {exc.code}".encode()
        except (OSError, http.client.HTTPException) as exc:
            cause = exc.reason if isinstance(exc, urllib.error.URLError) else exc
            told = os_reason(cause) if isinstance(cause, OSError) else str(cause)
            raise PlayerError(f"{self._where} does not answer: {plain(told)}") from exc


def _is_this_machine(host: str) -> bool:
    """Return whether nothing that is sent there leaves this machine.

    >>> _is_this_machine("localhost"), _is_this_machine("::1"), _is_this_machine("nas.lan")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _answer_in(data: bytes) -> Answer:
    """Return what an answer says.

    Raises:
        ValueError: It is none of this API.
    """
    try:
        answer = json.loads(data)["subsonic-response"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, RecursionError) as exc:
        start = data[:60].decode("utf-8", "replace")
        raise ValueError(f"it answers {start!r}") from exc
    if not isinstance(answer, dict) or not isinstance(answer.get("error", {}), dict):
        raise ValueError("its answer has another form")
    return answer


def listed(answer: Answer, *names: str) -> list[Answer]:
    """Return the objects that an answer lists, at a place within; [] if it has none.

    >>> listed({"playlists": {"playlist": [{"id": "1"}]}}, "playlists", "playlist")
    [{'id': '1'}]
    """
    found: Any = answer
    for name in names:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
