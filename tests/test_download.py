"""Downloads over a loopback server: resumed, restarted, refused; never a wrong file by its name."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tagger.errors import DatasetError
from training.download import fetch, verify

CONTENT = bytes(range(256)) * 4096  # a megabyte
SHA1 = hashlib.sha1(CONTENT).hexdigest()


@dataclass
class Manner:
    """How the server behaves, and what it was asked."""

    has_ranges: bool = True
    cut_after: list[int] = field(default_factory=list)  # bytes, for each of the first answers
    statuses: list[int] = field(default_factory=list)  # errors, for each of the first answers
    content: bytes = CONTENT
    files: dict[str, bytes] = field(default_factory=dict)  # {path: content}, else ``content``
    asked: list[str | None] = field(default_factory=list)


@contextmanager
def serving(manner: Manner) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            manner.asked.append(asked)
            content = manner.files.get(self.path, manner.content)
            if manner.statuses:
                self.send_error(manner.statuses.pop(0))
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if not manner.has_ranges:
                start = 0
            elif start >= len(content):
                self.send_error(416)
                return
            body = content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if manner.cut_after:
                body = body[: manner.cut_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/file.zip"
        finally:
            server.shutdown()
            thread.join()


def fetched(manner: Manner, path: Path, **options: Any) -> None:
    with serving(manner) as url:
        fetch(url, path, SHA1, wait_s=0.0, **options)


def test_a_file_is_fetched_and_its_progress_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    fetched(Manner(), tmp_path / "f", on_bytes=lambda done, total: told.append((done, total)))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_cut_connection_is_gone_on_with_from_where_it_broke(tmp_path: Path) -> None:
    manner = Manner(cut_after=[1000, 500])
    fetched(manner, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert manner.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    manner = Manner(has_ranges=False, cut_after=[1000])
    fetched(manner, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert manner.asked == [None, "bytes=1000-"]


def test_a_later_call_goes_on_with_what_an_earlier_one_left(tmp_path: Path) -> None:
    manner = Manner(cut_after=[1000, 0])
    with pytest.raises(DatasetError, match="run again to go on"):
        fetched(manner, tmp_path / "f", n_tries=2)
    assert not (tmp_path / "f").exists()
    fetched(manner, tmp_path / "f")
    assert manner.asked[-1] == "bytes=1000-"
    assert (tmp_path / "f").read_bytes() == CONTENT


def test_a_whole_part_needs_no_more_bytes(tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    fetched(Manner(), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("start", [b"", b"x" * 1000])
def test_a_wrong_file_never_gets_the_name(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "f.part").write_bytes(start)
    wrong = Manner(content=b"y" * len(CONTENT))
    with pytest.raises(DatasetError, match="not the file expected"):
        fetched(wrong, tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(tmp_path: Path) -> None:
    fetched(Manner(statuses=[503, 503]), tmp_path / "f")
    missing = Manner(statuses=[404] * 5)
    with pytest.raises(DatasetError, match="404"):
        fetched(missing, tmp_path / "g")
    assert len(missing.asked) == 1


def test_no_server_is_said_so(tmp_path: Path) -> None:
    with serving(Manner()) as url:
        pass
    with pytest.raises(DatasetError, match="connection failed"):
        fetch(url, tmp_path / "f", SHA1, n_tries=2, wait_s=0.0)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        fetched(Manner(), tmp_path / "nowhere" / "f")


def test_a_changed_file_does_not_pass(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    verify(path, SHA1)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(DatasetError, match="damaged or another file"):
        verify(path, SHA1)
