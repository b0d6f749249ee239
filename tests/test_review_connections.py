"""Connections to a review: who holds many open keeps nobody out."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tagger.review import guard
from tagger.review.guard import Guard, Keys
from tagger.review.serving import Connection, Door, listen

_HALF = b"POST /do/skip HTTP/1.1\r\nHost: localhost\r\nContent-Le"


def is_open(one: socket.socket) -> bool:
    """Whether the other end has not closed it."""
    one.setblocking(False)
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize("sent", [b"", _HALF])
def test_who_holds_connections_open_keeps_nobody_out(port: int, sent: bytes) -> None:
    with ExitStack() as held:
        some = [
            held.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(150)
        ]
        for one in some[-40:]:
            one.sendall(sent)
        assert httpx2.get(f"http://localhost:{port}/", timeout=10).status_code == 200
        assert sum(map(is_open, some)) <= 64


def test_what_is_under_way_is_not_broken_off(port: int) -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(httpx2.get(f"http://localhost:{port}/slow", timeout=30).status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    with ExitStack() as held:
        for _ in range(150):
            held.enter_context(socket.create_connection(("127.0.0.1", port)))
        asking.join()
    assert found == [200]


def test_so_many_requests_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_MOST_AT_ONCE", 0)
    keys = Keys(1)
    client = TestClient(Guard(_pages, keys), base_url="http://localhost:1")
    assert client.get("/open").status_code == 503
    monkeypatch.setattr(guard, "_MOST_AT_ONCE", 1)
    assert [client.get("/open").status_code for _ in range(3)] == [200] * 3


async def _pages(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server with the connections of a review."""
    import uvicorn

    with listen(Door()) as sock:
        config = uvicorn.Config(_pages, http=Connection, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        running = threading.Thread(target=server.run, args=([sock],), daemon=True)
        running.start()
        yield sock.getsockname()[1]
        server.should_exit = True
        running.join(10)
