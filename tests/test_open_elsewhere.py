"""Whether somebody is writing a file."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tagger.files.open_elsewhere import is_open_for_writing


@pytest.mark.parametrize(
    ("mode", "is_writer"), [("wb", True), ("ab", True), ("r+b", True), ("rb", False)]
)
def test_who_has_a_file_open_for_writing_is_noticed(
    tmp_path: Path, mode: str, is_writer: bool
) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(b"half")
    assert not is_open_for_writing(str(path))
    with path.open(mode):
        assert is_open_for_writing(str(path)) is (is_writer and sys.platform == "linux")
    assert not is_open_for_writing(str(path))


def test_asking_keeps_nobody_from_writing(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.touch()
    for _ in range(100):
        assert not is_open_for_writing(str(path))
        path.write_bytes(b"more")


def test_a_network_disk_that_refuses_leases_keeps_no_file_from_being_tagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song.mp3"
    monkeypatch.setattr("tagger.files.open_elsewhere.is_silent", lambda folder: folder == path)
    with path.open("wb"):  # refused as NFS refuses each that it has no delegation of
        assert not is_open_for_writing(str(path))


def test_what_cannot_be_opened_is_not_being_written(tmp_path: Path) -> None:
    assert not is_open_for_writing(str(tmp_path / "gone.mp3"))


def test_a_file_that_somebody_has_for_himself_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with path.open("wb") as file:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # its end is asked for by a signal
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        assert is_open_for_writing(str(path))


def test_a_program_that_opens_it_at_that_moment_ends_neither(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    code = "import sys\nfor _ in range(3000): open(sys.argv[1], 'wb').close()"
    writer = subprocess.Popen([sys.executable, "-c", code, path])
    while writer.poll() is None:
        is_open_for_writing(str(path))
    assert writer.returncode == 0
