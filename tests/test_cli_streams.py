"""Messages go out once, and what cannot be said ends nothing."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagger.cli.streams import UnfailingWriter
from tagger.tagging.interrupt import Interrupts

_TEXT = 6000 * "x"  # more than a pipe takes as one piece, and less than Python's buffers hold


def test_what_was_sent_off_before_an_interrupt_is_not_sent_again() -> None:
    reading, writing = os.pipe()

    def interrupt_when_full() -> None:
        while select.select([], [writing], [], 0)[1]:
            pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    watching = threading.Thread(target=interrupt_when_full)
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w") as stream:
        writer = UnfailingWriter(stream)
        watching.start()
        with pytest.raises(KeyboardInterrupt), Interrupts():
            while True:
                writer.write(_TEXT)
        assert set(reader.read1(_pipe_size(reading))) == {ord("x")}
        writer.write("end\n")
        assert reader.read1(_pipe_size(reading)) == b"end\n"
    watching.join()


def _pipe_size(descriptor: int) -> int:
    return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)


@pytest.fixture
def no_room() -> Iterator[UnfailingWriter]:
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        yield UnfailingWriter(stream)


def test_what_there_is_no_room_for_is_dropped(no_room: UnfailingWriter) -> None:
    print("a message", file=no_room, flush=True)
    no_room.flush()


def test_letters_that_the_terminal_lacks_are_spelt_out(tmp_path: Path) -> None:
    with (tmp_path / "said").open("w", encoding="ascii") as stream:
        print("Björk", file=UnfailingWriter(stream))
    assert (tmp_path / "said").read_text() == "Bj\\xf6rk\n"
